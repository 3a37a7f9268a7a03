//! The function, with all that surrounds it here.

use std::sync::Arc;

use ipv6_gateway::{Function, Ids, RateLimit};
use store::{Document, World};

use crate::clock::Clock;
use crate::fault::{FailingStore, Plan};
use crate::record::Record;

/// The function, and what surrounds it here.
pub(crate) struct Endpoint {
    pub(crate) function: Function<FailingStore>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) plan: Plan,
    pub(crate) record: Record,
    /// The documents to begin with, and to begin again with.
    initial: Vec<Document>,
    /// How often accounts may call to begin with.
    rate_limit: Option<RateLimit>,
}

impl Endpoint {
    /// An endpoint that begins with `world` and lets accounts call as often as `rate_limit` says.
    pub(crate) fn new(world: World, clock: Clock, ids: Ids, rate_limit: Option<RateLimit>) -> Self {
        let clock = Arc::new(clock);
        let told = Arc::clone(&clock);
        let store = FailingStore::default();
        let endpoint = Self {
            function: Function::new(store, Box::new(move || told.now()), ids),
            clock,
            plan: Plan::default(),
            record: Record::default(),
            initial: world.into_documents(),
            rate_limit,
        };
        endpoint.reset();
        endpoint
    }

    /// Begins again.
    pub(crate) fn reset(&self) {
        self.function.store().memory.replace(self.initial.iter().cloned());
        self.function.limit_rate(self.rate_limit);
        self.clock.reset();
        self.plan.replace(Vec::new());
        self.record.clear();
    }
}
