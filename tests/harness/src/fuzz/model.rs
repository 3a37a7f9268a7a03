//! The model: the answer that a call must get, by the contract's files alone.
//!
//! It shares no code with the rules under `functions/`. Each error of an operation has a condition, and
//! `checkingOrder` selects the one that is answered. The behaviour that all operations share (tokens,
//! replays, dry runs) is written here.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::gate;
use super::plan::Call;
use crate::answer::Body;
use crate::client::timestamp;
use crate::error::{At as _, Error, Result, bail};
use crate::judge::{Finding, Findings, Judged};
use crate::judge::{Rulebook, compiled};
use crate::operations::{ErrorRow, Operation};
use crate::world::{TOKEN_SECS, View, settled};

/// The error of a store that stays contended.
pub(super) const BUSY: &str = "SystemBusy";

const MISMATCH: &str = "IdempotentParameterMismatch";
const DRY_RUN: &str = "DryRunOperation";

/// The errors without a `when`: those that all operations share.
const OF_THE_RUNNER: [&str; 3] = [MISMATCH, DRY_RUN, BUSY];

/// The operations of a contract with the conditions of their errors.
#[derive(Debug)]
pub struct Model {
    /// The operations and their schemas.
    pub rules: Rulebook,
    when: BTreeMap<(String, String), Validator>,
}

impl Model {
    /// The model of a contract.
    ///
    /// # Errors
    ///
    /// An error has no `when`.
    pub fn of(rules: Rulebook) -> Result<Self> {
        let mut when = BTreeMap::new();
        for operation in rules.operations.all() {
            for row in &operation.errors {
                let place = || format!("{}/errors.json: {}: when", operation.action, row.code);
                let Some(schema) = &row.when else {
                    if row.not_applicable.is_some() || OF_THE_RUNNER.contains(&row.code.as_str()) {
                        continue;
                    }
                    bail!("{}: missing", place());
                };
                let validator = compiled(schema).map_err(Error::other).at(place())?;
                when.insert((operation.action.clone(), row.code.clone()), validator);
            }
        }
        Ok(Self { rules, when })
    }

    /// The errors that apply to a call.
    fn applying<'a>(
        &'a self,
        operation: &'a Operation,
        view: &View<'_>,
    ) -> impl Iterator<Item = &'a ErrorRow> {
        let rows = operation.errors.iter();
        rows.filter(move |row| {
            let key = (operation.action.clone(), row.code.clone());
            self.when.get(&key).is_some_and(|when| when.is_valid(view.seen()))
        })
    }
}

/// A rule that a call breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The position in the checking order.
    rank: (usize, usize),
    pub(super) code: String,
    pub(super) message: String,
}

/// The answer that a call must get.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// An error.
    Refused {
        /// Its code.
        code: String,
        /// Its message.
        message: String,
    },
    /// A success of the operation of this name.
    Success(String),
    /// A replay of the operation of this name: the elements of the remembered answer.
    Replay(String, Value),
}

/// The state before a call.
#[derive(Clone, Debug)]
pub struct State<'a> {
    model: &'a Model,
    world: Value,
    now_secs: i64,
    /// The used nonces: access key, nonce, and the time until which it is remembered.
    nonces: Vec<(String, String, i64)>,
}

/// The model's expectation of a call.
#[derive(Clone, Debug)]
pub struct Found {
    /// The expected answer.
    pub expected: Expected,
    /// Whether the call uses its nonce.
    spends_nonce: bool,
}

impl<'a> State<'a> {
    /// The state of a world document.
    #[must_use]
    pub fn of(model: &'a Model, world: Value, now_secs: i64) -> Self {
        Self { model, world, now_secs, nonces: Vec::new() }
    }

    /// Moves the clock forward.
    pub fn wait(&mut self, secs: i64) {
        self.now_secs += secs;
    }

    pub(super) fn now_secs(&self) -> i64 {
        self.now_secs
    }

    pub(super) fn world(&self) -> &Value {
        &self.world
    }

