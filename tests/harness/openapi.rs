//! `contract openapi`: the contract as an OpenAPI document, for tools that know no other form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::operations::{COMMON, ErrorRow, Operation, Operations, Parameter};
use crate::verify::reviewed;

/// Writes the contract as an OpenAPI 3.1 document, from which Prism, Schemathesis, Postman and generators
/// of clients work.
///
/// It is made of the contract's files: parameters and limits of operation.json, statuses, codes and messages
/// of errors.json, a schema for each code, told apart by Code, and the reviewed answers as examples. How a
/// call is signed is only described: no form of OpenAPI can say it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  contract openapi --output openapi.json
  contract openapi --action ACTION --output action.json
  contract openapi | npx @stoplight/prism-cli mock -

Exit codes: 0 written, 2 it could not be, 3 usage.")]
pub struct Options {
    /// Where to write it, instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this operation; may be given more than once. OpenAPI knows one operation of a path and a method,
    /// so what differs between operations is said as alternatives, and of one alone as it is
    #[arg(long = "action", value_name = "NAME")]
    actions: Vec<String>,
}

/// What stands for what differs from run to run in every answer.
const PLACEHOLDERS: [(&str, &str); 3] = [
    ("[RetryAfter]", "1"),
    ("[RequestId]", "6972A26E-99B1-4367-9890-FBDEBB0F5E7D"),
    ("[TraceId]", "3c6e0b8a9c15224a8228b9a98ca1531d"),
];

/// What both kinds of signature need; it stands in the document for people.
const SIGNATURE_V1: &str = "HMAC-SHA1 over all parameters, with AccessKeyId, SignatureMethod=HMAC-SHA1, \
    SignatureVersion=1.0, SignatureNonce and Timestamp in the query, and SecurityToken with a temporary key.";
const SIGNATURE_V3: &str = "ACS3-HMAC-SHA256 over method, query, signed headers and body, with the headers \
    x-acs-action, x-acs-version, x-acs-date, x-acs-signature-nonce and x-acs-content-sha256, and \
    x-acs-security-token with a temporary key. Action and Version may then be left out of the query.";

/// Writes the document.
///
/// # Errors
///
/// A file of the contract cannot be read, or the document not be written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let document = document(contract, &options.actions)?;
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    text.push('\n');
    match &options.output {
        Some(file) => write_whole(file, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(Outcome::Holds)
}

/// An error with what the document says of it.
struct Error<'a> {
    row: &'a ErrorRow,
    /// The name of its schema among the components.
    component: String,
    /// An answer in each format, if one was reviewed.
    examples: BTreeMap<&'static str, Value>,
}

