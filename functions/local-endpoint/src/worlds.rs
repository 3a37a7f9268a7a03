//! The main world and the named worlds, each with its own endpoint, behind one address. Named worlds
//! isolate test suites that run in parallel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use ipv6_gateway::Ids;
use store::{Document, NonceBudget};
use tokio::time::Instant;

use crate::backend::Backend;
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::error::Error;

/// The header with the name of a call's world. No signature covers it, and the function does not get it.
pub(crate) const HEADER: &str = "x-local-world";

/// The most named worlds; each takes some memory until it is dropped.
const WORLDS_MAX: usize = 10_000;

/// The longest name of a world, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A named world.
struct Named {
    endpoint: Arc<Endpoint>,
    /// The time of the last call, by the monotonic clock: setting the system's clock drops no world.
    called: Mutex<Instant>,
}

impl Named {
    fn lasts(&self, lease: Option<Duration>) -> bool {
        let called = *self.called.lock().unwrap_or_else(PoisonError::into_inner);
        lease.is_none_or(|lease| called.elapsed() < lease)
    }
}

/// The worlds behind one address.
pub(crate) struct Worlds {
    /// The world of calls without the header. It is never dropped.
    main: Arc<Endpoint>,
    named: RwLock<HashMap<String, Named>>,
    /// How long a named world lasts without a call; `None`: until it is dropped.
    lease: Option<Duration>,
    /// The seed of the ids of each named world; `None`: random ids.
    seed: Option<u64>,
    now: fn() -> SystemTime,
    /// The budget of nonces of all worlds.
    nonces: NonceBudget,
}

impl Worlds {
    /// Only `main`. Named worlds will have ids from `seed`, the clock `now` and a share of the budget
    /// `nonces`, and will be dropped after `lease` without a call.
    pub(crate) fn new(
        main: Endpoint,
        lease: Option<Duration>,
        seed: Option<u64>,
        now: fn() -> SystemTime,
        nonces: NonceBudget,
    ) -> Self {
        Self { main: Arc::new(main), named: RwLock::default(), lease, seed, now, nonces }
    }

    /// The world of calls without the header.
    pub(crate) fn main(&self) -> &Arc<Endpoint> {
        &self.main
    }

    /// How long a named world lasts without a call; `None`: until it is dropped.
    pub(crate) fn lease(&self) -> Option<Duration> {
        self.lease
    }

    /// The world of this name. Its lease starts again.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Endpoint>, Error> {
        let worlds = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let Some(world) = worlds.get(name).filter(|world| world.lasts(self.lease)) else {
            let lease = self.lease.map_or(String::new(), |lease| {
                format!("; it is dropped after {} s without a call", lease.as_secs())
            });
            return Err(Error::NoWorld(format!(
                "there is no world {name}: create it with PUT /_control/worlds/{name}{lease}"
            )));
        };
        *world.called.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(Arc::clone(&world.endpoint))
    }

    /// The world of a call with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Result<Arc<Endpoint>, Error> {
        match headers.get(HEADER).map(http::HeaderValue::to_str) {
            None => Ok(Arc::clone(&self.main)),
            Some(Ok(name)) => self.get(name),
            Some(Err(_)) => Err(Error::NoWorld(format!("{HEADER}: invalid name"))),
        }
    }

    /// Creates or replaces a named world with `documents`, in memory.
    pub(crate) async fn put(&self, name: &str, documents: Vec<Document>) -> Result<(), Error> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_valid) {
            return Err(Error::Invalid(format!(
                "a world's name has 1 to {NAME_BYTES_MAX} of A-Z, a-z, 0-9, '.', '_' and '-'"
            )));
        }
        let ids = match self.seed {
            Some(seed) => Ids::from_seed(seed),
            None => Ids::from_system().map_err(Error::failed)?,
        };
        let backend = Backend::Memory(Box::default()).sharing(&self.nonces);
        let endpoint =
            Endpoint::start(backend, Some(documents), Clock::new(self.now), ids, None).await?;
        self.drop_unused();
        let mut worlds = self.named.write().unwrap_or_else(PoisonError::into_inner);
        if worlds.len() >= WORLDS_MAX && !worlds.contains_key(name) {
            return Err(Error::Invalid(format!(
                "there are {WORLDS_MAX} worlds already: drop one with DELETE /_control/worlds/NAME"
            )));
        }
        let called = Mutex::new(Instant::now());
        worlds.insert(name.to_owned(), Named { endpoint: Arc::new(endpoint), called });
        Ok(())
    }

    /// Drops the named worlds whose lease has ended.
    pub(crate) fn drop_unused(&self) {
        let mut worlds = self.named.write().unwrap_or_else(PoisonError::into_inner);
        worlds.retain(|name, world| {
            let lasts = world.lasts(self.lease);
            if !lasts {
                tracing::info!("dropped the world {name}: its lease has ended");
            }
            lasts
        });
    }

    /// Drops a named world.
    pub(crate) fn drop_world(&self, name: &str) -> Result<(), Error> {
        self.drop_unused();
        let dropped = self.named.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        dropped.map(drop).ok_or_else(|| Error::NoWorld(format!("there is no world {name}")))
    }

    /// All worlds.
    pub(crate) fn all(&self) -> Vec<Arc<Endpoint>> {
        let worlds = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let named = worlds.values().map(|world| &world.endpoint);
        named.chain([&self.main]).cloned().collect()
    }

    /// The names of all named worlds, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.drop_unused();
        let worlds = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = worlds.keys().cloned().collect();
        names.sort();
        names
    }
}
