//! Every schema is tight: for each single loosened keyword there is a wrong document that only the
//! loosened schema accepts.
//!
//! The wrong documents are generated from the schema itself: each has exactly one fault. Loosenings
//! that no document can show are listed with the reason.

mod loosenings;
pub(crate) mod near;

use std::collections::BTreeSet;

use harness::contract::Contract;
use harness::judge::{compiled, validator};
use serde_json::Value;

use loosenings::{Loosening, loosenings};
use near::Near;

/// Loosenings without an effect, by schema and place, and why no document can show them.
const EQUAL: &[(&str, &str, &str)] = &[
    (REQUEST, "/properties/Bandwidth without pattern", BANDWIDTH),
    (REQUEST, "/properties/Bandwidth without the start of its pattern", BANDWIDTH),
    (REQUEST, "/properties/Bandwidth without the end of its pattern", BANDWIDTH),
    ("DescribeIpv6Addresses/schemas/success.json", "/$defs/address without type", ALTERNATIVES),
    ("common/schemas/decision-table.json", "/properties/rows/items without type", ALTERNATIVES),
    (WORLD, "/$defs/dates/additionalProperties/anyOf/0 without the start of its pattern", FORMAT),
    (WORLD, "/$defs/dates/additionalProperties/anyOf/0 without the end of its pattern", FORMAT),
    (
        WORLD,
        "/$defs/dates/additionalProperties/anyOf/1/items without the start of its pattern",
        FORMAT,
    ),
    (
        WORLD,
        "/$defs/dates/additionalProperties/anyOf/1/items without the end of its pattern",
        FORMAT,
    ),
    (WORLD, "/$defs/time without the start of its pattern", FORMAT),
    (WORLD, "/$defs/time without the end of its pattern", FORMAT),
    ("common/schemas/policies.json", "/$defs/statement without type", ALTERNATIVES),
    ("common/schemas/policies.json", "/properties/rows/items without type", ALTERNATIVES),
    ("common/schemas/world.json", "/$defs/statement without type", ALTERNATIVES),
];

const REQUEST: &str = "AllocateIpv6InternetBandwidth/schemas/request.json";
const WORLD: &str = "common/schemas/world.json";
const FORMAT: &str = "a date and time has nothing before or after it";
const BANDWIDTH: &str = "what follows then and else is narrower; this one is there for the reader";
const ALTERNATIVES: &str =
    "what is no object fits both alternatives of oneOf, of which it may fit one";

/// Texts that are in no file of the contract: of verdicts, of answers to planned faults, and a
/// message that reveals a token.
const MORE_TEXTS: [&str; 20] = [
    "2016-12-31T23:59:60Z",
    "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u",
    "2026-02-30T00:00:00Z",
    "2026-01-02T03:04:05.5+01:00",
    "6972A26E-99B1-4367-9890-FBDEBB0F5E7D",
    "vpc.cn-huhehaote.aliyuncs.com",
    "https://api.aliyun.com/troubleshoot?q=OperationFailed.QuerySpInfo&product=Vpc&requestId=6972A26E-99B1-4367-9890-FBDEBB0F5E7D",
    "https://api.aliyun.com/troubleshoot?q=OperationFailed.SyncTradeResource&product=Vpc&requestId=6972A26E-99B1-4367-9890-FBDEBB0F5E7D",
    "a\u{0}b",
    "a\u{1}b",
    "::1",
    "10.0.0.0/8",
    "2001:db8::/32",
    "common/error/MissingAction",
    "3ad459035f34",
    "2026-11-23",
    "--in-process",
    "contract call --in-process",
    "ipv6bw-0a1b2c3d4e5f6g7h8",
    "Specified signature is not matched with our calculation. server string to sign is:\
     GET&%2F&AccessKeyId%3Da%26SecurityToken%3Dsecret",
];

/// Adds every text in a value, names of members included.
pub(crate) fn collect(value: &Value, texts: &mut BTreeSet<String>) {
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
fn every_loosening_accepts_a_wrong_document() {
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
            let loosened =
                compiled(&schema).unwrap_or_else(|error| panic!("{path} {place}: {error}"));
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
