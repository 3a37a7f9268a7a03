//! Judges one answer by the model, without leniency.

use std::collections::HashSet;

use super::gate;
use super::model::{Expected, Found, Model, State};
use super::plan::Call;
use crate::answer::Answer;
use crate::client::{HOST, Shown, Wire};
use crate::error::Result;
use crate::judge::{Demand, Finding, Findings, expected_format, judge_list};
use crate::world;

/// An answer, or the reason why there is none.
pub(super) type Answered = Result<Answer>;

/// The findings on an answer. `state` is the state before the call.
#[must_use]
pub(super) fn findings(
    model: &Model,
    state: &State<'_>,
    (call, wire): (&Call, &Wire),
    found: &Found,
    answer: &Answered,
) -> Vec<Finding> {
    let mut all = Findings::default();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            all.add("answer", "one", format!("none: {error}"));
            return all.all();
        }
    };
    let body = all.read(answer);
    let action = gate::action(call);
    let (status, code, message) = match &found.expected {
        Expected::Refused { code, message } => {
            let status = model.rules.operations.error(&action, code).map_or(0, |row| row.status);
            let message = match code.as_str() {
                "SignatureDoesNotMatch" => mismatch(wire),
                _ => message.clone(),
            };
            (status, Some(code.as_str()), Some(message))
        }
        Expected::Success(_) | Expected::Replay(..) => (200, None, None),
    };
    let format = expected_format(&call.variant());
    let demand = Demand { action: &action, status, code, message, format, host: HOST };
    let elements = all.judge(&demand, answer, body.as_ref(), &model.rules);
    match &found.expected {
        Expected::Refused { .. } => {}
        Expected::Success(_) => {
            let Some(view) = state.view(call) else { return all.all() };
            for name in view.operation().fresh() {
                if let Some(id) = elements[name].as_str().filter(|id| state.knows(id)) {
                    all.add(format!("body/{name}"), "a new id", id);
                }
            }
            // An element with the name of a parameter has its value.
            for (name, value) in world::members(&elements) {
                let given = view.parameter(name).filter(|_| value.is_string());
                if given.is_some() {
                    all.equal(&format!("body/{name}"), given, value.as_str());
                }
            }
            judge_list(&mut all, &view, &elements);
        }
        Expected::Replay(_, known) => {
            for (name, expected) in world::members(known) {
                all.element(name, Some(expected), &elements);
            }
        }
    }
    all.reported(|_| true)
}

/// The reason of an expectation.
#[must_use]
pub(super) fn because(model: &Model, call: &Call, found: &Found) -> String {
    match &found.expected {
        Expected::Refused { code, .. } => {
            let row = model.rules.operations.error(&gate::action(call), code);
            row.map(crate::operations::ErrorRow::because).unwrap_or_default()
        }
        Expected::Success(_) => "no error of the contract applies".to_owned(),
        Expected::Replay(..) => {
            "decision token: same token and same parameters: the same answer".to_owned()
        }
    }
}

/// A finding, if an earlier answer had the same request id.
pub(super) fn repeated_id(seen: &mut HashSet<String>, answer: &Answered) -> Option<Finding> {
    let body = answer.as_ref().ok()?.read().ok()?;
    let id = body.text("RequestId")?;
    let is_new = seen.insert(id.to_owned());
    let mut all = Findings::default();
    if !is_new {
        all.add("body/RequestId", "an id that no other answer has", id);
    }
    all.all().pop()
}

/// An expectation as one line.
#[must_use]
pub(super) fn shown(expected: &Expected) -> String {
    match expected {
        Expected::Refused { code, message } => format!("{code}: {message}"),
        Expected::Success(action) => format!("a success of {action}"),
        Expected::Replay(action, answer) => format!("a replay of {action}: {answer}"),
    }
}

/// An answer as one line.
#[must_use]
pub(super) fn shown_answer(answer: &Answered) -> String {
    match answer {
        Ok(answer) => format!("HTTP {} {}", answer.status, answer.body),
        Err(error) => format!("no answer: {error}"),
    }
}

/// The message of `SignatureDoesNotMatch` (decision `mismatch-text`).
fn mismatch(wire: &Wire) -> String {
    let Shown { string_to_sign, canonical_request } = wire.signed_by_server();
    match canonical_request {
        None => format!(
            "Specified signature is not matched with our calculation. \
             server string to sign is:{string_to_sign}"
        ),
        Some(canonical_request) => format!(
            "Specified signature does not match our calculation. \
             server StringToSign is [{string_to_sign}] \
             server CanonicalRequest is [{canonical_request}]"
        ),
    }
}
