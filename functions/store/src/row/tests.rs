//! Rows of every schema that was ever written: `tests/golden.json`. A new schema adds rows there;
//! existing rows never change.

use std::collections::BTreeSet;

use allocation::Parts;
use serde_json::Value;

use super::*;

/// The rows: key, schema and members.
fn golden() -> Vec<(String, u64, Value)> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("tests/golden.json")).unwrap();
    let row = |row: &Value| {
        let key = row["key"].as_str().unwrap().to_owned();
        (key, row["schema"].as_u64().unwrap(), row["members"].clone())
    };
    rows.iter().map(row).collect()
}

#[test]
fn rows_of_every_schema_are_read_and_those_of_the_newest_are_written_the_same() {
    let mut kinds = BTreeSet::new();
    for (key, schema, members) in golden() {
        let document = read(&key, members.to_string().as_bytes()).unwrap();
        assert_eq!(document.key().text(), key);
        let kind = document.key().kind().to_owned();
        if schema == u64::from(schema_of(&kind)) {
            let written: Value = serde_json::from_slice(&write(&document).unwrap()).unwrap();
            assert_eq!(written, members, "{key}");
            kinds.insert(kind);
        }
    }
    let all = KINDS.iter().chain(allocation::KINDS).map(|kind| kind.name.to_owned());
    // The rows of these kinds have no document.
    let all: BTreeSet<String> = all.filter(|kind| !["nonce", "calls"].contains(&&**kind)).collect();
    assert_eq!(kinds, all, "a kind without a row of today's form");
}

#[test]
fn unknown_members_are_ignored() {
    for (key, _, mut members) in golden() {
        let expected = read(&key, members.to_string().as_bytes()).unwrap();
        members["Newer"] = serde_json::json!({ "Member": [1] });
        assert_eq!(read(&key, members.to_string().as_bytes()).unwrap(), expected, "{key}");
    }
}

#[test]
fn a_row_without_the_members_of_its_kind_is_refused() {
    for (key, members) in [
        ("account#1", "{"),
        ("account#1", "{} {}"),
        ("nothing#1", "{}"),
        ("vpc#1#cn-nowhere#vpc-1", r#"{"RegionId":"cn-nowhere"}"#),
        ("access-key#k", r#"{"AccessKeySecret":"s"}"#),
    ] {
        assert!(read(key, members.as_bytes()).is_err(), "{key} {members}");
    }
}

#[test]
fn a_row_of_a_newer_schema_is_not_overwritten() {
    let key = Parts::single("account", &["1"]).key();
    let known = schema_of("account");
    check_schema(&key, known).unwrap();
    check_schema(&key, known - 1).unwrap();
    let error = check_schema(&key, known + 1).unwrap_err().with_causes();
    assert!(error.contains("a newer program wrote a row (account) with schema 2"), "{error}");
}
