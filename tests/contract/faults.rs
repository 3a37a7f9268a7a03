//! Faults that a client plans for the next calls.

use std::time::Duration;

use harness::case::{Request, Style, Variant};
use harness::client;
use reqwest::Method;
use serde_json::{Value, json};
use suites::now_secs;
use suites::support::{self, ALLOCATE, code};

use crate::endpoint::{allocate, call, signed};

/// A code whose message names the resource.
const NAMING: &str = "IncorrectStatus.Ipv6Instance";

#[tokio::test]
async fn a_planned_fault_befalls_the_next_calls_only() {
    let endpoint = support::endpoint(&[]).await;
    let plan = async |fault: Value| {
        let mut fault = fault;
        fault["Action"] = ALLOCATE.into();
        let faults = json!({ "Faults": [fault] }).to_string();
        endpoint.control(Method::PUT, "faults", &faults).await
    };
    plan(json!({ "Times": 2, "Kind": "Answer", "Code": "OperationFailed.SaleValidate" }))
        .await
        .unwrap();
    let query = allocate("ipv6-demo01");
    for expected in ["OperationFailed.SaleValidate", "OperationFailed.SaleValidate", "Success"] {
        assert_eq!(code(&call(&endpoint, &query).await.unwrap()), expected);
    }
    plan(json!({ "Times": 1, "Kind": "StoreUnavailable" })).await.unwrap();
    let query = allocate("ipv6-demo02");
    let busy = call(&endpoint, &query).await.unwrap();
    assert_eq!((busy.status, code(&busy).as_str()), (500, "SystemBusy"));
    assert_eq!(code(&call(&endpoint, &query).await.unwrap()), "Success");

    let mut query = allocate("ipv6-demo03");
    query["ClientToken"] = "t-1".into();
    plan(json!({ "Times": 1, "Kind": "BreakBeforeCommit" })).await.unwrap();
    call(&endpoint, &query).await.unwrap_err();
    plan(json!({ "Times": 1, "Kind": "BreakAfterCommit" })).await.unwrap();
    call(&endpoint, &query).await.unwrap_err();
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    assert_eq!(calls["Calls"].as_array().unwrap().last().unwrap()["Status"], Value::Null);
    // The first call did nothing and the second committed: the token replays the second.
    let world = endpoint.control(Method::GET, "world", "").await.unwrap().to_string();
    let replayed = call(&endpoint, &query).await.unwrap().read().unwrap();
    let bandwidth = replayed.text("InternetBandwidthId").unwrap();
    assert!(world.contains(bandwidth), "the lost answer's bandwidth is the one replayed");

    // As many successes as planned are answered with an error. Then the token replays the first.
    let mut query = allocate("ipv6-demo04");
    query["ClientToken"] = "t-2".into();
    plan(json!({ "Times": 4, "Kind": "AnswerAfterCommit", "Code": "SystemBusy" })).await.unwrap();
    for _ in 0..4 {
        let busy = call(&endpoint, &query).await.unwrap();
        assert_eq!((busy.status, code(&busy).as_str()), (500, "SystemBusy"));
        let id = busy.read().unwrap().text("RequestId").unwrap().to_owned();
        assert_eq!(busy.header("x-acs-request-id"), Some(id.as_str()));
    }
    let world = endpoint.control(Method::GET, "world", "").await.unwrap().to_string();
    let replayed = call(&endpoint, &query).await.unwrap().read().unwrap();
    assert!(world.contains(replayed.text("InternetBandwidthId").unwrap()));
    plan(json!({ "Times": 1, "Kind": "Delay", "Milliseconds": 300 })).await.unwrap();
    let late = tokio::time::timeout(Duration::from_millis(200), call(&endpoint, &query)).await;
    assert!(late.is_err(), "the answer comes late");

    let error = plan(json!({ "Times": 1, "Kind": "Answer", "Code": "Nothing" })).await.unwrap_err();
    let expected = format!("Faults[0].Code: {ALLOCATE} has no documented error Nothing");
    assert!(error.contains(&expected), "{error}");
    // The code is documented, for another operation.
    let of_other =
        json!({ "Times": 1, "Kind": "Answer", "Code": "OperationFailed.ServiceManaged" });
    assert!(plan(of_other).await.unwrap_err().contains("has no documented error"));
    for (fault, printed) in [
        (json!({ "Times": 0, "Kind": "StoreUnavailable" }), "Faults[0].Times: invalid value 0"),
        (json!({ "Times": 1, "Kind": "StorePanics", "Code": "SystemBusy" }), "Faults[0].Code: "),
        (
            json!({ "Times": 1, "Kind": "Delay", "Milliseconds": 1, "Later": 1 }),
            "Faults[0].Later: ",
        ),
        (json!({ "Times": 1, "Kind": "Delay" }), "Faults[0]: missing field `Milliseconds`"),
        (
            json!({ "Times": 1, "Kind": "Answer", "Code": NAMING }),
            "Faults[0].Id: missing, for the message of IncorrectStatus.Ipv6Instance names a resource",
        ),
        (
            json!({ "Times": 1, "Kind": "Answer", "Code": "SystemBusy", "Id": "ipv6-1" }),
            "Faults[0].Id: unexpected, for the message of SystemBusy names no resource",
        ),
        (
            json!({ "Times": 1, "Kind": "AnswerAfterCommit", "Code": "Throttling.User" }),
            "Faults[0].Code: ",
        ),
    ] {
        let error = plan(fault.clone()).await.unwrap_err();
        assert!(error.to_lowercase().contains(&printed.to_lowercase()), "{fault}: {error}");
    }
    plan(json!({ "Times": 9, "Kind": "StoreUnavailable" })).await.unwrap();
    endpoint.control(Method::DELETE, "faults", "").await.unwrap();
    assert_eq!(code(&call(&endpoint, &query).await.unwrap()), "Success");
}

