//! The function's log: each change leaves a line that names its caller, and no line holds a secret.

use std::process::Stdio;

use harness::case::{Style, Variant};
use harness::client;
use harness::target::bootstrap::command;
use harness::target::http_api_payload;
use harness::target::runtime_api::RuntimeApi;
use serde_json::{Value, json};
use suites::endpoint::built;
use suites::now_secs;
use suites::scratch;
use suites::support::ALLOCATE;
use suites::template::resource;
use suites::worlds::one_address;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// An invocation of an action with these parameters.
fn payload(action: &str, query: &Value) -> String {
    let request = json!({ "action": action, "accessKeyId": "testid", "accessKeySecret": "testsecret",
        "query": query });
    let request = serde_json::from_value(request).unwrap();
    let variant = Variant { style: Style::V3, format: None };
    let wire = client::sign(&request, &variant, now_secs(), &client::fresh_nonce());
    http_api_payload(&wire).to_string()
}

#[tokio::test]
async fn each_change_leaves_a_line_that_says_who_made_it() {
    let folder = scratch();
    let file = folder.path().join("world.json");
    std::fs::write(&file, one_address().to_string()).unwrap();
    let runtime_api = RuntimeApi::start().await.unwrap();
    let mut process = command(&built("bootstrap").unwrap(), &runtime_api)
        .env("WORLD_FILE", &file)
        .env("RUST_LOG", "info")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut call = async |action: &str, query: Value| {
        let answer = runtime_api.invoke(payload(action, &query)).await.unwrap().unwrap();
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["request_id"] == body["RequestId"] {
                return (line, body);
            }
        }
    };
    let buy = json!({ "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200",
        "ClientToken": "known to the caller" });
    for is_replay in [false, true] {
        let (mut line, body) = call(ALLOCATE, buy.clone()).await;
        let id = body["InternetBandwidthId"].as_str().unwrap();
        // This member joins the line to the access log of the API.
        let invocation = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
        assert_eq!(line["span"]["requestId"], invocation, "{line}");
        assert!(line["took_us"].is_u64(), "{line}");
        let members = line.as_object_mut().unwrap();
        for name in ["timestamp", "took_us", "span", "spans", "target", "request_id"] {
            members.remove(name).unwrap();
        }
        let expected = json!({
            "level": "INFO", "message": "changed", "action": ALLOCATE, "is_replay": is_replay,
            "account_id": "1234567890123456", "access_key_id": "testid", "source_ip": "192.0.2.1",
            "ids": format!("Ipv6AddressId=ipv6-1 InternetBandwidthId={id}"), "conflicts": 0
        });
        assert_eq!(line, expected);
    }
    let (line, _) = call(ALLOCATE, json!({ "RegionId": "cn-huhehaote" })).await;
    assert_eq!(
        (&line["message"], &line["code"]),
        (&json!("refused"), &json!("MissingParam.Ipv6InstanceId"))
    );
    let (line, _) = call("DescribeIpv6Addresses", json!({ "RegionId": "cn-huhehaote" })).await;
    assert_eq!(line["message"], "answered", "{line}");
    let delete = json!({ "RegionId": "cn-huhehaote", "Ipv6InternetBandwidthId": "ipv6bw-none" });
    let (line, _) = call("DeleteIpv6InternetBandwidth", delete).await;
    assert_eq!(line["message"], "refused", "{line}");
    process.kill().await.unwrap();
}

#[test]
fn the_metrics_of_the_template_filter_words_of_the_log() {
    for (filter, pattern) in [
        ("FailuresFilter", r#"{ $.level = "ERROR" }"#),
        ("ConflictsFilter", "{ $.conflicts > 0 }"),
        ("RetriesFilter", r#"{ $.message = "asks DynamoDB again" }"#),
    ] {
        let filter = resource(filter);
        assert!(filter.contains(&format!("FilterPattern: '{pattern}'")), "{filter}");
    }
    assert!(resource("Api").contains(r#""integrationRequestId":"$context.integration.requestId""#));
}