/// The document of some operations, of all if none is named.
///
/// # Errors
///
/// A file of the contract cannot be read, or there is no such operation.
pub fn document(contract: &Contract, actions: &[String]) -> Result<Value, String> {
    let operations = Operations::read(contract)?;
    if let Some(unknown) = actions.iter().find(|action| operations.get(action).is_none()) {
        return Err(format!("--action {unknown}: {} has no such operation", contract.origin()));
    }
    let chosen: Vec<&Operation> = operations
        .all()
        .iter()
        .filter(|operation| actions.is_empty() || actions.contains(&operation.action))
        .collect();
    let cases = contract.cases()?;
    let shown = |case: Option<&Case>| examples(contract, &chosen, case);
    let (mut schemas, mut errors, mut successes) = (Map::new(), Vec::new(), BTreeMap::new());
    for operation in &chosen {
        let action = &operation.action;
        let path = format!("{action}/schemas/success.json");
        let root = format!("{action}Response");
        schemas.insert(root.clone(), component(contract, &path, &root, &root)?);
        let succeeds = |case: &&Case| case.folder() == action && case.demanded.status == 200;
        successes.insert(root, shown(cases.iter().find(succeeds)));
    }
    let own = chosen
        .iter()
        .flat_map(|operation| operation.errors.iter().map(|row| (operation.action.as_str(), row)));
    for (folder, row) in own.chain(operations.gate().iter().map(|row| (COMMON, row))) {
        let code = &row.code;
        let own = format!("{folder}/schemas/errors/{code}.json");
        let is_own = folder != COMMON && contract.text(&own).is_some();
        let path = if is_own { own } else { format!("{COMMON}/schemas/errors/{code}.json") };
        // One alone has its codes as names; of several each has its own where they differ.
        let component_name =
            if is_own && chosen.len() > 1 { format!("{folder}.{code}") } else { code.clone() };
        let schema = component(contract, &path, &component_name, "Error")?;
        schemas.insert(component_name.clone(), schema);
        let demands =
            |case: &&Case| case.folder() == folder && case.demanded.code.as_deref() == Some(code);
        let examples = shown(cases.iter().find(demands));
        errors.push(Error { row, component: component_name, examples });
    }
    let responses = responses(&errors, &successes);
    let parameters = parameters(&chosen);
    let method = |method: &str| {
        let by_get = if method == "get" { "ByGet" } else { "" };
        let (id, summary) = match &chosen[..] {
            [one] => (format!("{}{by_get}", one.action), one.summary.clone()),
            _ => (format!("Call{by_get}"), "Calls the operation that Action names.".to_owned()),
        };
        let describe = |operation: &&Operation| {
            let Operation { action, summary, ram, .. } = operation;
            format!("{action}: {summary} RAM action {}.", ram.action)
        };
        let mut described = json!({
            "operationId": id,
            "summary": summary,
            "description": chosen.iter().map(describe).collect::<Vec<_>>().join(" "),
            "parameters": in_query(method, common_parameters(&chosen).into_iter().chain(parameters.clone())),
            "security": [{ "v1": [] }, { "v3": [] }],
            "responses": responses,
        });
        if method == "post" {
            described["requestBody"] = body(&parameters);
        }
        described
    };
    let methods: BTreeSet<String> = chosen
        .iter()
        .flat_map(|operation| operation.methods.iter().map(|method| method.to_lowercase()))
        .collect();
    let methods: Map<String, Value> =
        methods.into_iter().map(|name| (name.clone(), method(&name))).collect();
    let names: Vec<&str> = chosen.iter().map(|operation| operation.action.as_str()).collect();
    let first = chosen.first().ok_or("there is no operation")?;
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} of Alibaba Cloud's {}", names.join(", "), first.product),
            "version": first.version,
            "description": "Made of the contract's files by `contract openapi`. Every error of the operation and of the gateway before it is told apart by its Code.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{
            "url": "https://vpc.{region}.aliyuncs.com",
            "variables": { "region": { "default": "cn-huhehaote" } },
        }],
        "paths": { "/": methods },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "v1": { "type": "apiKey", "in": "query", "name": "Signature", "description": SIGNATURE_V1 },
                "v3": { "type": "apiKey", "in": "header", "name": "Authorization", "description": SIGNATURE_V3 },
            },
        },
    }))
}

/// A schema of the contract as the component of a name, with its root in XML.
fn component(contract: &Contract, path: &str, name: &str, root: &str) -> Result<Value, String> {
    let mut schema = contract.json(path)?;
    refer(&mut schema, name);
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| name != "$schema" && name != "$id");
        members.insert("xml".to_owned(), json!({ "name": root }));
    }
    Ok(schema)
}

