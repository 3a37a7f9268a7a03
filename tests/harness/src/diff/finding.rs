//! The rules of changes to a contract, and the fingerprint of a change.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The severity of a change for callers and for checkers of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only words changed, on which nothing depends.
    Cosmetic,
    /// Everything that held still holds.
    Additive,
    /// Something that held no longer holds.
    Breaking,
}

impl Severity {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

/// A rule: a kind of change.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id, on which approvals rely.
    pub id: &'static str,
    /// The severity of such a change.
    pub severity: Severity,
    /// The description of such a change.
    pub says: &'static str,
}

impl Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}

macro_rules! rules {
    ($($name:ident $id:literal $severity:ident $says:literal;)*) => {
        $(pub(super) static $name: Rule =
            Rule { id: $id, severity: Severity::$severity, says: $says };)*

        /// All rules.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    OPERATION_ADDED "operation-added" Additive "an operation was added";
    OPERATION_REMOVED "operation-removed" Breaking "an operation was removed";
    OPERATION_CHANGED "operation-changed" Breaking "an operation's name, product, version or the like changed";
    METHOD_ADDED "method-added" Additive "an HTTP method is accepted";
    METHOD_REMOVED "method-removed" Breaking "an HTTP method is no longer accepted";
    PERMISSION_CHANGED "permission-changed" Breaking "a call needs a different permission";
    PARAMETER_ADDED "parameter-added" Additive "an optional parameter was added";
    PARAMETER_ADDED_REQUIRED "parameter-added-required" Breaking "a required parameter was added";
    PARAMETER_REMOVED "parameter-removed" Breaking "a parameter was removed";
    PARAMETER_NOW_REQUIRED "parameter-now-required" Breaking "an optional parameter became required";
    PARAMETER_NOW_OPTIONAL "parameter-now-optional" Additive "a required parameter became optional";
    PARAMETER_RETYPED "parameter-retyped" Breaking "a parameter has another type, form or unit";
    DEFAULT_CHANGED "default-changed" Breaking "the default of a parameter changed";
    DEFAULT_ADDED "default-added" Additive "an undefined default was defined";
    LIMIT_NARROWED "limit-narrowed" Breaking "a value within a limit is now beyond it";
    LIMIT_WIDENED "limit-widened" Additive "a value beyond a limit is now within it";
    ENUM_VALUE_ADDED "enum-value-added" Additive "a parameter accepts another value";
    ENUM_VALUE_REMOVED "enum-value-removed" Breaking "a parameter no longer accepts a value";
    IGNORED_ADDED "ignored-parameter-added" Additive "another parameter is ignored";
    IGNORED_REMOVED "ignored-parameter-removed" Breaking "a parameter is no longer ignored";
    CHECKING_ORDER_CHANGED "checking-order-changed" Breaking "of several errors, another one is answered";
    SUCCESS_STATUS_CHANGED "success-status-changed" Breaking "a success has another HTTP status";
    RESPONSE_FIELD_ADDED "response-field-added" Additive "an answer gained a field";
    RESPONSE_FIELD_REMOVED "response-field-removed" Breaking "an answer lost a field";
    RESPONSE_FIELD_RETYPED "response-field-retyped" Breaking "a field of an answer has another type";
    RESPONSE_FIELD_NOW_OPTIONAL "response-field-now-optional" Breaking "a field of an answer became optional";
    RESPONSE_FIELD_NOW_REQUIRED "response-field-now-required" Additive "a field of an answer became required";
    RESPONSE_LOOSENED "response-loosened" Breaking "an answer may have values that were impossible";
    RESPONSE_TIGHTENED "response-tightened" Additive "an answer can no longer have some values";
    RESPONSE_CHANGED "response-changed" Breaking "the form of an answer changed";
    REQUEST_LOOSENED "request-loosened" Additive "a call may have values that were refused";
    REQUEST_TIGHTENED "request-tightened" Breaking "a call can no longer have some values";
    REQUEST_CHANGED "request-changed" Breaking "the form of a call changed";
    FORMAT_LOOSENED "format-loosened" Additive "a file of the contract may have values that were refused";
    FORMAT_TIGHTENED "format-tightened" Breaking "a file of the contract can no longer have some values";
    FORMAT_CHANGED "format-changed" Breaking "the form of a file of the contract changed";
    SCHEMA_ADDED "schema-added" Additive "a schema was added";
    SCHEMA_REMOVED "schema-removed" Breaking "a schema was removed";
    SCHEMA_RESPELT "schema-respelt" Cosmetic "a schema has another form with the same meaning";
    SCHEMA_UNDECIDED "schema-undecided" Breaking "it is undecided whether callers still get what they rely on";
    ERROR_ADDED "error-added" Additive "an error code was added";
    ERROR_REMOVED "error-removed" Breaking "an error code was removed";
    STATUS_CHANGED "status-changed" Breaking "an error has another HTTP status of the same class";
    RETRY_CLASS_CHANGED "retry-class-changed" Breaking "an error's status changed between 4xx and 5xx, by which clients decide whether they call again";
    MESSAGE_CHANGED "message-changed" Breaking "an error has another message";
    CASE_ADDED "case-added" Additive "a case was added";
    CASE_REMOVED "case-removed" Breaking "a case was removed, and nothing else demands its answer";
    CASE_RENAMED "case-renamed" Cosmetic "a case was renamed";
    CASE_SITUATION_CHANGED "case-situation-changed" Breaking "a case has another call or world, and nothing else demands the old answer";
    CASE_ANSWER_CHANGED "case-answer-changed" Breaking "the same call in the same world demands another answer";
    CASE_STATE_CHANGED "case-state-changed" Breaking "the same call demands another state afterwards";
    HEADER_ADDED "header-added" Additive "an answer must have another header";
    HEADER_REMOVED "header-removed" Breaking "an answer need no longer have a header";
    HEADER_CHANGED "header-changed" Breaking "a header must have another value";
    SNAPSHOT_ADDED "snapshot-added" Additive "a reviewed answer was added";
    SNAPSHOT_REMOVED "snapshot-removed" Breaking "a reviewed answer was removed";
    SNAPSHOT_CHANGED "snapshot-changed" Breaking "a reviewed answer changed";
    DECISION_ADDED "decision-added" Additive "a decision was added";
    DECISION_REMOVED "decision-removed" Breaking "a decision was removed";
    DECISION_CHANGED "decision-changed" Breaking "a decision has another choice";
    CELL_CHANGED "decision-table-changed" Breaking "a combination of the decision table has another outcome";
    ROW_ADDED "vector-added" Additive "a row of policies, a signature vector or a role was added";
    ROW_REMOVED "vector-removed" Breaking "a row of policies, a signature vector or a role was removed";
    ROW_CHANGED "vector-changed" Breaking "a row of policies, a signature vector or a role changed";
    TEXT_CHANGED "text-changed" Cosmetic "a description has other words";
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The severity.
    pub severity: Severity,
    /// The file, and the part of it after a `#`.
    pub place: String,
    /// The change in a sentence.
    pub sentence: String,
    /// The old value; null if there was none.
    pub old: Value,
    /// The new value; null if there is none.
    pub new: Value,
    /// The fingerprint, by which approvals name the change: 12 hexadecimal digits of a hash of the rule,
    /// the place and both values. It does not depend on lines, order or other changes.
    pub fingerprint: String,
    /// The reason of the approval; `None` if the change is not approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<String>,
}

impl Finding {
    pub(super) fn new(rule: &'static Rule, place: &str, old: Value, new: Value) -> Self {
        let shown = |value: &Value| match value {
            Value::String(text) => shortened(text),
            other => shortened(&other.to_string()),
        };
        let what = place.split_once('#').map_or(place, |(_, what)| what);
        let lines = differing_lines(&old, &new);
        let (before, now) = lines.as_ref().map_or((&old, &new), |(old, new)| (old, new));
        let sentence = match (before, now) {
            (Value::Null, Value::Null) => format!("{what}: {}", rule.says),
            (Value::Null, new) => format!("{what}: {}: {}", rule.says, shown(new)),
            (old, Value::Null) => format!("{what}: {}: {}", rule.says, shown(old)),
            (old, new) => format!("{what}: {}: {} -> {}", rule.says, shown(old), shown(new)),
        };
        let fingerprint = digest(&json!([rule.id, place, old, new]));
        let place = place.to_owned();
        Self {
            rule,
            severity: rule.severity,
            place,
            sentence,
            old,
            new,
            fingerprint,
            approved: None,
        }
    }

    /// The file, relative to the contract's folder.
    #[must_use]
    pub fn file(&self) -> &str {
        self.place.split('#').next().unwrap_or_default()
    }
}

/// The first different lines of two texts, if one of them has several lines.
fn differing_lines(old: &Value, new: &Value) -> Option<(Value, Value)> {
    let (old, new) = (old.as_str()?, new.as_str()?);
    if !old.contains('\n') && !new.contains('\n') {
        return None;
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(nothing)").into();
    Some((line(old), line(new)))
}

/// A text shortened to one line.
fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 120;
    let line = text.replace('\n', "\\n");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A short hash of a value, the same in every run.
pub(crate) fn digest(value: &Value) -> String {
    // Members of objects are ordered by name, not as in the file.
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
