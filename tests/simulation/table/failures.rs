//! Errors of `DynamoDB` and of connections, in the types of the SDK.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ConnectorError, ErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::{
    ConditionalCheckFailedException, TransactionCanceledException,
};
use aws_smithy_types::body::SdkBody;

use crate::expression::Item;

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There was no answer.
    Lost,
    /// The error of this status and code.
    Code(u16, &'static str),
    /// The condition of a write does not hold for this item.
    Condition(Option<Item>),
    /// A transaction was cancelled, with the reason for each part.
    Cancelled(Vec<Reason>),
}

/// Why a part of a transaction was refused.
#[derive(Debug)]
pub(crate) enum Reason {
    None,
    Condition(Option<Item>),
    Conflict,
}

/// An error of an operation.
pub(crate) trait Fail: Send + 'static {
    /// The error with this code.
    fn of_code(metadata: ErrorMetadata) -> Self;

    /// The error that the condition of a write does not hold.
    fn of_condition(_: ConditionalCheckFailedException) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// The error that a transaction was cancelled.
    fn of_cancelled(_: TransactionCanceledException) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

impl Failure {
    pub(crate) fn into_error<E: Fail>(self) -> SdkError<E> {
        let code = |code: &str| ErrorMetadata::builder().code(code).build();
        let (status, error) = match self {
            Self::Lost => {
                return SdkError::dispatch_failure(ConnectorError::io("the answer is lost".into()));
            }
            Self::Code(status, name) => (status, Some(E::of_code(code(name)))),
            Self::Condition(item) => {
                let error = ConditionalCheckFailedException::builder().set_item(item);
                let error = error.meta(code("ConditionalCheckFailedException")).build();
                (400, E::of_condition(error))
            }
            Self::Cancelled(reasons) => {
                let reasons = reasons.into_iter().map(Reason::into_part).collect();
                let error =
                    TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons));
                let error = error.meta(code("TransactionCanceledException")).build();
                (400, E::of_cancelled(error))
            }
        };
        let status = status.try_into().expect("a status");
        let response = HttpResponse::new(status, SdkBody::empty());
        SdkError::service_error(error.expect("the operation can fail so"), response)
    }
}

impl Reason {
    fn into_part(self) -> CancellationReason {
        let (code, item) = match self {
            Self::None => ("None", None),
            Self::Condition(item) => ("ConditionalCheckFailed", item),
            Self::Conflict => ("TransactionConflict", None),
        };
        CancellationReason::builder().code(code).set_item(item).build()
    }
}

/// Errors that have no variant for conditions.
macro_rules! plain {
    ($($error:ident)*) => {
        $(
            impl Fail for $error {
                fn of_code(metadata: ErrorMetadata) -> Self {
                    Self::generic(metadata)
                }
            }
        )*
    };
}
plain! { BatchGetItemError QueryError }

/// Errors of writes of one item.
macro_rules! conditional {
    ($($error:ident)*) => {
        $(
            impl Fail for $error {
                fn of_code(metadata: ErrorMetadata) -> Self {
                    Self::generic(metadata)
                }

                fn of_condition(error: ConditionalCheckFailedException) -> Option<Self> {
                    Some(Self::ConditionalCheckFailedException(error))
                }
            }
        )*
    };
}
conditional! { PutItemError UpdateItemError }

impl Fail for TransactWriteItemsError {
    fn of_code(metadata: ErrorMetadata) -> Self {
        Self::generic(metadata)
    }

    fn of_cancelled(error: TransactionCanceledException) -> Option<Self> {
        Some(Self::TransactionCanceledException(error))
    }
}
