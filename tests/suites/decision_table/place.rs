//! The targets for the cells of the decision table: in process over a store, and over HTTP.

use std::sync::Arc;

use crate::endpoint::Endpoint;
use ::store::{Key, Store, World};
use harness::answer::Answer;
use harness::client::Wire;
use ipv6_gateway::Function;
use ipv6_gateway::allocation::{ClientToken, Scope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::now_secs;
use crate::support::{self, ALLOCATE, Clients, SCOPE, Time, fill, instance};

/// The account that the addresses belong to.
pub(super) const OWNER: &str = SCOPE.account_id;

/// An account that owns nothing.
pub(super) const STRANGER: &str = "2234567890123456";

/// A target for calls whose documents can be read and changed.
pub(super) trait Place {
    async fn begin(&mut self, world: &Value, tokens: &[String]);
    async fn change(&mut self, world: &Value);
    async fn world(&self) -> Value;
    async fn wait(&mut self, secs: u64);
    fn now_secs(&self) -> u64;
    async fn send(&self, wire: &Wire) -> Answer;
}

/// The function in this process, over the clients of a store.
pub(super) struct InProcess<S> {
    clients: Clients<S>,
    /// The earlier calls go to the first instance, the judged ones to the second.
    instances: [Function<Arc<S>>; 2],
    time: Time,
    keys: Vec<Key>,
    is_changed: bool,
}

impl<S: Store> InProcess<S> {
    pub(super) fn over(clients: Clients<S>) -> Self {
        let time = Time::default();
        let instances = clients.clone().map(|client| instance(client, &time));
        Self { clients, instances, time, keys: Vec::new(), is_changed: false }
    }
}

impl<S: Store> Place for InProcess<S> {
    async fn begin(&mut self, world: &Value, tokens: &[String]) {
        fill(&*self.clients[0], world).await;
        let documents = World::parse(&world.to_string()).unwrap().into_documents();
        self.keys = documents.iter().map(::store::Document::key).collect();
        for account in [OWNER, STRANGER] {
            let scope = Scope { account_id: account, ..SCOPE };
            let keys = tokens.iter().map(|token| ClientToken::key(scope, ALLOCATE, token));
            self.keys.extend(keys);
        }
    }

    async fn change(&mut self, world: &Value) {
        support::change(&*self.clients[0], world).await;
        self.is_changed = true;
    }

    async fn world(&self) -> Value {
        let read = self.clients[0].load(&self.keys).await.unwrap();
        let documents = read.into_iter().flatten().map(|read| read.document);
        serde_json::to_value(World::from_documents(documents)).unwrap()
    }

    async fn wait(&mut self, secs: u64) {
        self.time.wait(secs);
    }

    fn now_secs(&self) -> u64 {
        self.time.now_secs()
    }

    async fn send(&self, wire: &Wire) -> Answer {
        support::send(&self.instances[usize::from(self.is_changed)], wire).await
    }
}

/// A local endpoint.
pub(super) struct OverHttp {
    endpoint: Endpoint,
    now_secs: u64,
}

impl OverHttp {
    pub(super) fn at(endpoint: Endpoint) -> Self {
        Self { endpoint, now_secs: u64::try_from(now_secs()).unwrap() }
    }
}

impl Place for OverHttp {
    async fn begin(&mut self, world: &Value, _: &[String]) {
        self.change(world).await;
    }

    async fn change(&mut self, world: &Value) {
        self.endpoint.control(Method::PUT, "world", &format!("{world:#}")).await.unwrap();
    }

    async fn world(&self) -> Value {
        self.endpoint.control(Method::GET, "world", "").await.unwrap()
    }

    async fn wait(&mut self, secs: u64) {
        // The endpoint's clock has run on since the first call.
        self.now_secs += secs + 60;
        let now = time::OffsetDateTime::from_unix_timestamp(self.now_secs.cast_signed()).unwrap();
        let form = &time::format_description::well_known::Rfc3339;
        let now = json!({ "Now": now.format(form).unwrap() }).to_string();
        self.endpoint.control(Method::PUT, "clock", &now).await.unwrap();
    }

    fn now_secs(&self) -> u64 {
        self.now_secs
    }

    async fn send(&self, wire: &Wire) -> Answer {
        self.endpoint.send(wire, None).await.unwrap()
    }
}
