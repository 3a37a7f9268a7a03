//! The function's requests to its store, and the promises of the store in memory.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ::store::{
    Admission, Admitted, Document, Error, Key, MemoryStore, Partition, Store, Versioned, World,
    Write,
};
use harness::answer::Answer;
use ipv6_gateway::Function;
use ipv6_gateway::allocation::{ClientToken, Resource};
use serde_json::{Value, json};
use suites::support::{Outcome, Time, allocate, allocate_under, instance, outcome, send, sign};

/// Two accounts with an address each, the first with the key.
fn world(key_of_second: bool) -> World {
    let account = |number: u32, has_key: bool| {
        let keys = json!({ "testid": { "AccessKeySecret": "testsecret" } });
        let in_vpc = json!({ "RegionId": "cn-huhehaote", "VpcId": "vpc-1" });
        let address = |number: u32| {
            let mut address = in_vpc.clone();
            address["Ipv6Address"] = format!("2408:4004:1::{number}").into();
            address
        };
        json!({
            "AccessKeys": if has_key { keys } else { json!({}) },
            "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
            "Ipv6Gateways": { (format!("ipv6gw-{number}")): in_vpc },
            "Ipv6Addresses": {
                (format!("ipv6-{number}")): address(1), (format!("ipv6-{number}-b")): address(2)
            }
        })
    };
    let [one, two] = [account(1, !key_of_second), account(2, key_of_second)];
    let world = json!({ "Accounts": { (account_id(1)): one, (account_id(2)): two } });
    World::parse(&world.to_string()).unwrap()
}

fn account_id(number: u32) -> String {
    format!("{number:016}")
}

/// Counts requests, and makes the first commits conflict.
#[derive(Default)]
struct Counting {
    memory: MemoryStore,
    loads: AtomicUsize,
    commits: AtomicUsize,
    conflicts: AtomicUsize,
    admissions: AtomicUsize,
}

impl Store for Counting {
    fn has_snapshot_reads(&self) -> bool {
        self.memory.has_snapshot_reads()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.memory.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.memory.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let left =
            self.conflicts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if left.is_ok() {
            return Err(Error::Conflict);
        }
        self.memory.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.admissions.fetch_add(1, Ordering::Relaxed);
        self.memory.admit(admission).await
    }
}

struct Counted {
    function: Function<Counting>,
    time: Time,
}

impl Counted {
    fn new() -> Self {
        let store = Counting::default();
        store.memory.replace(world(false).into_documents());
        let time = Time::default();
        Self { function: instance(store, &time), time }
    }

    fn store(&self) -> &Counting {
        self.function.store()
    }

    async fn call(&self, request: Value) -> Answer {
        send(&self.function, &sign(&request, self.time.now_secs())).await
    }

    /// The numbers of reads, commits and admissions since the last time.
    fn counts(&self) -> (usize, usize, usize) {
        let Counting { loads, commits, admissions, .. } = self.store();
        let [loads, commits, admissions] =
            [loads, commits, admissions].map(|count| count.swap(0, Ordering::Relaxed));
        (loads, commits, admissions)
    }
}

/// A call that names the gateway of its address.
fn through_gateway(id: &str) -> Value {
    let mut request = allocate(id);
    request["query"]["Ipv6GatewayId"] = "ipv6gw-1".into();
    request
}

#[tokio::test]
async fn one_allocation_is_one_read_and_one_commit_once_the_key_is_known() {
    let counted = Counted::new();
    assert_eq!(counted.call(through_gateway("ipv6-1")).await.status, 200);
    assert_eq!(counted.counts(), (2, 1, 1), "the first call of a key");
    assert_eq!(counted.call(through_gateway("ipv6-1-b")).await.status, 200);
    assert_eq!(counted.counts(), (1, 1, 1), "every other");
    assert_eq!(counted.call(through_gateway("ipv6-1")).await.status, 400);
    assert_eq!(counted.counts(), (1, 0, 1), "one that is refused writes nothing");
}

#[tokio::test]
async fn a_named_document_is_read_after_its_namer_and_a_refusal_is_confirmed() {
    let counted = Counted::new();
    assert_eq!(counted.call(through_gateway("ipv6-1")).await.status, 200);
    counted.counts();
    assert_eq!(counted.call(allocate("ipv6-1-b")).await.status, 200);
    assert_eq!(counted.counts(), (2, 1, 1), "the address names its VPC, which names the gateway");
    assert_eq!(counted.call(allocate("ipv6-1-b")).await.status, 400);
    assert_eq!(counted.counts(), (3, 0, 1), "both are read again, at once");
}

