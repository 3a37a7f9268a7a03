//! Failures of calls, and their answers.

use allocation::Refusal;
use allocation::error::SYSTEM_BUSY;
use rpc::ErrorResponse;

use crate::panics;
use crate::permission::Denial;
use crate::rate_limit::Throttled;

/// The failure of a call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call is invalid, or authentication failed.
    Gateway(rpc::Error),
    /// The call was throttled.
    Throttled(Throttled),
    /// The caller's policies deny the call.
    Denied(Denial),
    /// A rule rejected the call.
    Rule(Refusal),
    /// The store failed, or commits kept conflicting.
    Store(store::Error),
    /// The store did not answer within the time of the call.
    OutOfTime,
    /// A defect that the function detected.
    Defect(&'static str),
    /// A panic.
    Panicked,
}

impl Failure {
    /// The error that the caller gets.
    pub(crate) fn response(&self) -> ErrorResponse {
        match self {
            Self::Gateway(error) => error.into(),
            Self::Throttled(throttled) => ErrorResponse {
                headers: throttled.headers(),
                ..gateway_error(rpc::error::THROTTLING_USER)
            },
            Self::Denied(denial) => ErrorResponse {
                access_denied_detail: denial.0.clone(),
                ..gateway_error(rpc::error::FORBIDDEN_RAM)
            },
            Self::Rule(refusal) => rule_error(refusal),
            // The cause is only logged (decision `busy`).
            Self::Store(store::Error::Conflict | store::Error::Unavailable { .. })
            | Self::OutOfTime => rule_error(&(&SYSTEM_BUSY).into()),
            Self::Defect(_) | Self::Panicked => gateway_error(rpc::error::INTERNAL_ERROR),
        }
    }

    /// Logs the failure: the request's id, action and code, and all causes of a store's failure. It logs
    /// no parameter, header or signature. `action` is empty if the function has no such operation, so
    /// that a caller cannot put text into the log.
    pub(crate) fn log(&self, request_id: &str, action: &str) {
        match self {
            Self::Store(error) => {
                tracing::error!(request_id, action, "{}", error.with_causes());
            }
            Self::OutOfTime => {
                tracing::error!(request_id, action, "the store took longer than the call may");
            }
            Self::Defect(defect) => tracing::error!(request_id, action, "a defect: {defect}"),
            Self::Panicked => {
                let location = panics::last_location();
                tracing::error!(request_id, action, location, "panicked");
            }
            Self::Gateway(_) | Self::Throttled(_) | Self::Denied(_) | Self::Rule(_) => {
                tracing::info!(request_id, action, code = self.response().code, "refused");
            }
        }
    }
}

fn gateway_error(code: rpc::ErrorCode) -> ErrorResponse {
    (&rpc::Error::from(code)).into()
}

fn rule_error(refusal: &Refusal) -> ErrorResponse {
    ErrorResponse {
        status: refusal.row.status,
        code: refusal.row.code,
        message: refusal.to_string().into(),
        access_denied_detail: Vec::new(),
        headers: Vec::new(),
    }
}

/// Implements `From` for the reasons of failures.
macro_rules! failures {
    ($($reason:ty => $variant:ident;)+) => {
        $(
            impl From<$reason> for Failure {
                fn from(reason: $reason) -> Self {
                    Self::$variant(reason.into())
                }
            }
        )+
    };
}

failures! {
    rpc::Error => Gateway;
    rpc::ErrorCode => Gateway;
    Denial => Denied;
    Refusal => Rule;
    store::Error => Store;
}
