//! The endpoint is killed under load again and again, and restarted on the same directory.
//! Acknowledged changes are complete, and unacknowledged ones are complete or absent.
//!
//! `KILLS` sets the number of kills (12 by default). `SEED` repeats the choices of the run that
//! printed it; the interleaving of calls is up to the machine. A long run, with its progress:
//!
//! ```sh
//! KILLS=200 cargo test --release --test contract crashes -- --nocapture
//! ```
//!
//! The operating system keeps the writes of a killed process, so this test does not find a missing
//! sync: `embedded/sync.rs` does.

mod ledger;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::store::{EmbeddedStore, World};
use harness::client::Wire;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use suites::endpoint::{Endpoint, built};
use tempfile::TempDir;

use ledger::{Ledger, address_id};
use suites::now_secs;
use suites::support::{SCOPE, allocate_under, bandwidth_of, code, sign};
use suites::worlds::addresses;

const CLIENTS: usize = 8;
/// How many addresses a world has. Once half of them have been tried, new ones replace them.
const ADDRESSES: usize = 4000;
/// How many calls of earlier rounds are repeated after each kill.
const REPEATED: usize = 32;
/// How many calls are sent again, byte for byte, after each kill.
const REPLAYED: usize = 8;

/// `SplitMix64`: one seed always leads to the same numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn millis(&mut self, range: Range<usize>) -> Duration {
        let millis = range.start + self.below(range.len());
        Duration::from_millis(millis.try_into().unwrap())
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