#[tokio::test]
async fn a_key_that_moves_to_another_account_acts_for_that_account() {
    let counted = Counted::new();
    assert_eq!(counted.call(allocate("ipv6-1")).await.status, 200);
    counted.store().memory.replace(world(true).into_documents());
    let answer = counted.call(allocate("ipv6-1")).await;
    assert!(answer.body.contains("InvalidIpv6Instance.NotFound"), "{answer:?}");
    assert_eq!(counted.call(allocate("ipv6-2")).await.status, 200);
}

#[tokio::test]
async fn after_a_conflict_the_call_decides_again_and_gives_up_in_the_end() {
    let counted = Counted::new();
    counted.call(allocate("ipv6-1")).await;
    counted.counts();
    counted.store().conflicts.store(4, Ordering::Relaxed);
    assert_eq!(counted.call(through_gateway("ipv6-1-b")).await.status, 200);
    assert_eq!(counted.counts(), (5, 5, 1));
    let counted = Counted::new();
    counted.call(allocate("ipv6-1")).await;
    counted.store().conflicts.store(5, Ordering::Relaxed);
    let busy = counted.call(allocate("ipv6-1-b")).await;
    assert_eq!(busy.status, 500);
    assert!(busy.body.contains("\"Code\":\"SystemBusy\""), "{busy:?}");
    // Nothing was done and nothing is remembered: the same call succeeds now.
    assert_eq!(counted.call(allocate("ipv6-1-b")).await.status, 200);
}

#[tokio::test]
async fn only_expired_documents_are_dropped() {
    let counted = Counted::new();
    assert_eq!(counted.call(allocate_under("t-1", "ipv6-1")).await.status, 200);
    let memory = &counted.store().memory;
    let tokens = || {
        let is_token =
            |document: &Document| matches!(document, Document::Resource(Resource::ClientToken(_)));
        memory.documents().iter().filter(|document| is_token(document)).count()
    };
    let all = memory.documents().len();
    let expires_at_secs = counted.time.now_secs() + 86_400;
    memory.drop_expired(expires_at_secs - 1);
    assert_eq!(tokens(), 1);
    memory.drop_expired(expires_at_secs);
    assert_eq!((tokens(), memory.documents().len()), (0, all - 1));
}

/// Reads one document after another, and makes another commit between the first read and the rest.
struct Torn {
    memory: MemoryStore,
    /// The other commit, made once.
    other: Mutex<Vec<Write>>,
}

impl Store for Torn {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let is_token = |key: &&Key| key.kind() == ClientToken::NAME;
        let token = match keys.iter().find(is_token) {
            Some(token) => self.memory.load(std::slice::from_ref(token)).await?.remove(0),
            None => return self.memory.load(keys).await,
        };
        let other = std::mem::take(&mut *self.other.lock().unwrap());
        self.memory.commit(other).await?;
        let mut read = self.memory.load(keys).await?;
        read[keys.iter().position(|key| is_token(&key)).unwrap()] = token;
        Ok(read)
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.memory.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.memory.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.memory.admit(admission).await
    }
}

#[tokio::test]
async fn a_retry_that_reads_half_of_its_first_commit_gets_the_answer_of_the_first() {
    let time = Time::default();
    let request = allocate_under("t-1", "ipv6-1");
    // The first call runs on a store of its own; its writes are committed in the middle of the
    // retry.
    let first = Arc::new(MemoryStore::holding(world(false).into_documents()));
    let function = instance(Arc::clone(&first), &time);
    let bought = outcome(&send(&function, &sign(&request, time.now_secs())).await);
    assert!(matches!(bought, Outcome::Bought(_)), "{bought:?}");
    let after = first.documents();
    let memory = MemoryStore::holding(world(false).into_documents());
    let keys: Vec<Key> = after.iter().map(Document::key).collect();
    let before = memory.load(&keys).await.unwrap();
    let writes = after.into_iter().zip(before).filter_map(|(document, before)| {
        let is_new = before.as_ref().is_none_or(|before| before.document != document);
        let rests_on = before.map(|before| before.version);
        is_new.then(|| Write::put(document, rests_on))
    });
    let torn = Torn { memory, other: Mutex::new(writes.collect()) };
    let retry = send(&instance(torn, &time), &sign(&request, time.now_secs())).await;
    assert_eq!(outcome(&retry), bought);
}
