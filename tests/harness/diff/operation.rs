//! Changes to what an operation takes and answers: `operation.json` and `errors.json`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::finding::{
    CHECKING_ORDER_CHANGED, DEFAULT_ADDED, DEFAULT_CHANGED, ENUM_VALUE_ADDED, ENUM_VALUE_REMOVED,
    ERROR_ADDED, ERROR_REMOVED, Finding, IGNORED_ADDED, IGNORED_REMOVED, LIMIT_NARROWED,
    LIMIT_WIDENED, MESSAGE_CHANGED, METHOD_ADDED, METHOD_REMOVED, OPERATION_CHANGED,
    PARAMETER_ADDED, PARAMETER_ADDED_REQUIRED, PARAMETER_NOW_OPTIONAL, PARAMETER_NOW_REQUIRED,
    PARAMETER_REMOVED, PARAMETER_RETYPED, PERMISSION_CHANGED, RESPONSE_FIELD_ADDED,
    RESPONSE_FIELD_REMOVED, RESPONSE_FIELD_RETYPED, RETRY_CLASS_CHANGED, Rule, STATUS_CHANGED,
    SUCCESS_STATUS_CHANGED,
};
use super::{changed_text, named};

/// The changes of an `operation.json`.
pub(super) fn operation(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    for name in ["action", "version", "product"] {
        if old[name] != new[name] {
            let place = format!("{file}#{name}");
            all.push(Finding::new(
                &OPERATION_CHANGED,
                &place,
                old[name].clone(),
                new[name].clone(),
            ));
        }
    }
    for (name, rules) in [
        ("methods", [&METHOD_REMOVED, &METHOD_ADDED]),
        ("ignored", [&IGNORED_REMOVED, &IGNORED_ADDED]),
    ] {
        all.extend(values(&format!("{file}#{name}"), &old[name], &new[name], rules));
    }
    for list in ["parameters", "acceptedBeyondThePage"] {
        for (name, pair) in named(&old[list], &new[list], "name") {
            let place = format!("{file}#{name}");
            match pair {
                (Some(old), Some(new)) => all.extend(parameter(&place, old, new)),
                (Some(old), None) => {
                    all.push(Finding::new(&PARAMETER_REMOVED, &place, old.clone(), Value::Null));
                }
                (None, new) => {
                    let new = new.cloned().unwrap_or_default();
                    let is_required = new["required"] == json!(true);
                    let rule =
                        if is_required { &PARAMETER_ADDED_REQUIRED } else { &PARAMETER_ADDED };
                    all.push(Finding::new(rule, &place, Value::Null, new));
                }
            }
        }
    }
    all.extend(success(file, &old["success"], &new["success"]));
    if !old["ram"].is_null() && !new["ram"].is_null() && old["ram"] != new["ram"] {
        let place = format!("{file}#ram");
        all.push(Finding::new(&PERMISSION_CHANGED, &place, old["ram"].clone(), new["ram"].clone()));
    }
    all.extend(order(file, &old["checkingOrder"], &new["checkingOrder"]));
    all.extend(changed_text(&format!("{file}#notes"), &old["notes"], &new["notes"]));
    all
}

