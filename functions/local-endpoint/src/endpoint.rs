//! One world: its function, clock, planned faults and log of calls.

use std::sync::Arc;

use ipv6_gateway::{Function, Ids, Operations, RateLimit};
use store::{AccessKey, Document, Store as _};

use crate::backend::Backend;
use crate::clock::Clock;
use crate::error::Error;
use crate::fault::{FailingStore, Plan, failing};
use crate::record::Record;

/// The endpoint of one world.
pub(crate) struct Endpoint {
    pub(crate) function: Function<FailingStore>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) plan: Plan,
    pub(crate) record: Record,
    /// The documents of a new store, and after a reset.
    initial: Option<Vec<Document>>,
    /// The rate limit at start, and after a reset.
    rate_limit: Option<RateLimit>,
}

impl Endpoint {
    /// An endpoint over `backend`. A new `backend` gets the documents of `initial`.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub(crate) async fn start(
        backend: Backend,
        initial: Option<Vec<Document>>,
        clock: Clock,
        ids: Ids,
        rate_limit: Option<RateLimit>,
    ) -> Result<Self, Error> {
        let clock = Arc::new(clock);
        let of_function = Arc::clone(&clock);
        match &initial {
            Some(documents) if backend.is_new().await? => {
                backend.replace(documents.clone(), &|_| ()).await?;
            }
            _ if backend.is_empty().await? => {
                tracing::warn!("{backend} is empty: it has no access key");
            }
            _ => {}
        }
        let operations = failing(Operations::all());
        let store = FailingStore { backend };
        let function = Function::new(store, operations, Box::new(move || of_function.now()), ids);
        function.limit_rate(rate_limit);
        Ok(Self {
            function,
            clock,
            plan: Plan::default(),
            record: Record::default(),
            initial,
            rate_limit,
        })
    }

    /// The store of the documents.
    pub(crate) fn backend(&self) -> &Backend {
        &self.function.store().backend
    }

    /// Whether the store has the access key with this id; false if the store fails.
    pub(crate) async fn has_access_key(&self, id: &str) -> bool {
        let loaded = self.backend().load(&[AccessKey::key(id)]).await;
        loaded.is_ok_and(|found| found.iter().any(Option::is_some))
    }

    /// Restores documents, clock, faults, calls and throttling to their start.
    ///
    /// # Errors
    ///
    /// There is no initial world, or the store failed.
    pub(crate) async fn reset(&self) -> Result<(), Error> {
        let Some(initial) = &self.initial else {
            let message = format!("cannot reset {}: start with --world FILE", self.backend());
            return Err(Error::Invalid(message));
        };
        self.backend().replace(initial.clone(), &|_| ()).await?;
        self.function.limit_rate(self.rate_limit);
        self.clock.reset();
        self.plan.replace(Vec::new());
        self.record.clear();
        Ok(())
    }
}
