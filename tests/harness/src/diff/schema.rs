//! Changes to a schema. The effect of a change is decided on whole schemas. Each edit is then judged alone,
//! to locate the change.

use serde_json::Value;

use super::edits::{Edit, edits};
use super::finding::{
    ENUM_VALUE_ADDED, ENUM_VALUE_REMOVED, FORMAT_CHANGED, FORMAT_LOOSENED, FORMAT_TIGHTENED,
    LIMIT_NARROWED, LIMIT_WIDENED, PARAMETER_RETYPED, REQUEST_CHANGED, REQUEST_LOOSENED,
    REQUEST_TIGHTENED, RESPONSE_CHANGED, RESPONSE_FIELD_ADDED, RESPONSE_FIELD_NOW_OPTIONAL,
    RESPONSE_FIELD_NOW_REQUIRED, RESPONSE_FIELD_REMOVED, RESPONSE_FIELD_RETYPED, RESPONSE_LOOSENED,
    RESPONSE_TIGHTENED, Rule, SCHEMA_RESPELT, SCHEMA_UNDECIDED,
};
use super::findings::{Findings, differing, pairs};
use super::inclusion::{Excess, relation, within_time};
use super::opened::opened;
use super::parameter;

/// The greatest number of edits that are judged alone.
const EDITS_MAX: usize = 64;

/// The kinds of schemas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    /// A file of the contract.
    Format,
    /// A parameter of an operation, whose limits are converted to a schema.
    Parameter,
}

/// The effect of a change on those who rely on the old schema.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The schemas accept the same values.
    Same,
    /// Only the unnamed members of an answer differ.
    Opened,
    /// They lose nothing.
    Harmless,
    /// They lose something.
    Harmful,
    /// They lose something and gain something.
    Both,
    Undecided,
}

/// The changes of a schema.
pub(super) fn schema(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let file = all.file();
    let kind = if file.ends_with("/schemas/request.json") {
        Kind::Request
    } else if file.ends_with("/schemas/success.json") || file.contains("/schemas/errors/") {
        Kind::Response
    } else {
        Kind::Format
    };
    // An unused definition has no effect, and an edit may use a new one.
    let mut base = old.clone();
    for (name, before, now) in pairs(&old["$defs"], &new["$defs"], "") {
        if before.is_null() && old.is_object() {
            base["$defs"][name] = now.clone();
        }
    }
    compare(all, kind, "", [old, &base, new], edits(old, new));
}

/// Adds the effect of edits, each at its place if the worst of them equals the effect of the whole. Each
/// edit is judged as the only one to `base`.
pub(super) fn compare(
    all: &mut Findings<'_>,
    kind: Kind,
    at: &str,
    [old, base, new]: [&Value; 3],
    edits: Vec<Edit>,
) {
    let (words, edits): (Vec<_>, Vec<_>) = edits.into_iter().partition(Edit::is_of_words);
    for Edit { at: inner, shown: [old, new], .. } in words {
        all.words(&format!("{at}{inner}"), &old, &new);
    }
    if edits.is_empty() {
        return;
    }
    let judge =
        |pairs: Vec<[Value; 2]>| within_time(pairs, move |[old, new]| kind.judge(&old, &new));
    let undecided = (Effect::Undecided, None);
    let whole = judge(vec![[old.clone(), new.clone()]]).pop();
    let places = match &whole {
        Some((Effect::Same, _)) => vec![(Effect::Same, None); edits.len()],
        Some(_) if edits.len() <= EDITS_MAX => {
            judge(edits.iter().map(|edit| [base.clone(), edit.applied_to(base)]).collect())
        }
        _ => Vec::new(),
    };
    let whole = whole.unwrap_or(undecided);
    let whole_rule = kind.rule(None, whole.0);
    let rules: Vec<&'static Rule> = edits
        .iter()
        .zip(&places)
        .map(|(edit, (effect, _))| kind.rule(Some(edit), *effect))
        .collect();
    let worst = rules.iter().map(|rule| rule.severity).max();
    if places.len() == edits.len() && worst == Some(whole_rule.severity) {
        for ((edit, rule), (_, example)) in edits.iter().zip(rules).zip(&places) {
            all.add(rule, &format!("{at}{}", edit.at), &edit.shown[0], &edit.shown[1]);
            all.explain(kind.says(example.as_ref()));
        }
    } else {
        let (old, new) = differing(old, new);
        all.add(whole_rule, at, &old, &new);
        all.explain(kind.says(whole.1.as_ref()));
    }
}

