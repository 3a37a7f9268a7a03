//! Plays a plan on an endpoint, and compares the answers with the model's.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::check::{self, Answered, repeated_id, shown, shown_answer};
use super::gate;
use super::model::{BUSY, Expected, Model, State};
use super::plan::{Call, Encoding, Plan, Step};
use crate::answer::Body;
use crate::client::signature::decode_pairs;
use crate::client::{self, Wire, now_secs, seconds, timestamp};
use crate::error::Result;
use crate::judge::{Finding, Findings};
use crate::operations::COMMON;
use crate::target::Remote;

/// The first time of a clock that the plan moves: 2026-01-02T03:04:05Z.
const BEGIN_SECS: i64 = 1_767_323_045;

const LEFT: &str = "a state that only the successes changed
            decision token: only a success is remembered; decision dry-run: nothing is written";

/// The first failure of a plan.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The number of the step, from 1.
    pub step: usize,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The answer that the contract demands, and the reason.
    pub expected: String,
    /// The actual answers.
    pub actual: String,
}

/// The number of each answer, by folder and code. A success is `Success`.
pub(super) type Met = std::sync::Mutex<BTreeMap<String, u64>>;

/// Plays plans in one world.
#[derive(Debug)]
pub(super) struct Player<'a> {
    /// The endpoint and its world.
    pub(super) remote: Remote,
    /// The model that judges the answers.
    pub(super) model: &'a Model,
    pub(super) met: &'a Met,
}

/// A sent call and its answer.
struct Sent<'a> {
    call: &'a Call,
    wire: Wire,
    answer: Answered,
}

/// The progress of a plan.
struct Course<'a> {
    state: State<'a>,
    seen: HashSet<String>,
}

