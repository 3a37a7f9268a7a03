//! `contract openapi`: the document says the same as the contract.

use std::collections::{BTreeMap, BTreeSet};

use harness::contract::Contract;
use harness::operations::Operations;
use serde_json::Value;
use suites::command::{contract, printed};
use suites::scratch;
use suites::support::documented;

#[test]
fn the_document_has_every_code_with_an_example_that_fits() {
    let scratch = scratch();
    let file = scratch.path().join("openapi.json");
    let write = |options: &[&str]| -> Value {
        let output =
            contract(&[&["openapi", "--output", file.to_str().unwrap()], options].concat());
        assert!(output.status.success(), "{}", printed(&output));
        let printed = contract(&[&["openapi"], options].concat()).stdout;
        let document = std::fs::read(&file).unwrap();
        assert!(document == printed, "printed otherwise than written");
        serde_json::from_slice(&document).unwrap()
    };
    assert_eq!(shown(&write(&[])), documented());
    let operations = Operations::read(&Contract::embedded()).unwrap();
    for operation in operations.all() {
        let document = write(&["--action", &operation.action]);
        let rows = operation.errors.iter().chain(operations.gate());
        let documented = rows.map(|row| (row.code.clone(), BTreeSet::from([row.status])));
        assert_eq!(shown(&document), documented.collect(), "{}", operation.action);
    }
}

/// The errors of a document's schemas, with their statuses. Asserts that each example fits.
fn shown(document: &Value) -> BTreeMap<String, BTreeSet<u16>> {
    let responses = document["paths"]["/"]["post"]["responses"].as_object().unwrap();
    let mut shown: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for (status, response) in responses {
        let content = &response["content"]["application/json"];
        assert_eq!(&response["content"]["text/xml"], content, "{status}");
        let schema = &content["schema"];
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|name| schema[name].as_array());
        let alternatives = alternatives.cloned().unwrap_or_else(|| vec![schema.clone()]);
        let schemas = alternatives.iter().map(|reference| {
            let pointer = reference["$ref"].as_str().unwrap().trim_start_matches('#');
            document.pointer(pointer).unwrap()
        });
        let schemas: Vec<(Option<&str>, &Value)> = schemas
            .map(|schema| (schema["properties"]["Code"]["const"].as_str(), schema))
            .collect();
        for (code, _) in schemas.iter().filter(|_| status != "200") {
            shown.entry(code.unwrap().to_owned()).or_default().insert(status.parse().unwrap());
        }
        for (name, example) in content["examples"].as_object().unwrap() {
            let mut of_name = schemas.iter().filter(|(code, _)| code.is_none_or(|it| it == name));
            let fits = |(_, schema): &(Option<&str>, &Value)| {
                let mut whole = (*schema).clone();
                // With the definitions that its references name.
                whole["components"] = document["components"].clone();
                jsonschema::draft202012::is_valid(&whole, &example["value"])
            };
            assert!(of_name.any(fits), "{name}: {example}");
        }
    }
    shown
}
