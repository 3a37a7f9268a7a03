//! The function in a simulated world: many callers and instances, one virtual clock, and stores
//! that conflict, fail and lose answers, all driven by one seed.
//!
//! A schedule that breaks a promise is printed with its seed and its trace. The seed plays it
//! again: `SEEDS=7..8 cargo test --test simulation schedule`.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]

mod address;
mod conformance;
mod engine;
mod executor;
mod expression;
mod history;
mod judge;
mod places;
mod plants;
mod scene;
mod table;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use executor::Sim;
use places::{InDirectory, InMemory, InTable};
use scene::{Place, Plan, Scene};

/// The variable with the seeds to play, as `0..1000000`.
const SEEDS: &str = "SEEDS";

/// The seeds by default.
const SEEDS_USUAL: Range<u64> = 0..10_000;

/// Events that must happen in these schedules.
const EVENTS: [&str; 36] = [
    "DryRunOperation",
    "IdempotentParameterMismatch",
    "InvalidAccessKeyId.Inactive",
    "InvalidAccessKeyId.NotFound",
    "InvalidTimeStamp.Expired",
    "SignatureDoesNotMatch",
    "SignatureNonceUsed",
    "SystemBusy",
    "Throttling.User",
    "address released or given back",
    "answer lost after the effect",
    "answer lost before the effect",
    "answer",
    "call given up",
    "call played back",
    "call repeated with its token",
    "clock set",
    "conflict",
    "crash",
    "expired items removed",
    "instance ended",
    "items left unread",
    "key deleted",
    "key disabled",
    "key made good again",
    "key rotated",
    "page of a list read",
    "quota",
    "read torn by a write",
    "request late",
    "silence",
    "success",
    "table troubled or healed",
    "throttled",
    "transaction repeated",
    "unsynced writes lost",
];

/// A few callers of every operation in a world with faults.
const TROUBLED: Plan = Plan { clients: 4, calls_max: 4, is_troubled: true };

/// A quota sent as one burst in a world without faults.
const BURST: Plan = Plan { clients: 60, calls_max: 1, is_troubled: false };

/// A schedule that was played.
struct Played {
    faults: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
    trace: Vec<String>,
}

/// Plays the schedule of a seed.
fn play(seed: u64, is_traced: bool) -> Played {
    let sim = Sim::new(seed, is_traced);
    match seed % 16 {
        0 => play_in(&sim, InTable::new(&sim), BURST),
        1..4 => play_in(&sim, InMemory::new(&sim), TROUBLED),
        4..7 => play_in(&sim, InDirectory::new(&sim), TROUBLED),
        _ => play_in(&sim, InTable::new(&sim), TROUBLED),
    }
}

fn play_in<P: Place>(sim: &Sim, place: P, plan: Plan) -> Played {
    let scene = Scene::new(sim.clone(), place, plan);
    scene.play();
    Played { faults: judge::judge(&scene), counts: sim.counts(), trace: sim.trace() }
}

#[test]
fn no_schedule_breaks_a_promise() {
    let seeds = seeds();
    let (next, total) = (AtomicU64::new(seeds.start), Mutex::<BTreeMap<&str, u64>>::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !seeds.contains(&seed) {
                        break;
                    }
                    let counts = hold(seed);
                    if seed > seeds.start && seed % 1_000_000 == 0 {
                        tell(&format!("{} schedules held so far", seed - seeds.start));
                    }
                    let mut total = total.lock().unwrap();
                    for (event, count) in counts {
                        *total.entry(event).or_default() += count;
                    }
                }
            });
        }
    });
    let total = total.into_inner().unwrap();
    tell(&format!("{} schedules: {total:#?}", seeds.end - seeds.start));
    if seeds == SEEDS_USUAL {
        let missing: Vec<&str> =
            EVENTS.into_iter().filter(|event| !total.contains_key(event)).collect();
        assert!(missing.is_empty(), "never happened: {missing:?}");
    }
}

/// Plays the schedule of a seed, which must break no promise.
fn hold(seed: u64) -> BTreeMap<&'static str, u64> {
    let played = catch_unwind(AssertUnwindSafe(|| play(seed, false)))
        .unwrap_or_else(|_| panic!("seed {seed}: the simulation panicked"));
    if !played.faults.is_empty() {
        let trace = play(seed, true).trace;
        panic!("seed {seed}: {}\n{}", played.faults.join("\n"), trace.join("\n"));
    }
    played.counts
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture, and if the test fails")]
fn tell(text: &str) {
    println!("{text}");
}

#[expect(clippy::disallowed_methods, reason = "the test binary has no `main` of its own")]
fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var(SEEDS) else { return SEEDS_USUAL };
    let range =
        text.split_once("..").and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
    range.unwrap_or_else(|| panic!("{SEEDS}={text}: not two numbers, as 0..1000000"))
}

#[test]
fn a_seed_plays_the_same_schedule_again() {
    for seed in 0..100 {
        let (first, second) = (play(seed, true), play(seed, true));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert!(first.trace.len() > 10, "seed {seed}: {:?}", first.trace);
    }
}