#[tokio::test]
async fn a_planned_fault_waits_for_a_call_that_reaches_it() {
    let endpoint = support::endpoint(&[]).await;
    let taken = allocate("ipv6-demo01");
    call(&endpoint, &taken).await.unwrap();
    let request = json!({ "action": ALLOCATE, "query": taken, "accessKeySecret": "wrong" });
    let request: Request = serde_json::from_value(request).unwrap();
    let wrong = || {
        let variant = Variant { style: Style::V3, format: None };
        client::sign(&request, &variant, now_secs(), &client::fresh_nonce())
    };
    let faults =
        async || endpoint.control(Method::GET, "faults", "").await.unwrap()["Faults"].take();
    // Refused before the fault, and by the operation.
    let (refused, used) =
        ("SignatureDoesNotMatch", "OperationFailed.InternetBandwidthAlreadyExisted");
    for (fault, at_the_door, in_the_operation) in [
        (json!({ "Kind": "Answer", "Code": "OperationFailed.SaleValidate" }), true, false),
        (json!({ "Kind": "Answer", "Code": NAMING, "Id": "ipv6-1" }), true, false),
        (json!({ "Kind": "AnswerAfterCommit", "Code": "SystemBusy" }), true, true),
        (json!({ "Kind": "BreakAfterCommit" }), true, true),
        (json!({ "Kind": "Answer", "Code": "Throttling.User" }), false, false),
        (json!({ "Kind": "StoreUnavailable" }), false, false),
    ] {
        let mut fault = fault;
        fault["Action"] = ALLOCATE.into();
        fault["Times"] = 1.into();
        let planned = json!({ "Faults": [fault] }).to_string();
        endpoint.control(Method::PUT, "faults", &planned).await.unwrap();
        if at_the_door {
            assert_eq!(code(&endpoint.send(&wrong(), None).await.unwrap()), refused, "{fault}");
            assert_eq!(faults().await, json!([fault]));
        }
        if in_the_operation {
            assert_eq!(code(&call(&endpoint, &taken).await.unwrap()), used, "{fault}");
            assert_eq!(faults().await, json!([fault]));
        } else {
            assert_ne!(code(&call(&endpoint, &taken).await.unwrap()), used, "{fault}");
            assert_eq!(faults().await, json!([]), "{fault}");
        }
    }
}

#[tokio::test]
async fn a_planned_error_before_the_operation_uses_up_nothing() {
    let endpoint = support::endpoint(&["--throttle", "1/86400"]).await;
    let query = allocate("ipv6-demo01");
    let wire = signed(&query, now_secs());
    for planned in
        ["Throttling.User", "Forbidden.RAM", "SignatureDoesNotMatch", "SignatureNonceUsed"]
    {
        let fault = json!({ "Action": ALLOCATE, "Times": 1, "Kind": "Answer", "Code": planned });
        let faults = json!({ "Faults": [fault] }).to_string();
        endpoint.control(Method::PUT, "faults", &faults).await.unwrap();
        let answer = endpoint.send(&wire, None).await.unwrap();
        assert_eq!(code(&answer), planned);
        let message = answer.read().unwrap().text("Message").unwrap().to_owned();
        match planned {
            "Throttling.User" => {
                let wait_ms: u64 = answer.header("x-acs-retry-after").unwrap().parse().unwrap();
                assert!(wait_ms <= 86_400_000, "{wait_ms}");
            }
            "SignatureDoesNotMatch" => assert!(message.contains("ACS3-HMAC-SHA256"), "{message}"),
            _ => assert!(!message.is_empty()),
        }
    }
    // The same bytes again: the fault used up neither the nonce nor the quota of one call.
    assert_eq!(code(&endpoint.send(&wire, None).await.unwrap()), "Success");
    assert_eq!(code(&call(&endpoint, &query).await.unwrap()), "Throttling.User");
    // The plan names the id of the message.
    let named =
        json!({ "Action": ALLOCATE, "Times": 1, "Kind": "Answer", "Code": NAMING, "Id": "ipv6-9" });
    endpoint.control(Method::DELETE, "throttling", "").await.unwrap();
    endpoint
        .control(Method::PUT, "faults", &json!({ "Faults": [named] }).to_string())
        .await
        .unwrap();
    let answer = call(&endpoint, &query).await.unwrap();
    assert_eq!(code(&answer), NAMING);
    assert!(answer.body.contains("[ipv6-9]"), "{}", answer.body);
}
