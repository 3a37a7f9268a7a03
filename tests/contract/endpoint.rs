//! The local endpoint as its users see it: options, control paths, limits, and shutdown.

use std::process::Stdio;
use std::time::Duration;

use harness::answer::Answer;
use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use suites::endpoint::{Endpoint, built};
use suites::now_secs;
use suites::scratch;
use suites::support::{self, ALLOCATE, code};
use suites::worlds::{account, one_address};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

pub(crate) fn signed(query: &Value, at_secs: i64) -> Wire {
    let request = json!({ "action": ALLOCATE, "query": query });
    support::sign(&request, at_secs.try_into().unwrap())
}

pub(crate) fn allocate(id: &str) -> Value {
    support::allocate(id)["query"].take()
}

pub(crate) async fn call(endpoint: &Endpoint, query: &Value) -> Result<Answer, String> {
    endpoint.send(&signed(query, now_secs()), None).await
}

#[tokio::test]
async fn a_seed_leads_to_the_same_ids_in_every_run() {
    let mut bodies = Vec::new();
    for seed in ["7", "7", "8"] {
        let endpoint = support::endpoint(&["--seed", seed]).await;
        bodies.push(call(&endpoint, &allocate("ipv6-demo01")).await.unwrap().body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

/// The access key, the address and the charge type of a call, and the code of its answer.
const DEMO: &str = "
    testid ipv6-unassociated PayByTraffic UnsupportedFeature.InternetChargeTypeOnFreeIpv6Address
    testid ipv6-static-isp PayByTraffic UnsupportedFeature.InternetChargeTypeOnStaticIsp
    testid ipv6-ula PayByBandwidth OperationUnsupported.ULA
    testid ipv6-private-gua PayByBandwidth OperationUnsupported.PrivateGUA
    testid ipv6-pending PayByBandwidth IncorrectStatus.Ipv6Instance
    testid ipv6-released PayByBandwidth ResourceNotFound.Ipv6Address
    testid ipv6-cloud-service PayByBandwidth OperationDenied.UnSupportedBindTypeCloudInstance
    testid ipv6-without-gateway PayByBandwidth OperationFailed.Ipv6GatewayNotExist
    testid ipv6-allocated PayByBandwidth OperationFailed.InternetBandwidthAlreadyExisted
    testid ipv6-hangzhou PayByBandwidth InvalidIpv6Instance.NotFound
    no-billing-record ipv6-no-billing-record PayByBandwidth OperationFailed.QueryAccountInfo
    cdt-not-opened ipv6-cdt-not-opened PayByTraffic OperationFailed.OpenCdtServiceFirst
    cdt-not-upgraded ipv6-cdt-not-upgraded PayByTraffic OperationFailed.UpgradeCdtServiceFirst
    in-arrears ipv6-in-arrears PayByBandwidth OperationFailed.SaleValidate
    risk-control ipv6-risk-control PayByBandwidth OperationFailed.SaleValidate
    quota-exceeded ipv6-quota-exceeded PayByBandwidth OperationFailed.SaleValidate
    testid ipv6-ecs-instance PayByTraffic Success
";

#[tokio::test]
async fn each_address_of_the_demo_world_gets_the_error_in_its_name() {
    let endpoint = support::endpoint(&[]).await;
    for row in DEMO.trim().lines() {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [key, id, charge_type, expected] = columns[..] else { panic!("{row}") };
        let mut request = support::allocate(id);
        request["query"]["InternetChargeType"] = charge_type.into();
        request["accessKeyId"] = key.into();
        let wire = support::sign(&request, now_secs().try_into().unwrap());
        assert_eq!(code(&endpoint.send(&wire, None).await.unwrap()), expected, "{id}");
    }
}

#[tokio::test]
async fn a_world_can_be_read_replaced_and_reset() {
    let endpoint = support::endpoint(&[]).await;
    let initial = endpoint.control(Method::GET, "world", "").await.unwrap();
    call(&endpoint, &allocate("ipv6-demo01")).await.unwrap();
    let changed = endpoint.control(Method::GET, "world", "").await.unwrap();
    assert_ne!(initial, changed);
    // A world that was read can be put again.
    endpoint.control(Method::PUT, "world", &changed.to_string()).await.unwrap();
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), changed);
    endpoint.control(Method::POST, "reset", "").await.unwrap();
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), initial);

    let wrong = "{\n  \"Accounts\": { \"x\": {} }\n}";
    let error = endpoint.control(Method::PUT, "world", wrong).await.unwrap_err();
    assert!(error.contains("400") && error.contains("line 2, Accounts.x"), "{error}");
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), initial);
    let error = endpoint.control(Method::GET, "nothing", "").await.unwrap_err();
    assert!(error.contains("404") && error.contains("world, reset, clock"), "{error}");
    let error = endpoint.control(Method::DELETE, "world", "").await.unwrap_err();
    assert!(error.contains("405"), "{error}");
}

