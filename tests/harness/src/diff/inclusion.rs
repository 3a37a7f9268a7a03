//! Decides whether one schema accepts everything that another one accepts.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jsonschema::Draft;
use jsonschema::canonical::{CanonicalSchema, Containment, options};
use serde_json::Value;

use super::patterns::Patterns;
use super::values::values;
use crate::judge::{FORMATS_ASSERT, compiled};

/// The greatest length of an analysed schema, in bytes: it bounds the time.
const TEXT_MAX: usize = 256 * 1024;

/// The limits of time and stack for the analysis of two schemas.
const PATIENCE: Duration = Duration::from_secs(2);
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// The values that a schema accepts and another one refuses.
#[derive(Clone, Debug, PartialEq)]
pub enum Excess {
    /// There are none.
    No,
    /// There are some; an example if one was found.
    Yes(Option<Value>),
    /// The analysis could not decide.
    Undecided,
}

/// The relation of a new schema to an old one.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// The values that only the new schema accepts.
    pub gained: Excess,
    /// The values that only the old schema accepts.
    pub lost: Excess,
}

impl Relation {
    /// The relation of schemas that could not be analysed.
    pub const UNDECIDED: Self = Self { gained: Excess::Undecided, lost: Excess::Undecided };

    /// Whether both schemas accept the same values.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        (&self.gained, &self.lost) == (&Excess::No, &Excess::No)
    }
}

/// Compares two schemas.
#[must_use]
pub fn relation(old: &Value, new: &Value) -> Relation {
    if old == new {
        return Relation { gained: Excess::No, lost: Excess::No };
    }
    if [old, new].iter().any(|schema| schema.to_string().len() > TEXT_MAX) {
        return Relation::UNDECIDED;
    }
    let patterns = Patterns::of([old, new]);
    let [before, now] = [old, new].map(|schema| canonical(&patterns.saturated(schema)));
    let (Some(before), Some(now)) = (before, now) else {
        return Relation::UNDECIDED;
    };
    let mut relation = Relation { gained: excess(&now, &before), lost: excess(&before, &now) };
    if !relation.is_equal() {
        try_values(&mut relation, old, new, &patterns);
    }
    relation
}

/// Answers questions in order on another thread, since the analysis of a schema cannot limit its own time.
/// The answers end at the first question that takes too long.
pub(super) fn within_time<Q, A>(questions: Vec<Q>, ask: impl Fn(Q) -> A + Send + 'static) -> Vec<A>
where
    Q: Send + 'static,
    A: Send + 'static,
{
    let (sender, receiver) = mpsc::sync_channel(0);
    let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        // Sending fails when the receiver has stopped waiting.
        questions.into_iter().map(ask).all(|answer| sender.send(answer).is_ok())
    });
    let next = || receiver.recv_timeout(PATIENCE).ok();
    if worker.is_err() { Vec::new() } else { std::iter::from_fn(next).collect() }
}

/// The normal form of a schema, if it has the dialect of contracts and can be analysed.
pub(super) fn canonical(schema: &Value) -> Option<CanonicalSchema> {
    let options = options().should_validate_formats(FORMATS_ASSERT).offline();
    options.canonicalize(schema).ok().filter(|schema| schema.draft() == Draft::Draft202012)
}

/// The values that `one` accepts and `other` refuses.
fn excess(one: &CanonicalSchema, other: &CanonicalSchema) -> Excess {
    match other.covers(one) {
        Ok(Containment::Yes) => Excess::No,
        Ok(Containment::No) => Excess::Yes(None),
        Ok(Containment::Unknown) | Err(_) => Excess::Undecided,
    }
}

/// Searches for values that only one of the schemas accepts. A proof that there are none stays.
fn try_values(relation: &mut Relation, old: &Value, new: &Value, patterns: &Patterns) {
    let (Ok(before), Ok(now)) = (compiled(old), compiled(new)) else { return };
    for value in values(old, new, &patterns.samples()) {
        let found = match (before.is_valid(&value), now.is_valid(&value)) {
            (false, true) => &mut relation.gained,
            (true, false) => &mut relation.lost,
            (true, true) | (false, false) => continue,
        };
        let is_shorter = |one: &Value| value.to_string().len() < one.to_string().len();
        if match &*found {
            Excess::No => false,
            Excess::Yes(Some(earlier)) => is_shorter(earlier),
            Excess::Yes(None) | Excess::Undecided => true,
        } {
            *found = Excess::Yes(Some(value));
        }
    }
}
