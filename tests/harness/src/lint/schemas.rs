//! Checks the JSON Schemas of a contract: whole files, and parts of other files.

use std::collections::BTreeMap;

use jsonschema::canonical::UnsatisfiableReason;
use serde_json::Value;

use super::{Problems, files};
use crate::judge::compiled;

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The paths of schemas inside files of a kind. `*` is every member or item.
const INNER: [(&str, &str); 4] = [
    ("error-table", "errors/*/when"),
    ("when", "when/*"),
    ("roles", "roles/*/address"),
    ("operation", "lists/never"),
];

pub(super) fn check(values: &BTreeMap<&str, Value>, problems: &mut Problems) {
    for (path, value) in values {
        match files::kind(path) {
            Some("json-schema") => schema(path, "", value, problems),
            Some(kind) => {
                for (_, inner) in INNER.iter().filter(|(of, _)| *of == kind) {
                    let mut found = Vec::new();
                    follow(value, inner, String::new(), &mut found);
                    for (place, value) in found {
                        schema(path, &place, value, problems);
                    }
                }
            }
            None => {}
        }
    }
}

/// Collects the schemas at a path of names.
fn follow<'a>(value: &'a Value, names: &str, at: String, found: &mut Vec<(String, &'a Value)>) {
    let (name, rest) = names.split_once('/').unwrap_or((names, ""));
    if names.is_empty() {
        // A name refers to a schema elsewhere.
        if !value.is_string() {
            found.push((at, value));
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                if name == "*" || name == member {
                    follow(value, rest, format!("{at}/{member}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                follow(value, rest, format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Checks the schema at `place` of a file.
fn schema(path: &str, place: &str, schema: &Value, problems: &mut Problems) {
    if let Some(other) = schema["$schema"].as_str().filter(|dialect| *dialect != DIALECT) {
        let what = format!("the dialect must be {DIALECT}, not {other}");
        return problems.inconsistent(path, &format!("{place}/$schema"), what);
    }
    let before = problems.0.len();
    files::schema("json-schema").check(path, place, schema, problems);
    if problems.0.len() > before {
        return;
    }
    if let Err(error) = compiled(schema) {
        return problems.inconsistent(path, place, format!("it cannot be compiled: {error}"));
    }
    let document = jsonschema::canonical::options().should_validate_formats(true).prepare(schema);
    let nothing = document.and_then(|document| document.unsatisfiable()).unwrap_or_default();
    for (pointer, reason) in nothing {
        // A part that is `false` may be intended, as in `not` and `if`.
        let UnsatisfiableReason::Conflict(causes) = reason else { continue };
        let parts: Vec<String> = causes
            .iter()
            .map(|cause| match &cause.keywords[..] {
                [] => cause.pointer.clone(),
                keywords => keywords.join(", "),
            })
            .collect();
        let what = format!("no value fits: {} contradict each other", parts.join(" and "));
        problems.inconsistent(path, &format!("{place}{pointer}"), what);
    }
}
