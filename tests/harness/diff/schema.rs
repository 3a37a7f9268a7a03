//! Changes to a schema, keyword by keyword.

use serde_json::{Value, json};

use super::finding::{
    FORMAT_CHANGED, FORMAT_LOOSENED, FORMAT_TIGHTENED, REQUEST_CHANGED, REQUEST_LOOSENED,
    REQUEST_TIGHTENED, RESPONSE_CHANGED, RESPONSE_FIELD_ADDED, RESPONSE_FIELD_NOW_OPTIONAL,
    RESPONSE_FIELD_NOW_REQUIRED, RESPONSE_FIELD_REMOVED, RESPONSE_FIELD_RETYPED, RESPONSE_LOOSENED,
    RESPONSE_TIGHTENED, Rule,
};
use super::findings::{Findings, pairs};

/// The rules of schemas of a kind.
struct Kind {
    loosened: &'static Rule,
    tightened: &'static Rule,
    changed: &'static Rule,
    /// Whether they describe answers, whose fields have rules of their own.
    is_response: bool,
}

impl Kind {
    fn of(file: &str) -> Self {
        let (rules, is_response) = if file.ends_with("/schemas/request.json") {
            ([&REQUEST_LOOSENED, &REQUEST_TIGHTENED, &REQUEST_CHANGED], false)
        } else if file.ends_with("/schemas/success.json") || file.contains("/schemas/errors/") {
            ([&RESPONSE_LOOSENED, &RESPONSE_TIGHTENED, &RESPONSE_CHANGED], true)
        } else {
            ([&FORMAT_LOOSENED, &FORMAT_TIGHTENED, &FORMAT_CHANGED], false)
        };
        let [loosened, tightened, changed] = rules;
        Self { loosened, tightened, changed, is_response }
    }
}

