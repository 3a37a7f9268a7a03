//! Plays a sequence on an endpoint, beside the model.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::check::{self, Answered, repeated_id, shown, told};
use super::gate;
use super::model::{BUSY, Expected, Model, State};
use super::plan::{Call, Encoding, Plan, Step};
use crate::answer::Body;
use crate::client::signature::decode_pairs;
use crate::client::{self, Wire, now_secs, seconds, timestamp};
use crate::judge::{Finding, Findings};
use crate::operations::COMMON;
use crate::target::Remote;

/// When a world's clock begins that is put forward later: 2026-01-02T03:04:05Z.
const BEGIN_SECS: i64 = 1_767_323_045;

const LEFT: &str = "a state in which there is what successes did, and nothing else is changed
            decision token: only a success is remembered; decision dry-run: nothing is written";

/// The first thing that is not as it must be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which step it was, from 1.
    pub step: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The answer that the contract demands, and what that rests on.
    pub expected: String,
    /// The answers that came.
    pub actual: String,
}

/// How often each answer was given, by folder and code; a success is `Success`.
pub(super) type Met = std::sync::Mutex<BTreeMap<String, u64>>;

/// Plays sequences in one world.
#[derive(Debug)]
pub(super) struct Player<'a> {
    /// Where calls go: one world of an endpoint.
    pub(super) remote: Remote,
    /// What answers are judged by.
    pub(super) model: &'a Model,
    pub(super) met: &'a Met,
}

/// A call that was sent.
struct Sent<'a> {
    call: &'a Call,
    wire: Wire,
    answer: Answered,
}

/// A sequence on its way.
struct Course<'a> {
    state: State<'a>,
    seen: HashSet<String>,
}

impl Player<'_> {
    /// Plays a sequence until it fails or ends.
    ///
    /// # Errors
    ///
    /// It could not be played.
    pub(super) async fn play(&self, plan: &Plan) -> Result<Option<Failure>, String> {
        self.remote.begin(&plan.world, None).await?;
        let now_secs = if plan.has_wait() {
            self.set_clock(BEGIN_SECS).await?;
            BEGIN_SECS
        } else {
            now_secs()
        };
        // As the endpoint shows it: in this form it is compared later.
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
        // Once for all calls: what one leaves behind, those that follow meet, too.
        let findings = course.state.differences(&self.world().await?);
        let (expected, actual) =
            (LEFT.to_owned(), "another, though every answer is right".to_owned());
        let step = plan.steps.len();
        Ok((!findings.is_empty()).then_some(Failure { step, findings, expected, actual }))
    }

    async fn set_clock(&self, secs: i64) -> Result<(), String> {
        let now = json!({ "Now": timestamp(secs) }).to_string();
        self.remote.control_world(Method::PUT, "clock", &now).await.map(drop)
    }

    async fn world(&self) -> Result<Value, String> {
        self.remote.world().await?.ok_or_else(|| "the world is not told".to_owned())
    }

    async fn send<'c>(&self, state: &State<'_>, call: &'c Call) -> Result<Sent<'c>, String> {
        let (request, variant) = (call.request()?, call.variant());
        let nonce = client::fresh_nonce();
        let wire = client::sign(&request, &variant, state.now_secs(), &nonce);
        let query = call.encoding.write(&wire.query);
        // A V3 signature covers the bytes of a body, a V1 signature their meaning.
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

    async fn call(&self, course: &mut Course<'_>, call: &Call) -> Result<Option<Failure>, String> {
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
        let actual = told(answer);
        Ok((!findings.is_empty()).then_some(Failure { step: 0, findings, expected, actual }))
    }

    /// Sends calls at once: some order of them must explain all answers, and what is left.
    async fn race(
        &self,
        course: &mut Course<'_>,
        calls: &[Call],
    ) -> Result<Option<Failure>, String> {
        let sent = join_all(calls.iter().map(|call| self.send(&course.state, call))).await;
        let sent: Vec<Sent<'_>> = sent.into_iter().collect::<Result<_, _>>()?;
        let mut findings: Vec<Finding> =
            sent.iter().filter_map(|sent| repeated_id(&mut course.seen, &sent.answer)).collect();
        let mut ends = Vec::new();
        self.orders(&course.state, &sent.iter().collect::<Vec<_>>(), &mut ends);
        let world = self.world().await?;
        if ends.is_empty() {
            let mut none = Findings::default();
            let expected = "those that the calls get in some order, one after the other";
            none.add("answers", expected, "no order explains them");
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
            format!("{} (as the first: {})", told(&sent.answer), shown(&alone.expected))
        };
        let actual = sent.iter().map(each).collect::<Vec<_>>().join("\n            ");
        let expected = "decision race: one wins, the other decides again on what the winner left";
        Ok(Some(Failure { step: 0, findings, expected: expected.to_owned(), actual }))
    }

    /// The states after each order of the calls that explains their answers.
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

/// Whether a call gave up because others got in its way, as it may (decision `busy`).
fn is_busy(answer: &Answered) -> bool {
    body_of(answer).text("Code") == Some(BUSY)
}
