//! Changes to what an operation takes and answers: `operation.json` and `errors.json`.

use serde_json::{Value, json};

use super::finding::{
    CHECKING_ORDER_CHANGED, DEFAULT_ADDED, DEFAULT_CHANGED, ENUM_VALUE_ADDED, ENUM_VALUE_REMOVED,
    ERROR_ADDED, ERROR_REMOVED, IGNORED_ADDED, IGNORED_REMOVED, LIMIT_NARROWED, LIMIT_WIDENED,
    MESSAGE_CHANGED, METHOD_ADDED, METHOD_REMOVED, OPERATION_CHANGED, PARAMETER_ADDED,
    PARAMETER_ADDED_REQUIRED, PARAMETER_NOW_OPTIONAL, PARAMETER_NOW_REQUIRED, PARAMETER_REMOVED,
    PARAMETER_RETYPED, PERMISSION_CHANGED, RESPONSE_FIELD_ADDED, RESPONSE_FIELD_REMOVED,
    RESPONSE_FIELD_RETYPED, RETRY_CLASS_CHANGED, STATUS_CHANGED, SUCCESS_STATUS_CHANGED,
};
use super::findings::{Findings, pairs};

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
    for (name, old, new) in pairs(&before["elements"], &now["elements"], "name") {
        let at = format!("success/{name}");
        let (before, now) = (&old["type"], &new["type"]);
        if !all.alone([&RESPONSE_FIELD_REMOVED, &RESPONSE_FIELD_ADDED], &at, before, now) {
            all.whole(&RESPONSE_FIELD_RETYPED, &at, before, now);
            all.words(&at, &old["description"], &new["description"]);
        }
    }
    if !old["ram"].is_null() && !new["ram"].is_null() {
        all.whole(&PERMISSION_CHANGED, "ram", &old["ram"], &new["ram"]);
    }
    order(all, &old["checkingOrder"], &new["checkingOrder"]);
    all.words("notes", &old["notes"], &new["notes"]);
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
    let inner = |name: &str| (format!("{at}/{name}"), &old[name], &new[name]);
    let (default, before, now) = inner("default");
    if !(before.is_null() && is_required(old)) {
        // A default that was left to the server is stated now; a stated one means something else.
        let rule = if before.is_null() { &DEFAULT_ADDED } else { &DEFAULT_CHANGED };
        all.whole(rule, &default, before, now);
    }
    for name in ["type", "unit"] {
        let (at, before, now) = inner(name);
        all.whole(&PARAMETER_RETYPED, &at, before, now);
    }
    let limit = [&LIMIT_WIDENED, &LIMIT_NARROWED];
    let (pattern, before, now) = inner("pattern");
    if !all.alone(limit, &pattern, before, now) {
        all.whole(&PARAMETER_RETYPED, &pattern, before, now);
    }
    let (values, before, now) = inner("enum");
    if !all.alone(limit, &values, before, now) {
        all.values([&ENUM_VALUE_REMOVED, &ENUM_VALUE_ADDED], &values, before, now);
    }
    limits(all, &format!("{at}/limits"), &old["limits"], &new["limits"]);
    all.words(at, &old["description"], &new["description"]);
}

/// Limits in objects, which may be one for each value of another parameter.
fn limits(all: &mut Findings<'_>, at: &str, old: &Value, new: &Value) {
    for (name, old, new) in pairs(old, new, "") {
        let at = format!("{at}/{name}");
        if old.is_object() || new.is_object() {
            limits(all, &at, old, new);
            continue;
        }
        let is_narrower = match (old.as_f64(), new.as_f64()) {
            (Some(old), Some(new)) => (new < old) == name.starts_with("max"),
            // One more limit is narrower, one less wider, another one counts as narrower.
            _ => !new.is_null(),
        };
        all.whole(if is_narrower { &LIMIT_NARROWED } else { &LIMIT_WIDENED }, &at, old, new);
    }
}

/// Adds whether codes that both orders have follow one another in another order.
fn order(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let (Some(old), Some(new)) = (old.as_array(), new.as_array()) else { return };
    let shared = |list: &[Value], other: &[Value]| -> Value {
        list.iter().filter(|code| other.contains(code)).cloned().collect()
    };
    all.whole(&CHECKING_ORDER_CHANGED, "checkingOrder", &shared(old, new), &shared(new, old));
}

/// The changes of an `errors.json`.
pub(super) fn errors(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let told = |row: &Value| match row {
        Value::Null => Value::Null,
        row => json!({ "status": row["status"], "message": row["message"] }),
    };
    for (code, old, new) in pairs(&old["errors"], &new["errors"], "code") {
        if !all.alone([&ERROR_REMOVED, &ERROR_ADDED], &code, &told(old), &told(new)) {
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
    // The filled message says most, unless only the pattern differs.
    let name = if old["filled"] == new["filled"] { "message" } else { "filled" };
    all.whole(&MESSAGE_CHANGED, &format!("{at}/{name}"), &old[name], &new[name]);
    for name in ["description", "source", "decision", "evidence"] {
        all.words(&format!("{at}/{name}"), &old[name], &new[name]);
    }
}
