//! The local endpoint's documents in a table.

use harness::client;
use reqwest::Method;
use serde_json::json;
use suites::endpoint::built;
use suites::places::{Place, call, file};
use suites::support::{allocate, code};
use tokio::process::Command;

use crate::dynamodb::{local, new_table};

fn at(name: &str) -> Place {
    let options = ["--dynamodb-endpoint", local(), "--dynamodb-table", name];
    Place::of(&options, &["--create-table"])
}

/// A table that does not exist yet.
fn table() -> Place {
    at(&format!("place-{}", client::fresh_nonce()))
}

/// A table that exists.
pub(crate) async fn made_table() -> Place {
    at(&new_table().await)
}

suites::tests_of_place! { table() }

#[tokio::test]
async fn the_demo_world_is_never_put_into_a_table() {
    let place = table();
    let empty = json!({ "Accounts": {} }).to_string();
    place.import(&file(&empty), &place.options_to_make).await.unwrap();
    let endpoint = place.endpoint(&[]).await;
    let answer = call(&endpoint, &allocate("ipv6-demo01")).await.unwrap();
    assert_eq!(code(&answer), "InvalidAccessKeyId.NotFound");
    let message = endpoint.control(Method::POST, "reset", "").await.unwrap_err();
    assert!(message.contains("start with --world FILE"), "{message}");
}

#[tokio::test]
async fn a_missing_table_is_an_error() {
    let binary = built("local-endpoint").unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        let output = command.env_clear().args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let local = ["--dynamodb-endpoint", local(), "--dynamodb-table", "no-table"];
    let message = run(&[&["export"], &local[..]].concat()).await;
    assert!(
        message.contains("table no-table") && message.contains("ResourceNotFound"),
        "{message}"
    );
    let message = run(&local).await;
    assert!(
        message.contains("table no-table") && message.contains("ResourceNotFound"),
        "{message}"
    );
}
