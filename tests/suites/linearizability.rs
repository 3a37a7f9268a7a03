//! The answers about one address to concurrent clients are those of some sequence of their calls.
//!
//! Histories are recorded and checked with stateright's tester. A call whose answer is lost may have
//! happened at any time after it began, or never.

pub mod address;

use std::sync::{Arc, Mutex, PoisonError};

use ::store::Store;
use ipv6_gateway::Function;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use tokio::select;
use tokio::sync::Barrier;

use crate::support::{
    self, BUSY, Clients, Time, Yielding, allocate_under, bandwidth_of, event, fill, instance,
    outcome, sign,
};
use crate::worlds::addresses;
use address::{Address, Op, Ret};

/// How many addresses are tried, each with its own history.
const ADDRESSES: usize = 32;

/// How many clients each address has. The checker tries all orders of their calls, and many more
/// calls would take far too long.
const CLIENTS: usize = 3;

/// How many calls each client makes.
const CALLS: usize = 3;

/// The history of one address. A client that loses an answer continues under another number,
/// because a client may not begin a call before its last one has ended.
pub struct History(Mutex<(LinearizabilityTester<usize, Address>, usize)>);

impl Default for History {
    fn default() -> Self {
        Self(Mutex::new((LinearizabilityTester::new(Address::default()), 0)))
    }
}

impl History {
    pub fn newcomer(&self) -> usize {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1 += 1;
        guard.1
    }

    pub fn invoked(&self, client: usize, op: Op) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.on_invoke(client, op).unwrap();
    }

    pub fn returned(&self, client: usize, ret: Ret) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.on_return(client, ret).unwrap();
    }

    pub fn is_linearizable(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.is_consistent()
    }
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// The answer is discarded.
    AnswerLost,
    /// The call is dropped after so many turns of the others.
    Dropped {
        turns: u64,
    },
}

/// The next call of a client: different for every address, and the same in every run.
fn plan(address: usize, client: usize, call: usize) -> (Op, Fate) {
    // A linear congruential generator, whose upper bits are well mixed.
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

/// Plays one client of an address.
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
                // Tokens belong to an account, so each address has tokens of its own.
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
                        let got = outcome(&support::send(function, &wire).await);
                        let is_told = fate == Fate::Answered && got != support::refused(BUSY);
                        is_told.then_some(Ret::Answered(got))
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

pub async fn what_concurrent_clients_see_of_an_address_is_linearizable<S: Store + 'static>(
    clients: Clients<S>,
) {
    fill(&*clients[0], &addresses(1..=ADDRESSES)).await;
    let time = Time::default();
    let instances = clients.map(|client| Arc::new(instance(Yielding(client), &time)));
    let mut taken = 0;
    for address in 1..=ADDRESSES {
        let history = Arc::new(History::default());
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
        // The final state belongs to the history.
        let reader = history.newcomer();
        history.invoked(reader, Op::Read);
        let held = bandwidth_of(instances[0].store(), &format!("ipv6-{address}")).await;
        taken += usize::from(held.is_some());
        history.returned(reader, Ret::Holds(held));
        assert!(history.is_linearizable(), "ipv6-{address}: {:#?}", history.0);
    }
    assert!(taken > ADDRESSES / 2, "hardly anything was bought: {taken}");
}
