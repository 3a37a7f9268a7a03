//! Planned faults for the next calls, and the operations and the store that apply them.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipv6_gateway::allocation::{ErrorRow, Parameters, Refusal, Scope, Seen, error};
use ipv6_gateway::{CallParser, Entry, Operations, ParsedCall, rpc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, Write};

use crate::backend::Backend;

/// A planned fault for the next calls of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Planned {
    /// The action of the calls.
    action: String,
    /// The number of calls.
    times: u32,
    #[serde(flatten)]
    fault: Fault,
}

impl Planned {
    /// Reads a fault.
    ///
    /// # Errors
    ///
    /// The path in the fault and the reason, as in `.Times: …`. An unknown member is an error.
    pub(crate) fn read(fault: &Value) -> Result<Self, String> {
        let planned = Self::deserialize(fault).map_err(|error| format!(": {error}"))?;
        let known = serde_json::to_value(&planned).map_err(|error| format!(": {error}"))?;
        let mut members = fault.as_object().into_iter().flat_map(serde_json::Map::keys);
        match members.find(|member| known.get(*member).is_none()) {
            Some(member) => Err(format!(".{member}: unknown member of this kind of fault")),
            None => Ok(planned),
        }
    }

    /// Checks that the fault is possible for calls of one of `operations`.
    ///
    /// # Errors
    ///
    /// As in [`Self::read`].
    pub(crate) fn check(&self, operations: &Operations) -> Result<(), String> {
        if self.times == 0 {
            return Err(".Times: invalid value 0, expected at least 1".to_owned());
        }
        let (Fault::Answer { code, id } | Fault::AnswerAfterCommit { code, id }) = &self.fault
        else {
            return Ok(());
        };
        let entry = operations
            .find(&self.action)
            .ok_or_else(|| format!(".Action: unknown operation {}", self.action))?;
        let is_gateways =
            matches!(self.fault, Fault::Answer { .. }) && gateway_error(code).is_some();
        let row = error_row(entry, code);
        if row.is_none() && !is_gateways {
            return Err(format!(".Code: {} has no documented error {code}", self.action));
        }
        match (row.is_some_and(ErrorRow::names_a_resource), id) {
            (true, None) => {
                Err(format!(".Id: missing, for the message of {code} names a resource"))
            }
            (false, Some(_)) => {
                Err(format!(".Id: unexpected, for the message of {code} names no resource"))
            }
            _ => Ok(()),
        }
    }
}

/// The gateway error with this code.
pub(crate) fn gateway_error(code: &str) -> Option<rpc::ErrorCode> {
    // `InternalError` is answered after an operation has begun.
    let is_gateways = |error: &&rpc::ErrorCode| **error != rpc::error::INTERNAL_ERROR;
    rpc::error::ALL.iter().filter(is_gateways).copied().find(|error| error.code == code)
}

/// A documented error about the resource with this id.
pub(crate) fn refusal(row: &'static ErrorRow, id: Option<&str>) -> Refusal {
    id.map_or_else(|| row.into(), |id| Refusal::about(row, id))
}

/// The function failed unexpectedly.
static INTERNAL_ERROR: ErrorRow = ErrorRow::new(
    rpc::error::INTERNAL_ERROR.status,
    rpc::error::INTERNAL_ERROR.code,
    rpc::error::INTERNAL_ERROR.message,
);

/// The row of a documented error of the operation, of `SystemBusy` or of `InternalError`.
pub(crate) fn error_row(entry: &Entry, code: &str) -> Option<&'static ErrorRow> {
    let of_any = [&error::SYSTEM_BUSY, &INTERNAL_ERROR];
    entry.errors.iter().copied().chain(of_any).find(|row| row.code == code)
}

/// A fault of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "Kind")]
pub(crate) enum Fault {
    /// Answers a documented error. An operation's error is answered when the operation would begin. A
    /// gateway error is answered once the operation is found; the call's nonce stays unused.
    #[serde(rename_all = "PascalCase")]
    Answer {
        /// The error's code.
        code: String,
        /// The id of the resource, if the message names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Answers a documented error instead of a success.
    #[serde(rename_all = "PascalCase")]
    AnswerAfterCommit {
        /// The error's code.
        code: String,
        /// The id of the resource, if the message names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Delays the answer.
    #[serde(rename_all = "PascalCase")]
    Delay {
        /// The delay.
        milliseconds: u64,
    },
    /// Breaks the connection before the call is handled.
    BreakBeforeCommit,
    /// Breaks the connection instead of a successful answer.
    BreakAfterCommit,
    /// Fails every request to the store.
    StoreUnavailable,
    /// Panics at every request to the store.
    StorePanics,
}

/// The planned faults, in order.
#[derive(Debug, Default)]
pub(crate) struct Plan(Mutex<Faults>);

#[derive(Debug, Default)]
struct Faults {
    planned: Vec<Planned>,
    /// The number of times that faults were planned.
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

    /// Replaces the planned faults.
    pub(crate) fn replace(&self, faults: Vec<Planned>) {
        let mut current = self.lock();
        *current = Faults { planned: faults, plans: current.plans + 1 };
    }

    /// The planned faults.
    pub(crate) fn planned(&self) -> Vec<Planned> {
        self.lock().planned.clone()
    }

    /// Whether no fault is planned.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().planned.is_empty()
    }

    /// Takes the next fault for a call of `action`.
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

    /// Gives back a fault that its call did not reach, for the next call.
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

/// `operations` that answer the planned error of a call instead of parsing it.
pub(crate) fn failing(operations: Operations) -> Operations {
    Operations::of(
        operations
            .into_iter()
            .map(|entry| Entry { parser: Arc::new(FailingParser(entry.clone())), ..entry }),
    )
}

/// Parses the calls of an operation, unless [`FAULT`] is [`Fault::Answer`].
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

/// A store with [`FAULT`] applied.
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
