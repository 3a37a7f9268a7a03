//! What DynamoDB says when it does not do what it was asked, and whether to ask again.

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

/// The code of a condition that does not hold.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// Why DynamoDB refused one part of a write.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    /// `None` for a part that it would have written.
    code: String,
    /// The version of the item that is there.
    pub(super) version: Option<Version>,
    /// The number of that item's form.
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

    /// Whether it is that the condition does not hold.
    pub(super) fn is_condition(&self) -> bool {
        self.code == CONDITION_FAILED
    }

    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        self.code == "None"
    }
}

/// An error that tells why each part of a write was refused.
pub(super) trait Reasons {
    /// Part by part; empty if the error is another one.
    fn reasons(&self) -> Vec<Reason>;
}

/// Errors that are of the whole request.
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

/// What came of an attempt that did not succeed.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// No answer that can be read came, so what was done is not known.
    NoAnswer(String),
    /// DynamoDB answered with an error.
    Answer {
        /// What it is called.
        code: String,
        /// The HTTP status.
        status: u16,
        /// What DynamoDB's own log knows the request by.
        request_id: Option<String>,
        /// Why each part of a write was refused, if that is what happened.
        reasons: Vec<Reason>,
    },
    /// DynamoDB did as it was asked, and what came of it is of no use; or it was not asked.
    Unfit(String),
}

impl Cause {
    /// What an attempt's error means. Its message stays behind: it may quote items.
    pub(super) fn of<E: Reasons + ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ServiceError(service) => Self::Answer {
                code: service.err().code().unwrap_or("unknown").to_owned(),
                status: service.raw().status().as_u16(),
                request_id: service.raw().request_id().map(str::to_owned),
                reasons: service.err().reasons(),
            },
            SdkError::DispatchFailure(failure) => {
                // The connection knows nothing of what it carries.
                let mut told = "the connection failed".to_owned();
                let mut source = failure.as_connector_error().and_then(std::error::Error::source);
                while let Some(error) = source {
                    told = format!("{told}: {error}");
                    source = error.source();
                }
                Self::NoAnswer(told)
            }
            SdkError::ResponseError(_) => Self::NoAnswer("the answer cannot be read".to_owned()),
            SdkError::TimeoutError(_) => Self::NoAnswer("no answer in time".to_owned()),
            // And whatever else an SDK to come may say before it sends anything.
            _ => Self::Unfit("the request could not be made".to_owned()),
        }
    }

    /// Whether what was done is not known.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Answer { status, code, .. } => {
                *status >= 500 || code == "TransactionInProgressException"
            }
            Self::Unfit(_) => false,
        }
    }

    /// Whether the same request may do better in a moment.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Answer { status, code, reasons, .. } => {
                *status >= 500
                    || passes(code)
                    || !reasons.is_empty()
                        && reasons.iter().all(|reason| {
                            reason.is_none() || reason.is_condition() || passes(&reason.code)
                        })
            }
            Self::Unfit(_) => false,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(told) | Self::Unfit(told) => formatter.write_str(told),
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

/// Whether an error of this name, or a reason, passes by itself: DynamoDB is busy, or others are
/// writing the same items this very moment.
fn passes(code: &str) -> bool {
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

/// Why a call of the store came to nothing: names the operation and the table, and no item.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) operation: &'static str,
    pub(super) table_name: String,
    pub(super) attempts: u32,
    pub(super) cause: Cause,
    /// Whether what any of the attempts did is not known.
    pub(super) is_open: bool,
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
