//! The function over a small world, at a fixed time.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use ipv6_gateway::event::UnsupportedEvent;
use ipv6_gateway::{Event, Function, Ids, Operations};
use store::{Document, MemoryStore, World};

use crate::gateway::payload;
use crate::plan::Shape;
use crate::sent::{NOW_SECS, Sent};
use crate::verdict::{self, Verdict};

/// The function, which takes payloads.
pub(super) struct Server(Function<MemoryStore>);

impl Server {
    /// Over the world of [`crate::KEYS`].
    pub(super) fn new() -> Self {
        static DOCUMENTS: OnceLock<Vec<Document>> = OnceLock::new();
        let documents = DOCUMENTS.get_or_init(|| {
            let world = World::parse(include_str!("world.json"));
            world.unwrap_or_else(|error| panic!("world.json, {error}")).into_documents()
        });
        Self::holding(documents.clone())
    }

    pub(super) fn holding(documents: Vec<Document>) -> Self {
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS);
        let store = MemoryStore::holding(documents);
        Self(Function::new(store, Operations::all(), Box::new(clock), Ids::from_seed(1)))
    }

    /// The function's answer to the event that a gateway of the kind `shape` makes of a request.
    ///
    /// HTTP can carry every request of a plan, so the payload is an event.
    pub(super) fn send(&self, shape: Shape, sent: &Sent) -> Verdict {
        let payload = payload(shape, sent);
        let answer = self.answer(payload.as_bytes());
        answer.unwrap_or_else(|unknown| panic!("{unknown}: {payload}"))
    }

    /// The function's answer to a payload.
    pub(super) fn answer(&self, payload: &[u8]) -> Result<Verdict, UnsupportedEvent> {
        let event = Event::parse(payload)?;
        let request = event.request.clone();
        let handled = pin!(self.0.handle(event));
        // A store in memory never waits.
        let Poll::Ready(response) = handled.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the function waits for something");
        };
        Ok(verdict::of(&response, &request, payload.len()))
    }
}
