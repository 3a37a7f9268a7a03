//! The simulated scene: an account with addresses, instances of the function, clients and an
//! operator.

mod call;
mod client;
mod operator;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use ipv6_gateway::{Function, Ids, Operations, RateLimit};
use store::Store;
use suites::support::fill;
use suites::worlds::addresses;
use tokio::sync::Notify;

use crate::address::Event;
use crate::executor::{Sim, Surroundings as _};
use crate::history::{Call, KeyState, KeyStates};

/// The beginning of a run, in seconds since 1970 UTC: the start of a minute.
pub(crate) const BEGAN_AT_SECS: u64 = 1_767_323_040;

/// The length of the quota's windows.
pub(crate) const WINDOW_SECS: u64 = 60;

/// The largest number of addresses.
pub(crate) const ADDRESSES_MAX: u64 = 3;

/// The access keys of the account.
pub(crate) const KEYS: [&str; 2] = ["testid", "other-key"];

/// A store, as all instances of a function see it.
pub(crate) trait Place: Send + Sync + 'static {
    /// The store of an instance.
    type Store: Store + 'static;

    /// Whether a call over the quota may have used up its nonce.
    const SPENDS_OVER_QUOTA: bool = false;

    /// The store of an instance, or of the operator.
    fn client(&self) -> Self::Store;

    /// Loses unsynced writes, as when the process of all instances ends; `false` if instances end
    /// separately.
    fn crash(&self) -> bool {
        false
    }

    /// Makes requests fail now and then, or stops that.
    fn trouble(&self, _is_troubled: bool) {}
}

/// The parameters of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) clients: u64,
    pub(crate) calls_max: u64,
    /// Whether the operator acts, clocks step, the table fails and instances end.
    pub(crate) is_troubled: bool,
}

/// An instance of the function, and the signal to its calls that it ends.
pub(crate) struct Instance<S> {
    pub(crate) function: Arc<Function<S>>,
    pub(crate) ends: Arc<Notify>,
}

/// A schedule being played.
pub(crate) struct Scene<P: Place> {
    pub(crate) sim: Sim,
    pub(crate) place: P,
    pub(crate) plan: Plan,
    instances: Mutex<Vec<Instance<P::Store>>>,
    /// How far the clock of each instance is ahead, in seconds.
    ahead_secs: Vec<Arc<AtomicI64>>,
    /// Counts the beginnings and ends of calls.
    moments: AtomicU64,
    addresses: u64,
    pub(crate) log: Mutex<Log>,
}

/// The history, for the judge.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) calls: Vec<Call>,
    pub(crate) keys: BTreeMap<&'static str, KeyStates>,
    /// The quotas over time; `None`: no quota.
    pub(crate) limits: Vec<Option<RateLimit>>,
    /// The operator's changes to addresses.
    pub(crate) operations: Vec<(String, Event)>,
}

impl<P: Place> Scene<P> {
    /// A schedule, drawn as it is played.
    pub(crate) fn new(sim: Sim, place: P, plan: Plan) -> Arc<Self> {
        let instances = if plan.is_troubled { 1 + sim.draw(3) } else { 2 };
        let addresses = if plan.is_troubled { 1 + sim.draw(ADDRESSES_MAX) } else { plan.clients };
        let scene = Self {
            place,
            plan,
            instances: Mutex::default(),
            ahead_secs: (0..instances).map(|_| Arc::default()).collect(),
            moments: AtomicU64::new(1),
            addresses,
            log: Mutex::default(),
            sim,
        };
        scene.draw_limit();
        let started = (0..scene.ahead_secs.len()).map(|number| scene.start(number)).collect();
        *scene.instances.lock().unwrap() = started;
        for key in KEYS {
            let state = KeyState::Active("testsecret".to_owned());
            scene.log().keys.insert(key, KeyStates::new(state));
        }
        Arc::new(scene)
    }

    /// Plays the whole schedule.
    pub(crate) fn play(self: &Arc<Self>) {
        let scene = Arc::clone(self);
        self.sim.spawn(async move {
            let mut world = addresses(1..=usize::try_from(scene.addresses).unwrap());
            let keys = &mut world["Accounts"]["1234567890123456"]["AccessKeys"];
            keys[KEYS[1]] = keys[KEYS[0]].clone();
            fill(&scene.place.client(), &world).await;
            if scene.plan.is_troubled {
                scene.place.trouble(scene.sim.chance(300));
                scene.step_clock();
            }
            for number in 0..scene.plan.clients {
                scene.sim.spawn(Arc::clone(&scene).client(number));
            }
            if scene.plan.is_troubled {
                scene.sim.spawn(Arc::clone(&scene).operator());
                scene.sim.spawn(Arc::clone(&scene).replayer());
            }
        });
        self.sim.run();
    }

    /// Starts an instance.
    fn start(&self, number: usize) -> Instance<P::Store> {
        let (sim, ahead_secs) = (self.sim.clone(), Arc::clone(&self.ahead_secs[number]));
        let clock = move || {
            let now_secs = now_secs(&sim).saturating_add_signed(ahead_secs.load(Ordering::Relaxed));
            SystemTime::UNIX_EPOCH + Duration::from_secs(now_secs)
        };
        let ids = Ids::from_seed(self.sim.draw(u64::MAX));
        let function = Function::new(self.place.client(), Operations::all(), Box::new(clock), ids);
        function.limit_rate(self.log().limits.last().copied().flatten());
        Instance { function: Arc::new(function), ends: Arc::default() }
    }

    /// A number that is larger than every earlier one.
    pub(crate) fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Instance<P::Store>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_index(&self, count: usize) -> usize {
        usize::try_from(self.sim.draw(count as u64)).unwrap()
    }

    /// The ids of the addresses.
    pub(crate) fn address_ids(&self) -> impl Iterator<Item = String> + use<P> {
        (1..=self.addresses).map(|number| format!("ipv6-{number}"))
    }
}

/// The true time, in seconds since 1970 UTC.
pub(crate) fn now_secs(sim: &Sim) -> u64 {
    BEGAN_AT_SECS + sim.now_micros() / 1_000_000
}