impl Player<'_> {
    /// Plays a plan to its end or its first failure.
    pub(super) async fn play(&self, plan: &Plan) -> Result<Option<Failure>> {
        self.remote.begin(&plan.world, None).await?;
        let now_secs = if plan.has_wait() {
            self.set_clock(BEGIN_SECS).await?;
            BEGIN_SECS
        } else {
            now_secs()
        };
        // The world in the endpoint's form, for the comparison at the end.
        let world = self.world().await?;
        let mut course =
            Course { state: State::of(self.model, world, now_secs), seen: HashSet::new() };
        for (number, step) in plan.steps.iter().enumerate() {
            let failure = match step {
                Step::WaitSeconds(secs) => {
                    course.state.wait(*secs);
                    let now = self.remote.control_world(Method::GET, "clock", "").await?;
                    let now = now["Now"].as_str().and_then(seconds);
                    let now = now.ok_or("_control/clock: Now: no time")?;
                    self.set_clock(now + secs).await?;
                    None
                }
                Step::Call(call) => self.call(&mut course, call).await?,
                Step::Race(calls) => self.race(&mut course, calls).await?,
            };
            if let Some(failure) = failure {
                return Ok(Some(Failure { step: number + 1, ..failure }));
            }
        }
        // The state is compared once, at the end: a wrong state also shows in later answers.
        let findings = course.state.differences(&self.world().await?);
        let (expected, actual) =
            (LEFT.to_owned(), "another state, although every answer is right".to_owned());
        let step = plan.steps.len();
        Ok((!findings.is_empty()).then_some(Failure { step, findings, expected, actual }))
    }

    async fn set_clock(&self, secs: i64) -> Result<()> {
        let now = json!({ "Now": timestamp(secs) }).to_string();
        self.remote.control_world(Method::PUT, "clock", &now).await.map(drop)
    }

    async fn world(&self) -> Result<Value> {
        Ok(self.remote.world().await?.ok_or("the endpoint does not show its world")?)
    }

    async fn send<'c>(&self, state: &State<'_>, call: &'c Call) -> Result<Sent<'c>> {
        let (request, variant) = (call.request()?, call.variant());
        let nonce = client::fresh_nonce();
        let wire = client::sign(&request, &variant, state.now_secs(), &nonce);
        let query = call.encoding.write(&wire.query);
        // A V3 signature covers the bytes of the body, a V1 signature the decoded parameters.
        let body = if call.signature.is_v3() || call.encoding == Encoding::Plain {
            wire.body.clone()
        } else {
            call.encoding.write(&decode_pairs(wire.body.as_bytes()))
        };
        let answer = self.remote.exchange(&wire, &query, body).await;
        let body = answer.as_ref().ok().and_then(|answer| answer.read().ok());
        let code = body.as_ref().and_then(|body| body.text("Code")).unwrap_or("Success");
        let action = gate::action(call);
        let own = self.model.rules.operations.get(&action);
        let is_own = code == "Success" || own.is_some_and(|own| own.error(code).is_some());
        let folder = if is_own { action.as_str() } else { COMMON };
        let mut met = self.met.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *met.entry(format!("{folder}/{code}")).or_default() += 1;
        drop(met);
        Ok(Sent { call, wire, answer })
    }

    async fn call(&self, course: &mut Course<'_>, call: &Call) -> Result<Option<Failure>> {
        let sent = self.send(&course.state, call).await?;
        let found = course.state.find(call);
        let Sent { wire, answer, .. } = &sent;
        let mut findings = check::findings(self.model, &course.state, (call, wire), &found, answer);
        findings.extend(repeated_id(&mut course.seen, answer));
        let because = check::because(self.model, call, &found);
        let expected = format!("{}\n            {because}", shown(&found.expected));
        if findings.is_empty() {
            course.state.take(call, &found, &body_of(answer));
        }
        let actual = shown_answer(answer);
        Ok((!findings.is_empty()).then_some(Failure { step: 0, findings, expected, actual }))
    }

    /// Sends simultaneous calls. Some order of them must explain all answers and the state.
    async fn race(&self, course: &mut Course<'_>, calls: &[Call]) -> Result<Option<Failure>> {
        let sent = join_all(calls.iter().map(|call| self.send(&course.state, call))).await;
        let sent: Vec<Sent<'_>> = sent.into_iter().collect::<Result<_, _>>()?;
        let mut findings: Vec<Finding> =
            sent.iter().filter_map(|sent| repeated_id(&mut course.seen, &sent.answer)).collect();
        let mut ends = Vec::new();
        self.orders(&course.state, &sent.iter().collect::<Vec<_>>(), &mut ends);
        let world = self.world().await?;
        if ends.is_empty() {
            let mut none = Findings::default();
            let expected = "the answers of some order of the calls";
            none.add("answers", expected, "no order explains the answers");
            findings.extend(none.all());
        }
        let left: Vec<Vec<Finding>> = ends.iter().map(|end| end.differences(&world)).collect();
        match (left.iter().position(Vec::is_empty), left.into_iter().next()) {
            (Some(position), _) => course.state = ends.swap_remove(position),
            (None, Some(differences)) => findings.extend(differences),
            (None, None) => {}
        }
        if findings.is_empty() {
            return Ok(None);
        }
        let each = |sent: &Sent<'_>| {
            let alone = course.state.find(sent.call);
            format!("{} (as the first: {})", shown_answer(&sent.answer), shown(&alone.expected))
        };
        let actual = sent.iter().map(each).collect::<Vec<_>>().join("\n            ");
        let expected = "decision race: one wins, the other decides again on what the winner left";
        Ok(Some(Failure { step: 0, findings, expected: expected.to_owned(), actual }))
    }

    /// Collects the states after each order of the calls that explains their answers.
    fn orders<'s>(&self, state: &State<'s>, left: &[&Sent<'_>], ends: &mut Vec<State<'s>>) {
        if left.is_empty() {
            ends.push(state.clone());
        }
        for (position, sent) in left.iter().enumerate() {
            let Sent { call, wire, answer } = sent;
            let mut found = state.find(call);
            if matches!(found.expected, Expected::Success(_)) && is_busy(answer) {
                found = state.find_busy(call, &found);
            }
            if check::findings(self.model, state, (call, wire), &found, answer).is_empty() {
                let mut state = state.clone();
                state.take(call, &found, &body_of(answer));
                let others: Vec<&Sent<'_>> = [&left[..position], &left[position + 1..]].concat();
                self.orders(&state, &others, ends);
            }
        }
    }
}

fn body_of(answer: &Answered) -> Body {
    answer.as_ref().ok().and_then(|answer| answer.read().ok()).unwrap_or_default()
}

/// Whether a call gave up because of contention (decision `busy`).
fn is_busy(answer: &Answered) -> bool {
    body_of(answer).text("Code") == Some(BUSY)
}
