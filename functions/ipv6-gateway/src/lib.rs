//! The Lambda function: an API Gateway event in, the documented answer out.
//!
//! Start at [`Function::handle`], the one way in, which the local endpoint and the contract's
//! tests use as well; the way of a request is the straight line below it. What a call says is
//! `rpc`'s business, what it comes to is `allocation`'s, where documents are kept is `store`'s.

mod action;
mod door;
pub mod event;
mod failure;
mod ids;
mod known_keys;
mod log;
mod panics;
mod permission;
mod rate_limit;
mod reading;

pub use allocation;
pub use event::{Event, Response};
pub use ids::{Ids, random};
pub use log::log_filter;
pub use panics::log_panics;
pub use ram;
pub use rate_limit::{NoRateLimit, RateLimit};
pub use rpc;

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use allocation::{Answer, Caller, Decision, ErrorCode, Fresh, Name, Operation};
use rpc::signature::Signed;
use rpc::{Api, Call, Envelope, Format, Request};
use store::{Key, Store};

use action::Action;
use door::Visit;
use failure::Failure;
use known_keys::KnownKeys;
use panics::caught;
use rate_limit::Throttled;
use reading::Reading;

/// The API that the function serves.
pub const API: Api = Api { product: "Vpc", version: "2016-04-28", host: "vpc.aliyuncs.com" };

/// How often a call decides before it gives up on a document that others keep changing (decision
/// `busy`).
const DECISIONS_MAX: usize = 5;

/// Tells the time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// The function, with all that it takes from outside.
pub struct Function<S> {
    store: S,
    clock: Clock,
    ids: Ids,
    known_keys: KnownKeys,
    rate_limit: RwLock<Option<RateLimit>>,
}

/// On what terms a call is answered.
#[derive(Default)]
struct Terms {
    /// The error to answer with where the operation would begin.
    planned: Option<ErrorCode>,
    /// How long the answer may take; `None`: as long as it takes.
    time_max: Option<Duration>,
}

impl<S: Store> Function<S> {
    /// A function over `store` that takes the time from `clock` and new ids from `ids`.
    #[must_use]
    pub fn new(store: S, clock: Clock, ids: Ids) -> Self {
        Self { store, clock, ids, known_keys: KnownKeys::default(), rate_limit: RwLock::default() }
    }

    /// Lets each account call each action so often, from now on; `None`: as often as it likes.
    pub fn limit_rate(&self, rate_limit: Option<RateLimit>) {
        *self.rate_limit.write().unwrap_or_else(PoisonError::into_inner) = rate_limit;
    }

    /// How often each account may call each action.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        *self.rate_limit.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Where new ids come from.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Answers an event. Whatever fails on the way is an answer too.
    pub async fn handle(&self, event: Event) -> Response {
        self.respond(event, &Terms::default()).await
    }

    /// Answers an event in no more than `time_max`. When that is over the answer is that the system
    /// is busy (decision `busy`), and what the store was asked last is done or not.
    pub async fn handle_within(&self, time_max: Duration, event: Event) -> Response {
        self.respond(event, &Terms { time_max: Some(time_max), ..Terms::default() }).await
    }

    /// Answers an event with `planned` where the operation would begin, for test suites that want
    /// to see how a client takes an error.
    pub async fn handle_with_fault(&self, event: Event, planned: ErrorCode) -> Response {
        self.respond(event, &Terms { planned: Some(planned), ..Terms::default() }).await
    }

    async fn respond(&self, event: Event, terms: &Terms) -> Response {
        let Event { shape, request } = event;
        let request_id = self.ids.request_id();
        let response = caught(self.answer(request, &request_id, terms)).await;
        let response = response.unwrap_or_else(|| {
            // What the call was is not known any more.
            let outcome = Err(Failure::Panicked);
            failure::log(&outcome, &request_id, None);
            self.envelope(Format::Json, API.host, &request_id, outcome)
        });
        Response::new(shape, response)
    }

