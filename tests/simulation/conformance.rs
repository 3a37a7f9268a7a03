//! The models keep the promises of every store: each passes the suite of stores, under real threads
//! and real time.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use store::DynamoDbStore;
use suites::support::Clients;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::executor::Surroundings;
use crate::places::over_table;
use crate::scene::BEGAN_AT_SECS;
use crate::table::{Flaw, Table};

/// Shorter pauses only yield to others.
const PAUSE_MICROS_MIN: u64 = 20_000;

/// The time limit of a store call: many run at once.
const CALL_TIME_MAX: Duration = Duration::from_mins(1);

/// The time and the threads of the test.
#[derive(Clone)]
pub(crate) struct Real {
    start: Instant,
    random: Arc<Mutex<StdRng>>,
}

impl Real {
    fn new() -> Self {
        Self { start: Instant::now(), random: Arc::new(Mutex::new(StdRng::seed_from_u64(1))) }
    }
}

impl Surroundings for Real {
    fn now_micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap()
    }

    fn sleep(&self, micros: u64) -> impl Future<Output = ()> + Send + 'static {
        pause(micros)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }

    fn draw(&self, end: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..end)
    }

    fn note(&self, _: &'static str, _: impl FnOnce() -> String) {}
}

async fn pause(micros: u64) {
    if micros < PAUSE_MICROS_MIN {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

mod table {
    use super::*;

    fn clients() -> Ready<Clients<DynamoDbStore<Table<Real>>>> {
        let table = Table::new(Real::new(), BEGAN_AT_SECS);
        ready([(); 2].map(|()| Arc::new(over_table(&table, CALL_TIME_MAX))))
    }

    suites::checks! { (suites::tests_of) [conformance, clients()] }
}

mod directory {
    use super::*;

    fn clients() -> Ready<Clients<Engine<Real>>> {
        let engine = Arc::new(Engine::new(Real::new()));
        ready([Arc::clone(&engine), engine])
    }

    suites::checks! { (suites::tests_of) [conformance, clients()] }
}

/// Whether a check fails. `$clients` makes the clients of a store.
macro_rules! is_caught {
    ($clients:expr; $($check:ident)*) => {
        $(tokio::spawn(suites::conformance::$check($clients)).await.is_err())||*
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flaw_of_the_table_is_caught() {
    for flaw in [
        Flaw::IgnoresConditions,
        Flaw::TearsTransactions,
        Flaw::ReadsLate,
        Flaw::KeepsDeleted,
        Flaw::CutsQueries,
    ] {
        let clients = || {
            let table = Table::new(Real::new(), BEGAN_AT_SECS).with(flaw);
            [(); 2].map(|()| Arc::new(over_table(&table, CALL_TIME_MAX)))
        };
        let is_caught = suites::checks! { (is_caught) clients(); };
        assert!(is_caught, "{flaw:?}");
    }
}