/// Keywords that explain a schema to readers.
const WORDS: [&str; 8] =
    ["$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "title"];

/// Keywords whose value is a schema for a part, whose changes are found one by one.
const PARTS: [&str; 7] =
    ["additionalProperties", "contains", "else", "if", "items", "propertyNames", "then"];

/// Keywords whose value is an object of schemas.
const NAMED_PARTS: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// The changes of a schema.
pub(super) fn schema(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let kind = Kind::of(all.file());
    Walk { kind, all }.compare("", old, new);
}

struct Walk<'w, 'f> {
    kind: Kind,
    all: &'w mut Findings<'f>,
}

impl Walk<'_, '_> {
    fn compare(&mut self, at: &str, old: &Value, new: &Value) {
        if old.is_object() && new.is_object() {
            for (keyword, before, now) in pairs(old, new, "") {
                if before != now {
                    self.keyword(at, &keyword, (old, before), (new, now));
                }
            }
            return;
        }
        // True takes everything, false nothing.
        let rule = match (old, new) {
            (Value::Bool(false), _) | (_, Value::Bool(true)) => self.kind.loosened,
            (Value::Bool(true), _) | (_, Value::Bool(false)) => self.kind.tightened,
            _ => self.kind.changed,
        };
        self.all.whole(rule, at, old, new);
    }

    /// Compares the values of a keyword, each with the schema that has it.
    fn keyword(
        &mut self,
        place: &str,
        keyword: &str,
        (old_schema, old): (&Value, &Value),
        (new_schema, new): (&Value, &Value),
    ) {
        let at = format!("{place}/{keyword}");
        let Kind { loosened, tightened, is_response, .. } = self.kind;
        if WORDS.contains(&keyword) {
            self.all.words(&at, old, new);
        } else if keyword == "required" {
            let of_fields = [&RESPONSE_FIELD_NOW_OPTIONAL, &RESPONSE_FIELD_NOW_REQUIRED];
            let rules = if is_response { of_fields } else { [loosened, tightened] };
            self.all.values(rules, &at, old, new);
        } else if keyword == "type" {
            let rule = self.types(place, old, new);
            self.all.add(rule, &at, old, new);
        } else if NAMED_PARTS.contains(&keyword) {
            for (name, old, new) in pairs(old, new, "") {
                let at = format!("{at}/{name}");
                let rules = match keyword {
                    "properties" => {
                        [self.property(new_schema, false), self.property(old_schema, true)]
                    }
                    // A definition counts where it is used, which is another change.
                    "$defs" if old.is_null() || new.is_null() => continue,
                    _ => [loosened, tightened],
                };
                if !self.all.alone(rules, &at, old, new) {
                    self.compare(&at, old, new);
                }
            }
        } else if PARTS.contains(&keyword) && !old.is_null() && !new.is_null() {
            self.compare(&at, old, new);
        } else if let (Some(parts), Some(others)) = (old.as_array(), new.as_array())
            && ["allOf", "anyOf", "oneOf", "prefixItems"].contains(&keyword)
            && parts.len() == others.len()
        {
            for (position, (old, new)) in parts.iter().zip(others).enumerate() {
                self.compare(&format!("{at}/{position}"), old, new);
            }
        } else {
            let rule = self.direction(keyword, old, new);
            self.all.add(rule, &at, old, new);
        }
    }

    /// Whether a keyword that demands something demands more, less or something else.
    fn direction(&self, keyword: &str, old: &Value, new: &Value) -> &'static Rule {
        let Kind { loosened, tightened, changed, .. } = self.kind;
        let is_within = |one: &Value, other: &Value| {
            let (one, other) = (one.as_array(), other.as_array());
            one.zip(other).is_some_and(|(one, other)| one.iter().all(|it| other.contains(it)))
        };
        match (keyword, old.as_f64(), new.as_f64()) {
            // `additionalProperties: true` demands nothing.
            ("additionalProperties", ..) if *new == json!(true) => loosened,
            ("additionalProperties", ..) if *old == json!(true) => tightened,
            _ if old.is_null() => tightened,
            _ if new.is_null() => loosened,
            (_, Some(old), Some(new)) => {
                let is_upper = keyword.starts_with("max") || keyword == "exclusiveMaximum";
                if (new > old) == is_upper { loosened } else { tightened }
            }
            ("enum" | "anyOf", ..) if is_within(old, new) => loosened,
            ("enum" | "anyOf", ..) if is_within(new, old) => tightened,
            ("allOf", ..) if is_within(old, new) => tightened,
            ("allOf", ..) if is_within(new, old) => loosened,
            ("uniqueItems", ..) if *new == json!(true) => tightened,
            ("uniqueItems", ..) => loosened,
            _ => changed,
        }
    }

    /// The rule for one property more or less, by how the other schema takes properties that it does not
    /// name.
    fn property(&self, other: &Value, is_new: bool) -> &'static Rule {
        let is_closed = other["additionalProperties"] == json!(false);
        match (self.kind.is_response, is_new, is_closed) {
            (true, true, true) => &RESPONSE_FIELD_ADDED,
            (true, false, true) => &RESPONSE_FIELD_REMOVED,
            // Without it nothing was there; now it may be.
            (_, true, true) | (_, false, false) => self.kind.loosened,
            (_, true, false) | (_, false, true) => self.kind.tightened,
        }
    }

    fn types(&self, place: &str, old: &Value, new: &Value) -> &'static Rule {
        let list = |value: &Value| match value {
            Value::Null => Vec::new(),
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        let (before, after) = (list(old), list(new));
        let is_within = |some: &[Value], all: &[Value]| {
            let has =
                |kind| all.contains(kind) || (kind == "integer" && all.contains(&json!("number")));
            // No type at all is every type.
            !some.is_empty() && (all.is_empty() || some.iter().all(has))
        };
        if is_within(&before, &after) {
            self.kind.loosened
        } else if is_within(&after, &before) {
            self.kind.tightened
        } else if self.kind.is_response && place.contains("/properties/") {
            &RESPONSE_FIELD_RETYPED
        } else {
            self.kind.changed
        }
    }
}
