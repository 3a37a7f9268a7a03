//! Plays a sequence on an endpoint, beside the model.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::check::{Answered, Judge, repeated_id, shown, told};
use super::gate::timestamp;
use super::model::{BUSY, Expected, State};
use super::plan::{Call, Plan, Step};
use super::send::Sender;
use crate::answer::Body;
use crate::client::{self, Wire};
use crate::judge::{ACTION, Finding};

/// When a world's clock begins that is put forward later: 2026-01-02T03:04:05Z.
const BEGIN_SECS: i64 = 1_767_323_045;

const LEFT: &str = "a state in which there is what was bought, and nothing else is changed
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

/// Plays sequences in one world.
#[derive(Debug)]
pub(super) struct Player<'a> {
    /// Where calls go.
    pub(super) sender: Sender,
    /// What answers are judged by.
    pub(super) judge: &'a Judge,
    /// How often each code was answered; a success is `Success`.
    pub(super) met: std::sync::Mutex<BTreeMap<String, u64>>,
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
    /// What the world holds beside bandwidths and tokens.
    rest: Value,
}

impl Player<'_> {
    /// Plays a sequence until it fails or ends.
    ///
    /// # Errors
    ///
    /// It could not be played.
    pub(super) async fn play(&self, plan: &Plan) -> Result<Option<Failure>, String> {
        self.sender.begin(&plan.world).await?;
        let now_secs = if plan.has_wait() {
            self.set_clock(BEGIN_SECS).await?;
            BEGIN_SECS
        } else {
            now_secs()
        };
        let mut course = Course {
            state: State::of(&self.judge.table, &plan.world, now_secs),
            seen: HashSet::new(),
            rest: rest_of(self.sender.world().await?),
        };
        for (number, step) in plan.steps.iter().enumerate() {
            let failure = match step {
                Step::WaitSeconds(secs) => {
                    course.state.wait(*secs);
                    let now = self.sender.control(Method::GET, "clock", "").await?;
                    let now = now["Now"].as_str().and_then(super::gate::seconds);
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
        let told = self.sender.world().await?;
        let findings = course.differences(&course.state, &told);
        let (expected, actual) =
            (LEFT.to_owned(), "another, though every answer is right".to_owned());
        let step = plan.steps.len();
        Ok((!findings.is_empty()).then_some(Failure { step, findings, expected, actual }))
    }

    async fn set_clock(&self, secs: i64) -> Result<(), String> {
        let now = json!({ "Now": timestamp(secs) }).to_string();
        self.sender.control(Method::PUT, "clock", &now).await.map(drop)
    }

    async fn send<'c>(&self, state: &State<'_>, call: &'c Call) -> Result<Sent<'c>, String> {
        let (request, variant) = (call.request()?, call.variant());
        let nonce = client::fresh_nonce();
        let wire = client::sign(&request, &variant, state.now_secs(), &nonce, ACTION);
        let answer = self.sender.send(call, &wire).await;
        let body = answer.as_ref().ok().and_then(|answer| answer.read().ok());
        let code = body.as_ref().and_then(|body| body.text("Code")).unwrap_or("Success");
        let mut met = self.met.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *met.entry(code.to_owned()).or_default() += 1;
        drop(met);
        Ok(Sent { call, wire, answer })
    }

    async fn call(&self, course: &mut Course<'_>, call: &Call) -> Result<Option<Failure>, String> {
        let sent = self.send(&course.state, call).await?;
        let found = course.state.find(call);
        let Sent { wire, answer, .. } = &sent;
        let mut findings = self.judge.findings(&course.state, call, wire, &found, answer);
        findings.extend(repeated_id(&mut course.seen, answer));
        let expected =
            format!("{}\n            {}", shown(&found.expected), self.judge.because(&found));
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
        let world = self.sender.world().await?;
        if ends.is_empty() {
            findings.push(Finding {
                what: "answers".to_owned(),
                expected: "those that the calls get in some order, one after the other".to_owned(),
                actual: "no order explains them".to_owned(),
            });
        }
        let left: Vec<Vec<Finding>> =
            ends.iter().map(|end| course.differences(end, &world)).collect();
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
            if found.expected == Expected::Allocated && is_busy(answer) {
                found = state.find_busy(&found);
            }
            if self.judge.findings(state, call, wire, &found, answer).is_empty() {
                let mut state = state.clone();
                state.take(call, &found, &body_of(answer));
                let others: Vec<&Sent<'_>> = [&left[..position], &left[position + 1..]].concat();
                self.orders(&state, &others, ends);
            }
        }
    }
}

impl Course<'_> {
    /// How the world told of differs from a state.
    fn differences(&self, state: &State<'_>, told: &Value) -> Vec<Finding> {
        let differences = state.differences(told).into_iter();
        let mut findings: Vec<Finding> = differences
            .map(|(what, expected, actual)| Finding { what, expected, actual })
            .collect();
        let rest = rest_of(told.clone());
        if rest != self.rest {
            let (expected, actual) = (self.rest.to_string(), rest.to_string());
            findings.push(Finding { what: "state: all else".to_owned(), expected, actual });
        }
        findings
    }
}

/// A world document without what calls change.
fn rest_of(mut world: Value) -> Value {
    for account in world["Accounts"].as_array_mut().into_iter().flatten() {
        if let Some(account) = account.as_object_mut() {
            account.remove("ClientTokens");
        }
        for address in account["Ipv6Addresses"].as_array_mut().into_iter().flatten() {
            if let Some(address) = address.as_object_mut() {
                address.remove("Ipv6InternetBandwidth");
                address.remove("NetworkType");
            }
        }
    }
    world
}

fn body_of(answer: &Answered) -> Body {
    let read = answer.as_ref().ok().and_then(|answer| answer.read().ok());
    read.unwrap_or(Body { root: None, elements: serde_json::Map::new() })
}

/// Whether a purchase gave up because others got in its way, as it may (decision `busy`).
fn is_busy(answer: &Answered) -> bool {
    body_of(answer).text("Code") == Some(BUSY)
}

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "whoever judges timestamps goes by the same clock")]
fn now_secs() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}