    pub(super) fn operation(&self, action: &str) -> Option<&'a Operation> {
        self.model.rules.operations.get(action)
    }

    /// A call's view of the world; `None` for an unknown operation.
    pub(super) fn view(&self, call: &Call) -> Option<View<'a>> {
        let operation = self.operation(&gate::action(call))?;
        Some(View::of(operation, &self.world, &call.access_key_id, &gate::merged(call)))
    }

    /// Whether the nonce of a call is used already.
    pub(super) fn is_spent(&self, call: &Call) -> bool {
        let Some(nonce) = &call.nonce else { return false };
        self.nonces.iter().any(|(key, spent, until_secs)| {
            *key == call.access_key_id && spent == nonce && *until_secs >= self.now_secs
        })
    }

    /// A broken rule that all operations share. The message names `parameter` if it has a place for it.
    pub(super) fn gate(&self, code: &str, parameter: Option<&str>) -> Broken {
        let gate = self.model.rules.operations.gate();
        let rank = gate.iter().position(|row| row.code == code).unwrap_or(gate.len());
        let message = gate.get(rank).map(|row| row.filled.clone()).unwrap_or_default();
        let parameter = gate::shown_name(parameter.unwrap_or_default());
        let message = message.replace("{Param}", &parameter);
        Broken { rank: (rank, 0), code: code.to_owned(), message }
    }

    /// A broken rule that is checked right after the sizes (decision `check-order`).
    pub(super) fn early(&self, broken: Broken) -> Broken {
        Broken { rank: (self.gate("RequestHeadersTooLarge", None).rank.0, 1), ..broken }
    }

    /// The answer that a call must get now.
    #[must_use]
    pub fn find(&self, call: &Call) -> Found {
        let refused = |Broken { code, message, .. }| Expected::Refused { code, message };
        // Of two rules with the same rank the first counts.
        let first = gate::broken(self, call).into_iter().min_by_key(|broken| broken.rank);
        let view = match (first, self.view(call)) {
            (Some(broken), _) => {
                let spends_nonce = broken.code == "Forbidden.RAM";
                return Found { expected: refused(broken), spends_nonce };
            }
            (None, Some(view)) => view,
            (None, None) => unreachable!("an unknown operation is a broken rule"),
        };
        let operation = view.operation();
        let is_dry_run = view.is_dry_run();
        let remembered = view.remembered(self.now_secs);
        let is_mismatch = remembered.is_some_and(|known| is_dry_run || !view.is_same(known));
        let of_the_runner = [(MISMATCH, is_mismatch), (DRY_RUN, is_dry_run)];
        let of_the_runner = of_the_runner.into_iter().filter(|(_, applies)| *applies);
        let of_the_runner = of_the_runner.filter_map(|(code, _)| operation.error(code));
        let first = self.model.applying(operation, &view).chain(of_the_runner).map(|row| Broken {
            rank: (operation.rank(&row.code), 0),
            code: row.code.clone(),
            message: view.fill(&row.filled),
        });
        let first = first.min_by_key(|broken| broken.rank);
        let expected = match (first, remembered) {
            (Some(broken), Some(_)) if broken.rank.0 <= operation.rank(MISMATCH) => refused(broken),
            (_, Some(known)) => Expected::Replay(operation.action.clone(), known["Answer"].clone()),
            (Some(broken), None) => refused(broken),
            (None, None) => Expected::Success(operation.action.clone()),
        };
        Found { expected, spends_nonce: true }
    }

    /// The expectation of a call that gives up because of contention.
    #[must_use]
    pub(super) fn find_busy(&self, call: &Call, found: &Found) -> Found {
        let row = self.model.rules.operations.error(&gate::action(call), BUSY);
        let message = row.map(|row| row.filled.clone()).unwrap_or_default();
        Found { expected: Expected::Refused { code: BUSY.to_owned(), message }, ..found.clone() }
    }

    /// Applies the effects of a call that was answered as expected.
    pub fn take(&mut self, call: &Call, found: &Found, body: &Body) {
        if let (true, Some(nonce)) = (found.spends_nonce, &call.nonce) {
            let time = gate::time_of(call, self.now_secs).unwrap_or(self.now_secs);
            let until = time + gate::SKEW_SECS_MAX;
            self.nonces.push((call.access_key_id.clone(), nonce.clone(), until));
        }
        let Expected::Success(_) = found.expected else { return };
        let Some(view) = self.view(call).filter(|view| view.operation().writes()) else { return };
        // The call succeeded, so its documents exist.
        let until = timestamp(self.now_secs + TOKEN_SECS);
        if let Ok(world) = view.after(&self.world, &body.elements, &until) {
            self.world = world;
        }
    }

    /// Whether a text was in the world before.
    #[must_use]
    pub fn knows(&self, text: &str) -> bool {
        self.world.to_string().contains(text)
    }

    /// The differences between an endpoint's world and this state.
    #[must_use]
    pub fn differences(&self, actual: &Value) -> Vec<Finding> {
        let (expected, actual) = settled(&self.world, actual, self.now_secs);
        let mut findings = Findings::default();
        findings.differences(Judged::Demand, "state", Some(&expected), Some(&actual));
        findings.all()
    }
}
