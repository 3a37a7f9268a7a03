//! Faults that a test suite plans for the next calls, and a store that really fails.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use store::{Admission, Admitted, Error, Key, Store, Versioned, Write};

use crate::place::Place;

/// A fault planned for the next calls of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Planned {
    /// The action whose calls it befalls.
    action: String,
    /// How many calls it befalls.
    times: u32,
    #[serde(flatten)]
    fault: Fault,
}

impl Planned {
    /// What befalls the calls.
    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// What befalls a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Kind")]
pub(crate) enum Fault {
    /// It is answered with a documented error.
    #[serde(rename_all = "PascalCase")]
    Answer {
        /// The error's code.
        code: String,
    },
    /// It is answered late.
    #[serde(rename_all = "PascalCase")]
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// The connection breaks before anything is done.
    BreakBeforeCommit,
    /// The connection breaks when all is done, instead of an answer.
    BreakAfterCommit,
    /// The store fails at whatever it is asked.
    StoreUnavailable,
    /// The store panics at whatever it is asked, as no store should.
    StorePanics,
}

/// The faults still planned, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Plan(Mutex<Vec<Planned>>);

impl Plan {
    /// Plans `faults` and no others.
    pub(crate) fn replace(&self, faults: Vec<Planned>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The faults still planned.
    pub(crate) fn planned(&self) -> Vec<Planned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether no fault is planned.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes the fault that befalls a call of `action` now.
    pub(crate) fn take(&self, action: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = faults.iter().position(|planned| planned.action == action)?;
        let planned = faults.get_mut(position)?;
        planned.times = planned.times.saturating_sub(1);
        let fault = planned.fault.clone();
        if planned.times == 0 {
            faults.remove(position);
        }
        Some(fault)
    }
}

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// It does nothing and says so.
    Unavailable,
    /// It panics.
    Panic,
}

tokio::task_local! {
    /// Set while a call is answered whose store shall fail.
    pub(crate) static STORE_FAULT: StoreFault;
}

/// A store that fails while [`STORE_FAULT`] is set.
#[derive(Debug)]
pub(crate) struct FailingStore {
    pub(crate) place: Place,
}

impl FailingStore {
    fn check() -> Result<(), Error> {
        match STORE_FAULT.try_with(|fault| *fault) {
            Err(_) => Ok(()),
            Ok(StoreFault::Unavailable) => {
                Err(Error::Unavailable { source: "a test suite planned it".into() })
            }
            Ok(StoreFault::Panic) => panic!("a test suite planned it"),
        }
    }
}

impl Store for FailingStore {
    fn reads_at_once(&self) -> bool {
        self.place.reads_at_once()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        Self::check()?;
        self.place.load(keys).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        Self::check()?;
        self.place.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        Self::check()?;
        self.place.admit(admission).await
    }
}
