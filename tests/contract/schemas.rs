//! The schemas are tight: a wrong type, a missing member and an extra member fail.

use harness::case::{Case, Style};
use harness::contract::Contract;
use harness::judge::validator;
use harness::operations::Operations;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The paths of the schemas of answers.
fn answer_schemas() -> Vec<String> {
    let is_answer =
        |path: &String| path.contains("/schemas/errors/") || path.ends_with("schemas/success.json");
    contracts::paths().into_iter().filter(is_answer).collect()
}

const REQUEST_ID: &str = "6972A26E-99B1-4367-9890-FBDEBB0F5E7D";

/// The answers that the snapshots hold for a schema's code, as JSON.
pub(crate) fn snapshots(path: &str) -> Vec<Value> {
    let (folder, file) = path.split_once("/schemas/").unwrap();
    let code = file.trim_start_matches("errors/").trim_end_matches(".json");
    let code = if code == "success" { "Success" } else { code };
    // The schema of a shared error is checked against the answers of each operation.
    let is_of_code = |path: &String| {
        path.split_once("/snapshots/").is_some_and(|(of, file)| {
            let name = file.split(".snap").next().unwrap_or_default();
            let group = name.split('@').next().unwrap_or_default();
            group == code && (of == folder || folder == "common" && code != "Success")
        })
    };
    let paths = contracts::paths().into_iter().filter(is_of_code);
    let texts = paths.filter_map(|path| contracts::text(&path));
    // The last answer is the case's; the others are those of the calls before.
    let last = |text: String| text.lines().rfind(|line| line.starts_with('{')).map(str::to_owned);
    let answers = texts.filter_map(last).map(|line| {
        let line = line
            .replace("[RequestId]", REQUEST_ID)
            .replace("[RequestId 2]", REQUEST_ID)
            .replace("[RequestId 3]", REQUEST_ID)
            .replace("[StringToSign 2]", "[StringToSign]")
            .replace("[CanonicalRequest 2]", "[CanonicalRequest]")
            .replace("[InternetBandwidthId]", "ipv6bw-abcdefghij0123456")
            .replace("[InternetBandwidthId 2]", "ipv6bw-abcdefghij0123457");
        let hash = "0".repeat(64);
        let line = if line.contains("server StringToSign is") {
            line.replace("[StringToSign]", &format!("ACS3-HMAC-SHA256\\n{hash}"))
                .replace("[CanonicalRequest]", &format!("POST\\n/\\n\\nhost:h\\n\\nhost\\n{hash}"))
        } else {
            line.replace("[StringToSign]", "GET&%2F&Action%3DX")
        };
        serde_json::from_str(&line).unwrap()
    });
    answers.collect()
}

#[test]
fn the_snapshots_fit_their_schemas_and_every_change_of_shape_does_not() {
    let operations = Operations::read(&Contract::embedded()).unwrap();
    for path in answer_schemas() {
        let schema = validator(&Contract::embedded(), &path).unwrap();
        let answers = snapshots(&path);
        // Only a planned fault answers a code that no state leads to.
        let code = path.rsplit('/').next().unwrap().trim_end_matches(".json");
        let mut rows = operations.errors();
        let is_planned = rows.any(|(_, row)| row.code == code && row.not_applicable.is_some());
        assert_eq!(answers.is_empty(), is_planned, "{path}: snapshots to try it with");
        for answer in answers {
            let fits = schema.validate(&answer).map_err(|error| error.to_string());
            assert_eq!(fits, Ok(()), "{path}: {answer}");
            check_members(&path, &schema, &answer, "");
        }
    }
}