/// Lets references within a schema point into the component that it becomes.
fn refer(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(members) => {
            for (keyword, value) in members {
                match value {
                    Value::String(text) if keyword == "$ref" => {
                        *text = text.replacen('#', &format!("#/components/schemas/{name}"), 1);
                    }
                    inner => refer(inner, name),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The body of a case's reviewed answer, in each format.
fn examples(
    contract: &Contract,
    operations: &[&Operation],
    case: Option<&Case>,
) -> BTreeMap<&'static str, Value> {
    let mut examples = BTreeMap::new();
    let Some(case) = case else { return examples };
    let fresh = operations.iter().flat_map(|operation| &operation.success.elements);
    let fresh =
        fresh.filter_map(|element| Some((format!("[{}]", element.name), element.fresh.clone()?)));
    let placeholders: Vec<(String, String)> = PLACEHOLDERS
        .iter()
        .map(|(placeholder, value)| ((*placeholder).to_owned(), (*value).to_owned()))
        .chain(fresh)
        .collect();
    for format in ["JSON", "XML"] {
        // A case that is tried in one format only has no answer in the other.
        let Ok(reviewed) = reviewed(contract, case, format) else { continue };
        let Some(body) = reviewed.lines().last() else { continue };
        let text = placeholders.iter().fold(body.to_owned(), |text, (placeholder, value)| {
            // The same value again is another one: "[RequestId 2]".
            let stem = placeholder.trim_end_matches(']');
            (2..4).fold(text.replace(placeholder, value), |text, number| {
                text.replace(&format!("{stem} {number}]"), value)
            })
        });
        // What a server signed is the call's; one example of such is as good as another.
        let hash = "0".repeat(64);
        let text = if text.contains("StringToSign is [StringToSign") {
            let shown = format!("ACS3-HMAC-SHA256\\n{hash}");
            text.replace("[StringToSign]", &format!("[{shown}]"))
        } else {
            text.replace("[StringToSign]", "GET&%2F&AccessKeyId%3Dtestid")
        };
        let value = match format {
            "JSON" => serde_json::from_str(&text).unwrap_or_default(),
            _ => Value::String(text),
        };
        if !value.is_null() {
            examples.insert(format, value);
        }
    }
    examples
}

/// What the parameters of operations are, in the query.
fn parameters(operations: &[&Operation]) -> Vec<Value> {
    let mut by_name: Vec<(&str, Vec<&Parameter>)> = Vec::new();
    for parameter in operations.iter().flat_map(|operation| operation.accepted()) {
        match by_name.iter_mut().find(|(name, _)| *name == parameter.name) {
            Some((_, known)) => known.push(parameter),
            None => by_name.push((&parameter.name, vec![parameter])),
        }
    }
    by_name
        .into_iter()
        .map(|(name, parameters)| {
            let required = |parameter: &&Parameter| parameter.required;
            let mut schemas: Vec<Value> = parameters.iter().map(|known| schema(known)).collect();
            schemas.dedup();
            let schema = match &schemas[..] {
                [one] => one.clone(),
                several => json!({ "anyOf": several }),
            };
            let mut says: Vec<&str> =
                parameters.iter().map(|known| known.description.as_str()).collect();
            says.dedup();
            let is_required =
                parameters.len() == operations.len() && parameters.iter().all(required);
            json!({
                "name": name,
                "in": "query",
                "required": is_required,
                "description": says.join(" Or: "),
                "schema": schema,
            })
        })
        .collect()
}

fn schema(parameter: &Parameter) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), parameter.kind.as_str().into());
    if let Some(values) = &parameter.values {
        schema.insert("enum".to_owned(), values.clone().into());
    }
    if let Some(pattern) = &parameter.pattern {
        schema.insert("pattern".to_owned(), pattern.as_str().into());
    }
    if let Some(default) = parameter.default_value() {
        schema.insert("default".to_owned(), default.clone());
    }
    let limits = &parameter.limits;
    let bounds = |name: &str| -> Vec<i64> {
        let own = limits.get(name).and_then(Value::as_i64);
        limits.values().filter_map(|limit| limit[name].as_i64()).chain(own).collect()
    };
    // Which limit holds may depend on another parameter; the schema has the widest.
    if let Some(minimum) = bounds("minimum").into_iter().min() {
        schema.insert("minimum".to_owned(), minimum.into());
    }
    if let Some(maximum) = bounds("maximum").into_iter().max() {
        schema.insert("maximum".to_owned(), maximum.into());
    }
    if let Some(most) = limits.get("maximumCharacters") {
        schema.insert("maxLength".to_owned(), most.clone());
    }
    if limits.get("characters").is_some_and(|characters| characters == "ASCII") {
        schema.insert("pattern".to_owned(), "^[\\x00-\\x7F]*$".into());
    }
    schema.into()
}

/// The parameters of every operation.
fn common_parameters(operations: &[&Operation]) -> Vec<Value> {
    let fixed = |name: &str, of: fn(&Operation) -> &str| {
        let values: BTreeSet<&str> = operations.iter().map(|operation| of(operation)).collect();
        json!({
            "name": name, "in": "query", "required": true,
            "schema": { "type": "string", "enum": values },
        })
    };
    vec![
        fixed("Action", |operation| &operation.action),
        fixed("Version", |operation| &operation.version),
        json!({
            "name": "Format", "in": "query", "required": false,
            "description": "The format of the answer; left out, XML to a V1 call and JSON to a V3 call.",
            "schema": { "type": "string", "enum": ["JSON", "XML"] },
        }),
    ]
}

