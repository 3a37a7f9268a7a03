//! The edits that turn one schema into another.

use serde_json::{Value, json};

use super::findings::pairs;
use super::parts::{LISTED_PARTS, NAMED_PARTS, PARTS};

/// The keywords that only explain a schema to readers.
pub(super) const WORDS: [&str; 7] =
    ["$comment", "$id", "default", "deprecated", "description", "examples", "title"];

/// One edit.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// The path from the root.
    pub(super) path: Vec<String>,
    /// The new value; null removes the old one.
    to: Value,
    /// The shown place.
    pub(super) at: String,
    /// The shown values: the old and the new one.
    pub(super) shown: [Value; 2],
}

impl Edit {
    /// The edit that replaces the old value by the new one.
    pub(super) fn whole(path: &[String], old: &Value, new: &Value) -> Self {
        let at = path.iter().flat_map(|name| ["/", name]).collect();
        Self { path: path.to_vec(), to: new.clone(), at, shown: [old.clone(), new.clone()] }
    }

    /// The edits of an unordered list, one for each value.
    pub(super) fn of_set(path: &[String], old: &Value, new: &Value) -> Vec<Self> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let (before, now) = (list(old), list(new));
        let edit = |value: &Value, to: Vec<Value>, shown: [Value; 2]| {
            let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let at = format!("{}/{name}", Self::whole(path, old, new).at);
            Self { path: path.to_vec(), to: to.into(), at, shown }
        };
        let removed = before.iter().filter(|value| !now.contains(value)).map(|value| {
            let rest = before.iter().filter(|other| *other != value).cloned().collect();
            edit(value, rest, [value.clone(), Value::Null])
        });
        let added = now.iter().filter(|value| !before.contains(value)).map(|value| {
            let all = before.iter().chain([value]).cloned().collect();
            edit(value, all, [Value::Null, value.clone()])
        });
        removed.chain(added).collect()
    }

    /// Whether the edit only concerns readers.
    pub(super) fn is_of_words(&self) -> bool {
        self.path.last().is_some_and(|name| WORDS.contains(&name.as_str()))
    }

    /// A JSON value with only this edit applied.
    pub(super) fn applied_to(&self, value: &Value) -> Value {
        let Some((name, parents)) = self.path.split_last() else { return self.to.clone() };
        let mut edited = value.clone();
        let inner = parents.iter().try_fold(&mut edited, |inner, name| match inner {
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?),
            Value::Object(members) => Some(members.entry(name.as_str()).or_insert(json!({}))),
            _ => None,
        });
        match inner {
            Some(Value::Object(members)) if self.to.is_null() => drop(members.remove(name)),
            Some(Value::Object(members)) => drop(members.insert(name.clone(), self.to.clone())),
            Some(Value::Array(items)) => {
                if let Some(item) = name.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    *item = self.to.clone();
                }
            }
            _ => {}
        }
        edited
    }
}

/// The edits between two schemas, each as deep as possible.
pub(super) fn edits(old: &Value, new: &Value) -> Vec<Edit> {
    let mut all = Vec::new();
    walk(&mut all, &mut Vec::new(), old, new);
    all
}

fn walk(all: &mut Vec<Edit>, path: &mut Vec<String>, old: &Value, new: &Value) {
    if !old.is_object() || !new.is_object() {
        if old != new {
            all.push(Edit::whole(path, old, new));
        }
        return;
    }
    // Null may be a value, as in `const: null`, so presence is compared.
    let differs = |keyword: &str| old.get(keyword) != new.get(keyword);
    for (keyword, old, new) in pairs(old, new, "").filter(|(keyword, ..)| differs(keyword)) {
        path.push(keyword.clone());
        let keyword = keyword.as_str();
        let same_length = old
            .as_array()
            .map(Vec::len)
            .zip(new.as_array().map(Vec::len))
            .is_some_and(|(a, b)| a == b);
        if NAMED_PARTS.contains(&keyword) {
            for (name, old, new) in pairs(old, new, "") {
                path.push(name);
                walk(all, path, old, new);
                path.pop();
            }
        } else if LISTED_PARTS.contains(&keyword) && same_length {
            let items =
                old.as_array().into_iter().flatten().zip(new.as_array().into_iter().flatten());
            for (position, (old, new)) in items.enumerate() {
                path.push(position.to_string());
                walk(all, path, old, new);
                path.pop();
            }
        } else if PARTS.contains(&keyword) {
            walk(all, path, old, new);
        } else if keyword == "required" {
            all.extend(Edit::of_set(path, old, new));
        } else {
            all.push(Edit::whole(path, old, new));
        }
        path.pop();
    }
}
