//! Helpers for tests of stores: instances of the function over a store, calls, and the documents in
//! the store afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::endpoint::{Endpoint, built};
use ::store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, World, Write};
use harness::answer::Answer;
use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use harness::contract::Contract;
use harness::target::{http_api_payload, read_event_response};
use ipv6_gateway::allocation::{AsKind, InternetBandwidthOwner, Ipv6Address, Resource, Scope};
use ipv6_gateway::{Event, Function, Ids, Operations};
use serde_json::{Value, json};

/// The operation that most suites call.
pub const ALLOCATE: &str = "AllocateIpv6InternetBandwidth";

/// The scope of the documents of [`crate::worlds::one_address`].
pub const SCOPE: Scope<'_> = Scope { account_id: "1234567890123456", region_id: "cn-huhehaote" };

/// Two clients of one empty store.
pub type Clients<S> = [Arc<S>; 2];

/// How many documents are put into a store at once: DynamoDB accepts at most 100.
const WRITES_MAX: usize = 20;

/// The time, as a test sets it. It begins at the start of a minute.
#[derive(Clone)]
pub struct Time(Arc<AtomicU64>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_767_323_040)))
    }
}

impl Time {
    pub fn now_secs(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn wait(&self, secs: u64) {
        self.0.fetch_add(secs, Ordering::Relaxed);
    }
}

/// An instance of the function, with unique ids.
pub fn instance<S: Store>(store: S, time: &Time) -> Function<S> {
    let got = time.clone();
    let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(got.now_secs());
    Function::new(store, Operations::all(), Box::new(clock), Ids::from_system().unwrap())
}

/// A call that buys for an address.
pub fn allocate(id: &str) -> Value {
    let query = json!({ "RegionId": SCOPE.region_id, "Ipv6AddressId": id, "Bandwidth": "200" });
    json!({ "action": ALLOCATE, "query": query })
}

/// The same call under a token.
pub fn allocate_under(token: &str, id: &str) -> Value {
    let mut request = allocate(id);
    request["query"]["ClientToken"] = token.into();
    request
}

/// Signs a call, with a fresh nonce unless the call has one.
pub fn sign(request: &Value, now_secs: u64) -> Wire {
    let request: Request = serde_json::from_value(request.clone()).unwrap();
    let variant = Variant { style: Style::V3, format: None };
    let now_secs = i64::try_from(now_secs).unwrap();
    client::sign(&request, &variant, now_secs, &client::fresh_nonce())
}

pub fn event(wire: &Wire) -> Event {
    Event::parse(http_api_payload(wire).to_string().as_bytes()).unwrap()
}

pub async fn send<S: Store>(function: &Function<S>, wire: &Wire) -> Answer {
    let response = function.handle(event(wire)).await;
    read_event_response(&serde_json::to_value(response).unwrap()).unwrap()
}

/// The error's code, or `Success`.
pub fn code(answer: &Answer) -> String {
    answer.read().unwrap().text("Code").unwrap_or("Success").to_owned()
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The address has the bandwidth of this id, bought by this call or by one with its token.
    Bought(String),
    /// A success that names no bandwidth.
    Done,
    /// A documented error, by its code.
    Refused(String),
}

pub const ALREADY_EXISTED: &str = "OperationFailed.InternetBandwidthAlreadyExisted";
pub const BUSY: &str = "SystemBusy";

pub fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}

/// Reads an answer, and panics if it is not documented.
pub fn outcome(answer: &Answer) -> Outcome {
    let body = answer.read().unwrap();
    let Some(code) = body.text("Code") else {
        assert_eq!(answer.status, 200, "{answer:?}");
        let bought = body.text("InternetBandwidthId");
        return bought.map_or(Outcome::Done, |id| Outcome::Bought(id.to_owned()));
    };
    let statuses = documented().remove(code).unwrap_or_default();
    assert!(statuses.contains(&answer.status), "not as documented: {answer:?}");
    refused(code)
}

/// The statuses of every error of the contract.
pub fn documented() -> BTreeMap<String, BTreeSet<u16>> {
    let mut statuses: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let contract = Contract::embedded();
    for path in contract.paths().filter(|path| path.ends_with("/errors.json")) {
        let table = contract.json(path).unwrap();
        for error in table["errors"].as_array().unwrap() {
            let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
            let code = error["code"].as_str().unwrap().to_owned();
            statuses.entry(code).or_default().insert(status);
        }
    }
    statuses
}

/// Puts a world into a store that has none of its documents.
pub async fn fill(store: &impl Store, world: &Value) {
    let documents = World::parse(&world.to_string()).unwrap().into_documents();
    for documents in documents.chunks(WRITES_MAX) {
        let writes = documents.iter().map(|document| Write::put(document.clone(), None));
        store.commit(writes.collect()).await.unwrap();
    }
}

/// Commits the documents of `world` to a store, and keeps nonces and counts.
pub async fn change(store: &impl Store, world: &Value) {
    let documents = World::parse(&world.to_string()).unwrap().into_documents();
    let keys: Vec<Key> = documents.iter().map(::store::Document::key).collect();
    let read = store.load(&keys).await.unwrap();
    for (document, read) in documents.into_iter().zip(read) {
        let rests_on = read.as_ref().map(|read| read.version);
        if read.is_none_or(|read| read.document != document) {
            store.commit(vec![Write::put(document, rests_on)]).await.unwrap();
        }
    }
}

/// The document of this key, if it exists and has this kind.
pub async fn read<K: Clone>(store: &impl Store, key: Key) -> Option<K>
where
    Resource: AsKind<K>,
{
    let read = store.load(&[key]).await.unwrap().remove(0)?;
    match read.document {
        ::store::Document::Resource(resource) => resource.as_kind().cloned(),
        ::store::Document::AccessKey(_) | ::store::Document::Identity(_) => None,
    }
}

/// The id and the size of the bandwidth of an address, after a check that its documents are
/// complete.
pub async fn held_by(store: &impl Store, address_id: &str) -> Option<(String, u16)> {
    let address: Ipv6Address = read(store, Ipv6Address::key(SCOPE, address_id)).await.unwrap();
    let bandwidth = address.ipv6_internet_bandwidth?;
    let id = bandwidth.internet_bandwidth_id;
    let owner = read(store, InternetBandwidthOwner::key(SCOPE, &id)).await;
    let owner: InternetBandwidthOwner = owner.expect("the bandwidth has no owner");
    assert_eq!(&*owner.ipv6_address_id, address_id);
    Some((id.to_string(), bandwidth.bandwidth_mbps))
}

/// The id of the bandwidth that an address has.
pub async fn bandwidth_of(store: &impl Store, address_id: &str) -> Option<String> {
    held_by(store, address_id).await.map(|(id, _)| id)
}

/// A store that yields to other tasks before and after each operation.
pub struct Yielding<S>(pub S);

impl<S: Store> Store for Yielding<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let read = self.0.load(keys).await;
        tokio::task::yield_now().await;
        read
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        tokio::task::yield_now().await;
        self.0.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        tokio::task::yield_now().await;
        let written = self.0.commit(writes).await;
        tokio::task::yield_now().await;
        written
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        tokio::task::yield_now().await;
        self.0.admit(admission).await
    }
}

/// Starts a local endpoint.
pub async fn endpoint(arguments: &[&str]) -> Endpoint {
    let binary = built("local-endpoint").unwrap();
    Endpoint::start(&binary, arguments).await.unwrap()
}
