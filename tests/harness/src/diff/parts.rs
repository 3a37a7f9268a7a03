//! The schemas inside a schema.

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
pub(super) const PARTS: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a list of schemas, or an object of them.
pub(super) const LISTED_PARTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
pub(super) const NAMED_PARTS: [&str; 4] =
    ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// Visits a schema and all those inside it, the inner ones first.
pub(super) fn each_part(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(members) = schema.as_object_mut() else { return };
    for (keyword, value) in members.iter_mut() {
        match value {
            Value::Object(parts) if NAMED_PARTS.contains(&keyword.as_str()) => {
                for part in parts.values_mut() {
                    each_part(part, visit);
                }
            }
            Value::Array(parts) if LISTED_PARTS.contains(&keyword.as_str()) => {
                for part in parts {
                    each_part(part, visit);
                }
            }
            part if PARTS.contains(&keyword.as_str()) => each_part(part, visit),
            _ => {}
        }
    }
    visit(members);
}
