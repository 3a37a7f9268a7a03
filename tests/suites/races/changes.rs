//! Many callers buy, change and delete the bandwidth of one address at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use ::store::{
    Admission, Admitted, Change, Document, Error, Key, Partition, Store, Version, Versioned, Write,
};
use ipv6_gateway::allocation::{InternetBandwidthOwner, Resource};
use serde_json::{Value, json};

use super::{CALLERS, race};
use crate::support::{
    self, ALLOCATE, ALREADY_EXISTED, BUSY, Clients, Outcome, SCOPE, Time, Yielding, fill, held_by,
    instance, outcome, refused, sign,
};
use crate::worlds::{account, one_address};

const MODIFY: &str = "ModifyIpv6InternetBandwidth";
const DELETE: &str = "DeleteIpv6InternetBandwidth";
const NON_EXIST: &str = "OperationFailed.InternetBandwidthNonExist";

/// The bandwidth of an address: its id and its Mbit/s.
type State = Option<(String, u16)>;

/// The requests to a store about one address.
#[derive(Default)]
struct Log {
    /// The state of each version that was read.
    states: BTreeMap<u64, State>,
    /// The state that each commit rests on, and the state that it writes.
    commits: Vec<(Option<Version>, State)>,
}

/// A store that logs the requests about one address.
struct Noting<S> {
    inner: S,
    log: Arc<Mutex<Log>>,
}

