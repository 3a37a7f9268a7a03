//! The control protocol of `contracts/control.md`, for any endpoint that has it.

use harness::contract::Contract;
use harness::judge::{compiled, validator};
use harness::target::Remote;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::ALLOCATE;
use crate::worlds::one_address;

/// Sends every request of the protocol, and checks each answer against the schema of its message.
///
pub async fn follows_the_protocol(remote: &Remote) {
    let contract = Contract::embedded();
    let schema = contract.json("common/schemas/control.json").unwrap();
    let messages = compiled(&schema).unwrap();
    let world = validator(&contract, "common/schemas/world.json").unwrap();
    let document = one_address();
    let clock = json!({ "Now": "2030-01-02T03:04:05Z" });
    let throttling = json!({ "Calls": 0, "Seconds": 60 });
    let fault = json!({ "Action": ALLOCATE, "Times": 2, "Kind": "StoreUnavailable" });
    let faults = json!({ "Faults": [fault] });
    let nothing = Value::Null;
    for (method, path, body, message) in [
        (Method::GET, "worlds", &nothing, "worlds"),
        (Method::PUT, "worlds/protocol", &document, "made"),
        (Method::GET, "worlds/protocol", &nothing, "world"),
        (Method::GET, "worlds/protocol/clock", &nothing, "clock"),
        (Method::PUT, "worlds/protocol/clock", &clock, "clock"),
        (Method::DELETE, "worlds/protocol/clock", &nothing, "clock"),
        (Method::GET, "worlds/protocol/throttling", &nothing, "unthrottled"),
        (Method::PUT, "worlds/protocol/throttling", &throttling, "throttling"),
        (Method::GET, "worlds/protocol/throttling", &nothing, "throttling"),
        (Method::DELETE, "worlds/protocol/throttling", &nothing, "unthrottled"),
        (Method::PUT, "worlds/protocol/faults", &faults, "faults"),
        (Method::GET, "worlds/protocol/faults", &nothing, "faults"),
        (Method::DELETE, "worlds/protocol/faults", &nothing, "done"),
        (Method::GET, "worlds/protocol/calls", &nothing, "calls"),
        (Method::DELETE, "worlds/protocol/calls", &nothing, "done"),
        (Method::GET, "worlds", &nothing, "worlds"),
        (Method::DELETE, "worlds/protocol", &nothing, "done"),
    ] {
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        let answer = remote.control(method.clone(), path, &sent).await.unwrap();
        if message == "world" {
            assert!(world.is_valid(&answer), "{path}: {answer}");
            continue;
        }
        if !body.is_null() && message != "made" {
            assert!(messages.is_valid(&json!({ message: body })), "{message}: {body}");
        }
        assert!(messages.is_valid(&json!({ message: answer })), "{method} {path}: {answer}");
    }
    for (method, path, body, status) in [
        (Method::GET, "worlds/protocol", "", "404"),
        (Method::DELETE, "worlds/protocol", "", "404"),
        (Method::GET, "worlds/protocol/clock", "", "404"),
        (Method::PUT, "worlds/protocol/faults", r#"{ "Faults": [] }"#, "404"),
        (Method::PUT, "worlds/a%20b", r#"{ "Accounts": {} }"#, "400"),
        (Method::PUT, "worlds/protocol", "{", "400"),
    ] {
        let error = remote.control(method.clone(), path, body).await.unwrap_err().to_string();
        let (printed, text) = error.split_once('{').unwrap();
        assert!(printed.contains(status), "{method} {path}: {error}");
        let text: Value = serde_json::from_str(&format!("{{{text}")).unwrap();
        assert!(messages.is_valid(&json!({ "error": text })), "{method} {path}: {text}");
    }
    let left = remote.control(Method::GET, "worlds", "").await.unwrap();
    assert_eq!(left, json!({ "Worlds": [] }));
}
