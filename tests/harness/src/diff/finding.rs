//! The kinds of changes to a contract, and what identifies a change.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How much a change means to those who call, or check what is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Only words that nothing depends on.
    Cosmetic,
    /// What held holds still, and there is more.
    Additive,
    /// Something that held does not hold any longer.
    Breaking,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

/// A kind of change.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which approvals and others rely on.
    pub id: &'static str,
    /// What such a change means.
    pub severity: Severity,
    /// What such a change is.
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

        /// Every kind of change.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    OPERATION_ADDED "operation-added" Additive "there is another operation";
    OPERATION_REMOVED "operation-removed" Breaking "an operation is gone";
    OPERATION_CHANGED "operation-changed" Breaking "an operation's name, product, version or the like changed";
    METHOD_ADDED "method-added" Additive "another HTTP method is taken";
    METHOD_REMOVED "method-removed" Breaking "an HTTP method is not taken any longer";
    PERMISSION_CHANGED "permission-changed" Breaking "a call needs another permission";
    PARAMETER_ADDED "parameter-added" Additive "there is another parameter, which may be left out";
    PARAMETER_ADDED_REQUIRED "parameter-added-required" Breaking "there is another parameter, which is required";
    PARAMETER_REMOVED "parameter-removed" Breaking "a parameter is gone";
    PARAMETER_NOW_REQUIRED "parameter-now-required" Breaking "a parameter that could be left out is required";
    PARAMETER_NOW_OPTIONAL "parameter-now-optional" Additive "a parameter that was required may be left out";
    PARAMETER_RETYPED "parameter-retyped" Breaking "a parameter is of another type, form or unit";
    DEFAULT_CHANGED "default-changed" Breaking "what is left out means something else";
    DEFAULT_ADDED "default-added" Additive "what a parameter that is left out means was open, and is said";
    LIMIT_NARROWED "limit-narrowed" Breaking "a value that was within a limit is not any longer";
    LIMIT_WIDENED "limit-widened" Additive "a value that was beyond a limit is within it";
    ENUM_VALUE_ADDED "enum-value-added" Additive "a parameter takes another value";
    ENUM_VALUE_REMOVED "enum-value-removed" Breaking "a parameter does not take a value any longer";
    IGNORED_ADDED "ignored-parameter-added" Additive "another parameter may be sent, and is ignored";
    IGNORED_REMOVED "ignored-parameter-removed" Breaking "a parameter is not ignored any longer";
    CHECKING_ORDER_CHANGED "checking-order-changed" Breaking "of several faults another one is answered";
    SUCCESS_STATUS_CHANGED "success-status-changed" Breaking "a success has another HTTP status";
    RESPONSE_FIELD_ADDED "response-field-added" Additive "an answer has, or may have, another field";
    RESPONSE_FIELD_REMOVED "response-field-removed" Breaking "an answer has lost a field";
    RESPONSE_FIELD_RETYPED "response-field-retyped" Breaking "a field of an answer is of another type";
    RESPONSE_FIELD_NOW_OPTIONAL "response-field-now-optional" Breaking "a field of an answer need not be there";
    RESPONSE_FIELD_NOW_REQUIRED "response-field-now-required" Additive "a field of an answer is always there";
    RESPONSE_LOOSENED "response-loosened" Breaking "an answer may be what it could not be";
    RESPONSE_TIGHTENED "response-tightened" Additive "an answer may be less than it could be";
    RESPONSE_CHANGED "response-changed" Breaking "an answer's form changed";
    REQUEST_LOOSENED "request-loosened" Additive "a call may be what it could not be";
    REQUEST_TIGHTENED "request-tightened" Breaking "a call may be less than it could be";
    REQUEST_CHANGED "request-changed" Breaking "a call's form changed";
    FORMAT_LOOSENED "format-loosened" Additive "a file of the contract may be what it could not be";
    FORMAT_TIGHTENED "format-tightened" Breaking "a file of the contract may be less than it could be";
    FORMAT_CHANGED "format-changed" Breaking "the form of a file of the contract changed";
    SCHEMA_ADDED "schema-added" Additive "there is another schema";
    SCHEMA_REMOVED "schema-removed" Breaking "a schema is gone";
    SCHEMA_RESPELT "schema-respelt" Cosmetic "the same is said in another way";
    SCHEMA_UNDECIDED "schema-undecided" Breaking "it could not be decided whether what was relied on still holds";
    ERROR_ADDED "error-added" Additive "there is another error code";
    ERROR_REMOVED "error-removed" Breaking "an error code is gone";
    STATUS_CHANGED "status-changed" Breaking "an error has another HTTP status of the same class";
    RETRY_CLASS_CHANGED "retry-class-changed" Breaking "an error's status changed between 4xx and 5xx, by which clients decide whether they call again";
    MESSAGE_CHANGED "message-changed" Breaking "an error has another message";
    CASE_ADDED "case-added" Additive "there is another case";
    CASE_REMOVED "case-removed" Breaking "a case is gone, and nothing holds its answer any longer";
    CASE_RENAMED "case-renamed" Cosmetic "a case has another name and is otherwise the same";
    CASE_SITUATION_CHANGED "case-situation-changed" Breaking "a case is of another call or another world, and the earlier one is not held any longer";
    CASE_ANSWER_CHANGED "case-answer-changed" Breaking "the same call in the same world demands another answer";
    CASE_STATE_CHANGED "case-state-changed" Breaking "the same call demands another state afterwards";
    HEADER_ADDED "header-added" Additive "an answer must have another header";
    HEADER_REMOVED "header-removed" Breaking "an answer need not have a header any longer";
    HEADER_CHANGED "header-changed" Breaking "a header must have another value";
    SNAPSHOT_ADDED "snapshot-added" Additive "there is another reviewed answer";
    SNAPSHOT_REMOVED "snapshot-removed" Breaking "a reviewed answer is gone";
    SNAPSHOT_CHANGED "snapshot-changed" Breaking "a whole answer is another one";
    DECISION_ADDED "decision-added" Additive "something that the page leaves open is decided";
    DECISION_REMOVED "decision-removed" Breaking "a decision is gone";
    DECISION_CHANGED "decision-changed" Breaking "something is decided in another way";
    CELL_CHANGED "decision-table-changed" Breaking "a combination of the decision table comes to something else";
    ROW_ADDED "vector-added" Additive "there is another row of policies, signature vector or role";
    ROW_REMOVED "vector-removed" Breaking "a row of policies, signature vector or role is gone";
    ROW_CHANGED "vector-changed" Breaking "a row of policies, signature vector or role says something else";
    TEXT_CHANGED "text-changed" Cosmetic "a description or an explanation is worded in another way";
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of change it is.
    pub rule: &'static Rule,
    /// What it means.
    pub severity: Severity,
    /// The file, and behind a `#` what of it.
    pub place: String,
    /// The change in a sentence.
    pub sentence: String,
    /// What stood there; null if nothing did.
    pub old: Value,
    /// What the new contract has there; null if nothing.
    pub new: Value,
    /// By what an approval names this change: twelve hexadecimal digits over the rule, the place and what
    /// stood and stands there. Lines, order and other changes do not matter to it.
    pub fingerprint: String,
    /// Why the change is approved; `None` if it is not.
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

/// Of two texts of several lines the first ones that differ: what says most in a sentence.
fn differing_lines(old: &Value, new: &Value) -> Option<(Value, Value)> {
    let (old, new) = (old.as_str()?, new.as_str()?);
    if !old.contains('\n') && !new.contains('\n') {
        return None;
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(nothing)").into();
    Some((line(old), line(new)))
}

/// A text that fits into a line.
fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 120;
    let line = text.replace('\n', "\\n");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A short name of a value, the same in every run.
pub(crate) fn digest(value: &Value) -> String {
    // Members of objects are in the order of their names, not in that of the file.
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
