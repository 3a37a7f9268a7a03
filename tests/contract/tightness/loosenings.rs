//! Every way to loosen one keyword of a schema.

use serde_json::{Value, json};

/// A schema with one keyword loosened.
pub(super) struct Loosening {
    /// The place, and how it was loosened.
    pub(super) place: String,
    pub(super) schema: Value,
}

/// Keywords that demand something, and whose absence demands nothing.
const DEMANDS: [&str; 26] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependentRequired",
    "else",
    "enum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "not",
    "oneOf",
    "pattern",
    "propertyNames",
    "then",
    "type",
    "uniqueItems",
];

/// Keywords whose value is a schema for a part of a document.
const INNER: [&str; 6] =
    ["additionalProperties", "contains", "else", "items", "propertyNames", "then"];

/// Every loosening of a schema.
pub(super) fn loosenings(schema: &Value) -> Vec<Loosening> {
    let mut all = Vec::new();
    walk(schema, "", &mut |place, loosened| {
        let mut whole = schema.clone();
        let (pointer, what) = place;
        *whole.pointer_mut(pointer).unwrap() = loosened;
        let place = format!("{} {what}", if pointer.is_empty() { "/" } else { pointer });
        all.push(Loosening { place, schema: whole });
    });
    all
}

/// Calls `found` with each loosening of the schema at `pointer`: the place, the change, and the
/// loosened schema.
fn walk(schema: &Value, pointer: &str, found: &mut impl FnMut((&str, &str), Value)) {
    let Some(members) = schema.as_object() else { return };
    let mut tell = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut loosened = schema.clone();
        change(&mut loosened);
        found((pointer, what), loosened);
    };
    // A member with few values has their type as well.
    let is_listed = members.contains_key("const") || members.contains_key("enum");
    let demanded =
        |keyword: &&&str| members.get(**keyword).is_some_and(|value| *value != json!(true));
    for keyword in DEMANDS.iter().filter(demanded) {
        if *keyword != "type" || !is_listed {
            tell(&format!("without {keyword}"), &|schema| {
                schema.as_object_mut().unwrap().remove(*keyword);
            });
        }
    }
    for (position, name) in
        members.get("required").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        tell(&format!("without {name} in required"), &|schema| {
            schema["required"].as_array_mut().unwrap().remove(position);
        });
    }
    if let Some(Value::Array(values)) = members.get("enum") {
        let more = if values.iter().all(Value::is_number) { json!(7) } else { json!("other") };
        tell("with one more in enum", &|schema| {
            schema["enum"].as_array_mut().unwrap().push(more.clone());
        });
    }
    if let Some(pattern) = members.get("pattern").and_then(Value::as_str) {
        // The part between the anchors may have alternatives.
        let inner = pattern.strip_prefix('^');
        if let Some(inner) = inner {
            tell("without the start of its pattern", &|schema| schema["pattern"] = inner.into());
        }
        let inner = pattern.strip_suffix('$').filter(|inner| !inner.ends_with('\\'));
        if let Some(inner) = inner {
            tell("without the end of its pattern", &|schema| schema["pattern"] = inner.into());
        }
    }
    for keyword in ["minLength", "minItems", "minimum", "minProperties"] {
        if let Some(bound) = members.get(keyword).and_then(Value::as_i64) {
            tell(&format!("with a lower {keyword}"), &|schema| {
                schema[keyword] = (bound - 1).into();
            });
        }
    }
    for keyword in ["maxLength", "maxItems", "maximum"] {
        if let Some(bound) = members.get(keyword).and_then(Value::as_i64) {
            tell(&format!("with a higher {keyword}"), &|schema| {
                schema[keyword] = (bound + 1).into();
            });
        }
    }
    for keyword in INNER {
        if let Some(inner) = members.get(keyword) {
            walk(inner, &format!("{pointer}/{keyword}"), found);
        }
    }
    for keyword in ["$defs", "properties", "patternProperties"] {
        for (name, inner) in members.get(keyword).and_then(Value::as_object).into_iter().flatten() {
            let name = name.replace('~', "~0").replace('/', "~1");
            walk(inner, &format!("{pointer}/{keyword}/{name}"), found);
        }
    }
    for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        let inner = members.get(keyword).and_then(Value::as_array).into_iter().flatten();
        for (position, inner) in inner.enumerate() {
            walk(inner, &format!("{pointer}/{keyword}/{position}"), found);
        }
    }
}
