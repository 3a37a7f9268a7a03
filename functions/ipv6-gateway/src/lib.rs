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

pub use allocation;
pub use event::{Event, Response};
pub use ids::Ids;
pub use rpc;

use std::time::SystemTime;

use allocation::{Answer, Caller, Decision, ErrorCode, Fresh, Name, Operation, Resource};
use rpc::{Api, Call, Envelope};
use store::{AccessKey, Document, Key, Store, Versioned, Write};

use action::Action;
use failure::Failure;
use known_accounts::KnownAccounts;

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
        let signed = call.signed(now_secs)?;
        // Parsed here so that the documents it names are read together with the access key; what
        // is wrong with it is told only to a caller who is known (decision `check-order`).
        let operation = (action.parse)(&|name| call.parameter(name));
        let guess = self.known_accounts.caller(signed.access_key_id, request_id);
        let names = operation.as_ref().ok().zip(guess.as_ref()).map(|(o, caller)| o.names(caller));
        let (access_key, read) = self.load_with_key(signed.access_key_id, names).await?;
        let AccessKey { access_key_secret, account_id, .. } =
            access_key.ok_or(rpc::error::INVALID_ACCESS_KEY_ID_NOT_FOUND)?;
        signed.verify(&access_key_secret)?;
        if let Some(code) = planned {
            return Err(allocation::Error::from(code).into());
        }
        let operation = operation?;
        let caller = Caller { account_id, request_id: request_id.to_owned() };
        self.known_accounts.learn(signed.access_key_id, &caller.account_id);
        let read = read.filter(|_| guess.as_ref() == Some(&caller));
        Ok((action, self.decide(&*operation, &caller, read, now_secs).await?))
    }

    /// Decides on the documents that `operation` names and commits what is decided, if nothing has
    /// changed since; else on fresh documents (decision `race`).
    async fn decide(
        &self,
        operation: &dyn Operation,
        caller: &Caller,
        read: Option<Vec<Versioned>>,
        now_secs: u64,
    ) -> Result<Answer, Failure> {
        let names = operation.names(caller);
        let mut read = match read {
            Some(read) => read,
            None => self.load(&names).await?,
        };
        for _ in 0..DECISIONS_MAX {
            let fresh = Fresh { now_secs, id_tail: &self.ids.tail() };
            let documents = read.iter().filter_map(|read| match &read.document {
                Document::Resource(resource) => Some(resource.clone()),
                Document::AccessKey(_) => None,
            });
            let (writes, answer) = match operation.decide(caller, &documents.collect(), &fresh)? {
                Decision::Replay(answer) => return Ok(answer),
                Decision::Commit { writes, answer } => (writes, answer),
            };
            match self.store.commit(replacing(&read, writes)).await {
                Ok(()) => return Ok(answer),
                Err(store::Error::Conflict) => read = self.load(&names).await?,
                Err(unavailable @ store::Error::Unavailable { .. }) => {
                    return Err(unavailable.into());
                }
            }
        }
        Err(store::Error::Conflict.into())
    }

    /// Reads the access key and, in the same read, the documents that are named already.
    async fn load_with_key(
        &self,
        access_key_id: &str,
        names: Option<Vec<Name>>,
    ) -> Result<(Option<AccessKey>, Option<Vec<Versioned>>), Failure> {
        let reads_resources = names.is_some();
        let mut keys = vec![Key::AccessKey(access_key_id.to_owned())];
        keys.extend(names.into_iter().flatten().map(Key::Resource));
        let mut read = self.store.load(&keys).await?.into_iter();
        let access_key = read.next().flatten().and_then(|read| match read.document {
            Document::AccessKey(access_key) => Some(access_key),
            Document::Resource(_) => None,
        });
        Ok((access_key, reads_resources.then(|| read.flatten().collect())))
    }

    async fn load(&self, names: &[Name]) -> Result<Vec<Versioned>, Failure> {
        let keys: Vec<Key> = names.iter().cloned().map(Key::Resource).collect();
        Ok(self.store.load(&keys).await?.into_iter().flatten().collect())
    }

    fn now_secs(&self) -> u64 {
        let since_1970 = (self.clock)().duration_since(SystemTime::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_secs())
    }
}

/// `writes`, each replacing what was read of it; what was not read must not exist.
fn replacing(read: &[Versioned], writes: Vec<Resource>) -> Vec<Write> {
    let write = |resource: Resource| {
        let document = Document::Resource(resource);
        let key = document.key();
        let earlier = read.iter().find(|read| read.document.key() == key);
        Write { document, replaces: earlier.map(|read| read.version) }
    };
    writes.into_iter().map(write).collect()
}