/// Asserts that `schema` rejects every answer in which a member of the object at `pointer` has
/// another value, is missing or has another letter case, and every answer with an extra member.
fn check_members(path: &str, schema: &Validator, answer: &Value, pointer: &str) {
    if let Some(items) = answer.pointer(pointer).unwrap().as_array() {
        for position in 0..items.len() {
            check_members(path, schema, answer, &format!("{pointer}/{position}"));
        }
        return;
    }
    let fields = answer.pointer(pointer).unwrap().as_object().unwrap();
    let takes = |fields: Map<String, Value>| {
        let mut changed = answer.clone();
        *changed.pointer_mut(pointer).unwrap() = fields.into();
        schema.is_valid(&changed)
    };
    for (name, value) in fields {
        let others = [json!(-1), json!(null), json!([value]), json!({ "a": 1 }), json!("x y\u{0}")];
        for other in others {
            let mut changed = fields.clone();
            changed[name] = other.clone();
            assert!(!takes(changed), "{path}: takes {pointer}/{name} = {other}");
        }
        // Texts that people write may have any form.
        let is_free = ["Name", "Description", "Key", "Value"].iter().any(|end| name.ends_with(end));
        if let (Some(text), false) = (value.as_str(), is_free) {
            let mut changed = fields.clone();
            changed[name] = format!("{text} ").into();
            assert!(!takes(changed), "{path}: takes a space after {pointer}/{name}");
        } else if value.is_object() || value.is_array() {
            check_members(path, schema, answer, &format!("{pointer}/{name}"));
        }
        let mut missing = fields.clone();
        missing.remove(name);
        assert!(!takes(missing.clone()), "{path}: takes no {pointer}/{name}");
        missing.insert(name.to_lowercase(), value.clone());
        assert!(!takes(missing), "{path}: takes {pointer}/{name} in lower case");
    }
    let mut extra = fields.clone();
    extra.insert("Success".to_owned(), false.into());
    assert!(!takes(extra), "{path}: takes an extra field in {pointer}");
}

#[test]
fn no_answer_fits_the_schema_of_another() {
    let schemas: Vec<_> = answer_schemas()
        .into_iter()
        .map(|path| (validator(&Contract::embedded(), &path).unwrap(), path))
        .collect();
    for (_, path) in &schemas {
        // The answers of common are an action's answers as well.
        let Some(answer) = snapshots(path).into_iter().next() else { continue };
        let contract = Contract::embedded();
        // Several operations answer a success with the RequestId alone.
        let form = |path: &str| {
            let schema = contract.json(path).unwrap();
            (schema["properties"].clone(), schema["required"].clone())
        };
        let differs = |other: &str| form(other) != form(path);
        for (schema, other) in schemas.iter().filter(|(_, other)| differs(other)) {
            assert!(!schema.is_valid(&answer), "the answer of {path} fits {other}");
        }
    }
}

#[test]
fn every_schema_is_valid_and_has_its_id() {
    for path in contracts::paths().into_iter().filter(|path| path.contains("/schemas/")) {
        validator(&Contract::embedded(), &path).unwrap();
        let schema: Value = serde_json::from_str(&contracts::text(&path).unwrap()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{path}");
        assert!(schema["$id"].is_string(), "{path} has no $id");
    }
}

/// The codes that depend on the parameters alone.
const OF_PARAMETERS: &[&str] = &[
    "MissingRegionId",
    "MissingParam.Ipv6InstanceId",
    "MissingBandwidth",
    "IllegalParam.Ipv6Address",
    "IllegalParam.ChargeType",
    "IllegalParam.InternetChargeType",
    "OperationUnsupported.PrePaid",
    "IllegalParam.Bandwidth",
    "InvalidClientToken.ValueNotSupported",
    "InvalidDryRun",
    "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId",
    "InvalidPageNumber",
    "InvalidPageSize",
    "IllegalParam.NetworkType",
];

#[test]
fn the_schema_of_requests_accepts_successes_and_rejects_malformed_parameters() {
    let contract = Contract::embedded();
    let cases = contract.cases().unwrap();
    for operation in Operations::read(&contract).unwrap().all() {
        let action = &operation.action;
        let schema = validator(&contract, &format!("{action}/schemas/request.json")).unwrap();
        let (mut taken, mut refused) = (0, 0);
        for case in cases.iter().filter(|case| case.folder() == action) {
            let parameters = case.request.parameters().into_iter();
            let parameters: Map<String, Value> =
                parameters.map(|(name, value)| (name, value.into())).collect();
            let fits = schema.is_valid(&parameters.into());
            if case.demanded.status == 200 {
                assert!(fits, "{} succeeds but does not fit", case.path);
                taken += 1;
            } else if OF_PARAMETERS.contains(&case.group()) {
                assert!(!fits, "{} is refused but fits", case.path);
                refused += 1;
            }
        }
        assert!(taken > 0 && refused > 0, "{action}: {taken} taken, {refused} refused");
    }
}

#[test]
fn both_kinds_of_signature_are_tried() {
    let cases = Contract::embedded().cases().unwrap();
    for style in [Style::V1, Style::V3] {
        let tried = |case: &&Case| case.variants().iter().any(|variant| variant.style == style);
        assert!(cases.iter().filter(tried).count() > 100, "{style:?} is hardly tried");
    }
}
