//! Changes to a schema, keyword by keyword.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::changed_text;
use super::finding::{
    FORMAT_CHANGED, FORMAT_LOOSENED, FORMAT_TIGHTENED, Finding, REQUEST_CHANGED, REQUEST_LOOSENED,
    REQUEST_TIGHTENED, RESPONSE_CHANGED, RESPONSE_FIELD_ADDED, RESPONSE_FIELD_NOW_OPTIONAL,
    RESPONSE_FIELD_NOW_REQUIRED, RESPONSE_FIELD_REMOVED, RESPONSE_FIELD_RETYPED, RESPONSE_LOOSENED,
    RESPONSE_TIGHTENED, Rule,
};

/// What a schema is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An answer.
    Response,
    /// A call.
    Request,
    /// A file of the contract.
    Format,
}

impl Kind {
    fn of(file: &str) -> Self {
        if file.ends_with("/schemas/request.json") {
            Self::Request
        } else if file.ends_with("/schemas/success.json") || file.contains("/schemas/errors/") {
            Self::Response
        } else {
            Self::Format
        }
    }

    fn loosened(self) -> &'static Rule {
        match self {
            Self::Response => &RESPONSE_LOOSENED,
            Self::Request => &REQUEST_LOOSENED,
            Self::Format => &FORMAT_LOOSENED,
        }
    }

    fn tightened(self) -> &'static Rule {
        match self {
            Self::Response => &RESPONSE_TIGHTENED,
            Self::Request => &REQUEST_TIGHTENED,
            Self::Format => &FORMAT_TIGHTENED,
        }
    }

    fn changed(self) -> &'static Rule {
        match self {
            Self::Response => &RESPONSE_CHANGED,
            Self::Request => &REQUEST_CHANGED,
            Self::Format => &FORMAT_CHANGED,
        }
    }
}

