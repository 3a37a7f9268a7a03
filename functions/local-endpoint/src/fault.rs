//! Faults that a test suite plans for the next calls, and the operations and the store that fail so.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipv6_gateway::allocation::{ErrorRow, Parameters, Refusal, Scope, Seen, error};
use ipv6_gateway::{CallParser, Entry, Operations, ParsedCall, rpc};
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
        let (Fault::Answer { code, id } | Fault::AnswerAfterCommit { code, id }) = &self.fault
        else {
            return Ok(());
        };
        let entry = operations
            .find(&self.action)
            .ok_or_else(|| format!(".Action: no such operation: {}", self.action))?;
        let is_gateways =
            matches!(self.fault, Fault::Answer { .. }) && gateway_error(code).is_some();
        let row = error_row(entry, code);
        if row.is_none() && !is_gateways {
            return Err(format!(".Code: {} has no documented error {code}", self.action));
        }
        match (row.is_some_and(ErrorRow::names_a_resource), id) {
            (true, None) => {
                Err(format!(".Id: the message of {code} names a resource, so give its id"))
            }
            (false, Some(_)) => Err(format!(".Id: the message of {code} names no resource")),
            _ => Ok(()),
        }
    }
}

/// The error of this code that calls get before any operation begins.
pub(crate) fn gateway_error(code: &str) -> Option<rpc::ErrorCode> {
    let is_before = |error: &&rpc::ErrorCode| **error != rpc::error::INTERNAL_ERROR;
    rpc::error::ALL.iter().filter(is_before).copied().find(|error| error.code == code)
}

/// A documented error, about the resource of this id.
pub(crate) fn refusal(row: &'static ErrorRow, id: Option<&str>) -> Refusal {
    id.map_or_else(|| row.into(), |id| Refusal::about(row, id))
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
    /// It is answered with a documented error: one of its operation where that would begin; one that
    /// comes before as soon as the operation is found, with nothing spent.
    #[serde(rename_all = "PascalCase")]
    Answer {
        /// The error's code.
        code: String,
        /// The id that the message names, where it names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// It is answered with a documented error instead of its success.
    #[serde(rename_all = "PascalCase")]
    AnswerAfterCommit {
        /// The error's code.
        code: String,
        /// The id that the message names, where it names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
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
pub(crate) struct Plan(Mutex<Faults>);

#[derive(Debug, Default)]
struct Faults {
    planned: Vec<Planned>,
    /// How often faults were planned.
    plans: u64,
}

/// A fault that a call has taken.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) fault: Fault,
    action: String,
    plan: u64,
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans `faults` and no others.
    pub(crate) fn replace(&self, faults: Vec<Planned>) {
        let mut current = self.lock();
        *current = Faults { planned: faults, plans: current.plans + 1 };
    }

    /// The faults still planned.
    pub(crate) fn planned(&self) -> Vec<Planned> {
        self.lock().planned.clone()
    }

    /// Whether no fault is planned.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().planned.is_empty()
    }

    /// Takes the fault of a call of `action` that arrives now.
    pub(crate) fn take(&self, action: &str) -> Option<Taken> {
        let Faults { planned: faults, plans } = &mut *self.lock();
        let position = faults.iter().position(|planned| planned.action == action)?;
        let planned = faults.get_mut(position)?;
        planned.times = planned.times.saturating_sub(1);
        let fault = planned.fault.clone();
        if planned.times == 0 {
            faults.remove(position);
        }
        Some(Taken { fault, action: action.to_owned(), plan: *plans })
    }

    /// Gives back a fault that its call did not reach, for the next call to have it.
    pub(crate) fn give_back(&self, taken: Taken) {
        let Faults { planned: faults, plans } = &mut *self.lock();
        let Taken { fault, action, plan } = taken;
        if plan != *plans {
            return;
        }
        match faults.iter_mut().find(|planned| planned.action == action) {
            Some(next) if next.fault == fault => next.times += 1,
            _ => faults.insert(0, Planned { action, times: 1, fault }),
        }
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
            .map(|entry| Entry { parser: Arc::new(FailingParser(entry.clone())), ..entry }),
    )
}

/// Begins the calls of an operation, unless [`FAULT`] is an answer.
struct FailingParser(Entry);

impl CallParser for FailingParser {
    fn parse<'p>(&self, parameters: &Parameters<'p>) -> Result<ParsedCall<'p>, Refusal> {
        let Self(entry) = self;
        let planned = FAULT.try_with(|fault| match fault {
            Fault::Answer { code, id } => {
                error_row(entry, code).map(|row| refusal(row, id.as_deref()))
            }
            Fault::AnswerAfterCommit { .. }
            | Fault::Delay { .. }
            | Fault::BreakBeforeCommit
            | Fault::BreakAfterCommit
            | Fault::StoreUnavailable
            | Fault::StorePanics => None,
        });
        match planned {
            Ok(Some(refusal)) => Err(refusal),
            Ok(None) | Err(_) => entry.parser.parse(parameters),
        }
    }

    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        self.0.parser.resources(parameters, scope, seen)
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