#[tokio::test]
async fn a_world_with_a_token_of_a_wrong_answer_is_refused() {
    let endpoint = support::endpoint(&[]).await;
    let put = async |action: &str, answer: Value| {
        let mut world = one_address();
        let token = json!({
            "ExpiresAt": "2099-01-01T00:00:00Z", "Parameters": {}, "Answer": answer
        });
        account(&mut world)["ClientTokens"][format!("cn-huhehaote/{action}/t")] = token;
        endpoint.control(Method::PUT, "world", &world.to_string()).await
    };
    let fit = json!({ "Ipv6AddressId": "ipv6-1", "InternetBandwidthId": "ipv6bw-1" });
    put(ALLOCATE, fit).await.unwrap();
    let before = endpoint.control(Method::GET, "world", "").await.unwrap();
    for (action, answer, expected) in [
        (ALLOCATE, json!({}), "invalid Answer, expected Ipv6AddressId and InternetBandwidthId"),
        ("AllocateNothing", json!({}), "unknown operation"),
    ] {
        let error = put(action, answer).await.unwrap_err();
        let at = format!("ClientTokens.cn-huhehaote/{action}/t: {expected}");
        assert!(error.contains("400") && error.contains(&at), "{error}");
    }
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), before);
}

#[tokio::test]
async fn the_banner_shows_a_key_of_a_given_world_and_never_its_secret() {
    let folder = scratch();
    let file = folder.path().join("world.json");
    let key = |status: &str| json!({ "AccessKeySecret": "hidden", "Status": status });
    let world = json!({ "Accounts": { "1234567890123456": {
        "AccessKeys": { "a-disabled": key("Inactive"), "it's": key("Active") }
    } } });
    std::fs::write(&file, world.to_string()).unwrap();
    let endpoint = support::endpoint(&["--world", file.to_str().unwrap()]).await;
    let banner = endpoint.banner().await;
    assert!(banner.contains("Key        it's; set ACCESS_KEY_SECRET to its secret"), "{banner}");
    assert!(!banner.contains("hidden") && !banner.contains("a-disabled"), "{banner}");
    let (_, snippet) = banner.split_once("local-endpoint call").unwrap();
    let binary = built("local-endpoint").unwrap();
    let command = format!("'{}' call {snippet}", binary.display());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env("ACCESS_KEY_SECRET", "hidden");
    let output = shell.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn the_clock_can_be_set_and_a_token_is_forgotten_after_24_hours() {
    let endpoint = support::endpoint(&[]).await;
    let mut query = allocate("ipv6-demo01");
    query["ClientToken"] = "t-1".into();
    let start_secs = 1_767_323_045;
    let set = r#"{"Now": "2026-01-02T03:04:05Z"}"#;
    endpoint.control(Method::PUT, "clock", set).await.unwrap();
    let first = endpoint.send(&signed(&query, start_secs), None).await.unwrap();
    assert_eq!(code(&first), "Success");
    // The call is far too old by the system's time, and current by the world's clock.
    let now = call(&endpoint, &query).await.unwrap();
    assert_eq!(code(&now), "InvalidTimeStamp.Expired");

    let set = r#"{"Now": "2026-01-03T03:03:55Z"}"#;
    endpoint.control(Method::PUT, "clock", set).await.unwrap();
    let late = endpoint.send(&signed(&query, start_secs + 86_390), None).await.unwrap();
    assert_eq!(code(&late), "Success", "remembered for 24 hours");
    let set = r#"{"Now": "2026-01-03T03:05:05Z"}"#;
    endpoint.control(Method::PUT, "clock", set).await.unwrap();
    let later = endpoint.send(&signed(&query, start_secs + 86_460), None).await.unwrap();
    assert_eq!(code(&later), "OperationFailed.InternetBandwidthAlreadyExisted", "and no longer");

    endpoint.control(Method::DELETE, "clock", "").await.unwrap();
    let now = call(&endpoint, &allocate("ipv6-demo02")).await.unwrap();
    assert_eq!(code(&now), "Success");
    let error = endpoint.control(Method::PUT, "clock", r#"{"Now": "noon"}"#).await.unwrap_err();
    assert!(error.contains("Now: invalid time"), "{error}");
    for (now, is_taken) in [
        ("0000-01-01T00:00:00Z", false),
        ("1969-12-31T23:59:59Z", false),
        ("1970-01-01T00:00:00Z", true),
        ("9998-12-31T23:59:59Z", true),
        ("9999-01-01T00:00:00Z", false),
        ("9999-12-31T23:59:59Z", false),
    ] {
        let set = json!({ "Now": now }).to_string();
        match endpoint.control(Method::PUT, "clock", &set).await {
            Ok(_) => assert!(is_taken, "{now}"),
            Err(error) => {
                assert!(!is_taken, "{now}: {error}");
                assert!(error.contains("expected a year from 1970 to 9998"), "{error}");
            }
        }
    }
    // At both ends of the range a purchase with a token is remembered.
    for (number, now, secs) in
        [(5, "1970-01-01T00:00:00Z", 0), (6, "9998-12-31T23:59:59Z", 253_370_764_799)]
    {
        let set = json!({ "Now": now }).to_string();
        endpoint.control(Method::PUT, "clock", &set).await.unwrap();
        let mut query = allocate(&format!("ipv6-demo0{number}"));
        query["ClientToken"] = "t-2".into();
        let answer = endpoint.send(&signed(&query, secs), None).await.unwrap();
        assert_eq!(code(&answer), "Success", "{now}");
        endpoint.control(Method::GET, "world", "").await.unwrap();
    }
}

#[tokio::test]
async fn the_log_of_calls_shows_them_without_their_signatures() {
    let endpoint = support::endpoint(&[]).await;
    let request: Request =
        serde_json::from_value(json!({ "action": ALLOCATE, "query": allocate("ipv6-ula") }))
            .unwrap();
    for style in [Style::V1, Style::V3] {
        let variant = Variant { style, format: Some("JSON".to_owned()) };
        let wire = client::sign(&request, &variant, now_secs(), &client::fresh_nonce());
        endpoint.send(&wire, None).await.unwrap();
    }
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    let listed = calls["Calls"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "{calls}");
    for call in listed {
        assert_eq!(call["Action"], ALLOCATE);
        assert_eq!(call["Parameters"]["Ipv6AddressId"], "ipv6-ula");
        assert_eq!(call["Status"], 400);
        assert!(call["Answer"].as_str().unwrap().contains("OperationUnsupported.ULA"), "{call}");
    }
    assert!(!calls.to_string().contains("\"Signature\""), "{calls}");
    endpoint.control(Method::DELETE, "calls", "").await.unwrap();
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    assert_eq!(calls, json!({ "Calls": [] }));
}

#[tokio::test]
async fn the_log_of_calls_is_bounded_by_its_bytes() {
    let endpoint = support::endpoint(&[]).await;
    let unsigned = format!("http://{}/?Action=X&Long={}", endpoint.address(), "x".repeat(60_000));
    let client = harness::http::local_client().unwrap();
    for _ in 0..320 {
        client.post(&unsigned).send().await.unwrap();
    }
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    let kept = calls["Calls"].as_array().unwrap().len();
    // Sixteen megabytes in all.
    assert!((250..=279).contains(&kept), "{kept} calls are kept");
}

#[tokio::test]
async fn an_absolute_target_and_a_chunked_body_are_read() {
    let endpoint = support::endpoint(&[]).await;
    let request = json!({ "action": ALLOCATE, "body": allocate("ipv6-demo01") });
    let request: Request = serde_json::from_value(request).unwrap();
    let variant = Variant { style: Style::V1, format: Some("JSON".to_owned()) };
    let wire = client::sign(&request, &variant, now_secs(), &client::fresh_nonce());
    let (one, two) = wire.body.split_at(7);
    let head = format!(
        "POST http://{}/?{} HTTP/1.1\r\nHost: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n",
        client::HOST,
        wire.query_string(),
        client::HOST,
    );
    let body = format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
    let mut stream = TcpStream::connect(endpoint.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_malformed_world_file_is_reported_with_line_and_field() {
    let binary = built("local-endpoint").unwrap();
    let folder = scratch();
    let file = folder.path().join("wrong.json");
    std::fs::write(&file, "{\n \"Accounts\": { \"1234567890123456\": {\n  \"Account\": 1\n } }\n}")
        .unwrap();
    let run = async |arguments: &[&str]| {
        let output = Command::new(&binary).args(arguments).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, error) = run(&["--world", file.to_str().unwrap()]).await;
    assert_eq!(status, Some(2));
    let expected = "wrong.json: line 3, Accounts.1234567890123456.Account: unknown member";
    assert!(error.contains(expected), "{error}");
    let (status, error) = run(&["--world", "no-such-file.json"]).await;
    assert_eq!(status, Some(2));
    assert!(error.contains("no-such-file.json: No such file"), "{error}");
    let endpoint = support::endpoint(&[]).await;
    let (status, error) = run(&["--listen", endpoint.address()]).await;
    assert_eq!(status, Some(2));
    assert!(error.contains(&format!("cannot listen on {}", endpoint.address())), "{error}");
}

#[tokio::test]
async fn call_shows_the_request_and_the_answer_and_exits_by_it() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = support::endpoint(&[]).await;
    let url = format!("http://{}", endpoint.address());
    let run = async |arguments: &[&str]| {
        let output = Command::new(&binary)
            .args(["call", "--endpoint", &url])
            .args(arguments)
            .output()
            .await
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), out, String::from_utf8(output.stderr).unwrap())
    };
    let sound = [ALLOCATE, "RegionId=cn-huhehaote", "Ipv6AddressId=ipv6-demo01", "Bandwidth=200"];
    let (status, out, _) = run(&sound).await;
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains("ACS3-HMAC-SHA256") && out.contains("200 OK"), "{out}");
    assert!(out.contains("\"InternetBandwidthId\":\"ipv6bw-"), "{out}");
    assert!(!out.contains("testsecret"), "{out}");
    let (status, out, _) =
        run(&[&sound[..], &["--signature", "v1", "--format", "xml"]].concat()).await;
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("400 Bad Request") && out.contains("AlreadyExisted</Code>"), "{out}");
    let (status, _, error) = run(&[ALLOCATE, "Bandwidth=1", "Bandwidth=2"]).await;
    assert_eq!((status, error.as_str()), (Some(2), "error: repeated parameter Bandwidth\n"));
    let apart = [ALLOCATE, "--endpoint", endpoint.address(), "--world", "apart"];
    let output = Command::new(&binary).arg("call").args(apart).output().await.unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("404") && out.contains("there is no world apart"), "{out}");
    let (status, _, error) = run(&[ALLOCATE, "Bandwidth"]).await;
    assert_eq!(status, Some(2));
    assert!(error.contains("expected KEY=VALUE"), "{error}");
    let (status, _, error) = run(&[ALLOCATE, "--endpoint", "http://127.0.0.1:1"]).await;
    assert_eq!(status, Some(2), "{error}");
    let nowhere = ["call", ALLOCATE, "--endpoint", "http://127.0.0.1:1"];
    let output = Command::new(&binary).args(nowhere).output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("no answer from http://127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn help_shows_options_paths_and_examples() {
    let binary = built("local-endpoint").unwrap();
    let output = Command::new(&binary).arg("--help").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for word in
        ["--listen", "--world", "--seed", "call", "/_control/faults", "testsecret", "Examples"]
    {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[tokio::test]
async fn ctrl_c_ends_it_cleanly() {
    let binary = built("local-endpoint").unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut process = Command::new(&binary)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = process.stdout.take().unwrap();
        let mut first = [0; 9];
        stdout.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"Listening");
        // The handler is set once the endpoint accepts; it prints before that.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let id = process.id().unwrap().try_into().unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
        let status = tokio::time::timeout(Duration::from_secs(10), process.wait()).await;
        assert_eq!(status.unwrap().unwrap().code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn a_panic_is_logged_with_the_request_id_and_its_place_and_not_its_message() {
    let endpoint = support::endpoint(&[]).await;
    let fault = json!({ "Action": ALLOCATE, "Times": 1, "Kind": "StorePanics" });
    let faults = json!({ "Faults": [fault] }).to_string();
    endpoint.control(Method::PUT, "faults", &faults).await.unwrap();
    let answer = call(&endpoint, &allocate("ipv6-demo01")).await.unwrap();
    assert_eq!((answer.status, code(&answer).as_str()), (500, "InternalError"));
    let id = answer.header("x-acs-request-id").unwrap();
    let line = endpoint.logged(id).await;
    assert!(line.contains("ERROR") && line.contains("fault.rs:"), "{line}");
    assert!(!endpoint.log().contains("a test suite planned it"), "{}", endpoint.log());
    assert_eq!(code(&call(&endpoint, &allocate("ipv6-demo01")).await.unwrap()), "Success");
}