/// Values that the list at a place has lost and got.
fn values(
    place: &str,
    old: &Value,
    new: &Value,
    [removed, added]: [&'static Rule; 2],
) -> Vec<Finding> {
    let of = |value: &Value| format!("{place}/{}", value.as_str().unwrap_or_default());
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (old, new) = (list(old), list(new));
    let gone = old.iter().filter(|value| !new.contains(value));
    let came = new.iter().filter(|value| !old.contains(value));
    gone.map(|value| Finding::new(removed, &of(value), value.clone(), Value::Null))
        .chain(came.map(|value| Finding::new(added, &of(value), Value::Null, value.clone())))
        .collect()
}

fn parameter(place: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let is_required = |value: &Value| value["required"] == json!(true);
    match (is_required(old), is_required(new)) {
        (false, true) => {
            all.push(Finding::new(&PARAMETER_NOW_REQUIRED, place, Value::Null, Value::Null));
        }
        (true, false) => {
            all.push(Finding::new(&PARAMETER_NOW_OPTIONAL, place, Value::Null, Value::Null));
        }
        (true, true) | (false, false) => {}
    }
    let pair = |name: &str| (old[name].clone(), new[name].clone());
    let at = |name: &str| format!("{place}/{name}");
    let (before, now) = pair("default");
    if before != now && !(before.is_null() && is_required(old)) {
        // What was left to the server is told now; what was told is another matter.
        let rule = if before.is_null() { &DEFAULT_ADDED } else { &DEFAULT_CHANGED };
        all.push(Finding::new(rule, &at("default"), before, now));
    }
    for name in ["type", "unit", "pattern"] {
        let (before, now) = pair(name);
        if before != now {
            let rule = match (name, &before, &now) {
                ("pattern", Value::Null, _) => &LIMIT_NARROWED,
                ("pattern", _, Value::Null) => &LIMIT_WIDENED,
                _ => &PARAMETER_RETYPED,
            };
            all.push(Finding::new(rule, &at(name), before, now));
        }
    }
    match (old["enum"].is_array(), new["enum"].is_array()) {
        (true, true) => {
            let rules = [&ENUM_VALUE_REMOVED, &ENUM_VALUE_ADDED];
            all.extend(values(&format!("{place}/enum"), &old["enum"], &new["enum"], rules));
        }
        (false, true) => {
            let values = new["enum"].clone();
            let place = format!("{place}/enum");
            all.push(Finding::new(&LIMIT_NARROWED, &place, Value::Null, values));
        }
        (true, false) => {
            let values = old["enum"].clone();
            all.push(Finding::new(&LIMIT_WIDENED, &format!("{place}/enum"), values, Value::Null));
        }
        (false, false) => {}
    }
    limits(&format!("{place}/limits"), &old["limits"], &new["limits"], &mut all);
    all.extend(changed_text(place, &old["description"], &new["description"]));
    all
}

/// Limits that stand in objects, maybe for each value of another parameter.
fn limits(place: &str, old: &Value, new: &Value, all: &mut Vec<Finding>) {
    let none = Map::new();
    let members = |value| Value::as_object(value).unwrap_or(&none).clone();
    let (old_members, new_members) = (members(old), members(new));
    let names: BTreeSet<&String> = old_members.keys().chain(new_members.keys()).collect();
    for name in names {
        let place = format!("{place}/{name}");
        let (old, new) = (&old[name], &new[name]);
        if old == new {
            continue;
        }
        if old.is_object() || new.is_object() {
            limits(&place, old, new, all);
            continue;
        }
        let is_upper = name.starts_with("max");
        let is_narrower = match (old.as_f64(), new.as_f64()) {
            (Some(old), Some(new)) => (new < old) == is_upper,
            // Whatever else there is: one more is narrower, one less wider, another one both.
            (_, _) => !new.is_null(),
        };
        let rule = if is_narrower { &LIMIT_NARROWED } else { &LIMIT_WIDENED };
        all.push(Finding::new(rule, &place, old.clone(), new.clone()));
    }
}

fn success(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    if old["status"] != new["status"] {
        let (old, new) = (old["status"].clone(), new["status"].clone());
        all.push(Finding::new(&SUCCESS_STATUS_CHANGED, &format!("{file}#success"), old, new));
    }
    for (name, pair) in named(&old["elements"], &new["elements"], "name") {
        let place = format!("{file}#success/{name}");
        match pair {
            (Some(old), Some(new)) => {
                if old["type"] != new["type"] {
                    let (old, new) = (old["type"].clone(), new["type"].clone());
                    all.push(Finding::new(&RESPONSE_FIELD_RETYPED, &place, old, new));
                }
                all.extend(changed_text(&place, &old["description"], &new["description"]));
            }
            (Some(old), None) => {
                let old = old["type"].clone();
                all.push(Finding::new(&RESPONSE_FIELD_REMOVED, &place, old, Value::Null));
            }
            (None, new) => {
                let new = new.map(|new| new["type"].clone()).unwrap_or_default();
                all.push(Finding::new(&RESPONSE_FIELD_ADDED, &place, Value::Null, new));
            }
        }
    }
    all
}

/// Whether codes that both orders have follow one another in another order.
fn order(file: &str, old: &Value, new: &Value) -> Option<Finding> {
    let (old, new) = (old.as_array()?, new.as_array()?);
    let shared = |list: &[Value], other: &[Value]| -> Vec<Value> {
        list.iter().filter(|code| other.contains(code)).cloned().collect()
    };
    let (old, new) = (shared(old, new), shared(new, old));
    let place = format!("{file}#checkingOrder");
    (old != new).then(|| Finding::new(&CHECKING_ORDER_CHANGED, &place, old.into(), new.into()))
}

/// The changes of an `errors.json`.
pub(super) fn errors(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let told = |row: &Value| json!({ "status": row["status"], "message": row["message"] });
    for (code, pair) in named(&old["errors"], &new["errors"], "code") {
        let place = format!("{file}#{code}");
        match pair {
            (Some(old), Some(new)) => all.extend(error(&place, old, new)),
            (Some(old), None) => {
                all.push(Finding::new(&ERROR_REMOVED, &place, told(old), Value::Null));
            }
            (None, new) => {
                let new = new.map(told).unwrap_or_default();
                all.push(Finding::new(&ERROR_ADDED, &place, Value::Null, new));
            }
        }
    }
    for name in ["source", "notApplicable"] {
        all.extend(changed_text(&format!("{file}#{name}"), &old[name], &new[name]));
    }
    all
}

fn error(place: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let class = |row: &Value| row["status"].as_u64().map(|status| status / 100);
    if old["status"] != new["status"] {
        let rule = if class(old) == class(new) { &STATUS_CHANGED } else { &RETRY_CLASS_CHANGED };
        let (old, new) = (old["status"].clone(), new["status"].clone());
        all.push(Finding::new(rule, &format!("{place}/status"), old, new));
    }
    let message = |row: &Value| json!([row["message"], row["filled"]]);
    if message(old) != message(new) {
        // What it is filled to says most, unless only the pattern differs.
        let name = if old["filled"] == new["filled"] { "message" } else { "filled" };
        let (old, new) = (old[name].clone(), new[name].clone());
        all.push(Finding::new(&MESSAGE_CHANGED, &format!("{place}/{name}"), old, new));
    }
    for name in ["description", "source", "decision", "evidence"] {
        all.extend(changed_text(&format!("{place}/{name}"), &old[name], &new[name]));
    }
    all
}
