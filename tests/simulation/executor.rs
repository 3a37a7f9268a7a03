//! One virtual clock and one queue of events, both driven by a seed.
//!
//! Tasks are polled on the caller's thread. Where several are ready, the seed chooses one, so a
//! seed always plays the same schedule.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The clock, the tasks and the randomness of a simulated part.
pub(crate) trait Surroundings: Clone + Send + Sync + 'static {
    /// The microseconds that have passed.
    fn now_micros(&self) -> u64;

    /// Waits.
    fn sleep(&self, micros: u64) -> impl Future<Output = ()> + Send + 'static;

    /// Runs a task in the background.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// A random number below `end`.
    fn draw(&self, end: u64) -> u64;

    /// Counts an event, and writes it into the trace.
    fn note(&self, event: &'static str, about: impl FnOnce() -> String);

    /// True `per_mille` times in a thousand.
    fn chance(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.draw(1000) < per_mille
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A simulated run.
#[derive(Clone)]
pub(crate) struct Sim(Arc<Mutex<State>>);

struct State {
    now_micros: u64,
    /// The sleepers and their wake-up times. The second number separates those that wake at once.
    sleepers: BTreeMap<(u64, u64), Waker>,
    sleeps: u64,
    /// New tasks, not yet polled.
    spawned: Vec<Task>,
    random: StdRng,
    counts: BTreeMap<&'static str, u64>,
    trace: Option<Vec<String>>,
}

impl Sim {
    /// A run of this seed, with a trace if `is_traced`.
    pub(crate) fn new(seed: u64, is_traced: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            now_micros: 0,
            sleepers: BTreeMap::new(),
            sleeps: 0,
            spawned: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            counts: BTreeMap::new(),
            trace: is_traced.then(Vec::new),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until no task is ready. Tasks that still wait then are dropped.
    pub(crate) fn run(&self) {
        let ready = Arc::<Mutex<Vec<usize>>>::default();
        let mut tasks: Vec<Option<Task>> = Vec::new();
        loop {
            for task in std::mem::take(&mut self.state().spawned) {
                Waking { task: tasks.len(), ready: Arc::clone(&ready) }.wake_up();
                tasks.push(Some(task));
            }
            let next = {
                let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
                let count = ready.len();
                (count > 0).then(|| {
                    let position = if count == 1 { 0 } else { self.draw(count as u64) };
                    ready.swap_remove(usize::try_from(position).unwrap_or_default())
                })
            };
            let Some(number) = next else {
                let sleeper = self.state().sleepers.pop_first();
                let Some(((until_micros, _), waker)) = sleeper else { break };
                self.state().now_micros = until_micros;
                waker.wake();
                continue;
            };
            let Some(task) = &mut tasks[number] else { continue };
            let waker = Waker::from(Arc::new(Waking { task: number, ready: Arc::clone(&ready) }));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                tasks[number] = None;
            }
        }
    }

    /// How often each event happened.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state().counts.clone()
    }

    /// The events, line by line.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone().unwrap_or_default()
    }
}

impl Surroundings for Sim {
    fn now_micros(&self) -> u64 {
        self.state().now_micros
    }

    fn sleep(&self, micros: u64) -> impl Future<Output = ()> + Send + 'static {
        let until_micros = self.now_micros().saturating_add(micros);
        Sleep { sim: self.clone(), until_micros, place: None }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.state().spawned.push(Box::pin(task));
    }

    fn draw(&self, end: u64) -> u64 {
        self.state().random.random_range(0..end)
    }

    fn note(&self, event: &'static str, about: impl FnOnce() -> String) {
        let mut state = self.state();
        *state.counts.entry(event).or_default() += 1;
        let now_micros = state.now_micros;
        if let Some(trace) = &mut state.trace {
            trace.push(format!("{now_micros:>12} {event}: {}", about()));
        }
    }
}

/// Marks a task as ready.
struct Waking {
    task: usize,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Waking {
    fn wake_up(&self) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.task) {
            ready.push(self.task);
        }
    }
}

impl Wake for Waking {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }
}

/// A pause. Dropped before its end, it leaves the queue.
struct Sleep {
    sim: Sim,
    until_micros: u64,
    place: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sim = self.sim.clone();
        let mut state = sim.state();
        if state.now_micros >= self.until_micros {
            return Poll::Ready(());
        }
        let place = self.place.unwrap_or_else(|| {
            state.sleeps += 1;
            (self.until_micros, state.sleeps)
        });
        self.place = Some(place);
        state.sleepers.insert(place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.sim.state().sleepers.remove(&place);
        }
    }
}
