//! Changes to an operation's parameters and answers: `operation.json` and `errors.json`.

use serde_json::{Value, json};

use super::finding::{
    CHECKING_ORDER_CHANGED, ERROR_ADDED, ERROR_REMOVED, IGNORED_ADDED, IGNORED_REMOVED,
    MESSAGE_CHANGED, METHOD_ADDED, METHOD_REMOVED, OPERATION_CHANGED, PARAMETER_ADDED,
    PARAMETER_ADDED_REQUIRED, PARAMETER_NOW_OPTIONAL, PARAMETER_NOW_REQUIRED, PARAMETER_REMOVED,
    PERMISSION_CHANGED, RESPONSE_FIELD_ADDED, RESPONSE_FIELD_REMOVED, RESPONSE_FIELD_RETYPED,
    RETRY_CLASS_CHANGED, STATUS_CHANGED, SUCCESS_STATUS_CHANGED,
};
use super::findings::{Findings, pairs};
use super::parameter;

/// The changes of an `operation.json`.
pub(super) fn operation(all: &mut Findings<'_>, old: &Value, new: &Value) {
    for name in ["action", "version", "product"] {
        all.whole(&OPERATION_CHANGED, name, &old[name], &new[name]);
    }
    for (name, rules) in [
        ("methods", [&METHOD_REMOVED, &METHOD_ADDED]),
        ("ignored", [&IGNORED_REMOVED, &IGNORED_ADDED]),
    ] {
        all.values(rules, name, &old[name], &new[name]);
    }
    for list in ["parameters", "acceptedBeyondThePage"] {
        for (name, old, new) in pairs(&old[list], &new[list], "name") {
            let added = if is_required(new) { &PARAMETER_ADDED_REQUIRED } else { &PARAMETER_ADDED };
            if !all.alone([&PARAMETER_REMOVED, added], &name, old, new) {
                parameter(all, &name, old, new);
            }
        }
    }
    let (before, now) = (&old["success"], &new["success"]);
    all.whole(&SUCCESS_STATUS_CHANGED, "success", &before["status"], &now["status"]);
    elements(all, "success", &before["elements"], &now["elements"]);
    if !old["ram"].is_null() && !new["ram"].is_null() {
        all.whole(&PERMISSION_CHANGED, "ram", &old["ram"], &new["ram"]);
    }
    order(all, &old["checkingOrder"], &new["checkingOrder"]);
    all.words("notes", &old["notes"], &new["notes"]);
}

/// The changes of the elements of an answer, at any depth.
fn elements(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    for (name, old, new) in pairs(old, new, "name") {
        let at = format!("{at}/{name}");
        let (before, now) = (&old["type"], &new["type"]);
        if !all.alone([&RESPONSE_FIELD_REMOVED, &RESPONSE_FIELD_ADDED], &at, before, now) {
            all.whole(&RESPONSE_FIELD_RETYPED, &at, before, now);
            all.words(&at, &old["description"], &new["description"]);
            elements(all, &at, &old["elements"], &new["elements"]);
        }
    }
}

fn is_required(parameter: &Value) -> bool {
    parameter["required"] == json!(true)
}

fn parameter(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    match (is_required(old), is_required(new)) {
        (false, true) => all.add(&PARAMETER_NOW_REQUIRED, at, &Value::Null, &Value::Null),
        (true, false) => all.add(&PARAMETER_NOW_OPTIONAL, at, &Value::Null, &Value::Null),
        (true, true) | (false, false) => {}
    }
    parameter::parameter(all, at, old, new);
}

/// Adds a change if the common codes of two checking orders have another order.
fn order(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let (Some(old), Some(new)) = (old.as_array(), new.as_array()) else { return };
    let shared = |list: &[Value], other: &[Value]| -> Value {
        list.iter().filter(|code| other.contains(code)).cloned().collect()
    };
    all.whole(&CHECKING_ORDER_CHANGED, "checkingOrder", &shared(old, new), &shared(new, old));
}

/// The changes of an `errors.json`.
pub(super) fn errors(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let shown = |row: &Value| match row {
        Value::Null => Value::Null,
        row => json!({ "status": row["status"], "message": row["message"] }),
    };
    for (code, old, new) in pairs(&old["errors"], &new["errors"], "code") {
        if !all.alone([&ERROR_REMOVED, &ERROR_ADDED], &code, &shown(old), &shown(new)) {
            error(all, &code, old, new);
        }
    }
    for name in ["source", "notApplicable"] {
        all.words(name, &old[name], &new[name]);
    }
}

fn error(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    let class = |row: &Value| row["status"].as_u64().map(|status| status / 100);
    let is_same_class = class(old) == class(new);
    let rule = if is_same_class { &STATUS_CHANGED } else { &RETRY_CLASS_CHANGED };
    all.whole(rule, &format!("{at}/status"), &old["status"], &new["status"]);
    // The filled message is clearer, unless only the pattern differs.
    let name = if old["filled"] == new["filled"] { "message" } else { "filled" };
    all.whole(&MESSAGE_CHANGED, &format!("{at}/{name}"), &old[name], &new[name]);
    for name in ["description", "source", "decision", "evidence"] {
        all.words(&format!("{at}/{name}"), &old[name], &new[name]);
    }
}