impl<S> Noting<S> {
    fn log(&self, note: impl FnOnce(&mut Log)) {
        note(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn state(document: &Document) -> Option<State> {
    let Document::Resource(Resource::Ipv6Address(address)) = document else { return None };
    let bandwidth = address.ipv6_internet_bandwidth.as_ref();
    Some(bandwidth.map(|held| (held.internet_bandwidth_id.to_string(), held.bandwidth_mbps)))
}

impl<S: Store> Store for Noting<S> {
    fn has_snapshot_reads(&self) -> bool {
        self.inner.has_snapshot_reads()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let read = self.inner.load(keys).await?;
        self.log(|log| {
            for read in read.iter().flatten() {
                if let Some(state) = state(&read.document) {
                    log.states.insert(read.version.0, state);
                }
            }
        });
        Ok(read)
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.inner.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        let of_address = writes.iter().find_map(|write| match &write.change {
            Change::Put(document) => Some((write.rests_on, state(document)?)),
            Change::Delete | Change::Check => None,
        });
        self.inner.commit(writes).await?;
        self.log(|log| log.commits.extend(of_address));
        Ok(())
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.inner.admit(admission).await
    }
}

/// An address with a bandwidth of 1 Mbit/s.
fn world() -> Value {
    let mut world = one_address();
    account(&mut world)["Ipv6Addresses"]["ipv6-1"]["Ipv6InternetBandwidth"] = json!({
        "Ipv6InternetBandwidthId": "ipv6bw-00000000000000001",
        "InternetChargeType": "PayByBandwidth", "Bandwidth": 1
    });
    world
}

fn request(action: &str, token: &str, bandwidth: usize) -> Value {
    let mut query = json!({
        "RegionId": SCOPE.region_id, "Ipv6AddressId": "ipv6-1", "ClientToken": token
    });
    if action != DELETE {
        query["Bandwidth"] = bandwidth.to_string().into();
    }
    json!({ "action": action, "query": query })
}

/// Sends all calls at once. Returns their outcomes and the store's log.
async fn race_on<S: Store + 'static>(
    clients: &Clients<S>,
    request: impl Fn(usize) -> Value,
) -> (Vec<Outcome>, Log) {
    fill(&*clients[0], &world()).await;
    let (time, log) = (Time::default(), Arc::<Mutex<Log>>::default());
    let instances = clients.clone().map(|client| {
        let store = Noting { inner: Yielding(client), log: Arc::clone(&log) };
        Arc::new(instance(store, &time))
    });
    let wires = (0..CALLERS).map(|caller| sign(&request(caller), time.now_secs())).collect();
    let outcomes = race(wires, |caller, wire| {
        let instance = Arc::clone(&instances[caller % 2]);
        async move { outcome(&support::send(&instance, &wire).await) }
    })
    .await;
    drop(instances);
    let log = Arc::into_inner(log).unwrap().into_inner().unwrap();
    (outcomes, log)
}

pub async fn of_64_callers_who_buy_change_and_delete_all_fit_one_order<S: Store + 'static>(
    clients: Clients<S>,
) {
    let action = |caller: usize| [ALLOCATE, MODIFY, DELETE][caller % 3];
    // Each successful call leaves a state that no other call leaves.
    let (outcomes, log) = race_on(&clients, |caller| {
        request(action(caller), &format!("token-{caller}"), 100 + caller)
    })
    .await;

    // Every commit rests on another state, so there is one order of the commits: none is lost, and
    // none is made twice.
    let rests_on: BTreeSet<u64> = log.commits.iter().map(|(on, _)| on.unwrap().0).collect();
    assert_eq!(rests_on.len(), log.commits.len(), "two commits rest on one state");
    let mut committed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bought = BTreeSet::new();
    for (on, after) in &log.commits {
        let before = &log.states[&on.unwrap().0];
        let action = match (before, after) {
            (None, Some((id, _))) => {
                bought.insert(id.clone());
                ALLOCATE
            }
            (Some((before, _)), Some((after, _))) => {
                assert_eq!(before, after, "one bandwidth was put in the place of another");
                MODIFY
            }
            (Some(_), None) => DELETE,
            (None, None) => panic!("what is not there was deleted"),
        };
        *committed.entry(action).or_default() += 1;
    }
    let mut got: BTreeMap<&str, usize> = BTreeMap::new();
    for (caller, outcome) in outcomes.into_iter().enumerate() {
        let action = action(caller);
        match outcome {
            Outcome::Bought(id) => assert!(bought.contains(&id) && action == ALLOCATE, "{id}"),
            Outcome::Done => assert_ne!(action, ALLOCATE),
            Outcome::Refused(code) => {
                let reason = if action == ALLOCATE { ALREADY_EXISTED } else { NON_EXIST };
                assert!(code == reason || code == BUSY, "{action}: {code}");
                continue;
            }
        }
        *got.entry(action).or_default() += 1;
    }
    assert_eq!(got, committed, "a success was answered that was not committed, or not answered");
    // A bandwidth has an owner and an address, or neither exists.
    let end = held_by(&*clients[1], "ipv6-1").await;
    assert!(log.commits.iter().any(|(_, after)| *after == end), "nobody left {end:?}");
    let keys: Vec<Key> = bought.iter().map(|id| InternetBandwidthOwner::key(SCOPE, id)).collect();
    let owners = clients[1].load(&keys).await.unwrap().into_iter().flatten();
    let of_end = usize::from(end.is_some_and(|(id, _)| bought.contains(&id)));
    assert_eq!(owners.count(), of_end, "a bandwidth that was deleted has an owner");
}

/// Judges a race of one call under one token, after which the address has `end`.
async fn race_under_one_token<S: Store + 'static>(clients: Clients<S>, action: &str, end: State) {
    let (outcomes, log) = race_on(&clients, |_| request(action, "token", 300)).await;
    let done = outcomes.iter().filter(|outcome| **outcome == Outcome::Done).count();
    let busy = outcomes.iter().filter(|outcome| **outcome == refused(BUSY)).count();
    assert!(done > 0 && done + busy == CALLERS, "{outcomes:?}");
    assert_eq!(log.commits.len(), 1, "it was done more than once");
    assert_eq!(held_by(&*clients[1], "ipv6-1").await, end);
}

pub async fn of_64_callers_with_one_token_one_changes_and_all_get_its_answer<S: Store + 'static>(
    clients: Clients<S>,
) {
    let end = Some(("ipv6bw-00000000000000001".to_owned(), 300));
    race_under_one_token(clients, MODIFY, end).await;
}

pub async fn of_64_callers_with_one_token_one_deletes_and_all_get_its_answer<S: Store + 'static>(
    clients: Clients<S>,
) {
    race_under_one_token(clients, DELETE, None).await;
}
