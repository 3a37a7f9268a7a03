//! The function, with all that surrounds it here.

use std::sync::Arc;

use ipv6_gateway::{Function, Ids, Operations, RateLimit};
use store::{AccessKey, Document, Error, Store as _};

use crate::backend::Backend;
use crate::clock::Clock;
use crate::fault::{FailingStore, Plan, failing};
use crate::record::Record;

/// The function, and what surrounds it here.
pub(crate) struct Endpoint {
    pub(crate) function: Function<FailingStore>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) plan: Plan,
    pub(crate) record: Record,
    /// The documents to begin with where there are none, and to begin again with.
    initial: Option<Vec<Document>>,
    /// How often accounts may call to begin with.
    rate_limit: Option<RateLimit>,
}

impl Endpoint {
    /// An endpoint over `backend`, which is filled with the documents of `initial` if it is new, that lets accounts
    /// call as often as `rate_limit` says.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub(crate) async fn begin(
        backend: Backend,
        initial: Option<Vec<Document>>,
        clock: Clock,
        ids: Ids,
        rate_limit: Option<RateLimit>,
    ) -> Result<Self, Error> {
        let clock = Arc::new(clock);
        let told = Arc::clone(&clock);
        match &initial {
            Some(documents) if backend.is_new().await? => {
                backend.replace(documents.clone(), &|_| ()).await?;
            }
            _ if backend.is_empty().await? => {
                tracing::warn!("{backend} is empty, so no access key is known");
            }
            _ => {}
        }
        let operations = failing(Operations::all());
        let store = FailingStore { backend };
        let function = Function::new(store, operations, Box::new(move || told.now()), ids);
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

    /// Where the documents are kept.
    pub(crate) fn backend(&self) -> &Backend {
        &self.function.store().backend
    }

    /// Whether the access key of this id is kept. A store that fails has none to show.
    pub(crate) async fn has_access_key(&self, id: &str) -> bool {
        let loaded = self.backend().load(&[AccessKey::key(id)]).await;
        loaded.is_ok_and(|found| found.iter().any(Option::is_some))
    }

    /// Begins again.
    ///
    /// # Errors
    ///
    /// There is no world to begin again with; or what the store says.
    pub(crate) async fn reset(&self) -> Result<(), String> {
        let Some(initial) = &self.initial else {
            return Err(format!(
                "there is no world to begin again with, as --world was not given: {} stays as it is",
                self.backend()
            ));
        };
        let replaced = self.backend().replace(initial.clone(), &|_| ()).await;
        replaced.map_err(|error| error.with_causes())?;
        self.function.limit_rate(self.rate_limit);
        self.clock.reset();
        self.plan.replace(Vec::new());
        self.record.clear();
        Ok(())
    }
}
