//! Checks each file against the published schema of its kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::{Problems, fit, has_ending, meant};
use crate::contract::Contract;

/// The kinds of JSON files: their paths, where `*` is any name, and their schema in `common/schemas/`, or
/// nothing.
const KINDS: &[(&str, &str)] = &[
    ("format.json", "format"),
    ("approved-changes.json", "approved-changes"),
    ("common/when.json", "when"),
    ("common/worlds/*", "world"),
    ("common/policies/*", "policies"),
    ("common/signatures/*/request.json", ""),
    ("*/operation.json", "operation"),
    ("*/errors.json", "error-table"),
    ("*/roles.json", "roles"),
    ("*/coverage.json", "coverage"),
    ("*/decision-table.json", "decision-table"),
    ("*/cases/*/*", "case"),
    ("*/schemas/request.json", "json-schema"),
    ("*/schemas/success.json", "json-schema"),
    ("*/schemas/errors/*", "json-schema"),
    ("common/schemas/*", "json-schema"),
];

/// The paths and endings of other files.
const TEXTS: &[(&str, &str)] = &[
    ("*/snapshots/*", ".snap"),
    ("*/snapshots/*", ".snap.new"),
    ("common/signatures/*/*", ".txt"),
];

static SCHEMAS: LazyLock<BTreeMap<&str, fit::Schema>> = LazyLock::new(|| {
    let names: BTreeSet<&str> = KINDS.iter().map(|(_, name)| *name).collect();
    let contract = Contract::embedded();
    let schemas = names.into_iter().filter(|name| !name.is_empty()).map(|name| {
        let schema = contract.json(&format!("common/schemas/{name}.json"));
        let schema = schema.and_then(fit::Schema::new);
        (name, schema.unwrap_or_else(|error| panic!("common/schemas/{name}.json: {error}")))
    });
    schemas.collect()
});

/// The published schema of a kind of file.
///
/// # Panics
///
/// The program has no schema of this name.
pub(super) fn schema(name: &str) -> &'static fit::Schema {
    &SCHEMAS[name]
}

/// The name of a JSON file's schema, empty if it has none; `None` if a contract has no such file.
pub(super) fn kind(path: &str) -> Option<&'static str> {
    let path = undated(path);
    KINDS.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, schema)| *schema)
}

/// The path inside a version of the contract. A dated version has the same files in a subfolder.
fn undated(path: &str) -> &str {
    let inner = path.strip_prefix("history/").and_then(|inner| inner.split_once('/'));
    inner.map_or(path, |(_, inner)| inner)
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|wanted| names.next().is_some_and(|name| [name, "*"].contains(&wanted)))
        && names.next().is_none()
}

pub(super) fn check(contract: &Contract, values: &BTreeMap<&str, Value>, problems: &mut Problems) {
    for path in contract.paths() {
        let inner = undated(path);
        // Other texts may be at the top, or in Markdown anywhere.
        let is_text = !inner.contains('/')
            || has_ending(inner, "md")
            || TEXTS.iter().any(|(pattern, end)| fits(pattern, inner) && inner.ends_with(end));
        match (has_ending(inner, "json"), kind(path), values.get(path)) {
            // `schemas` checks JSON Schemas.
            (true, Some("json-schema" | ""), _) | (true, Some(_), None) => {}
            (true, Some(name), Some(value)) => schema(name).check(path, "", value, problems),
            (false, ..) if is_text => {}
            (true | false, ..) => {
                let what = format!("a contract has no such file{}", near(inner));
                problems.inconsistent(path, "", what);
            }
        }
    }
}

/// A suggestion for an unknown path, or nothing.
fn near(path: &str) -> String {
    let names: Vec<&str> = path.split('/').collect();
    let patterns = KINDS.iter().chain(&[("*/snapshots/*", "")]).map(|(pattern, _)| *pattern);
    for pattern in patterns {
        let wanted: Vec<&str> = pattern.split('/').collect();
        let differ: Vec<(&&str, &&str)> = wanted
            .iter()
            .zip(&names)
            .filter(|(wanted, name)| **wanted != "*" && wanted != name)
            .collect();
        if let ([(wanted, name)], true) = (&differ[..], wanted.len() == names.len()) {
            let meant = meant(name, [**wanted]);
            if !meant.is_empty() {
                return meant;
            }
        }
    }
    String::new()
}
