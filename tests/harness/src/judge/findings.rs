//! Findings: the differences between an answer and the contract, with their places.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::answer::escaped;

/// The place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the call, from 1; `None` for the last call of the case.
    pub call: Option<usize>,
    /// `status`, `header/<name>`, `format` (JSON or XML), `root` (the root element),
    /// `body/<JSON pointer>`, `state/<account>/<kind>/<id>/<JSON pointer>`, `list`, `bytes` (the spelling),
    /// `schema` or `snapshot` if the contract has none, or `answer` if there was none.
    pub path: String,
}

/// Whether a path is a possible place in an answer or a world.
pub(crate) fn is_place(path: &str) -> bool {
    const ALONE: [&str; 4] = ["status", "format", "root", "list"];
    let is_below = |kind: &str| path.strip_prefix(kind).is_some_and(|rest| !rest.is_empty());
    ALONE.contains(&path) || ["header/", "body/", "state/"].into_iter().any(is_below)
}

impl Place {
    /// Whether this is the place `path` or lies in it.
    #[must_use]
    pub fn is_in(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The place with `*` for each index.
    #[must_use]
    pub fn without_indices(&self) -> String {
        let is_index = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let kind = self.path.split('/').next().unwrap_or_default();
        // Only bodies have indices; the id of an account is a number too.
        if kind != "body" {
            return self.path.clone();
        }
        let parts = self.path.split('/').map(|part| if is_index(part) { "*" } else { part });
        parts.collect::<Vec<_>>().join("/")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            None => formatter.write_str(&self.path),
            Some(call) => write!(formatter, "call {call}: {}", self.path),
        }
    }
}

/// The source of a finding. Of several sources for one place, the first is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judged {
    /// The answer shows a secret.
    Secrecy,
    /// The case, or a demand on every answer.
    Demand,
    /// The schema of the answer.
    Schema,
    /// The reviewed answer.
    Snapshot,
    /// The reviewed answer, which has the same meaning in another spelling.
    Bytes,
}

impl Judged {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Secrecy => "secrecy",
            Self::Demand => "demand",
            Self::Schema => "schema",
            Self::Snapshot => "snapshot",
            Self::Bytes => "bytes",
        }
    }
}

/// A difference between an answer and the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub place: Place,
    /// The source.
    pub by: Judged,
    /// The other sources with a finding at this place or in it.
    pub also: Vec<Judged>,
    /// The demanded value.
    pub expected: String,
    /// The actual value.
    pub actual: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, expected, actual, .. } = self;
        write!(formatter, "{place}\n      expected: {expected}\n      actual:   {actual}")
    }
}

/// The findings of one case so far.
#[derive(Debug, Default)]
pub struct Findings {
    all: Vec<Finding>,
    /// The number of the judged call; `None` for the last one.
    pub(crate) call: Option<usize>,
}

impl Findings {
    /// Adds a finding by the case, or by a demand on every answer.
    pub fn add(
        &mut self,
        path: impl Into<String>,
        expected: impl fmt::Display,
        actual: impl fmt::Display,
    ) {
        self.add_by(Judged::Demand, path, expected, actual);
    }

    /// Adds a finding.
    pub fn add_by(
        &mut self,
        by: Judged,
        path: impl Into<String>,
        expected: impl fmt::Display,
        actual: impl fmt::Display,
    ) {
        let place = Place { call: self.call, path: path.into() };
        let (expected, actual) = (expected.to_string(), actual.to_string());
        self.all.push(Finding { place, by, also: Vec::new(), expected, actual });
    }

    /// Adds a finding if the two differ.
    pub(crate) fn equal(&mut self, path: &str, expected: Option<&str>, actual: Option<&str>) {
        if expected != actual {
            self.add(path, expected.unwrap_or("(none)"), actual.unwrap_or("(none)"));
        }
    }

    /// Adds the differences between an element and its expected value; `None` expects no element.
    pub(crate) fn element(&mut self, name: &str, expected: Option<&Value>, elements: &Value) {
        self.differences(Judged::Demand, &format!("body/{name}"), expected, elements.get(name));
    }

