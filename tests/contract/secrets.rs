//! Secrets appear nowhere: not in debug output, errors or snapshots, and not in what the endpoint
//! keeps and writes.
//!
//! Besides, `harness::secrets` searches every answer of every case and every line that a target
//! writes meanwhile. One answer holds a secret: for a signature that does not match, the signed
//! texts hold the security token that this caller sent.

use std::fmt::Write as _;

use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use harness::secrets::{SECRET, TOKEN, find};
use harness::target::http_api_payload;
use ipv6_gateway::Event;
use ipv6_gateway::rpc::Call;
use ipv6_gateway::rpc::signature::Signed;
use serde_json::{Value, json};
use store::World;
use suites::endpoint::{Endpoint, built};
use suites::now_secs;
use suites::support::ALLOCATE;
use suites::worlds::{account, one_address};

/// A world whose secrets are canaries.
fn world() -> Value {
    let mut world = one_address();
    let account = account(&mut world);
    account["AccessKeys"]["testid"]["AccessKeySecret"] = SECRET.into();
    account["RamUsers"]["alice"] = json!({
        "UserId": "201234567890123456", "AccessKeys": { "alice": { "AccessKeySecret": SECRET } }
    });
    account["RamRoles"]["deployer"] = json!({
        "RoleId": "301234567890123456",
        "Sessions": { "STS.ci": {
            "RoleSessionName": "ci", "AccessKeySecret": SECRET,
            "SecurityToken": TOKEN, "Expiration": "2099-01-01T00:00:00Z"
        } }
    });
    world
}

/// A call of the session, signed.
fn sign(style: Style) -> Wire {
    let request: Request = serde_json::from_value(json!({
        "action": ALLOCATE, "accessKeyId": "STS.ci", "accessKeySecret": SECRET, "securityToken": TOKEN,
        "query": { "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200" },
        "body": { "ClientToken": "token" }
    }))
    .unwrap();
    let variant = Variant { style, format: None };
    client::sign(&request, &variant, now_secs(), &client::fresh_nonce())
}

#[test]
fn debug_output_shows_no_secret() {
    let world = World::parse(&world().to_string()).unwrap();
    let mut printed = format!("{world:#?}");
    for document in world.into_documents() {
        write!(printed, "{document:#?} {:?}", document.key()).unwrap();
    }
    for style in [Style::V1, Style::V3, Style::V3Sm3] {
        let wire = sign(style);
        let event = Event::parse(http_api_payload(&wire).to_string().as_bytes()).unwrap();
        write!(printed, "{event:#?}").unwrap();
        let call = Call::read(event.request);
        write!(printed, "{call:#?}").unwrap();
        let signed = Signed::read(&call, u64::try_from(now_secs()).unwrap()).unwrap();
        write!(printed, "{signed:#?}").unwrap();
        let refused = signed.verify("another").unwrap_err();
        write!(printed, "{refused} {refused:?}").unwrap();
    }
    assert_eq!(find(&printed), None, "{printed}");
    // The token is missing because it was left out, not because nothing was printed.
    assert!(printed.contains("STS.ci") && printed.contains("SecurityToken"), "{printed}");
}

#[test]
fn an_error_about_a_world_never_quotes_a_secret() {
    let key = "/Accounts/1234567890123456/AccessKeys/testid";
    let session = "/Accounts/1234567890123456/RamRoles/deployer/Sessions/STS.ci";
    let number = 9_876_543_210_123_456_u64;
    for (object, field, value) in [
        (key, "AccessKeySecret", json!(number)),
        (key, "AccessKeySecret", json!([SECRET])),
        (key, "AccessKeySecret", json!({ "a": SECRET })),
        (session, "AccessKeySecret", json!(number)),
        (session, "SecurityToken", json!(number)),
        (session, "SecurityToken", json!([TOKEN])),
        (session, "SecurityToken", json!(format!("{TOKEN}!"))),
        (session, "SecurityToken", json!("")),
        (session, "Expiration", json!("tomorrow")),
        (session, "Expiration", json!(SECRET)),
        (session, "Policy", json!(SECRET)),
        (session, "MFAPresent", json!(SECRET)),
        (key, "Status", json!(SECRET)),
        ("/Accounts/1234567890123456/AccessKeys", "testid", json!(SECRET)),
        ("/Accounts/1234567890123456/RamUsers/alice", "AccessKeys", json!(SECRET)),
        ("/Accounts/1234567890123456/RamUsers/alice/AccessKeys", "alice", json!(SECRET)),
    ] {
        let mut world = world();
        world.pointer_mut(object).unwrap()[field] = value;
        let error = World::parse(&format!("{world:#}")).unwrap_err();
        let message = format!("{error} {error:?}");
        assert!(find(&message).is_none() && !message.contains(&number.to_string()), "{message}");
        assert!(message.contains(field), "{message}");
    }
}

