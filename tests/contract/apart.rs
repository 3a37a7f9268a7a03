//! Worlds are isolated: a call in one has no effect in another.

use reqwest::Method;
use serde_json::{Value, json};
use suites::endpoint::Endpoint;
use suites::now_secs;
use suites::support::{self, ALLOCATE, code};
use suites::worlds::one_address;

use crate::endpoint::{allocate, signed};

async fn call_in(endpoint: &Endpoint, world: &str) -> String {
    let mut wire = signed(&allocate("ipv6-1"), now_secs());
    wire.headers.insert("x-local-world".to_owned(), world.to_owned());
    let answer = endpoint.send(&wire, None).await.unwrap();
    if answer.status == 404 && !answer.body.contains("\"Code\"") {
        return answer.body;
    }
    code(&answer)
}

async fn world(endpoint: &Endpoint, name: &str) -> Value {
    endpoint.control(Method::GET, &format!("worlds/{name}"), "").await.unwrap()
}

#[tokio::test]
async fn worlds_are_isolated() {
    let endpoint = support::endpoint(&[]).await;
    let document = one_address().to_string();
    let main = endpoint.control(Method::GET, "world", "").await.unwrap();
    for name in ["a", "b"] {
        endpoint.control(Method::PUT, &format!("worlds/{name}"), &document).await.unwrap();
    }
    let untouched = world(&endpoint, "b").await;
    assert_eq!(call_in(&endpoint, "a").await, "Success");
    assert_eq!(call_in(&endpoint, "a").await, "OperationFailed.InternetBandwidthAlreadyExisted");
    assert_eq!(world(&endpoint, "b").await, untouched);
    assert_eq!(call_in(&endpoint, "b").await, "Success");

    // Faults, the clock, throttling and the list of calls belong to one world as well.
    let faults = json!({ "Faults": [{ "Action": "AllocateIpv6InternetBandwidth", "Times": 1,
        "Kind": "Answer", "Code": "SystemBusy" }] });
    endpoint.control(Method::PUT, "worlds/a/faults", &faults.to_string()).await.unwrap();
    assert_eq!(call_in(&endpoint, "b").await, "OperationFailed.InternetBandwidthAlreadyExisted");
    assert_eq!(call_in(&endpoint, "a").await, "SystemBusy");
    let set = r#"{"Now": "2026-01-02T03:04:05Z"}"#;
    endpoint.control(Method::PUT, "worlds/a/clock", set).await.unwrap();
    assert_eq!(call_in(&endpoint, "a").await, "InvalidTimeStamp.Expired");
    assert_eq!(call_in(&endpoint, "b").await, "OperationFailed.InternetBandwidthAlreadyExisted");
    let none = r#"{"Calls": 0, "Seconds": 60}"#;
    endpoint.control(Method::PUT, "worlds/b/throttling", none).await.unwrap();
    assert_eq!(call_in(&endpoint, "b").await, "Throttling.User");
    let calls = endpoint.control(Method::GET, "worlds/b/calls", "").await.unwrap();
    assert_eq!(calls["Calls"].as_array().map(Vec::len), Some(4));

    // A replaced world starts anew, and the unnamed world was never touched.
    endpoint.control(Method::PUT, "worlds/a", &document).await.unwrap();
    assert_eq!(call_in(&endpoint, "a").await, "Success");
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), main);
    let worlds = endpoint.control(Method::GET, "worlds", "").await.unwrap();
    assert_eq!(worlds, json!({ "Worlds": ["a", "b"] }));
    endpoint.control(Method::DELETE, "worlds/a", "").await.unwrap();
    let message = call_in(&endpoint, "a").await;
    assert!(
        message.contains("there is no world a: create it with PUT /_control/worlds/a"),
        "{message}"
    );
    let put = async |path: &str, world: &str| {
        endpoint.control(Method::PUT, path, world).await.unwrap_err()
    };
    let error = put("worlds/c%20d", &document).await;
    assert!(error.contains("400") && error.contains("a world's name has 1 to 64"), "{error}");
    let error = put("worlds/e", r#"{"Accounts": 1}"#).await;
    assert!(error.contains("400") && error.contains("line 1, Accounts"), "{error}");
    let error = endpoint.control(Method::GET, "worlds/none/clock", "").await.unwrap_err();
    assert!(error.contains("404") && error.contains("there is no world none"), "{error}");
}

#[tokio::test]
async fn an_account_that_uses_up_its_nonces_waits_and_no_other_account_notices() {
    let endpoint = support::endpoint(&["--nonces-per-account", "3"]).await;
    let mut document = one_address();
    document["Accounts"]["2234567890123456"] =
        json!({ "AccessKeys": { "other": { "AccessKeySecret": "testsecret" } } });
    endpoint.control(Method::PUT, "worlds/a", &document.to_string()).await.unwrap();
    let call = async |key: &str| {
        let request = json!({ "action": ALLOCATE, "query": allocate("ipv6-1"),
            "accessKeyId": key, "accessKeySecret": "testsecret" });
        let mut wire = support::sign(&request, u64::try_from(now_secs()).unwrap());
        wire.headers.insert("x-local-world".to_owned(), "a".to_owned());
        endpoint.send(&wire, None).await.unwrap()
    };
    assert_eq!(code(&call("testid").await), "Success");
    for _ in 0..2 {
        let taken = "OperationFailed.InternetBandwidthAlreadyExisted";
        assert_eq!(code(&call("testid").await), taken);
    }
    let waits = call("testid").await;
    assert_eq!(code(&waits), "Throttling.User");
    let wait_ms: u64 = waits.header("x-acs-retry-after").unwrap().parse().unwrap();
    assert!((30 * 60_000..=31 * 60_000).contains(&wait_ms), "{wait_ms}");
    assert_ne!(code(&call("other").await), "Throttling.User");
    // The account has nonces of its own in each world, and new ones in a replaced world.
    let demo = endpoint.send(&signed(&allocate("ipv6-demo01"), now_secs()), None).await.unwrap();
    assert_eq!(code(&demo), "Success");
    endpoint.control(Method::PUT, "worlds/a", &document.to_string()).await.unwrap();
    assert_eq!(code(&call("testid").await), "Success");
}
