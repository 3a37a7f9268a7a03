//! Opens the closed objects in a schema of answers, since clients must accept unknown members. So a new
//! member is harmless, and a lost one is not.

use jsonschema::canonical::Satisfiability;
use serde_json::{Map, Value, json};

use super::edits::WORDS;
use super::inclusion::canonical;

/// The suffix of the name of an opened definition.
const SUFFIX: &str = "-opened";

/// A value that no answer has. It distinguishes a member with any value from a removed member.
const NOBODY: &str = "\u{1}no answer has this value\u{1}";

/// A schema whose objects may have further members.
pub(super) fn opened(schema: &Value) -> Value {
    let definitions = schema.get("$defs").and_then(Value::as_object);
    let mut open = Opener { definitions }.open(schema);
    if let (Some(definitions), Some(all)) =
        (definitions, open.get_mut("$defs").and_then(Value::as_object_mut))
    {
        for (name, definition) in definitions {
            all.insert(
                format!("{name}{SUFFIX}"),
                Opener { definitions: Some(definitions) }.open(definition),
            );
        }
    }
    open
}

struct Opener<'s> {
    definitions: Option<&'s Map<String, Value>>,
}

impl Opener<'_> {
    fn open(&self, schema: &Value) -> Value {
        let Some(members) = schema.as_object() else { return schema.clone() };
        let mut open = Map::new();
        for (keyword, value) in members {
            let value = match keyword.as_str() {
                "additionalProperties" | "unevaluatedProperties" if *value == json!(false) => {
                    continue;
                }
                "properties" => each(value, |part| {
                    let may_be_anything = json!({ "not": { "const": NOBODY } });
                    if is_anything(part) { may_be_anything } else { self.open(part) }
                }),
                "additionalProperties"
                | "else"
                | "items"
                | "then"
                | "unevaluatedItems"
                | "unevaluatedProperties" => self.open(value),
                "allOf" | "anyOf" | "dependentSchemas" | "patternProperties" | "prefixItems" => {
                    each(value, |part| self.open(part))
                }
                "$ref" => reopened(value),
                // Other keywords stay: under `not` and `if`, an open object would refuse more.
                _ => value.clone(),
            };
            open.insert(keyword.clone(), value);
        }
        // Of mutually exclusive alternatives at most one applies, so `anyOf` has the same meaning.
        if let Some(parts) = members.get("oneOf").and_then(Value::as_array)
            && self.exclude_one_another(parts)
        {
            open.remove("oneOf");
            let any =
                json!({ "anyOf": parts.iter().map(|part| self.open(part)).collect::<Vec<_>>() });
            match open.entry("allOf").or_insert(json!([])) {
                Value::Array(all) => all.push(any),
                _ => return schema.clone(),
            }
        }
        open.into()
    }

    fn exclude_one_another(&self, parts: &[Value]) -> bool {
        let excludes = |one: &Value, other: &Value| {
            let definitions = self.definitions.cloned().unwrap_or_default();
            let both = json!({ "allOf": [one, other], "$defs": definitions });
            canonical(&both).is_some_and(|both| both.satisfiability() == Satisfiability::No)
        };
        let pairs = parts
            .iter()
            .enumerate()
            .flat_map(|(at, one)| parts[..at].iter().map(move |other| (one, other)));
        pairs.into_iter().all(|(one, other)| excludes(one, other))
    }
}

/// Opens each of several schemas.
fn each(parts: &Value, open: impl Fn(&Value) -> Value) -> Value {
    match parts {
        Value::Array(items) => items.iter().map(open).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, part)| (name.clone(), open(part)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Whether a schema obviously accepts every value.
fn is_anything(schema: &Value) -> bool {
    let is_empty =
        |members: &Map<String, Value>| members.keys().all(|name| WORDS.contains(&&**name));
    schema.as_object().map_or(*schema == json!(true), is_empty)
}

/// The reference to the opened form of a definition.
fn reopened(reference: &Value) -> Value {
    match reference.as_str() {
        Some(text) if text.starts_with("#/$defs/") && text.matches('/').count() == 2 => {
            format!("{text}{SUFFIX}").into()
        }
        _ => reference.clone(),
    }
}