#[test]
fn no_snapshot_holds_a_secret() {
    let (mut searched, mut found) = (0, Vec::new());
    for path in contracts::paths().iter().filter(|path| path.contains("/snapshots/")) {
        searched += 1;
        let text = contracts::text(path).unwrap();
        let secrets = ["testsecret", "TESTTOKEN", SECRET, TOKEN];
        if let Some(secret) = secrets.into_iter().find(|secret| text.contains(secret)) {
            found.push(format!("{path}: {secret}"));
        }
        // A signature other than the placeholder.
        let sign = ["Signature=", "Signature%3D", "Signature%253D"];
        if sign.iter().any(|sign| text.contains(sign)) {
            found.push(format!("{path}: a signature"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(searched > 300, "{searched} snapshots");
}

#[tokio::test]
async fn the_endpoint_keeps_and_shows_no_secret_of_a_call() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    endpoint.control(reqwest::Method::PUT, "world", &world().to_string()).await.unwrap();
    let mut mismatches = 0;
    for style in [Style::V1, Style::V3, Style::V3Sm3] {
        let mut wire = sign(style);
        endpoint.send(&wire, None).await.unwrap();
        // Once more, with a parameter that the signature does not cover.
        endpoint.send(&wire, None).await.unwrap();
        wire.query.push(("Bandwidth".to_owned(), "1".to_owned()));
        endpoint.send(&wire, None).await.unwrap();
        for format in ["JSON", "XML"] {
            let mut wire = sign(style);
            wire.query.push(("Format".to_owned(), format.to_owned()));
            let answer = endpoint.send(&wire, None).await.unwrap();
            // The caller sees the token that it sent.
            assert!(answer.body.contains("server ") && answer.body.contains(TOKEN), "{answer:?}");
        }
    }
    let calls = endpoint.control(reqwest::Method::GET, "calls", "").await.unwrap();
    assert_eq!(calls["Calls"].as_array().unwrap().len(), 15);
    assert_eq!(find(&calls.to_string()), None, "{calls}");
    for call in calls["Calls"].as_array().unwrap().iter().filter(|call| call["Status"] == 400) {
        let answer = call["Answer"].as_str().unwrap();
        if answer.contains("SignatureDoesNotMatch") {
            mismatches += 1;
            assert!(answer.contains("our calculation.") && !answer.contains("server "), "{answer}");
            assert!(answer.ends_with("</Error>") || answer.ends_with("\"}"), "{answer}");
        }
    }
    assert_eq!(mismatches, 6);

    for (signature, secret, code) in [
        ("v1", SECRET, "Forbidden.RAM"),
        ("v3", SECRET, "Forbidden.RAM"),
        ("v3-sm3", SECRET, "Forbidden.RAM"),
        ("v1", "another", "SignatureDoesNotMatch"),
        ("v3", "another", "SignatureDoesNotMatch"),
    ] {
        let output = tokio::process::Command::new(&binary)
            .args(["call", ALLOCATE, "RegionId=cn-huhehaote", "--access-key-id", "STS.ci"])
            .args(["--access-key-secret", secret, "--security-token", TOKEN])
            .args(["--endpoint", &format!("http://{}", endpoint.address())])
            .args(["--signature", signature])
            .output();
        let output = output.await.unwrap();
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(shown.contains(code), "{shown}");
        assert_eq!(find(&shown), None, "{shown}");
    }
    assert_eq!(endpoint.leaks(), [""; 0]);
}
