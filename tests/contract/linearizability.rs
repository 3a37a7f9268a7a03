//! What concurrent clients see of one address is what one client after the other could have seen.
//!
//! Histories are recorded and checked with stateright's tester. A call whose answer is lost may have
//! happened at any time after it began, or never.

mod address;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, Write};
use ipv6_gateway::Function;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use tokio::select;
use tokio::sync::Barrier;

use crate::broken::{Broken, Defect};
use crate::support::{
    self, ALREADY_EXISTED, BUSY, Clients, Outcome, Time, Yielding, addresses, allocate_under,
    bandwidth_of, event, fill, instance, outcome, sign,
};
use address::{Address, MISMATCH, Op, Ret};

/// How many addresses are tried, each with a history of its own.
const ADDRESSES: usize = 32;

/// How many clients there are for each address. The checker tries their calls in all orders, and many
/// more calls would take it for ever to find that none will do.
const CLIENTS: usize = 3;

/// How many calls each makes.
const CALLS: usize = 3;

/// Tests on a store. `$clients` is a future that yields the clients.
macro_rules! linearizability {
    ($clients:expr) => {
        crate::support::tests_of! { [linearizability, $clients]
            what_concurrent_clients_see_of_an_address_is_linearizable
        }
    };
}
pub(crate) use linearizability;

/// The history of one address. Who loses an answer goes on under another number, for nobody may
/// begin a call before the one before has ended.
struct History(Mutex<(LinearizabilityTester<usize, Address>, usize)>);

impl History {
    fn new() -> Self {
        Self(Mutex::new((LinearizabilityTester::new(Address::default()), 0)))
    }

    fn newcomer(&self) -> usize {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1 += 1;
        guard.1
    }

    fn invoked(&self, client: usize, op: Op) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.on_invoke(client, op).unwrap();
    }

    fn returned(&self, client: usize, ret: Ret) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.on_return(client, ret).unwrap();
    }

    fn is_linearizable(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.is_consistent()
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// The answer is thrown away.
    AnswerLost,
    /// The call is dropped when the others have had so many turns.
    Dropped {
        turns: u64,
    },
}

/// The call that a client makes next: different for every address, and the same in every run.
fn plan(address: usize, client: usize, call: usize) -> (Op, Fate) {
    // A linear congruential generator, the upper bits of which are mixed well.
    let seed = (address * CLIENTS + client) * CALLS + call;
    let mixed = (0..3).fold(seed as u64, |state, _| {
        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
    });
    let bits = mixed >> 40;
    let draw = |at: u32, of: u64| (bits >> at) % of;
    let token = if draw(0, 2) == 0 { "a" } else { "b" };
    let bandwidth = if draw(1, 4) == 0 { 300 } else { 200 };
    let op = if draw(3, 4) == 0 { Op::Read } else { Op::Allocate { token, bandwidth } };
    let fate = match draw(5, 8) {
        0 => Fate::AnswerLost,
        1 => Fate::Dropped { turns: draw(8, 8) },
        _ => Fate::Answered,
    };
    (op, fate)
}

/// Plays one client's part for an address.
async fn play<S: Store>(
    history: &History,
    function: &Function<S>,
    time: &Time,
    address: usize,
    client: usize,
) {
    let id = format!("ipv6-{address}");
    let mut me = history.newcomer();
    for call in 0..CALLS {
        let (op, fate) = plan(address, client, call);
        history.invoked(me, op);
        let ret = match op {
            Op::Read => Some(Ret::Holds(bandwidth_of(function.store(), &id).await)),
            Op::Allocate { token, bandwidth } => {
                // Tokens are an account's, so each address has its own.
                let mut request = allocate_under(&format!("{token}-{address}"), &id);
                request["query"]["Bandwidth"] = bandwidth.to_string().into();
                let wire = sign(&request, time.now_secs());
                match fate {
                    Fate::Dropped { turns } => {
                        let elapsed = async {
                            for _ in 0..turns {
                                tokio::task::yield_now().await;
                            }
                        };
                        select! {
                            biased;
                            _ = function.handle(event(&wire)) => {}
                            () = elapsed => {}
                        }
                        None
                    }
                    Fate::AnswerLost | Fate::Answered => {
                        let told = outcome(&support::send(function, &wire).await);
                        let is_told = fate == Fate::Answered && told != support::refused(BUSY);
                        is_told.then_some(Ret::Told(told))
                    }
                }
            }
        };
        match ret {
            Some(ret) => history.returned(me, ret),
            None => me = history.newcomer(),
        }
    }
}

pub(crate) async fn what_concurrent_clients_see_of_an_address_is_linearizable<
    S: Store + 'static,