    async fn answer(&self, request: Request, request_id: &str, terms: &Terms) -> rpc::Response {
        let call = Call::read(request);
        let outcome = caught(self.outcome(&call, request_id, terms.planned));
        let outcome = match terms.time_max {
            None => outcome.await.unwrap_or(Err(Failure::Panicked)),
            Some(time_max) => match tokio::time::timeout(time_max, outcome).await {
                Ok(outcome) => outcome.unwrap_or(Err(Failure::Panicked)),
                Err(_) => Err(Failure::OutOfTime),
            },
        };
        failure::log(&outcome, request_id, call.action().as_deref());
        let host = call.host();
        self.envelope(call.format(), host.as_deref().unwrap_or(API.host), request_id, outcome)
    }

    /// The way of a request: forward only.
    async fn outcome(
        &self,
        call: &Call,
        request_id: &str,
        planned: Option<ErrorCode>,
    ) -> Result<(&'static Action, Answer), Failure> {
        let now_secs = self.now_secs();
        let action = call.route(&API, Action::find)?;
        let signed = Signed::read(call, now_secs)?;
        // Parsed here so that the documents it names are read while the call is let in; what is
        // wrong with it is told only to a caller who may call (decision `check-order`).
        let operation = (action.parse)(&|name| call.parameter(name));
        let names = |caller: &Caller| match &operation {
            Ok(operation) => operation.names(caller),
            Err(_) => Vec::new(),
        };
        let visit = Visit { call, action, signed: &signed, names: &names, request_id, now_secs };
        let (caller, reading) = self.admit(&visit).await?;
        if let Some(code) = planned {
            return Err(allocation::Error::from(code).into());
        }
        Ok((action, self.decide(&*operation?, &caller, reading, now_secs).await?))
    }

    /// Decides on what was read of the documents that `operation` names and commits what is decided,
    /// if nothing has changed since; else on fresh documents (decision `race`).
    async fn decide(
        &self,
        operation: &dyn Operation,
        caller: &Caller,
        mut reading: Reading,
        now_secs: u64,
    ) -> Result<Answer, Failure> {
        for _ in 0..DECISIONS_MAX {
            let fresh = Fresh { now_secs, id_tail: &self.ids.tail() };
            let (writes, answer) = match operation.decide(caller, &reading.documents, &fresh) {
                Ok(Decision::Replay(answer)) => return Ok(answer),
                Ok(Decision::Commit { writes, answer }) => (writes, answer),
                Err(refusal) if self.store.reads_at_once() => return Err(refusal.into()),
                Err(refusal) => {
                    // A commit may have happened between the reading of one document and of
                    // another: an address that is taken, and no sign yet of the token that took it.
                    let again = self.load(keys(operation.names(caller))).await?;
                    if again.is_as(&reading) {
                        return Err(refusal.into());
                    }
                    reading = again;
                    continue;
                }
            };
            match self.store.commit(reading.replaced_by(writes)).await {
                Ok(()) => return Ok(answer),
                Err(store::Error::Conflict) => {
                    reading = self.load(keys(operation.names(caller))).await?;
                }
                Err(unavailable @ store::Error::Unavailable { .. }) => {
                    return Err(unavailable.into());
                }
            }
        }
        Err(store::Error::Conflict.into())
    }

    /// Reads the documents of `keys`.
    async fn load(&self, keys: Vec<Key>) -> Result<Reading, Failure> {
        let read = self.store.load(&keys).await?;
        Ok(Reading::new(keys, read))
    }

    /// The answer that an outcome comes to, in `format`.
    fn envelope(
        &self,
        format: Format,
        host_id: &str,
        request_id: &str,
        outcome: Result<(&'static Action, Answer), Failure>,
    ) -> rpc::Response {
        let trace_id = &self.ids.trace_id();
        let envelope = Envelope { format, request_id, trace_id, host_id, product: API.product };
        match outcome {
            Ok((action, answer)) => envelope.success(action.name, &action.elements, &answer),
            Err(failure) => envelope.failure(&failure.fault()),
        }
    }

    /// That a call came too often, where there is a limit.
    fn throttled(&self, now_secs: u64) -> Failure {
        match self.rate_limit() {
            Some(limit) => Failure::Throttled(Throttled { limit, now_secs }),
            // The limit was lifted this very moment.
            None => rpc::error::THROTTLING_USER.into(),
        }
    }

    fn now_secs(&self) -> u64 {
        let since_1970 = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_secs())
    }
}

fn keys(names: Vec<Name>) -> Vec<Key> {
    names.into_iter().map(Key::Resource).collect()
}
