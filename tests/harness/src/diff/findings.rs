//! The findings of one file, and the pairing of two JSON values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::finding::{Finding, Rule, TEXT_CHANGED};

/// The findings of one file so far.
pub(super) struct Findings<'f> {
    file: &'f str,
    pub(super) all: Vec<Finding>,
}

impl<'f> Findings<'f> {
    pub(super) fn of(file: &'f str) -> Self {
        Self { file, all: Vec::new() }
    }

    pub(super) fn file(&self) -> &'f str {
        self.file
    }

    /// Adds a change of the file's part `at`, or of the whole file if `at` is empty.
    pub(super) fn add(&mut self, rule: &'static Rule, at: &str, old: &Value, new: &Value) {
        let separator = if at.is_empty() { "" } else { "#" };
        let place = [self.file, separator, at].concat();
        self.all.push(Finding::new(rule, &place, old.clone(), new.clone()));
    }

    /// Continues the sentence of the change added last.
    pub(super) fn explain(&mut self, words: Option<String>) {
        if let (Some(words), Some(finding)) = (words, self.all.last_mut()) {
            finding.sentence.push_str(&words);
        }
    }

    /// Adds a change if the two differ.
    pub(super) fn whole(&mut self, rule: &'static Rule, at: &str, old: &Value, new: &Value) {
        if old != new {
            self.add(rule, at, old, new);
        }
    }

    /// Adds a change of words if the two differ.
    pub(super) fn words(&mut self, at: &str, old: &Value, new: &Value) {
        self.whole(&TEXT_CHANGED, at, old, new);
    }

    /// Adds a change if only one of the two exists, and returns whether it did.
    pub(super) fn alone(
        &mut self,
        [removed, added]: [&'static Rule; 2],
        at: &str,
        old: &Value,
        new: &Value,
    ) -> bool {
        let is_alone = old.is_null() != new.is_null();
        if is_alone {
            self.add(if new.is_null() { removed } else { added }, at, old, new);
        }
        is_alone
    }

    /// Adds the values that a list has lost and gained.
    pub(super) fn values(&mut self, rules: [&'static Rule; 2], at: &str, old: &Value, new: &Value) {
        for (value, old, new) in pairs(old, new, "") {
            self.alone(rules, &format!("{at}/{value}"), old, new);
        }
    }
}

/// Pairs the members of two objects by name, or the items of two lists by their member `key`, or by the items
/// themselves if `key` is empty. A value without a partner is paired with null.
pub(super) fn pairs<'v>(
    old: &'v Value,
    new: &'v Value,
    key: &str,
) -> impl Iterator<Item = (String, &'v Value, &'v Value)> + use<'v> {
    let mut pairs: BTreeMap<String, [&Value; 2]> = BTreeMap::new();
    for (side, value) in [old, new].into_iter().enumerate() {
        let name = |item: &Value| {
            let name = if key.is_empty() { item } else { &item[key] };
            name.as_str().unwrap_or_default().to_owned()
        };
        let items = value.as_array().into_iter().flatten().map(|item| (name(item), item));
        let members = value.as_object().into_iter().flatten();
        let members = members.map(|(name, member)| (name.clone(), member));
        for (name, value) in items.chain(members) {
            pairs.entry(name).or_insert([&Value::Null; 2])[side] = value;
        }
    }
    pairs.into_iter().map(|(name, [old, new])| (name, old, new))
}

/// An object without some of its members.
pub(super) fn without(value: &Value, names: &[&str]) -> Value {
    let members = value.as_object().into_iter().flatten();
    let rest = members.filter(|(name, _)| !names.contains(&name.as_str()));
    rest.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// The different members of two objects.
pub(super) fn differing(old: &Value, new: &Value) -> (Value, Value) {
    let names = pairs(old, new, "").map(|(name, ..)| name);
    let same: Vec<String> = names.filter(|name| old.get(name) == new.get(name)).collect();
    let same: Vec<&str> = same.iter().map(String::as_str).collect();
    (without(old, &same), without(new, &same))
}
