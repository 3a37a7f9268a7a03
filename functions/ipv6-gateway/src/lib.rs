//! The Lambda function: an API Gateway event in, the documented answer out.
//!
//! Start at [`Function::handle`], the one way in, which the local endpoint and the contract's
//! tests use as well; the way of a request is the straight line below it. What a call says is
//! `rpc`'s business, what it comes to is `allocation`'s, where documents are kept is `store`'s.

mod action;
pub mod event;
mod failure;
mod ids;
mod known_accounts;
mod reading;

pub use allocation;
pub use event::{Event, Response};
pub use ids::Ids;
pub use rpc;

use std::time::SystemTime;

use allocation::{Answer, Caller, Decision, ErrorCode, Fresh, Operation};
use rpc::signature::Signed;
use rpc::{Api, Call, Envelope};
use store::{AccessKey, Key, Store};

use action::Action;
use failure::Failure;
use known_accounts::KnownAccounts;
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
    known_accounts: KnownAccounts,
}

impl<S: Store> Function<S> {
    /// A function over `store` that takes the time from `clock` and new ids from `ids`.
    #[must_use]
    pub fn new(store: S, clock: Clock, ids: Ids) -> Self {
        Self { store, clock, ids, known_accounts: KnownAccounts::default() }
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
        self.respond(event, None).await
    }

    /// Answers an event with `planned` where the operation would begin, for test suites that want
    /// to see how a client takes an error.
    pub async fn handle_with_fault(&self, event: Event, planned: ErrorCode) -> Response {
        self.respond(event, Some(planned)).await
    }

    async fn respond(&self, event: Event, planned: Option<ErrorCode>) -> Response {
        let Event { shape, request } = event;
        let call = Call::read(request);
        let request_id = self.ids.request_id();
        let outcome = self.outcome(&call, &request_id, planned).await;
        failure::log(&outcome, &request_id, call.action().as_deref());
        let host = call.host();
        let envelope = Envelope {
            format: call.format(),
            request_id: &request_id,
            trace_id: &self.ids.trace_id(),
            host_id: host.as_deref().unwrap_or(API.host),
            product: API.product,
        };
        let response = match outcome {
            Ok((action, answer)) => envelope.success(action.name, &action.elements, &answer),
            Err(failure) => envelope.failure(&failure.fault()),
        };
        Response::new(shape, response)
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
        // Parsed here so that the documents it names are read together with the access key; what
        // is wrong with it is told only to a caller who is known (decision `check-order`).
        let operation = (action.parse)(&|name| call.parameter(name));
        let guess = self.known_accounts.caller(signed.access_key_id, request_id);
        let names = operation.as_ref().ok().zip(guess.as_ref()).map(|(o, caller)| o.names(caller));
        let mut keys = vec![Key::AccessKey(signed.access_key_id.to_owned())];
        keys.extend(names.into_iter().flatten().map(Key::Resource));
        let (access_key, reading) = self.load(keys).await?;
        let AccessKey { access_key_secret, account_id, .. } =
            access_key.ok_or(rpc::error::INVALID_ACCESS_KEY_ID_NOT_FOUND)?;
        signed.verify(&access_key_secret)?;
        if let Some(code) = planned {
            return Err(allocation::Error::from(code).into());
        }
        let operation = operation?;
        let caller = Caller { account_id, request_id: request_id.to_owned() };
        self.known_accounts.learn(signed.access_key_id, &caller.account_id);
        let reading = (guess.as_ref() == Some(&caller)).then_some(reading);
        Ok((action, self.decide(&*operation, &caller, reading, now_secs).await?))
    }

    /// Decides on the documents that `operation` names and commits what is decided, if nothing has
    /// changed since; else on fresh documents (decision `race`).
    async fn decide(
        &self,
        operation: &dyn Operation,
        caller: &Caller,
        reading: Option<Reading>,
        now_secs: u64,
    ) -> Result<Answer, Failure> {
        let load = async || {
            let names = operation.names(caller);
            let (_, reading) = self.load(names.into_iter().map(Key::Resource).collect()).await?;
            Ok::<_, Failure>(reading)
        };
        let mut reading = match reading {
            Some(reading) => reading,
            None => load().await?,
        };
        for _ in 0..DECISIONS_MAX {
            let fresh = Fresh { now_secs, id_tail: &self.ids.tail() };
            let (writes, answer) = match operation.decide(caller, &reading.documents, &fresh)? {
                Decision::Replay(answer) => return Ok(answer),
                Decision::Commit { writes, answer } => (writes, answer),
            };
            match self.store.commit(reading.replaced_by(writes)).await {
                Ok(()) => return Ok(answer),
                Err(store::Error::Conflict) => reading = load().await?,
                Err(unavailable @ store::Error::Unavailable { .. }) => {
                    return Err(unavailable.into());
                }
            }
        }
        Err(store::Error::Conflict.into())
    }

    /// Reads the documents of `keys`, the access key's apart.
    async fn load(&self, keys: Vec<Key>) -> Result<(Option<AccessKey>, Reading), Failure> {
        let read = self.store.load(&keys).await?;
        Ok(Reading::new(keys, read))
    }

    fn now_secs(&self) -> u64 {
        let since_1970 = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_secs())
    }
}
