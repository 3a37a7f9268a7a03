//! Finds the line of a field in a JSON text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To the member with this name.
    Member(String),
    /// To the element at this position.
    Element(usize),
}

impl Step {
    pub(super) fn is_member(&self, name: &str) -> bool {
        match self {
            Self::Member(member) => member == name,
            Self::Element(_) => false,
        }
    }
}

/// The steps of a path, up to the first step without a name.
pub(super) fn steps(path: &Path) -> Vec<Step> {
    let steps = path.iter().map_while(|segment| match segment {
        Segment::Map { key } => Some(Step::Member(key.clone())),
        Segment::Seq { index } => Some(Step::Element(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

/// Writes a path in the form `Accounts.1234567890123456.Policies[0]`.
pub(super) fn path(steps: &[Step]) -> String {
    let path = steps.iter().fold(String::new(), |path, step| match step {
        Step::Member(name) if path.is_empty() => name.clone(),
        Step::Member(name) => format!("{path}.{name}"),
        Step::Element(position) => format!("{path}[{position}]"),
    });
    // The path of a member with an empty name is empty too.
    if path.is_empty() { "the document".to_owned() } else { path }
}

/// The line, from 1, on which the value at `steps` begins. If it does not exist, the line of its
/// innermost existing parent.
pub(super) fn line(text: &str, steps: &[Step]) -> usize {
    let mut value = text.trim_start();
    for step in steps {
        let inner: Option<&str> = match step {
            Step::Member(name) => serde_json::from_str::<BTreeMap<String, &RawValue>>(value)
                .ok()
                .and_then(|members| members.get(name).map(|raw| raw.get())),
            Step::Element(position) => serde_json::from_str::<Vec<&RawValue>>(value)
                .ok()
                .and_then(|elements| elements.get(*position).map(|raw| raw.get())),
        };
        match inner {
            Some(inner) => value = inner,
            None => break,
        }
    }
    // Every value is a slice of the text.
    let offset = (value.as_ptr().addr()).saturating_sub(text.as_ptr().addr());
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_on_its_line() {
        let text = "{\n  \"A\": [\n    { \"B\": 1 },\n    {\n      \"B\": 2\n    }\n  ]\n}";
        let member = |name: &str| Step::Member(name.to_owned());
        let steps = [member("A"), Step::Element(1), member("B")];
        assert_eq!(line(text, &steps), 5);
        assert_eq!(path(&steps), "A[1].B");
        assert_eq!(line(text, &[member("A"), Step::Element(1), member("C")]), 4);
    }
}