/// Keywords that only say something to readers.
const WORDS: [&str; 8] =
    ["$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "title"];

/// Keywords whose value is a schema for a part, so that its changes are told apart.
const PARTS: [&str; 7] =
    ["additionalProperties", "contains", "else", "if", "items", "propertyNames", "then"];

/// Keywords whose value is an object of schemas.
const NAMED_PARTS: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// The changes of the schema in a file.
pub(super) fn schema(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut walk = Walk { kind: Kind::of(file), all: Vec::new() };
    walk.compare(&format!("{file}#"), old, new);
    walk.all
}

struct Walk {
    kind: Kind,
    all: Vec<Finding>,
}

impl Walk {
    fn find(&mut self, rule: &'static Rule, place: &str, old: &Value, new: &Value) {
        self.all.push(Finding::new(rule, place, old.clone(), new.clone()));
    }

    fn compare(&mut self, place: &str, old: &Value, new: &Value) {
        if old == new {
            return;
        }
        let (Some(old_keys), Some(new_keys)) = (old.as_object(), new.as_object()) else {
            // True takes everything, false nothing.
            let rule = match (old, new) {
                (Value::Bool(false), _) | (_, Value::Bool(true)) => self.kind.loosened(),
                (Value::Bool(true), _) | (_, Value::Bool(false)) => self.kind.tightened(),
                _ => self.kind.changed(),
            };
            return self.find(rule, place, old, new);
        };
        let keywords: BTreeSet<&String> = old_keys.keys().chain(new_keys.keys()).collect();
        for keyword in keywords {
            if old.get(keyword) != new.get(keyword) {
                self.keyword(place, keyword, old, new);
            }
        }
    }

    fn keyword(&mut self, place: &str, keyword: &str, old_schema: &Value, new_schema: &Value) {
        let at = format!("{place}/{keyword}");
        let (old, new) = (&old_schema[keyword], &new_schema[keyword]);
        if WORDS.contains(&keyword) {
            self.all.extend(changed_text(&at, old, new));
        } else if keyword == "required" {
            self.required(place, old, new);
        } else if keyword == "properties" {
            self.properties(place, old_schema, new_schema);
        } else if keyword == "type" {
            self.types(place, old, new);
        } else if NAMED_PARTS.contains(&keyword) {
            self.named_parts(&at, old, new);
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
            self.find(rule, &at, old, new);
        }
    }

    /// Whether a keyword that demands something demands more, less or something else.
    fn direction(&self, keyword: &str, old: &Value, new: &Value) -> &'static Rule {
        let kind = self.kind;
        let is_within = |one: &Value, other: &Value| {
            let (one, other) = (one.as_array(), other.as_array());
            one.zip(other).is_some_and(|(one, other)| one.iter().all(|it| other.contains(it)))
        };
        match (keyword, old.as_f64(), new.as_f64()) {
            // `additionalProperties: true` demands nothing.
            ("additionalProperties", ..) if new == &json!(true) => kind.loosened(),
            ("additionalProperties", ..) if old == &json!(true) => kind.tightened(),
            _ if old.is_null() => kind.tightened(),
            _ if new.is_null() => kind.loosened(),
            (_, Some(old), Some(new)) => {
                let is_upper = keyword.starts_with("max") || keyword == "exclusiveMaximum";
                if (new > old) == is_upper { kind.loosened() } else { kind.tightened() }
            }
            ("enum" | "anyOf", ..) if is_within(old, new) => kind.loosened(),
            ("enum" | "anyOf", ..) if is_within(new, old) => kind.tightened(),
            ("allOf", ..) if is_within(old, new) => kind.tightened(),
            ("allOf", ..) if is_within(new, old) => kind.loosened(),
            ("uniqueItems", ..) if new == &json!(true) => kind.tightened(),
            ("uniqueItems", ..) => kind.loosened(),
            _ => kind.changed(),
        }
    }

    fn required(&mut self, place: &str, old: &Value, new: &Value) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (old, new) = (list(old), list(new));
        let (less, more) = match self.kind {
            Kind::Response => (&RESPONSE_FIELD_NOW_OPTIONAL, &RESPONSE_FIELD_NOW_REQUIRED),
            Kind::Request | Kind::Format => (self.kind.loosened(), self.kind.tightened()),
        };
        let at = |name: &Value| format!("{place}/required/{}", name.as_str().unwrap_or_default());
        for name in old.iter().filter(|name| !new.contains(name)) {
            self.find(less, &at(name), name, &Value::Null);
        }
        for name in new.iter().filter(|name| !old.contains(name)) {
            self.find(more, &at(name), &Value::Null, name);
        }
    }

    fn properties(&mut self, place: &str, old_schema: &Value, new_schema: &Value) {
        let none = Map::new();
        let members = |schema: &Value| schema["properties"].as_object().cloned();
        let old = members(old_schema).unwrap_or_else(|| none.clone());
        let new = members(new_schema).unwrap_or(none);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let at = format!("{place}/properties/{name}");
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => self.compare(&at, old, new),
                (Some(old), None) => {
                    let rule = self.property(new_schema, false);
                    self.find(rule, &at, old, &Value::Null);
                }
                (None, new) => {
                    let rule = self.property(old_schema, true);
                    self.find(rule, &at, &Value::Null, new.unwrap_or(&Value::Null));
                }
            }
        }
    }

    /// What it means that one more or less property is named, beside how the other schema takes such.
    fn property(&self, other: &Value, is_new: bool) -> &'static Rule {
        let is_closed = other["additionalProperties"] == json!(false);
        match (self.kind, is_new, is_closed) {
            (Kind::Response, true, true) => &RESPONSE_FIELD_ADDED,
            (Kind::Response, false, true) => &RESPONSE_FIELD_REMOVED,
            // Without it nothing was there; now it may be.
            (kind, true, true) | (kind, false, false) => kind.loosened(),
            (kind, true, false) | (kind, false, true) => kind.tightened(),
        }
    }

    fn types(&mut self, place: &str, old: &Value, new: &Value) {
        let list = |value: &Value| match value {
            Value::Null => Vec::new(),
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        let (before, after) = (list(old), list(new));
        let has = |list: &[Value], kind: &Value| {
            list.contains(kind) || (kind == "integer" && list.contains(&json!("number")))
        };
        let is_wider = after.is_empty() || before.iter().all(|kind| has(&after, kind));
        let is_narrower = before.is_empty() || after.iter().all(|kind| has(&before, kind));
        let is_field = self.kind == Kind::Response && place.contains("/properties/");
        let rule = match (is_wider && !before.is_empty(), is_narrower && !after.is_empty()) {
            (true, _) => self.kind.loosened(),
            (_, true) => self.kind.tightened(),
            (false, false) if is_field => &RESPONSE_FIELD_RETYPED,
            (false, false) => self.kind.changed(),
        };
        self.find(rule, &format!("{place}/type"), old, new);
    }

    fn named_parts(&mut self, place: &str, old: &Value, new: &Value) {
        let none = Map::new();
        let (old, new) = (old.as_object().unwrap_or(&none), new.as_object().unwrap_or(&none));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let at = format!("{place}/{name}");
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => self.compare(&at, old, new),
                // A definition counts where it is used; that is another change.
                (Some(_), None) | (None, Some(_)) if place.ends_with("/$defs") => {}
                (Some(old), None) => self.find(self.kind.loosened(), &at, old, &Value::Null),
                (None, new) => {
                    let new = new.unwrap_or(&Value::Null);
                    self.find(self.kind.tightened(), &at, &Value::Null, new);
                }
            }
        }
    }
}
