//! Worlds apart: each with an endpoint of its own behind the one address, so that test suites which
//! run at once do not disturb one another.

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

/// The header of a call that names the world it is meant for. No signature covers it, and the function
/// never sees it.
pub(crate) const HEADER: &str = "x-local-world";

/// How many worlds there may be: each takes some memory until it is dropped.
const WORLDS_MAX: usize = 10_000;

/// The longest name of a world, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A world that a control path made.
struct Apart {
    endpoint: Arc<Endpoint>,
    /// When the last call began, by the monotonic clock: no setting of the system's clock ends a world.
    called: Mutex<Instant>,
}

impl Apart {
    fn lasts(&self, lease: Option<Duration>) -> bool {
        let called = *self.called.lock().unwrap_or_else(PoisonError::into_inner);
        lease.is_none_or(|lease| called.elapsed() < lease)
    }
}

/// The worlds behind one address.
pub(crate) struct Worlds {
    /// The world of calls that name none. It never ends.
    main: Arc<Endpoint>,
    apart: RwLock<HashMap<String, Apart>>,
    /// How long a world apart lasts after its last call; `None` for ever.
    lease: Option<Duration>,
    /// What the ids of each world begin with; without it they are the system's.
    seed: Option<u64>,
    now: fn() -> SystemTime,
    /// What all worlds remember nonces from.
    nonces: NonceBudget,
}

impl Worlds {
    /// Only `main`. The ids of worlds made later begin with `seed`, their clocks tell what `now` does.
    /// They remember nonces from the main world's budget, and end once nobody has called them for `lease`.
    pub(crate) fn new(
        main: Endpoint,
        lease: Option<Duration>,
        seed: Option<u64>,
        now: fn() -> SystemTime,
        nonces: NonceBudget,
    ) -> Self {
        Self { main: Arc::new(main), apart: RwLock::default(), lease, seed, now, nonces }
    }

    /// The world of calls that name none.
    pub(crate) fn main(&self) -> &Arc<Endpoint> {
        &self.main
    }

    /// How long a world apart lasts after its last call; `None` for ever.
    pub(crate) fn lease(&self) -> Option<Duration> {
        self.lease
    }

    /// The world of this name, whose lease begins anew.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Endpoint>, String> {
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        let Some(world) = worlds.get(name).filter(|world| world.lasts(self.lease)) else {
            let ends = self.lease.map_or(String::new(), |lease| {
                format!("; it ends once nobody has called it for {} s", lease.as_secs())
            });
            return Err(format!(
                "there is no world {name}: make it with PUT /_control/worlds/{name}{ends}"
            ));
        };
        *world.called.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(Arc::clone(&world.endpoint))
    }

    /// The world that a call with these headers is meant for.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Result<Arc<Endpoint>, String> {
        match headers.get(HEADER).map(http::HeaderValue::to_str) {
            None => Ok(Arc::clone(&self.main)),
            Some(Ok(name)) => self.get(name),
            Some(Err(_)) => Err(format!("{HEADER}: not a world's name")),
        }
    }

    /// Makes a world anew that holds `documents`, in memory wherever the main one is kept.
    pub(crate) async fn put(&self, name: &str, documents: Vec<Document>) -> Result<(), String> {
        let is_in_form = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_in_form) {
            return Err(format!(
                "a world's name has 1 to {NAME_BYTES_MAX} of A-Z, a-z, 0-9, '.', '_' and '-'"
            ));
        }
        let ids = match self.seed {
            Some(seed) => Ids::from_seed(seed),
            None => Ids::from_system().map_err(|error| error.to_string())?,
        };
        let backend = Backend::Memory(Box::default()).sharing(&self.nonces);
        let endpoint =
            Endpoint::begin(backend, Some(documents), Clock::new(self.now), ids, None).await;
        let endpoint = endpoint.map_err(|error| error.with_causes())?;
        self.end_unused();
        let mut worlds = self.apart.write().unwrap_or_else(PoisonError::into_inner);
        if worlds.len() >= WORLDS_MAX && !worlds.contains_key(name) {
            return Err(format!(
                "there are {WORLDS_MAX} worlds already: drop one with DELETE /_control/worlds/NAME"
            ));
        }
        let called = Mutex::new(Instant::now());
        worlds.insert(name.to_owned(), Apart { endpoint: Arc::new(endpoint), called });
        Ok(())
    }

    /// Drops the worlds whose lease is over.
    pub(crate) fn end_unused(&self) {
        let mut worlds = self.apart.write().unwrap_or_else(PoisonError::into_inner);
        worlds.retain(|name, world| {
            let lasts = world.lasts(self.lease);
            if !lasts {
                tracing::info!("the world {name} ended, as nobody calls it any more");
            }
            lasts
        });
    }

    /// Drops a world.
    pub(crate) fn drop_world(&self, name: &str) -> Result<(), String> {
        self.end_unused();
        let dropped = self.apart.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        dropped.map(drop).ok_or_else(|| format!("there is no world {name}"))
    }

    /// All worlds.
    pub(crate) fn all(&self) -> Vec<Arc<Endpoint>> {
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        let apart = worlds.values().map(|world| &world.endpoint);
        apart.chain([&self.main]).cloned().collect()
    }

    /// The names of all worlds apart, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.end_unused();
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = worlds.keys().cloned().collect();
        names.sort();
        names
    }
}
