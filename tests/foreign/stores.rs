//! Every suite on `DynamoDB` Local, in process and over HTTP.

use std::sync::Arc;

use foreign::dynamodb_local::patient_client;
use store::DynamoDbStore;
use suites::support::Clients;

use crate::dynamodb::{local, new_table};

async fn clients() -> Clients<DynamoDbStore> {
    let table = new_table().await;
    [(); 2].map(|()| Arc::new(patient_client(local(), &table)))
}

suites::suites! { clients }

mod over_http {
    suites::suites_over_http! { &crate::places::made_table().await.options() }
}