    /// Adds the differences between two values, below a place.
    pub(crate) fn differences(
        &mut self,
        by: Judged,
        path: &str,
        expected: Option<&Value>,
        actual: Option<&Value>,
    ) {
        let mut all = Vec::new();
        compare("", expected, actual, &mut all);
        for (pointer, expected, actual) in all {
            let shown = |value: Option<&Value>| match value {
                None => "(none)".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let texts = [expected, actual].map(shown);
            // A text and a value with the same spelling must look different.
            let texts = if texts[0] == texts[1] {
                [expected, actual].map(|it| it.map_or("(none)".to_owned(), Value::to_string))
            } else {
                texts
            };
            let [expected, actual] = texts;
            self.add_by(by, format!("{path}{pointer}"), expected, actual);
        }
    }

    /// Whether there is no finding.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The findings, in the order of their discovery.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.all.iter()
    }

    /// The findings, in the order of their discovery.
    #[must_use]
    pub fn all(self) -> Vec<Finding> {
        self.all
    }

    /// The findings that `is_judged` accepts, one for each place: of several sources, the first is reported.
    #[must_use]
    pub fn reported(self, is_judged: impl Fn(&Finding) -> bool) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.all.into_iter().filter(is_judged).collect();
        // By source, in the order of their discovery.
        all.sort_by_key(|finding| finding.by);
        let mut reported: Vec<Finding> = Vec::new();
        for finding in all {
            let covers = |known: &&mut Finding| {
                let (one, other) = (&known.place, &finding.place);
                one.call == other.call && (other.is_in(&one.path) || one.is_in(&other.path))
            };
            match reported.iter_mut().find(covers) {
                Some(known) if known.by == Judged::Bytes => {}
                // One source may have several findings at a place.
                Some(known) if known.by != finding.by => {
                    if !known.also.contains(&finding.by) {
                        known.also.push(finding.by);
                    }
                }
                _ => reported.push(finding),
            }
        }
        reported.sort_by(|one, other| (one.by, &one.place).cmp(&(other.by, &other.place)));
        reported
    }
}

/// A difference between two values: its JSON pointer and both values.
type Difference<'a> = (String, Option<&'a Value>, Option<&'a Value>);

fn compare<'a>(
    pointer: &str,
    expected: Option<&'a Value>,
    actual: Option<&'a Value>,
    all: &mut Vec<Difference<'a>>,
) {
    match (expected, actual) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let pointer = format!("{pointer}/{}", escaped(name));
                compare(&pointer, one.get(name), other.get(name), all);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{pointer}/{index}"), Some(one), Some(other), all);
            }
        }
        (one, other) if one == other => {}
        (one, other) => all.push((pointer.to_owned(), one, other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_with_several_sources_is_reported_once() {
        let mut findings = Findings::default();
        findings.add_by(Judged::Snapshot, "body/Message", "a", "b");
        findings.add_by(Judged::Snapshot, "body/Code", "c", "d");
        findings.add_by(Judged::Schema, "body/Message", "one that fits", "b");
        findings.add("body/Message", "a", "b");
        findings.add_by(Judged::Schema, "body", "an object", "a text");
        let reported = findings.reported(|finding| finding.place.path != "body/Code");
        let reported: Vec<_> =
            reported.iter().map(|it| (it.place.path.as_str(), it.by, &it.also)).collect();
        let also = vec![Judged::Schema, Judged::Snapshot];
        assert_eq!(reported, [("body/Message", Judged::Demand, &also)]);
    }

    #[test]
    fn values_differ_at_the_deepest_place_and_by_type() {
        for (one, other, places) in [
            (
                json!({ "a": [1, { "b": 1 }] }),
                json!({ "a": [1.0, { "c": "1" }] }),
                &["/a/0", "/a/1/b", "/a/1/c"][..],
            ),
            (json!({ "a": 1, "b": 2 }), json!({ "b": 2, "a": 1 }), &[]),
            (json!({ "a": null }), json!({}), &["/a"]),
            (json!([1, 2]), json!([2, 1]), &["/0", "/1"]),
        ] {
            let mut all = Vec::new();
            compare("", Some(&one), Some(&other), &mut all);
            let found: Vec<&str> = all.iter().map(|(pointer, ..)| pointer.as_str()).collect();
            assert_eq!(found, places);
        }
    }
}
