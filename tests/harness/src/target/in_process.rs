//! The function in this process.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ipv6_gateway::{Event, Function, Ids, Operations, RateLimit};
use serde_json::Value;
use store::{Admission, Admitted, Key, MemoryStore, Partition, Store, Versioned, World, Write};

use super::{PLANNED_PANIC, http_api_payload, read_event_response};
use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::Wire;
use crate::error::{Error, Result};

/// The function over a store in memory.
pub struct InProcess {
    function: Function<FailingStore>,
    fault: Arc<Mutex<Option<Fault>>>,
    /// The seed of the ids that the function draws.
    seed: u64,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new(0)
    }
}

impl InProcess {
    /// The function for the worker of this number. No two workers and no two cases get the same ids.
    #[must_use]
    pub fn new(worker: usize) -> Self {
        Self::seeded((worker as u64) << 32)
    }

    fn seeded(seed: u64) -> Self {
        let fault = Arc::default();
        let store = FailingStore { memory: MemoryStore::default(), fault: Arc::clone(&fault) };
        let ids = Ids::from_seed(seed);
        let function = Function::new(store, Operations::all(), Box::new(now), ids);
        Self { function, fault, seed }
    }
}

#[expect(clippy::disallowed_methods, reason = "the harness signs by the same clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl InProcess {
    /// Starts a new function that holds `world`.
    pub fn begin(&mut self, world: &Value, throttling: Option<Throttling>) -> Result<()> {
        // Parsed from text, so that an error names the line.
        let text = format!("{world:#}");
        let world = World::parse(&text).map_err(|error| format!("the case's world, {error}"))?;
        // A new function remembers nothing of an earlier case.
        *self = Self::seeded(self.seed + 1);
        self.function.store().memory.replace(world.into_documents());
        self.function.limit_rate(throttling.map(|Throttling { calls, seconds }| RateLimit {
            calls_max: calls,
            window_secs: seconds,
        }));
        Ok(())
    }

    pub(super) async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer> {
        let set = |fault| *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        set(fault);
        let response = self.invoke(&http_api_payload(wire)).await;
        set(None);
        read_event_response(&response?)
    }

    /// Invokes the function with a payload.
    pub async fn invoke(&self, payload: &Value) -> Result<Value> {
        let payload = payload.to_string();
        let event = Event::parse(payload.as_bytes()).map_err(Error::other)?;
        let response = self.function.handle(event).await;
        Ok(serde_json::to_value(response)?)
    }

    pub(super) fn world(&self) -> Result<Value> {
        let world = World::from_documents(self.function.store().memory.documents());
        Ok(serde_json::to_value(world)?)
    }
}

/// A fake: a store in memory that fails on demand.
#[derive(Debug)]
struct FailingStore {
    memory: MemoryStore,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl FailingStore {
    fn check(&self) -> Result<(), store::Error> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => Ok(()),
            Some(Fault::StoreUnavailable) => {
                Err(store::Error::Unavailable { source: "the case demands it".into() })
            }
            Some(Fault::StorePanics) => panic!("{PLANNED_PANIC}"),
        }
    }
}

impl Store for FailingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, store::Error> {
        self.check()?;
        self.memory.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), store::Error> {
        self.check()?;
        self.memory.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), store::Error> {
        self.check()?;
        self.memory.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, store::Error> {
        self.check()?;
        self.memory.admit(admission).await
    }
}
