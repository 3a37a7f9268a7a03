#![doc = include_str!("../README.md")]

mod audit;
mod door;
pub mod event;
mod failure;
mod ids;
mod known_keys;
mod log;
mod operations;
mod panics;
mod permission;
mod rate_limit;
mod reading;
mod run;
mod running;
mod token;

pub use allocation;
pub use event::{Event, Response};
pub use ids::{Ids, random};
pub use log::log_filter;
pub use operations::{Entry, Operations, UnfitToken};
pub use panics::log_panics;
pub use ram;
pub use rate_limit::{NoRateLimit, RateLimit};
pub use rpc;
pub use running::{Begin, Begun, Rendered, Running};

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use allocation::{ClientToken, Key, Parameters, Refusal, Scope, Seen};
use rpc::signature::Signed;
use rpc::{Api, Call, Envelope, Format, Members, Request};
use store::{AccessKey, Store};

use audit::Audit;
use door::AuthContext;
use failure::Failure;
use known_keys::KnownKeys;
use panics::caught;
use rate_limit::Throttled;
use run::{Answered, Run};

/// The API that the function serves.
pub const API: Api = Api { product: "Vpc", version: "2016-04-28", host: "vpc.aliyuncs.com" };

/// Tells the time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// The function, with all that it takes from outside.
pub struct Function<S> {
    store: S,
    operations: Operations,
    clock: Clock,
    ids: Ids,
    known_keys: KnownKeys,
    rate_limit: RwLock<Option<RateLimit>>,
}

/// The success of a call.
struct Success<'f> {
    entry: &'f Entry,
    members: Members,
    /// What is logged of what it changed.
    audit: Option<Audit>,
}

