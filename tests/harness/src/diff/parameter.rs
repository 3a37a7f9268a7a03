//! Changes to a parameter of an operation.

use serde_json::{Map, Value, json};

use super::edits::Edit;
use super::finding::{DEFAULT_ADDED, DEFAULT_CHANGED};
use super::findings::{Findings, pairs};
use super::schema::{Kind, compare};

/// The changes of a parameter, except `required`.
pub(super) fn parameter(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    let mut edits = Vec::new();
    for name in ["type", "unit", "pattern", "enum", "limits"] {
        leaves(&mut edits, &mut vec![name.to_owned()], &old[name], &new[name]);
    }
    compare(all, Kind::Parameter, at, [old, old, new], edits);
    default(all, &format!("{at}/default"), old, new);
    all.words(at, &old["description"], &new["description"]);
}

/// The edits of a parameter, each as deep as possible.
fn leaves(all: &mut Vec<Edit>, path: &mut Vec<String>, old: &Value, new: &Value) {
    if old.is_object() || new.is_object() {
        for (name, old, new) in pairs(old, new, "") {
            path.push(name);
            leaves(all, path, old, new);
            path.pop();
        }
    } else if old.is_array() && new.is_array() && *path == ["enum"] {
        let of_set = Edit::of_set(path, old, new);
        // Another order of the same values is one edit.
        let all_of_it = || vec![Edit::whole(path, old, new)];
        all.extend(if of_set.is_empty() && old != new { all_of_it() } else { of_set });
    } else if old != new {
        all.push(Edit::whole(path, old, new));
    }
}

/// The schema of a parameter: an object with a member for each kind of limit, since another parameter may
/// select a limit.
pub(super) fn meaning(parameter: &Value) -> Value {
    let mut members = Map::new();
    for name in ["pattern", "enum"] {
        if !parameter[name].is_null() {
            members.entry("value").or_insert(json!({}))[name] = parameter[name].clone();
        }
    }
    let is_of_schemas = ["array", "boolean", "integer", "null", "number", "object", "string"]
        .map(Value::from)
        .contains(&parameter["type"]);
    if is_of_schemas {
        members.entry("value").or_insert(json!({}))["type"] = parameter["type"].clone();
    } else if !parameter["type"].is_null() {
        members.insert("type".to_owned(), json!({ "const": parameter["type"] }));
    }
    if !parameter["unit"].is_null() {
        members.insert("unit".to_owned(), json!({ "const": parameter["unit"] }));
    }
    limits(&mut members, "value", &parameter["limits"]);
    json!({ "type": "object", "properties": members })
}

fn limits(members: &mut Map<String, Value>, group: &str, all: &Value) {
    for (name, limit) in all.as_object().into_iter().flatten() {
        let inner = format!("{group}/{name}");
        let (member, keyword, value) = match (name.as_str(), limit) {
            (_, Value::Object(_)) => {
                limits(members, &inner, limit);
                continue;
            }
            ("characters", Value::String(set)) if set == "UTF-8" => continue,
            // Every text in ASCII is one in UTF-8.
            ("characters", Value::String(set)) if set == "ASCII" => {
                (inner, "const", json!("ASCII"))
            }
            ("minimum" | "maximum", Value::Number(_)) => {
                (group.to_owned(), name.as_str(), limit.clone())
            }
            ("maximumCharacters", Value::Number(_)) => {
                (group.to_owned(), "maxLength", limit.clone())
            }
            (_, Value::Number(_)) if inner.contains("/max") => (inner, "maximum", limit.clone()),
            (_, Value::Number(_)) if inner.contains("/min") => (inner, "minimum", limit.clone()),
            _ => (inner, "const", limit.clone()),
        };
        members.entry(member).or_insert(json!({}))[keyword] = value;
    }
}

/// Adds a change of the default.
fn default(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    let (before, now) = (&old["default"], &new["default"]);
    if old["required"] == json!(true) && before.is_null() {
        return;
    }
    let [earlier, later] = [old, new].map(meant_default);
    let is_said_now = old["defaultFrom"].is_null() && (before.is_null() || before == now);
    if earlier == later {
        all.words(at, before, now);
    } else if is_said_now {
        all.add(&DEFAULT_ADDED, at, before, now);
    } else if before == now {
        all.add(&DEFAULT_CHANGED, at, &old["defaultFrom"], &new["defaultFrom"]);
    } else {
        all.add(&DEFAULT_CHANGED, at, before, now);
    }
}

/// The meaning of a default: another document, a value, or prose.
fn meant_default(parameter: &Value) -> Value {
    let default = &parameter["default"];
    if !parameter["defaultFrom"].is_null() {
        return json!({ "from": parameter["defaultFrom"] });
    }
    let is_text = parameter["type"] == "string";
    let value = match default {
        Value::String(text) if !is_text => {
            serde_json::from_str(text).unwrap_or_else(|_| default.clone())
        }
        other => other.clone(),
    };
    let values = parameter["enum"].as_array();
    let is_value = values.is_some_and(|values| values.contains(default));
    let is_prose = value.as_str().is_some_and(|text| !is_text || text.contains(' ')) && !is_value;
    match value.as_f64() {
        _ if is_prose => json!({ "prose": true }),
        // `1.0` is the integer 1.
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15 => {
            json!(format!("{number}"))
        }
        Some(_) => json!(value.to_string()),
        None => value,
    }
}
