//! What the tests of stores share: instances of the function over a store, calls, and what is left
//! in the store afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use ::store::{Admission, Admitted, Document, Error, Key, Store, Versioned, World, Write};
use harness::answer::Answer;
use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use harness::judge::ACTION;
use harness::target::{Endpoint, built, http_api_payload, read_event_response};
use ipv6_gateway::allocation::{Ipv6Address, Name, NetworkType, Resource};
use ipv6_gateway::{Event, Function, Ids};
use serde_json::{Value, json};

use crate::worlds::one_address;

/// Two clients of one store, which is empty.
pub(crate) type Clients<S> = [Arc<S>; 2];

/// How many documents are put into a store at once: DynamoDB takes no more than 100.
const WRITES_MAX: usize = 20;

/// Makes a test of each check of a module of this crate. `$clients` is a future that yields
/// [`Clients`].
macro_rules! tests_of {
    ([$module:ident, $clients:expr] $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $check() {
                crate::$module::$check($clients.await).await;
            }
        )*
    };
}
pub(crate) use tests_of;

/// The time, as a test sets it. It begins with a minute.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_767_323_040)))
    }
}

impl Time {
    pub(crate) fn now_secs(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn wait(&self, secs: u64) {
        self.0.fetch_add(secs, Ordering::Relaxed);
    }
}

/// An instance of the function, with ids that no other has.
pub(crate) fn instance<S: Store>(store: S, time: &Time) -> Function<S> {
    let told = time.clone();
    let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(told.now_secs());
    Function::new(store, Box::new(clock), Ids::from_system().unwrap())
}

/// A call to buy for an address.
pub(crate) fn allocate(id: &str) -> Value {
    json!({ "query": { "RegionId": "cn-huhehaote", "Ipv6AddressId": id, "Bandwidth": "200" } })
}

/// The same under a token.
pub(crate) fn allocate_under(token: &str, id: &str) -> Value {
    let mut request = allocate(id);
    request["query"]["ClientToken"] = token.into();
    request
}

/// Signs a call, with a fresh nonce unless it has one.
pub(crate) fn sign(request: &Value, now_secs: u64) -> Wire {
    let request: Request = serde_json::from_value(request.clone()).unwrap();
    let variant = Variant { style: Style::V3, format: None };
    let now_secs = i64::try_from(now_secs).unwrap();
    client::sign(&request, &variant, now_secs, &client::fresh_nonce(), ACTION)
}

pub(crate) fn event(wire: &Wire) -> Event {
    Event::parse(http_api_payload(wire).to_string().as_bytes()).unwrap()
}

pub(crate) async fn send<S: Store>(function: &Function<S>, wire: &Wire) -> Answer {
    let response = function.handle(event(wire)).await;
    read_event_response(&serde_json::to_value(response).unwrap()).unwrap()
}

/// The error's code, or `Success`.
pub(crate) fn code(answer: &Answer) -> String {
    answer.read().unwrap().text("Code").unwrap_or("Success").to_owned()
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The address has the bandwidth of this id, bought by this call or by one with its token.
    Bought(String),
    /// A documented error, by its code.
    Refused(String),
}

pub(crate) const ALREADY_EXISTED: &str = "OperationFailed.InternetBandwidthAlreadyExisted";
pub(crate) const BUSY: &str = "SystemBusy";

pub(crate) fn refused(code: &str) -> Outcome {
    Outcome::Refused(code.to_owned())
}

/// Reads an answer, which is documented or ends the test.
pub(crate) fn outcome(answer: &Answer) -> Outcome {
    let body = answer.read().unwrap();
    let Some(code) = body.text("Code") else {
        assert_eq!(answer.status, 200, "{answer:?}");
        return Outcome::Bought(body.text("InternetBandwidthId").unwrap().to_owned());
    };
    let documented = documented();
    assert_eq!(documented.get(code), Some(&answer.status), "not as documented: {answer:?}");
    refused(code)
}

/// The status of every error of the contract.
pub(crate) fn documented() -> BTreeMap<String, u16> {
    let mut statuses = BTreeMap::new();
    for path in [format!("{ACTION}/errors.json"), "common/errors.json".to_owned()] {
        let table: Value = serde_json::from_str(&contracts::text(&path).unwrap()).unwrap();
        for error in table["errors"].as_array().unwrap() {
            let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
            statuses.insert(error["code"].as_str().unwrap().to_owned(), status);
        }
    }
    statuses
}

/// A world of addresses, `ipv6-1` and so on, of the account that has the key.
pub(crate) fn addresses(count: usize) -> Value {
    let mut world = one_address();
    let list = world["Accounts"][0]["Ipv6Addresses"].as_array_mut().unwrap();
    let first = list.remove(0);
    for number in 1..=count {
        let mut address = first.clone();
        address["Ipv6AddressId"] = format!("ipv6-{number}").into();
        address["Ipv6Address"] = format!("2408:4004:1::{number:x}").into();
        list.push(address);
    }
    world
}

/// Puts a world into a store that holds none of its documents.
pub(crate) async fn fill(store: &impl Store, world: &Value) {
    let documents = World::parse(&world.to_string()).unwrap().into_documents();
    for documents in documents.chunks(WRITES_MAX) {
        let create = |document: &Document| Write {
            key: document.key(),
            document: document.clone(),
            replaces: None,
        };
        store.commit(documents.iter().map(create).collect()).await.unwrap();
    }
}

fn address_of(read: &Versioned) -> Ipv6Address {
    if let Document::Resource(resource) = &read.document
        && let Resource::Ipv6Address(address) = &**resource
    {
        return (**address).clone();
    }
    panic!("not an address: {read:?}")
}

/// The id of the bandwidth that an address has, once it is sure that all of it is there.
pub(crate) async fn bandwidth_of(store: &impl Store, address_id: &str) -> Option<String> {
    let key = Key::Resource(Name::Ipv6Address(address_id.to_owned()));
    let read = store.load(&[key]).await.unwrap().remove(0).unwrap();
    let address = address_of(&read);
    let bandwidth = address.ipv6_internet_bandwidth;
    let is_public = address.network_type == NetworkType::Public;
    assert_eq!(is_public, bandwidth.is_some(), "{address_id} is half changed");
    let id = bandwidth?.internet_bandwidth_id;
    let key = Key::Resource(Name::InternetBandwidth(id.clone()));
    let owner = store.load(&[key]).await.unwrap().remove(0).expect("the bandwidth has no owner");
    let Document::Resource(resource) = owner.document else { panic!("not an owner") };
    let Resource::InternetBandwidth(owner) = &*resource else { panic!("not an owner") };
    assert_eq!(owner.ipv6_address_id, address_id);
    Some(id)
}

/// A store that lets others go on before and after whatever it does.
pub(crate) struct Yielding<S>(pub(crate) S);

impl<S: Store> Store for Yielding<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let read = self.0.load(keys).await;
        tokio::task::yield_now().await;
        read
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
pub(crate) async fn endpoint(arguments: &[&str]) -> Endpoint {
    let binary = built("local-endpoint", "local-endpoint").unwrap();
    Endpoint::start(&binary, arguments).await.unwrap()
}