/// A method's parameters in the query.
///
/// A POST may have each of them in its form instead, and no form of OpenAPI can say "in one of the two":
/// demanded in the query, they would make tools refuse calls that are right.
fn in_query(method: &str, parameters: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut parameters: Vec<Value> = parameters.collect();
    if method == "post" {
        for parameter in &mut parameters {
            parameter["required"] = json!(false);
        }
    }
    parameters
}

/// The parameters as a form, whose values win over those of the query.
fn body(parameters: &[Value]) -> Value {
    let properties: Map<String, Value> = parameters
        .iter()
        .filter_map(|parameter| {
            Some((parameter["name"].as_str()?.to_owned(), parameter["schema"].clone()))
        })
        .collect();
    json!({
        "required": false,
        "description": "Parameters may stand here instead of in the query; where both have one, this one counts.",
        "content": {
            "application/x-www-form-urlencoded": { "schema": { "type": "object", "properties": properties } }
        },
    })
}

/// The answers by status.
fn responses(
    errors: &[Error<'_>],
    successes: &BTreeMap<String, BTreeMap<&'static str, Value>>,
) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let headers = json!({
        "x-acs-request-id": { "schema": { "type": "string" }, "example": "6972A26E-99B1-4367-9890-FBDEBB0F5E7D", "description": "The RequestId of the body." },
        "x-acs-trace-id": { "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" }, "example": "3c6e0b8a9c15224a8228b9a98ca1531d" },
    });
    let response = |says: String, schema: &Value, examples: [Map<String, Value>; 2]| {
        let [in_json, in_xml] = examples;
        json!({
            "description": says,
            "headers": headers,
            "content": {
                "application/json": { "schema": schema, "examples": in_json },
                "text/xml": { "schema": schema, "examples": in_xml },
            },
        })
    };
    let mut responses = Map::new();
    let alternatives: Vec<Value> = successes.keys().map(|name| reference(name)).collect();
    let schema = match &alternatives[..] {
        [one] => one.clone(),
        several => json!({ "anyOf": several }),
    };
    let of_successes = ["JSON", "XML"].map(|format| {
        let shown = successes.iter().filter_map(|(name, examples)| {
            Some((name.clone(), json!({ "value": examples.get(format)? })))
        });
        shown.collect()
    });
    let says = "The call succeeded, or is a replay of one that did.".to_owned();
    responses.insert("200".to_owned(), response(says, &schema, of_successes));
    let mut by_status: BTreeMap<u16, BTreeMap<&str, Vec<&Error<'_>>>> = BTreeMap::new();
    for error in errors {
        let of_status = by_status.entry(error.row.status).or_default();
        of_status.entry(&error.row.code).or_default().push(error);
    }
    for (status, codes) in by_status {
        // A code may have several schemas, if operations answer it differently.
        let is_single = codes
            .values()
            .all(|errors| errors.iter().all(|error| error.component == errors[0].component));
        let of: BTreeSet<&str> =
            codes.values().flatten().map(|error| error.component.as_str()).collect();
        let alternatives: Vec<Value> = of.into_iter().map(reference).collect();
        let mut schema = json!({ (if is_single { "oneOf" } else { "anyOf" }): alternatives });
        if is_single {
            let mapping: Map<String, Value> = codes
                .iter()
                .flat_map(|(code, errors)| errors.iter().map(move |error| (code, error)))
                .map(|(code, error)| {
                    ((*code).to_owned(), reference(&error.component)["$ref"].clone())
                })
                .collect();
            schema["discriminator"] = json!({ "propertyName": "Code", "mapping": mapping });
        }
        let examples = ["JSON", "XML"].map(|format| {
            let first = |(code, errors): (&&str, &Vec<&Error<'_>>)| {
                let shown =
                    errors.iter().find_map(|error| Some((error, error.examples.get(format)?)));
                let (error, value) = shown?;
                let example = json!({ "summary": error.row.description, "value": value });
                Some(((*code).to_owned(), example))
            };
            codes.iter().filter_map(first).collect()
        });
        let says = codes.keys().copied().collect::<Vec<_>>().join(", ");
        responses.insert(status.to_string(), response(says, &schema, examples));
    }
    responses.into()
}
