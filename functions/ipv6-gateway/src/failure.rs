//! Every failure, and what the caller sees of it.

use allocation::{Answer, ErrorCode};
use rpc::Fault;

use crate::action::Action;
use crate::panics;
use crate::permission::Denial;
use crate::rate_limit::Throttled;

/// Why a call was not answered with a success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call is not in order, or its caller not known.
    Gateway(rpc::Error),
    /// The caller calls too often.
    Throttled(Throttled),
    /// The caller's policies do not allow the call.
    Denied(Box<Denial>),
    /// A rule says no.
    Rule(allocation::Error),
    /// The store failed, or others kept changing what was read.
    Store(store::Error),
    /// The time for the answer was over while the store was waited for.
    OutOfTime,
    /// A defect: something panicked.
    Panicked,
}

impl Failure {
    /// The one place where a failure gets its code, status and message.
    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Gateway(error) => error.into(),
            Self::Throttled(throttled) => {
                Fault { headers: throttled.headers(), ..gateway_fault(rpc::error::THROTTLING_USER) }
            }
            Self::Denied(denial) => Fault {
                access_denied_detail: denial.detail(),
                ..gateway_fault(rpc::error::FORBIDDEN_RAM)
            },
            Self::Rule(error) => rule_fault(error),
            // Why it failed is for the log (decision `busy`).
            Self::Store(store::Error::Conflict | store::Error::Unavailable { .. })
            | Self::OutOfTime => rule_fault(&ErrorCode::SystemBusy.into()),
            Self::Panicked => gateway_fault(rpc::error::INTERNAL_ERROR),
        }
    }
}

fn gateway_fault(code: rpc::ErrorCode) -> Fault {
    (&rpc::Error::from(code)).into()
}

fn rule_fault(error: &allocation::Error) -> Fault {
    Fault {
        status: error.code.status(),
        code: error.code.as_str(),
        message: error.to_string().into(),
        access_denied_detail: Vec::new(),
        headers: Vec::new(),
    }
}

/// Logs how a call ended: its id, action and code, and of a store's failure the whole chain of
/// causes. Never a parameter, a header or a signature.
pub(crate) fn log(
    outcome: &Result<(&'static Action, Answer), Failure>,
    request_id: &str,
    action: Option<&str>,
) {
    // The name comes from outside; one that is no action's stays out of the log.
    let action = action.and_then(Action::find).map_or("", |action| action.name);
    match outcome {
        Ok(_) => tracing::info!(request_id, action, "answered"),
        Err(Failure::Store(error)) => {
            tracing::error!(request_id, action, "{}", error.with_causes());
        }
        Err(Failure::OutOfTime) => {
            tracing::error!(request_id, action, "the store took longer than the call may");
        }
        Err(Failure::Panicked) => {
            let location = panics::last_location();
            tracing::error!(request_id, action, location, "panicked");
        }
        Err(
            failure @ (Failure::Gateway(_)
            | Failure::Throttled(_)
            | Failure::Denied(_)
            | Failure::Rule(_)),
        ) => {
            tracing::info!(request_id, action, code = failure.fault().code, "refused");
        }
    }
}

impl From<rpc::Error> for Failure {
    fn from(error: rpc::Error) -> Self {
        Self::Gateway(error)
    }
}

impl From<rpc::ErrorCode> for Failure {
    fn from(code: rpc::ErrorCode) -> Self {
        Self::Gateway(code.into())
    }
}

impl From<Box<Denial>> for Failure {
    fn from(denial: Box<Denial>) -> Self {
        Self::Denied(denial)
    }
}

impl From<allocation::Error> for Failure {
    fn from(error: allocation::Error) -> Self {
        Self::Rule(error)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}
