//! Earlier mistakes, planted again: the simulation finds each.

mod stores;

use crate::executor::Sim;
use crate::places::{InDirectory, InMemory, InTable};
use crate::{BURST, Played, TROUBLED, play_in};
use stores::{Careless, LatestClock, Mistake, Planted, RememberedKeys, Together, Unsettled};

/// The most schedules until a mistake is found.
const SCHEDULES_MAX: u64 = 3000;

/// Plays schedules until one breaks a promise in these words.
fn found(words: &str, plays: impl Fn(&Sim) -> Played) {
    let mut others = Vec::new();
    for seed in 0..SCHEDULES_MAX {
        let faults = plays(&Sim::new(seed, false)).faults;
        if faults.iter().any(|fault| fault.contains(words)) {
            return;
        }
        others.extend(faults);
    }
    panic!("nothing was found in {SCHEDULES_MAX} schedules, but {others:#?}");
}

#[test]
fn a_key_that_is_remembered_is_found() {
    let play = |sim: &Sim| {
        let place = Planted { place: InTable::new(sim), plant: RememberedKeys::new };
        play_in(sim, place, TROUBLED)
    };
    found("the key was not good at any moment", play);
}

#[test]
fn an_answer_that_leaves_before_its_sync_is_found() {
    let play = |sim: &Sim| {
        let place = Planted { place: InDirectory::new(sim), plant: |store| Unsettled { store } };
        play_in(sim, place, TROUBLED)
    };
    found("was admitted twice", play);
}

#[test]
fn a_nonce_judged_by_the_latest_clock_is_found() {
    let play = |sim: &Sim| {
        let nonces = LatestClock::new();
        let plant = move |store| nonces.over(store);
        play_in(sim, Planted { place: InMemory::new(sim), plant }, TROUBLED)
    };
    found("was admitted twice", play);
}

#[test]
fn each_mistake_of_a_careless_store_is_found() {
    for (mistake, words) in [
        (Mistake::LosesCommits, "no order explains"),
        (Mistake::IgnoresQuotas, "calls of"),
        (Mistake::CountsTwice, "calls are counted"),
        (Mistake::SpendsForAllKeys, "is spent, and every call with it was refused"),
    ] {
        let play = |sim: &Sim| {
            let plant = move |store| Careless { store, mistake };
            play_in(sim, Planted { place: InMemory::new(sim), plant }, TROUBLED)
        };
        found(words, play);
    }
}

#[test]
fn a_count_in_the_transaction_of_the_nonce_is_found() {
    let play = |sim: &Sim| {
        let place = InTable::new(sim);
        let table = place.0.clone();
        let plant = move |store| Together { store, table: table.clone() };
        play_in(sim, Planted { place, plant }, BURST)
    };
    found("calls within the quota were refused", play);
}
