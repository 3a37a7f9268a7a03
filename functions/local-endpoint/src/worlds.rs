//! Worlds apart: each with an endpoint of its own behind the one address, so that test suites which
//! run at once do not disturb one another.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use http::HeaderMap;
use ipv6_gateway::Ids;
use store::{Document, NonceBudget};

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

/// The worlds behind one address.
pub(crate) struct Worlds {
    /// The world of calls that name none.
    main: Arc<Endpoint>,
    apart: RwLock<HashMap<String, Arc<Endpoint>>>,
    /// What the ids of each world begin with; without it they are the system's.
    seed: Option<u64>,
    now: fn() -> SystemTime,
    /// What all worlds remember nonces from.
    nonces: NonceBudget,
}

impl Worlds {
    /// Only `main`. The ids of worlds made later begin with `seed`, their clocks tell what `now` does.
    /// They remember nonces from the main world's budget.
    pub(crate) fn new(
        main: Endpoint,
        seed: Option<u64>,
        now: fn() -> SystemTime,
        nonces: NonceBudget,
    ) -> Self {
        Self { main: Arc::new(main), apart: RwLock::default(), seed, now, nonces }
    }

    /// The world of calls that name none.
    pub(crate) fn main(&self) -> &Arc<Endpoint> {
        &self.main
    }

    /// The world of this name.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Endpoint>, String> {
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        worlds.get(name).cloned().ok_or_else(|| {
            format!("there is no world {name}: make it with PUT /_control/worlds/{name}")
        })
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
        let mut worlds = self.apart.write().unwrap_or_else(PoisonError::into_inner);
        if worlds.len() >= WORLDS_MAX && !worlds.contains_key(name) {
            return Err(format!(
                "there are {WORLDS_MAX} worlds already: drop one with DELETE /_control/worlds/NAME"
            ));
        }
        worlds.insert(name.to_owned(), Arc::new(endpoint));
        Ok(())
    }

    /// Drops a world.
    pub(crate) fn drop_world(&self, name: &str) -> Result<(), String> {
        let dropped = self.apart.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        dropped.map(drop).ok_or_else(|| format!("there is no world {name}"))
    }

    /// All worlds.
    pub(crate) fn all(&self) -> Vec<Arc<Endpoint>> {
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        worlds.values().chain([&self.main]).cloned().collect()
    }

    /// The names of all worlds apart, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let worlds = self.apart.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = worlds.keys().cloned().collect();
        names.sort();
        names
    }
}
