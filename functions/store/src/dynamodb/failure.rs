//! Failures of requests to DynamoDB, and whether to repeat them.

use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId as _;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::scan::ScanError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_time_to_live::UpdateTimeToLiveError;

use super::item::{self, Item};
use crate::Version;

/// The code of a failed condition.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// The reason for which DynamoDB refused one part of a write.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    /// The code; `None` for a part that was not refused.
    code: String,
    /// The version of the existing item.
    pub(super) version: Option<Version>,
    /// The schema of the existing item.
    pub(super) schema: Option<u16>,
}

impl Reason {
    fn new(code: &str, item: Option<&Item>) -> Self {
        Self {
            code: code.to_owned(),
            version: item.and_then(item::version),
            schema: item.and_then(item::schema_number),
        }
    }

    /// Whether the part's condition failed.
    pub(super) fn is_condition(&self) -> bool {
        self.code == CONDITION_FAILED
    }

    /// Whether the part was not refused.
    pub(super) fn is_none(&self) -> bool {
        self.code == "None"
    }
}

/// An error that may have a reason for each part of a write.
pub(super) trait Reasons {
    /// The reasons by part; empty for other errors.
    fn reasons(&self) -> Vec<Reason>;
}

/// Implements [`Reasons`] for errors without reasons.
macro_rules! no_reasons {
    ($($error:ident)*) => {
        $(
            impl Reasons for $error {
                fn reasons(&self) -> Vec<Reason> {
                    Vec::new()
                }
            }
        )*
    };
}
no_reasons! {
    BatchGetItemError BatchWriteItemError CreateTableError DescribeTableError QueryError ScanError
    UpdateTimeToLiveError
}

impl Reasons for PutItemError {
    fn reasons(&self) -> Vec<Reason> {
        let Self::ConditionalCheckFailedException(error) = self else { return Vec::new() };
        vec![Reason::new(CONDITION_FAILED, error.item())]
    }
}

impl Reasons for UpdateItemError {
    fn reasons(&self) -> Vec<Reason> {
        let Self::ConditionalCheckFailedException(error) = self else { return Vec::new() };
        vec![Reason::new(CONDITION_FAILED, error.item())]
    }
}

impl Reasons for TransactWriteItemsError {
    fn reasons(&self) -> Vec<Reason> {
        let Self::TransactionCanceledException(error) = self else { return Vec::new() };
        let reasons = error.cancellation_reasons().iter();
        reasons
            .map(|reason| Reason::new(reason.code().unwrap_or_default(), reason.item()))
            .collect()
    }
}

/// The cause of a failed attempt.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// No readable answer arrived, so the outcome is unknown.
    NoAnswer(String),
    /// DynamoDB answered with an error.
    Answer {
        /// The error's code.
        code: String,
        /// The HTTP status.
        status: u16,
        /// The id of the request in DynamoDB's log.
        request_id: Option<String>,
        /// The reason for each refused part of a write.
        reasons: Vec<Reason>,
    },
    /// The request could not be sent, or its answer is unusable.
    Unfit(String),
}

impl Cause {
    /// The cause of an SDK error. The error's message is dropped: it may quote items.
    pub(super) fn of<E: Reasons + ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ServiceError(service) => Self::Answer {
                code: service.err().code().unwrap_or("unknown").to_owned(),
                status: service.raw().status().as_u16(),
                request_id: service.raw().request_id().map(str::to_owned),
                reasons: service.err().reasons(),
            },
            SdkError::DispatchFailure(failure) => {
                // An error of the connection quotes no item.
                let mut message = "the connection failed".to_owned();
                let mut source = failure.as_connector_error().and_then(std::error::Error::source);
                while let Some(error) = source {
                    message = format!("{message}: {error}");
                    source = error.source();
                }
                Self::NoAnswer(message)
            }
            SdkError::ResponseError(_) => Self::NoAnswer("the answer cannot be read".to_owned()),
            SdkError::TimeoutError(_) => Self::NoAnswer("no answer in time".to_owned()),
            // Also the errors that a later SDK may add.
            _ => Self::Unfit("the request could not be made".to_owned()),
        }
    }

    /// Whether the outcome of the attempt is unknown.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Answer { status, code, .. } => {
                *status >= 500 || code == "TransactionInProgressException"
            }
            Self::Unfit(_) => false,
        }
    }

    /// Whether a repeated request may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Answer { status, code, reasons, .. } => {
                *status >= 500
                    || is_transient(code)
                    || !reasons.is_empty()
                        && reasons.iter().all(|reason| {
                            reason.is_none() || reason.is_condition() || is_transient(&reason.code)
                        })
            }
            Self::Unfit(_) => false,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(message) | Self::Unfit(message) => formatter.write_str(message),
            Self::Answer { code, status, request_id, reasons } => {
                write!(formatter, "{code} (HTTP status {status}")?;
                if let Some(request_id) = request_id {
                    write!(formatter, ", request {request_id}")?;
                }
                formatter.write_str(")")?;
                for (part, reason) in reasons.iter().enumerate() {
                    write!(formatter, ", part {part}: {}", reason.code)?;
                }
                Ok(())
            }
        }
    }
}

/// Whether an error or reason with this code is transient: DynamoDB is busy, or concurrent requests
/// write the same items.
fn is_transient(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "ReplicatedWriteConflictException"
            | "RequestLimitExceeded"
            | "ThrottlingError"
            | "ThrottlingException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
    )
}

/// The failure of all attempts of a request. It names the operation and the table, and no item.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) operation: &'static str,
    pub(super) table_name: String,
    pub(super) attempts: u32,
    pub(super) cause: Cause,
    /// Whether the outcome of any attempt is unknown.
    pub(super) is_unknown: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, table_name, attempts, cause, .. } = self;
        write!(formatter, "{operation} on table {table_name}, attempt {attempts}: {cause}")
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for crate::Error {
    fn from(failure: Failure) -> Self {
        Self::Unavailable { source: Box::new(failure) }
    }
}
