//! Every schema is tight: whatever single keyword is loosened, there is a wrong document that only the
//! loosened schema takes.
//!
//! The wrong documents are made from the schema as it is: each is right but for one thing. What no document
//! can tell is listed, with the reason.

mod loosenings;
mod near;

use std::collections::BTreeSet;

use harness::contract::Contract;
use harness::judge::validator;
use serde_json::Value;

use loosenings::{Loosening, loosenings};
use near::Near;

/// Loosenings that change nothing, by schema and place, and why no document can tell them.
const EQUAL: &[(&str, &str, &str)] = &[
    (REQUEST, "/properties/Bandwidth without pattern", BANDWIDTH),
    (REQUEST, "/properties/Bandwidth without the start of its pattern", BANDWIDTH),
    (REQUEST, "/properties/Bandwidth without the end of its pattern", BANDWIDTH),
    ("common/schemas/decision-table.json", "/properties/rows/items without type", ALTERNATIVES),
    ("common/schemas/policies.json", "/$defs/statement without type", ALTERNATIVES),
    ("common/schemas/policies.json", "/properties/rows/items without type", ALTERNATIVES),
    ("common/schemas/world.json", "/$defs/statement without type", ALTERNATIVES),
    (
        "common/schemas/world.json",
        "/properties/Accounts/items/properties/Ipv6Addresses/items without type",
        "what is no object has no member, so both conditions apply, and the second then does not hold",
    ),
    (
        "common/schemas/case.json",
        "/properties/answer/oneOf/1 without type",
        "what is no object has not what it must not have, and so all that it would need to have",
    ),
    (
        "common/schemas/world.json",
        "/$defs/accessKey/properties/AccessKeyId without type",
        "what is no text fits the pattern that must not fit",
    ),
];

const REQUEST: &str = "AllocateIpv6InternetBandwidth/schemas/request.json";
const BANDWIDTH: &str = "what follows then and else is narrower; this one is there for the reader";
const ALTERNATIVES: &str =
    "what is no object fits both alternatives of oneOf, of which it may fit one";

/// Texts that the contract's own files have none of: of verdicts, and a message that gives a token away.
const MORE_TEXTS: [&str; 6] = [
    "3ad459035f34",
    "2026-11-23",
    "--in-process",
    "contract call --in-process",
    "ipv6bw-0a1b2c3d4e5f6g7h8",
    "Specified signature is not matched with our calculation. server string to sign is:\
     GET&%2F&AccessKeyId%3Da%26SecurityToken%3Dsecret",
];

/// Adds every text in a value, names of members among them.
fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => {
            for (name, value) in members {
                texts.insert(name.clone());
                collect(value, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn whatever_is_loosened_some_wrong_document_is_taken() {
    let contract = Contract::embedded();
    let mut texts = BTreeSet::new();
    for path in contract.paths() {
        texts.insert(path.to_owned());
        if let Ok(file) = contract.json(path) {
            collect(&file, &mut texts);
        }
    }
    let (mut missed, mut tried) = (Vec::new(), 0);
    let mut equal: BTreeSet<String> =
        EQUAL.iter().map(|(path, place, _)| format!("{path} {place}")).collect();
    for path in contract.paths().filter(|path| path.contains("/schemas/")) {
        let mut fitting: BTreeSet<String> = MORE_TEXTS.map(str::to_owned).into();
        let answers = crate::schemas::snapshots(path);
        if answers.is_empty() {
            fitting.extend(texts.iter().cloned());
        }
        for answer in &answers {
            collect(answer, &mut fitting);
        }
        let mut pool: Vec<String> = fitting.into_iter().collect();
        pool.sort_by_key(String::len);

        let written = contract.json(path).unwrap();
        let schema = validator(&contract, path).unwrap();
        let (right, wrong): (Vec<_>, Vec<_>) = Near::new(&written, &pool)
            .documents()
            .into_iter()
            .partition(|document| schema.is_valid(document));
        assert!(!right.is_empty(), "{path}: no right document was made");
        for Loosening { place, schema } in loosenings(&written) {
            tried += 1;
            let loosened = jsonschema::draft202012::new(&schema)
                .unwrap_or_else(|error| panic!("{path} {place}: {error}"));
            let is_caught = wrong.iter().any(|document| loosened.is_valid(document));
            let is_equal = equal.remove(&format!("{path} {place}"));
            match (is_caught, is_equal) {
                (true, true) => missed.push(format!("{path} {place}: caught, so not equal")),
                (false, false) => {
                    missed.push(format!("{path} {place}: no wrong document is taken"));
                }
                (true, false) | (false, true) => {}
            }
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(missed.is_empty(), "{} of {tried}:\n{}", missed.len(), missed.join("\n"));
    assert!(equal.is_empty(), "there is no such loosening: {equal:?}");
}