impl<S: Store> Function<S> {
    /// A function over `store` that serves `operations`, takes the time from `clock` and new ids
    /// from `ids`.
    #[must_use]
    pub fn new(store: S, operations: Operations, clock: Clock, ids: Ids) -> Self {
        let (known_keys, rate_limit) = (KnownKeys::default(), RwLock::default());
        Self { store, operations, clock, ids, known_keys, rate_limit }
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

    /// The operations that the function serves.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Where new ids come from.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Answers an event. A failure on the way is an answer too.
    pub async fn handle(&self, event: Event) -> Response {
        self.respond(event, None).await
    }

    /// Answers an event in no more than `time_max`, however often the store is asked. When that is
    /// over the answer is that the system is busy (decision `busy`), and what the store was asked
    /// last is done or not.
    pub async fn handle_within(&self, time_max: Duration, event: Event) -> Response {
        self.respond(event, Some(time_max)).await
    }

    async fn respond(&self, event: Event, time_max: Option<Duration>) -> Response {
        let Event { shape, request } = event;
        let request_id = self.ids.request_id();
        let response = caught(self.answer(request, &request_id, time_max)).await;
        let response = response.unwrap_or_else(|| {
            // What the call was is not known any more.
            Failure::Panicked.log(&request_id, "");
            self.envelope(Format::Json, API.host, &request_id, Err(Failure::Panicked))
        });
        Response::new(shape, response)
    }

    async fn answer(
        &self,
        request: Request,
        request_id: &str,
        time_max: Option<Duration>,
    ) -> rpc::Response {
        #[expect(clippy::disallowed_methods, reason = "it decides no answer, only what is logged")]
        let began = Instant::now();
        let call = Call::read(request);
        // Pinned, since a future that is moved takes its room twice.
        let outcome = std::pin::pin!(caught(self.outcome(&call)));
        let outcome = match time_max {
            None => outcome.await.unwrap_or(Err(Failure::Panicked)),
            Some(time_max) => match tokio::time::timeout(time_max, outcome).await {
                Ok(outcome) => outcome.unwrap_or(Err(Failure::Panicked)),
                Err(_) => Err(Failure::OutOfTime),
            },
        };
        let entry = match &outcome {
            Ok(success) => Some(success.entry),
            Err(_) => call.action().and_then(|action| self.operations.find(&action)),
        };
        let action = entry.map_or("", |entry| entry.name);
        match &outcome {
            Ok(Success { audit: Some(audit), .. }) => audit.log(request_id, action, began),
            Ok(_) => tracing::info!(request_id, action, "answered"),
            Err(failure) => failure.log(request_id, action),
        }
        let host = call.host();
        self.envelope(call.format(), host.as_deref().unwrap_or(API.host), request_id, outcome)
    }

    /// The way of a request: forward only.
    async fn outcome(&self, call: &Call) -> Result<Success<'_>, Failure> {
        let now_secs = self.now_secs();
        let entry = call.route(&API, |name| self.operations.route(name))?;
        let signed = Signed::read(call, now_secs)?;
        // Parsed here so that the documents it needs are read together with the key; what is wrong with
        // it is answered only to a caller who may call (decision `check-order`).
        let look_up = |name: &str| call.parameter(name);
        let parameters = Parameters::new(&look_up);
        let begun = entry.begin.begin(&parameters);

        // Authentication, replay protection, throttling. With a key that has signed before all that
        // the call needs is read at once.
        let context = AuthContext { entry, signed: &signed, now_secs };
        let known = self.known_keys.get(signed.access_key_id);
        let mut keys = Vec::with_capacity(8);
        keys.push(AccessKey::key(signed.access_key_id));
        if let Some(known) = &known {
            keys.extend(known.identity.clone());
            add_first_keys(&mut keys, entry, &begun, &known.account_id);
        }
        let mut reading = self.read(keys, now_secs).await?;
        let verified = self.verify(&context, reading.access_key.take())?;
        let access_key = verified.key();
        let answered = async {
            self.admit(&context, &verified).await?;
            if !known.is_some_and(|known| known.is_of(access_key)) {
                self.known_keys.learn(access_key);
                let mut keys = Vec::from_iter(door::identity_key(access_key));
                add_first_keys(&mut keys, entry, &begun, &access_key.account_id);
                reading = self.read(keys, now_secs).await?;
            }

            // Authorisation. A caller who may not call learns nothing of what exists (decision
            // `denied`).
            let region_id = parameters.given("RegionId").unwrap_or_default();
            let scope = Scope { account_id: &access_key.account_id, region_id };
            let identity = reading.identity.clone();
            let authorise = |seen: &Seen| {
                let resources = || entry.begin.resources(&parameters, scope, seen);
                let identity = identity.as_deref();
                permission::check(call, entry.name, access_key, identity, resources, now_secs)
            };
            authorise(&reading.seen)?;

            let begun = begun?;
            let (begun, authorise, format) = (&begun, &authorise, call.format());
            let run = Run { entry, begun, scope, authorise, format, now_secs };
            self.run(&run, reading).await
        }
        .await;

        // No answer leaves before the nonce that the call spent, or was found to have spent, outlives
        // a crash. A commit is as durable as all that came before it.
        if !answered.as_ref().is_ok_and(Answered::is_committed) {
            self.store.settle().await?;
        }
        let Answered { members, changed } = answered?;
        let audit = changed.map(|changed| Audit {
            access_key: verified.into_key(),
            source_ip: call.request().source_ip,
            changed,
        });
        Ok(Success { entry, members, audit })
    }

    /// Renders an outcome in `format`.
    fn envelope(
        &self,
        format: Format,
        host_id: &str,
        request_id: &str,
        outcome: Result<Success<'_>, Failure>,
    ) -> rpc::Response {
        let trace_id = &self.ids.trace_id();
        let envelope = Envelope { format, request_id, trace_id, host_id, product: API.product };
        match outcome {
            Ok(Success { entry, members, .. }) => {
                envelope.success(entry.name, entry.order(format), &members)
            }
            Err(failure) => envelope.failure(&failure.response()),
        }
    }

    /// That a call came too often, where there is a limit.
    fn throttled(&self, now_secs: u64) -> Failure {
        match self.rate_limit() {
            Some(limit) => Failure::Throttled(Throttled::over(limit, now_secs)),
            // The limit was lifted this very moment.
            None => rpc::error::THROTTLING_USER.into(),
        }
    }

    fn now_secs(&self) -> u64 {
        let since_1970 = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_secs())
    }
}

/// Adds the keys of what a call of an account needs at once: what the operation names, and the
/// client token.
fn add_first_keys(
    keys: &mut Vec<Key>,
    entry: &Entry,
    begun: &Result<Begun<'_>, Refusal>,
    account_id: &str,
) {
    let Ok(Begun { common, running }) = begun else { return };
    let scope = common.scope(account_id);
    keys.extend(running.first(scope));
    keys.extend(common.client_token.map(|token| ClientToken::key(scope, entry.name, token)));
}