fn kills() -> u64 {
    setting("KILLS").unwrap_or(12)
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture, and of a test that fails")]
fn tell(progress: &str) {
    println!("{progress}");
}

/// A generator whose seed is printed.
fn seeded() -> Random {
    let seed = setting("SEED").unwrap_or_else(|| ipv6_gateway::random().unwrap()());
    tell(&format!("SEED={seed}"));
    Random(seed)
}

/// A directory for endpoints that are killed.
struct Scene {
    binary: PathBuf,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(folder.path().join("world.json"), addresses(0..ADDRESSES).to_string())
            .unwrap();
        Self { binary: built("local-endpoint").unwrap(), folder }
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    async fn start(&self) -> Endpoint {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (kept, world) = (text(&self.kept()), text(&self.folder.path().join("world.json")));
        let arguments = ["--data", &kept, "--world", &world, "--allow-replace"];
        Endpoint::start_logging(&self.binary, &arguments, "warn").await.unwrap()
    }
}

/// Kills a process that has connections.
fn kill_now(endpoint: &Endpoint) {
    let process = Pid::from_raw(endpoint.id().unwrap().try_into().unwrap());
    kill(process, Signal::SIGKILL).unwrap();
}

/// A ledger that all clients write.
type Shared = Arc<Mutex<Ledger>>;

fn with<T>(ledger: &Shared, work: impl FnOnce(&mut Ledger) -> T) -> T {
    work(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The call of the attempt with this number.
fn wire(ledger: &Shared, number: usize) -> Wire {
    let request = with(ledger, |ledger| {
        let attempt = ledger.attempt(number);
        let mut request = allocate_under(&attempt.token, &attempt.address);
        request["query"]["Bandwidth"] = json!(attempt.bandwidth_mbps.to_string());
        request
    });
    sign(&request, now_secs().try_into().unwrap())
}

/// Sends calls until one gets no answer.
async fn client(endpoint: Arc<Endpoint>, ledger: Shared, mut random: Random) {
    loop {
        let number = with(&ledger, |ledger| ledger.choose(&mut random));
        let wire = wire(&ledger, number);
        with(&ledger, |ledger| ledger.send(number, &wire));
        let Ok(answer) = endpoint.send(&wire, None).await else { return };
        with(&ledger, |ledger| ledger.answered(number, &answer));
    }
}

/// Runs clients and kills the endpoint while they call.
async fn load_and_kill(endpoint: Endpoint, ledger: &Shared, random: &mut Random) {
    let endpoint = Arc::new(endpoint);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let random = Random(random.next());
            tokio::spawn(client(Arc::clone(&endpoint), Arc::clone(ledger), random))
        })
        .collect();
    tokio::time::sleep(random.millis(20..400)).await;
    let is_alone = clients.iter().all(|client| !client.is_finished());
    kill_now(&endpoint);
    for client in clients {
        client.await.unwrap();
    }
    assert!(is_alone, "a client got no answer before the endpoint was killed");
    Arc::into_inner(endpoint).unwrap().kill().await.unwrap();
}

/// Repeats each call that got no answer, and some others. Each gets its earlier answer, or its
/// first.
async fn repeat(endpoint: &Endpoint, ledger: &Shared, random: &mut Random) {
    for number in with(ledger, |ledger| ledger.take_to_repeat(REPEATED, random)) {
        let wire = wire(ledger, number);
        with(ledger, |ledger| ledger.send(number, &wire));
        let answer = endpoint.send(&wire, None).await.unwrap();
        with(ledger, |ledger| {
            ledger.answered(number, &answer);
            assert!(ledger.attempt(number).got.is_some(), "{answer:?}");
        });
    }
    // A call that was admitted once is not admitted again.
    for wire in with(ledger, |ledger| ledger.to_replay(REPLAYED)) {
        let answer = endpoint.send(&wire, None).await.unwrap();
        assert_eq!(code(&answer), "SignatureNonceUsed", "{answer:?}");
    }
}

async fn world_of(endpoint: &Endpoint) -> Value {
    endpoint.control(Method::GET, "world", "").await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_every_kill_and_no_change_is_partial() {
    let (mut random, scene) = (seeded(), Scene::new());
    let ledger = Shared::default();
    let mut endpoint = scene.start().await;
    for kill in 1..=kills() {
        load_and_kill(endpoint, &ledger, &mut random).await;
        endpoint = scene.start().await;
        let found = world_of(&endpoint).await;
        with(&ledger, |ledger| ledger.check(&found));
        repeat(&endpoint, &ledger, &mut random).await;
        tell(&with(&ledger, |ledger| format!("kill {kill}: {}", ledger.summary())));
        if let Some(numbers) = with(&ledger, Ledger::end_round) {
            let world = addresses(numbers).to_string();
            endpoint.control(Method::PUT, "world", &world).await.unwrap();
        }
    }
    load_and_kill(endpoint, &ledger, &mut random).await;
    // The store also shows who owns each bandwidth, which no world shows.
    let store = EmbeddedStore::open(&scene.kept()).unwrap();
    let found = World::from_documents(store.documents().map(Result::unwrap));
    let found = serde_json::to_value(found).unwrap();
    with(&ledger, |ledger| ledger.check(&found));
    for (address, id) in with(&ledger, |ledger| ledger.bought()) {
        assert_eq!(bandwidth_of(&store, &address).await, Some(id), "{address}");
    }
}

fn addresses_of(world: &Value) -> BTreeSet<String> {
    let addresses = &world["Accounts"][SCOPE.account_id]["Ipv6Addresses"];
    addresses.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the moment of a kill is chosen by the clock")]
async fn a_world_put_during_a_kill_is_complete_or_absent() {
    let (mut random, scene) = (seeded(), Scene::new());
    let mut endpoint = scene.start().await;
    let start = Instant::now();
    endpoint.control(Method::PUT, "world", &addresses(0..ADDRESSES).to_string()).await.unwrap();
    let usual_millis = usize::try_from(start.elapsed().as_millis()).unwrap();
    let (mut there, mut new) = (0..ADDRESSES, 0);
    for kill in 1..=kills() {
        let next = there.end..there.end + ADDRESSES;
        let body = addresses(next.clone()).to_string();
        let shared = Arc::new(endpoint);
        let putting = Arc::clone(&shared);
        let put =
            tokio::spawn(async move { putting.control(Method::PUT, "world", &body).await.is_ok() });
        tokio::time::sleep(random.millis(0..2 * usual_millis + 2)).await;
        kill_now(&shared);
        let is_acknowledged = put.await.unwrap();
        Arc::into_inner(shared).unwrap().kill().await.unwrap();
        endpoint = scene.start().await;
        let found = addresses_of(&world_of(&endpoint).await);
        let is_new = found.contains(&address_id(next.start));
        assert!(is_new || !is_acknowledged, "an acknowledged world is not there");
        if is_new {
            there = next;
            new += 1;
        }
        assert!(found == there.clone().map(address_id).collect(), "{there:?}: {}", found.len());
        tell(&format!("kill {kill}: of the worlds {new} are there"));
    }
}
