#![doc = include_str!("../README.md")]

mod audit;
mod authentication;

pub mod event;
mod failure;
mod ids;
mod invocation;
mod known_keys;
mod log;
mod operations;
mod panics;
mod permission;
mod rate_limit;
mod reading;
mod run;
mod token;

pub use allocation;
pub use event::{Event, Response};
pub use ids::{Ids, random};
pub use invocation::{CallParser, Invocation, ParsedCall, Rendered};
pub use log::log_filter;
pub use operations::{Entry, Operations, UnfitToken};
pub use panics::log_panics;
pub use ram;
pub use rate_limit::{InvalidRateLimit, RateLimit};
pub use rpc;

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use allocation::{ClientToken, Key, Parameters, Refusal, Scope, Seen};
use rpc::signature::Signed;
use rpc::{Api, Call, Envelope, Format, Members, Request};
use store::{AccessKey, Store};

use audit::Audit;
use authentication::AuthContext;
use failure::Failure;
use known_keys::KnownKeys;
use panics::caught;
use rate_limit::Throttled;
use run::{Answered, Run};

/// The API that the function serves.
pub const API: Api = Api { product: "Vpc", version: "2016-04-28", host: "vpc.aliyuncs.com" };

/// Returns the current time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// The function, with its store, clock and source of ids.
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
    /// The entry of the audit log; `None`: the call changed nothing.
    audit: Option<Audit>,
}

impl<S: Store> Function<S> {
    /// A function over `store` that serves `operations`, with the time of `clock` and new ids of `ids`.
    #[must_use]
    pub fn new(store: S, operations: Operations, clock: Clock, ids: Ids) -> Self {
        let (known_keys, rate_limit) = (KnownKeys::default(), RwLock::default());
        Self { store, operations, clock, ids, known_keys, rate_limit }
    }

    /// Sets how often each account may call each action; `None`: without a limit.
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

    /// The source of new ids.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Answers an event. Every failure is an answer too.
    ///
    /// # Examples
    ///
    /// ```
    /// use ipv6_gateway::{Event, Function, Ids, Operations};
    ///
    /// let (store, clock) = (store::MemoryStore::default(), || std::time::SystemTime::UNIX_EPOCH);
    /// let function =
    ///     Function::new(store, Operations::all(), Box::new(clock), Ids::from_seed(1));
    /// let event = Event::parse(
    ///     br#"{"requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}},
    ///         "rawQueryString": "Version=2016-04-28&Format=JSON"}"#,
    /// )?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # let response = runtime.block_on(async {
    /// let response = function.handle(event).await;
    /// # response });
    /// assert_eq!(response.status_code, 400);
    /// assert!(response.body.contains("MissingAction"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn handle(&self, event: Event) -> Response {
        self.respond(event, None).await
    }

    /// Answers an event within `time_max`. After that time the answer is `SystemBusy` (decision
    /// `busy`), and the outcome of the last request to the store is unknown.
    pub async fn handle_within(&self, time_max: Duration, event: Event) -> Response {
        self.respond(event, Some(time_max)).await
    }

    async fn respond(&self, event: Event, time_max: Option<Duration>) -> Response {
        let Event { shape, request } = event;
        let request_id = self.ids.request_id();
        let response = caught(self.answer(request, &request_id, time_max)).await;
        let response = response.unwrap_or_else(|| {
            // The panic took the call with it, so its action is unknown.
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
        // Pinned: moving a future takes its space twice.
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

    /// The steps of a request, in their order.
    async fn outcome(&self, call: &Call) -> Result<Success<'_>, Failure> {
        let now_secs = self.now_secs();
        let entry = call.route(&API, |name| self.operations.route(name))?;
        let signed = Signed::read(call, now_secs)?;
        // Parsed before authentication, so that one read fetches the access key and the documents. Its
        // error is answered only after authorisation (decision `check-order`).
        let look_up = |name: &str| call.parameter(name);
        let parameters = Parameters::new(&look_up);
        let parsed = entry.parser.parse(&parameters);

        // Authentication, replay protection, throttling. For a known access key, one read fetches
        // everything that the call needs.
        let context = AuthContext { entry, signed: &signed, now_secs };
        let known = self.known_keys.get(signed.access_key_id);
        let mut keys = Vec::with_capacity(8);
        keys.push(AccessKey::key(signed.access_key_id));
        if let Some(known) = &known {
            keys.extend(known.identity.clone());
            add_first_keys(&mut keys, entry, &parsed, &known.account_id);
        }
        let mut reading = self.read(keys, now_secs).await?;
        let verified = self.verify(&context, reading.access_key.take())?;
        let access_key = verified.key();
        let answered = async {
            self.admit(&context, &verified).await?;
            if !known.is_some_and(|known| known.is_of(access_key)) {
                self.known_keys.learn(access_key);
                let mut keys = Vec::from_iter(authentication::identity_key(access_key));
                add_first_keys(&mut keys, entry, &parsed, &access_key.account_id);
                reading = self.read(keys, now_secs).await?;
            }

            // Authorisation. A denied caller must not learn which documents exist (decision
            // `denied`).
            let region_id = parameters.given("RegionId").unwrap_or_default();
            let scope = Scope { account_id: &access_key.account_id, region_id };
            let identity = reading.identity.clone();
            let authorise = |seen: &Seen| {
                let resources = || entry.parser.resources(&parameters, scope, seen);
                let identity = identity.as_deref();
                permission::check(call, entry.name, access_key, identity, resources, now_secs)
            };
            authorise(&reading.seen)?;

            let parsed = parsed?;
            let (parsed, authorise, format) = (&parsed, &authorise, call.format());
            let run = Run { entry, parsed, scope, authorise, format, now_secs };
            self.run(&run, reading).await
        }
        .await;

        // Before any answer, the call's nonce must be durable, even if this or an earlier call used it.
        // A commit also makes all earlier nonces durable.
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

    /// The failure of a call over the rate limit.
    fn throttled(&self, now_secs: u64) -> Failure {
        match self.rate_limit() {
            Some(limit) => Failure::Throttled(Throttled::over(limit, now_secs)),
            // The limit was lifted concurrently.
            None => rpc::error::THROTTLING_USER.into(),
        }
    }

    fn now_secs(&self) -> u64 {
        let since_1970 = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_secs())
    }
}

/// Adds the keys for the first read of an account's call: the operation's documents and the client
/// token.
fn add_first_keys(
    keys: &mut Vec<Key>,
    entry: &Entry,
    parsed: &Result<ParsedCall<'_>, Refusal>,
    account_id: &str,
) {
    let Ok(ParsedCall { common, invocation }) = parsed else { return };
    let scope = common.scope(account_id);
    keys.extend(invocation.first(scope));
    keys.extend(common.client_token.map(|token| ClientToken::key(scope, entry.name, token)));
}