impl Kind {
    /// The effect of a change, with an example of a lost value if one was found.
    fn judge(self, old: &Value, new: &Value) -> (Effect, Option<Value>) {
        let found = match self {
            Self::Request | Self::Format => relation(old, new),
            Self::Response => relation(&opened(old), &opened(new)),
            Self::Parameter => relation(&parameter::meaning(old), &parameter::meaning(new)),
        };
        if found.is_equal() {
            let is_opened = self == Self::Response && !relation(old, new).is_equal();
            return (if is_opened { Effect::Opened } else { Effect::Same }, None);
        }
        // Clients send requests, so a refused value harms them. They read answers, so a new value does.
        let (harm, other) = match self {
            Self::Response => (found.gained, found.lost),
            Self::Request | Self::Format | Self::Parameter => (found.lost, found.gained),
        };
        match (harm, other) {
            (Excess::Undecided, _) => (Effect::Undecided, None),
            (Excess::No, _) => (Effect::Harmless, None),
            (Excess::Yes(example), Excess::No) => (Effect::Harmful, example),
            (Excess::Yes(example), _) => (Effect::Both, example),
        }
    }

    /// The rule for an edit, or for all edits together.
    fn rule(self, edit: Option<&Edit>, effect: Effect) -> &'static Rule {
        let keyword = |from_end: usize| {
            let path = edit.map_or(&[][..], |edit| &edit.path);
            path.iter().rev().nth(from_end).map_or("", String::as_str)
        };
        let is_alone = |side: usize| edit.is_some_and(|edit| edit.shown[1 - side].is_null());
        let is_property = keyword(1) == "properties";
        match (effect, self) {
            (Effect::Same, _) => &SCHEMA_RESPELT,
            (Effect::Undecided, _) => &SCHEMA_UNDECIDED,
            (Effect::Opened, _) => &RESPONSE_FIELD_ADDED,
            (Effect::Harmless, Self::Request) => &REQUEST_LOOSENED,
            (Effect::Harmful, Self::Request) => &REQUEST_TIGHTENED,
            (Effect::Both, Self::Request) => &REQUEST_CHANGED,
            (Effect::Harmless, Self::Format) => &FORMAT_LOOSENED,
            (Effect::Harmful, Self::Format) => &FORMAT_TIGHTENED,
            (Effect::Both, Self::Format) => &FORMAT_CHANGED,
            (Effect::Harmless, Self::Response) if is_property && is_alone(1) => {
                &RESPONSE_FIELD_ADDED
            }
            (Effect::Harmless, Self::Response) if keyword(0) == "required" => {
                &RESPONSE_FIELD_NOW_REQUIRED
            }
            (Effect::Harmless, Self::Response) => &RESPONSE_TIGHTENED,
            (Effect::Harmful, Self::Response) if is_property && is_alone(0) => {
                &RESPONSE_FIELD_REMOVED
            }
            (Effect::Harmful, Self::Response) if keyword(0) == "required" => {
                &RESPONSE_FIELD_NOW_OPTIONAL
            }
            (Effect::Harmful, Self::Response) => &RESPONSE_LOOSENED,
            (Effect::Both, Self::Response)
                if keyword(0) == "type" && keyword(2) == "properties" =>
            {
                &RESPONSE_FIELD_RETYPED
            }
            (Effect::Both, Self::Response) => &RESPONSE_CHANGED,
            (Effect::Harmless, Self::Parameter) if keyword(0) == "enum" && is_alone(1) => {
                &ENUM_VALUE_ADDED
            }
            (Effect::Harmless, Self::Parameter) => &LIMIT_WIDENED,
            (Effect::Harmful, Self::Parameter) if keyword(0) == "enum" && is_alone(0) => {
                &ENUM_VALUE_REMOVED
            }
            (Effect::Harmful, Self::Parameter) if !["type", "unit"].contains(&keyword(0)) => {
                &LIMIT_NARROWED
            }
            (Effect::Harmful | Effect::Both, Self::Parameter) => &PARAMETER_RETYPED,
        }
    }

    /// The example of a lost value, as a part of a sentence.
    fn says(self, example: Option<&Value>) -> Option<String> {
        let what = if self == Self::Response { "is possible now" } else { "is refused now" };
        // The schema of a parameter is that of an object with a member for each kind of limit.
        let member = example?.as_object().filter(|_| self == Self::Parameter);
        let example = member.and_then(|limits| limits.values().next()).or(example)?;
        Some(format!("; {example} {what}"))
    }
}
