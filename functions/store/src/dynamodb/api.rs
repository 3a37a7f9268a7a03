//! The store's interface to DynamoDB and time. Tests implement it with a model of both.

use std::pin::Pin;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;

/// A request that is being sent. Boxed: the SDK's types are nested too deeply for the compiler.
pub type Sending<O, E> = Pin<Box<dyn Future<Output = Result<O, SdkError<E>>> + Send + 'static>>;

/// Declares [`DynamoDbApi`] and implements it with the SDK.
macro_rules! api {
    ($($request:ident, $input:ident => $output:ident, $error:ident;)*) => {
        $(use aws_sdk_dynamodb::operation::$request::builders::$input;)*
        $(use aws_sdk_dynamodb::operation::$request::{$error, $output};)*

        /// The requests to DynamoDB that serve calls, a clock and a timer.
        pub trait DynamoDbApi: Send + Sync {
            $(
                #[doc = concat!("Sends a request of `", stringify!($request), "`, once.")]
                fn $request(&self, request: $input) -> Sending<$output, $error>;
            )*

            /// The time of a monotonic clock.
            fn now(&self) -> Instant;

            /// Waits.
            fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
        }

        impl DynamoDbApi for Client {
            $(
                fn $request(&self, request: $input) -> Sending<$output, $error> {
                    let client = self.clone();
                    Box::pin(async move { request.send_with(&client).await })
                }
            )*

            fn now(&self) -> Instant {
                tokio::time::Instant::now().into_std()
            }

            fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send {
                tokio::time::sleep(time)
            }
        }
    };
}

api! {
    batch_get_item, BatchGetItemInputBuilder => BatchGetItemOutput, BatchGetItemError;
    put_item, PutItemInputBuilder => PutItemOutput, PutItemError;
    query, QueryInputBuilder => QueryOutput, QueryError;
    transact_write_items, TransactWriteItemsInputBuilder =>
        TransactWriteItemsOutput, TransactWriteItemsError;
    update_item, UpdateItemInputBuilder => UpdateItemOutput, UpdateItemError;
}
