//! The function, in this process.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ipv6_gateway::{Event, Function, Ids, Operations, RateLimit};
use serde_json::Value;
use store::{
    Admission, Admitted, Error, Key, MemoryStore, Partition, Store, Versioned, World, Write,
};

use super::{PLANNED_PANIC, http_api_payload, read_event_response};
use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::Wire;

/// The function over a store in memory.
pub struct InProcess {
    function: Function<FailingStore>,
    fault: Arc<Mutex<Option<Fault>>>,
    /// What its ids are drawn from.
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
    /// The function that a worker of this number tries its cases on. No two workers and no two cases are
    /// answered with the same ids.
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
    /// Begins anew, holding `world`.
    ///
    /// # Errors
    ///
    /// What is wrong with the world.
    pub fn begin(&mut self, world: &Value, throttling: Option<Throttling>) -> Result<(), String> {
        // As text, so that an error names the line.
        let text = format!("{world:#}");
        let world = World::parse(&text).map_err(|error| format!("the case's world, {error}"))?;
        // A new function, so that nothing is remembered from an earlier case.
        *self = Self::seeded(self.seed + 1);
        self.function.store().memory.replace(world.into_documents());
        self.function.limit_rate(throttling.map(|Throttling { calls, seconds }| RateLimit {
            calls_max: calls,
            window_secs: seconds,
        }));
        Ok(())
    }

    pub(super) async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        let set = |fault| *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        set(fault);
        let response = self.invoke(&http_api_payload(wire)).await;
        set(None);
        read_event_response(&response?)
    }

    /// Has the function answer a payload.
    ///
    /// # Errors
    ///
    /// The payload is no event.
    pub async fn invoke(&self, payload: &Value) -> Result<Value, String> {
        let payload = payload.to_string();
        let event = Event::parse(payload.as_bytes()).map_err(|error| error.to_string())?;
        let response = self.function.handle(event).await;
        serde_json::to_value(response).map_err(|error| error.to_string())
    }

    pub(super) fn world(&self) -> Result<Value, String> {
        let world = World::from_documents(self.function.store().memory.documents());
        serde_json::to_value(world).map_err(|error| error.to_string())
    }
}

/// A fake: a store in memory that fails on demand.
#[derive(Debug)]
struct FailingStore {
    memory: MemoryStore,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl FailingStore {
    fn check(&self) -> Result<(), Error> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            None => Ok(()),
            Some(Fault::StoreUnavailable) => {
                Err(Error::Unavailable { source: "the case demands it".into() })
            }
            Some(Fault::StorePanics) => panic!("{PLANNED_PANIC}"),
        }
    }
}

impl Store for FailingStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.check()?;
        self.memory.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.check()?;
        self.memory.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.check()?;
        self.memory.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.check()?;
        self.memory.admit(admission).await
    }
}
