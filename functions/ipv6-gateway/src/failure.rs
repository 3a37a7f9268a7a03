//! Every failure, and what the caller sees of it.

use allocation::Refusal;
use allocation::error::SYSTEM_BUSY;
use rpc::ErrorResponse;

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
    Denied(Denial),
    /// A rule rejected the call.
    Rule(Refusal),
    /// The store failed, or others kept changing what was read.
    Store(store::Error),
    /// The time for the answer was over while the store was waited for.
    OutOfTime,
    /// A defect: this, which the function noticed.
    Defect(&'static str),
    /// A defect: something panicked.
    Panicked,
}

impl Failure {
    /// The one place where a failure gets its code, status and message.
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
            // Why it failed is for the log (decision `busy`).
            Self::Store(store::Error::Conflict | store::Error::Unavailable { .. })
            | Self::OutOfTime => rule_error(&(&SYSTEM_BUSY).into()),
            Self::Defect(_) | Self::Panicked => gateway_error(rpc::error::INTERNAL_ERROR),
        }
    }

    /// Logs the failure of a call: its id, action and code, and of a store's failure the whole chain of
    /// causes. Never a parameter, a header or a signature. `action` is empty if the function has no
    /// such operation: a name that a caller made up stays out of the log.
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

/// Makes failures of what they are about.
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
