//! A store with trouble at one point of a call: the caller goes away, or the store fails.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, Write};
use ipv6_gateway::Function;
use ipv6_gateway::allocation::InternetBandwidthOwner;
use tokio::sync::Notify;

use crate::support::{self, Time, allocate, code, sign};

/// How many points a purchase has: one before and one after the effect of each call of the store.
/// An unknown key is read first. The call names no gateway, so the address and its VPC are read one
/// after the other.
pub const POINTS_OF_UNKNOWN_KEY: usize = 10;

/// How many points it has once the key is known.
pub const POINTS_OF_KNOWN_KEY: usize = 8;

/// The trouble at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The call stops here; [`Troubled::interrupted`] resolves.
    Stop,
    /// The store answers that it is unavailable.
    Fail,
}

/// A store with trouble.
pub struct Troubled<S> {
    inner: Arc<S>,
    passed: AtomicUsize,
    planned: Mutex<Option<(usize, Trouble)>>,
    interrupted: Notify,
    bought: Mutex<Vec<String>>,
}

impl<S: Store> Troubled<S> {
    pub fn over(inner: &Arc<S>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            passed: AtomicUsize::new(0),
            planned: Mutex::default(),
            interrupted: Notify::new(),
            bought: Mutex::default(),
        })
    }

    /// Counts points from now on, and plans trouble at one of them, counted from 1.
    pub fn plan(&self, trouble: Option<(usize, Trouble)>) {
        self.passed.store(0, Ordering::SeqCst);
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// How many points were reached since the last plan.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// Resolves when a call has stopped.
    pub async fn interrupted(&self) {
        self.interrupted.notified().await;
    }

    /// The bandwidths that were ever written.
    pub fn bought(&self) -> Vec<String> {
        self.bought.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A caller that waits here can be dropped here.
    async fn point(&self) -> Result<(), Error> {
        tokio::task::yield_now().await;
        let number = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        let planned = *self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        match planned.filter(|(at, _)| *at == number).map(|(_, trouble)| trouble) {
            None => Ok(()),
            Some(Trouble::Fail) => Err(Error::Unavailable { source: "a test planned it".into() }),
            Some(Trouble::Stop) => {
                self.interrupted.notify_one();
                std::future::pending().await
            }
        }
    }
}

impl<S: Store> Store for Troubled<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.point().await?;
        let read = self.inner.load(keys).await;
        self.point().await?;
        read
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.point().await?;
        self.inner.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.point().await?;
        let bandwidths: Vec<String> = writes
            .iter()
            .filter(|write| write.key.kind() == InternetBandwidthOwner::NAME)
            .filter_map(|write| write.key.text().rsplit('#').next().map(str::to_owned))
            .collect();
        let written = self.inner.commit(writes).await;
        if written.is_ok() {
            self.bought.lock().unwrap_or_else(PoisonError::into_inner).extend(bandwidths);
        }
        self.point().await?;
        written
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.point().await?;
        let admitted = self.inner.admit(admission).await;
        self.point().await?;
        admitted
    }
}

/// An instance of the function over a store with trouble, with nothing planned yet.
pub struct Scene<S> {
    pub store: Arc<Troubled<S>>,
    pub function: Function<Arc<Troubled<S>>>,
    pub time: Time,
}

impl<S: Store> Scene<S> {
    /// `key_is_known` says whether the key has signed a call before, which changes what is read of
    /// it.
    pub async fn new(client: &Arc<S>, key_is_known: bool) -> Self {
        let (store, time) = (Troubled::over(client), Time::default());
        let function = support::instance(Arc::clone(&store), &time);
        let scene = Self { store, function, time };
        if key_is_known {
            let wire = sign(&allocate("ipv6-nowhere"), scene.time.now_secs());
            let answer = support::send(&scene.function, &wire).await;
            assert_eq!(code(&answer), "InvalidIpv6Instance.NotFound");
        }
        scene.store.plan(None);
        scene
    }

    pub async fn call(&self, request: &serde_json::Value) -> support::Outcome {
        let wire = sign(request, self.time.now_secs());
        support::outcome(&support::send(&self.function, &wire).await)
    }
}

/// How many points a call passes that buys.
pub fn points(key_is_known: bool) -> usize {
    if key_is_known { POINTS_OF_KNOWN_KEY } else { POINTS_OF_UNKNOWN_KEY }
}
