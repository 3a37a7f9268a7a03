//! Faults that a test suite plans for the next calls, and the operations and the store that fail so.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use ipv6_gateway::allocation::{ErrorRow, Parameters, Refusal, Scope, Seen, error};
use ipv6_gateway::{Begin, Begun, Entry, Operations, rpc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, Write};

use crate::backend::Backend;

/// A fault planned for the next calls of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Planned {
    /// The action whose calls have the fault.
    action: String,
    /// How many calls have it.
    times: u32,
    #[serde(flatten)]
    fault: Fault,
}

impl Planned {
    /// Reads a fault.
    ///
    /// # Errors
    ///
    /// What is wrong with it, behind the path below it; a member that no fault of its kind has is.
    pub(crate) fn read(fault: &Value) -> Result<Self, String> {
        let planned = Self::deserialize(fault).map_err(|error| format!(": {error}"))?;
        let known = serde_json::to_value(&planned).map_err(|error| format!(": {error}"))?;
        let mut members = fault.as_object().into_iter().flat_map(serde_json::Map::keys);
        match members.find(|member| known.get(*member).is_none()) {
            Some(member) => Err(format!(".{member}: no fault of this kind has such a member")),
            None => Ok(planned),
        }
    }

    /// Checks that calls can have the fault, and that one of `operations` can answer with the planned
    /// error.
    ///
    /// # Errors
    ///
    /// What is wrong with it, behind the path below it.
    pub(crate) fn check(&self, operations: &Operations) -> Result<(), String> {
        if self.times == 0 {
            return Err(".Times: 0, so no call would have the fault".to_owned());
        }
        let (Fault::Answer { code } | Fault::AnswerAfterCommit { code }) = &self.fault else {
            return Ok(());
        };
        let entry = operations
            .find(&self.action)
            .ok_or_else(|| format!(".Action: no such operation: {}", self.action))?;
        match error_row(entry, code) {
            Some(_) => Ok(()),
            None => Err(format!(".Code: {} has no documented error {code}", self.action)),
        }
    }
}

/// The function failed in a way that nobody foresaw.
static INTERNAL_ERROR: ErrorRow = ErrorRow::new(
    rpc::error::INTERNAL_ERROR.status,
    rpc::error::INTERNAL_ERROR.code,
    rpc::error::INTERNAL_ERROR.message,
);

/// The row of an error that the operation documents, or that any operation may end with.
pub(crate) fn error_row(entry: &Entry, code: &str) -> Option<&'static ErrorRow> {
    let of_any = [&error::SYSTEM_BUSY, &INTERNAL_ERROR];
    entry.errors.iter().copied().chain(of_any).find(|row| row.code == code)
}

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Kind")]
pub(crate) enum Fault {
    /// It is answered with a documented error where its operation would begin.
    #[serde(rename_all = "PascalCase")]
    Answer {
        /// The error's code.
        code: String,
    },
    /// It is answered with a documented error instead of its success.
    #[serde(rename_all = "PascalCase")]
    AnswerAfterCommit {
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
    /// Every request to the store fails.
    StoreUnavailable,
    /// Every request to the store panics, as none should.
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

    /// Takes the fault of a call of `action` that arrives now.
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

tokio::task_local! {
    /// The fault of the call that is being answered.
    pub(crate) static FAULT: Fault;
}

/// `operations`, each of which answers the call's planned error where it would begin.
pub(crate) fn failing(operations: Operations) -> Operations {
    Operations::of(
        operations
            .into_iter()
            .map(|entry| Entry { begin: Arc::new(FailingBegin(entry.clone())), ..entry }),
    )
}

/// Begins the calls of an operation, unless [`FAULT`] is an answer.
struct FailingBegin(Entry);

impl Begin for FailingBegin {
    fn begin<'p>(&self, parameters: &Parameters<'p>) -> Result<Begun<'p>, Refusal> {
        let Self(entry) = self;
        let planned = FAULT.try_with(|fault| match fault {
            Fault::Answer { code } => error_row(entry, code),
            Fault::AnswerAfterCommit { .. }
            | Fault::Delay { .. }
            | Fault::BreakBeforeCommit
            | Fault::BreakAfterCommit
            | Fault::StoreUnavailable
            | Fault::StorePanics => None,
        });
        match planned {
            Ok(Some(row)) => Err(row.into()),
            Ok(None) | Err(_) => entry.begin.begin(parameters),
        }
    }

    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        self.0.begin.resources(parameters, scope, seen)
    }
}

/// A store that fails as [`FAULT`] says.
#[derive(Debug)]
pub(crate) struct FailingStore {
    pub(crate) backend: Backend,
}

impl FailingStore {
    fn check() -> Result<(), Error> {
        let fault = FAULT.try_with(|fault| match fault {
            Fault::StoreUnavailable => {
                Err(Error::Unavailable { source: "a test suite planned it".into() })
            }
            Fault::StorePanics => panic!("a test suite planned it"),
            Fault::Answer { .. }
            | Fault::AnswerAfterCommit { .. }
            | Fault::Delay { .. }
            | Fault::BreakBeforeCommit
            | Fault::BreakAfterCommit => Ok(()),
        });
        fault.unwrap_or(Ok(()))
    }
}

impl Store for FailingStore {
    fn has_snapshot_reads(&self) -> bool {
        self.backend.has_snapshot_reads()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        Self::check()?;
        self.backend.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        Self::check()?;
        self.backend.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        Self::check()?;
        self.backend.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        Self::check()?;
        self.backend.admit(admission).await
    }

    async fn settle(&self) -> Result<(), Error> {
        Self::check()?;
        self.backend.settle().await
    }
}