>(
    clients: Clients<S>,
) {
    fill(&*clients[0], &addresses(ADDRESSES)).await;
    let time = Time::default();
    let instances = clients.map(|client| Arc::new(instance(Yielding(client), &time)));
    let mut taken = 0;
    for address in 1..=ADDRESSES {
        let history = Arc::new(History::new());
        let start = Arc::new(Barrier::new(CLIENTS));
        let plays = (0..CLIENTS).map(|client| {
            let (history, start) = (Arc::clone(&history), Arc::clone(&start));
            let (instance, time) = (Arc::clone(&instances[client % 2]), time.clone());
            tokio::spawn(async move {
                start.wait().await;
                play(&history, &instance, &time, address, client).await;
            })
        });
        for play in plays.collect::<Vec<_>>() {
            play.await.unwrap();
        }
        // What is there in the end belongs to the history.
        let reader = history.newcomer();
        history.invoked(reader, Op::Read);
        let held = bandwidth_of(instances[0].store(), &format!("ipv6-{address}")).await;
        taken += usize::from(held.is_some());
        history.returned(reader, Ret::Holds(held));
        assert!(history.is_linearizable(), "ipv6-{address}: {:#?}", history.0);
    }
    assert!(taken > ADDRESSES / 2, "hardly anything was bought: {taken}");
}

/// Lets the first two commits go on only together, so that both have read the same.
struct Together<S>(S, Barrier, AtomicUsize);

impl<S: Store> Store for Together<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.0.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.0.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if self.2.fetch_add(1, Ordering::SeqCst) < 2 {
            self.1.wait().await;
        }
        self.0.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.0.admit(admission).await
    }
}

/// Whether the history of two buyers who have read the same is linearizable.
async fn two_buyers_are_told_apart(defect: Defect) -> bool {
    let [client, _] = Broken::clients(defect);
    fill(&*client, &addresses(1)).await;
    let (history, time) = (History::new(), Time::default());
    let function = instance(Together(client, Barrier::new(2), AtomicUsize::new(0)), &time);
    let buy = async |token| {
        let me = history.newcomer();
        history.invoked(me, Op::Allocate { token, bandwidth: 200 });
        let wire = sign(&allocate_under(token, "ipv6-1"), time.now_secs());
        let told = outcome(&support::send(&function, &wire).await);
        history.returned(me, Ret::Told(told));
    };
    tokio::join!(buy("a"), buy("b"));
    history.is_linearizable()
}

#[tokio::test]
async fn a_store_that_ignores_versions_is_not_linearizable() {
    assert!(two_buyers_are_told_apart(Defect::None).await);
    assert!(!two_buyers_are_told_apart(Defect::CommitIgnoresVersions).await);
}

/// Calls one after the other, and what they returned; nothing if the answer was lost.
type Calls<'a> = &'a [(Op, Option<Ret>)];

#[test]
fn the_checker_takes_what_can_be_and_nothing_else() {
    let allocate = |token, bandwidth| Op::Allocate { token, bandwidth };
    let bought = |id: &str| Some(Ret::Told(Outcome::Bought(id.to_owned())));
    let refused = |code: &str| Some(Ret::Told(support::refused(code)));
    let holds = |id: Option<&str>| Some(Ret::Holds(id.map(str::to_owned)));
    let lost = None;
    let (a, b) = (allocate("a", 200), allocate("b", 200));
    let one = [(a, bought("1")), (b, refused(ALREADY_EXISTED)), (a, bought("1"))];
    let wrong: &[(&str, Calls<'_>)] = &[
        ("bought twice", &[(a, bought("1")), (b, bought("2"))]),
        ("repeated with another id", &[(a, bought("1")), (a, bought("2"))]),
        ("refused for nothing", &[(a, refused(ALREADY_EXISTED))]),
        ("refused to its buyer", &[(a, bought("1")), (a, refused(ALREADY_EXISTED))]),
        ("repeated for another call", &[(a, bought("1")), (allocate("a", 300), bought("1"))]),
        ("mismatched for nothing", &[(a, refused(MISMATCH))]),
        ("mismatched with itself", &[(a, bought("1")), (a, refused(MISMATCH))]),
        ("read too late", &[(a, bought("1")), (Op::Read, holds(None))]),
        ("read before it was bought", &[(Op::Read, holds(Some("1"))), (a, bought("1"))]),
        (
            "come and gone",
            &[(a, lost.clone()), (Op::Read, holds(Some("1"))), (Op::Read, holds(None))],
        ),
        (
            "lost and bought again",
            &[(a, lost.clone()), (Op::Read, holds(Some("1"))), (b, bought("2"))],
        ),
    ];
    let right: &[(&str, Calls<'_>)] = &[
        ("one after the other", &one),
        ("lost and done", &[(a, lost.clone()), (b, refused(ALREADY_EXISTED)), (a, bought("1"))]),
        ("lost and not done", &[(a, lost.clone()), (b, bought("2")), (Op::Read, holds(Some("2")))]),
        ("lost and done late", &[(a, lost), (Op::Read, holds(None)), (Op::Read, holds(Some("1")))]),
        ("another call", &[(a, bought("1")), (allocate("a", 300), refused(MISMATCH))]),
    ];
    for (calls, expected) in
        wrong.iter().map(|calls| (calls, false)).chain(right.iter().map(|calls| (calls, true)))
    {
        let history = History::new();
        let mut me = history.newcomer();
        for (op, ret) in calls.1 {
            history.invoked(me, *op);
            match ret {
                Some(ret) => history.returned(me, ret.clone()),
                None => me = history.newcomer(),
            }
        }
        assert_eq!(history.is_linearizable(), expected, "{}", calls.0);
    }
}
