//! Who may use the local endpoint's control paths, which read secrets and replace worlds.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;
use suites::endpoint::Endpoint;
use suites::support;

use crate::connections::exchange;
use crate::reading::run;

const TOKEN: [&str; 2] = ["--control-token", "control-secret"];
const RIGHT: &str = "Authorization: Bearer control-secret\r\n";

/// Requests a control path with these headers, and returns the status and the error's message.
async fn ask(endpoint: &Endpoint, target: &str, headers: &str) -> (u16, String) {
    let head = format!("GET {target} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    let answer = exchange(endpoint, head.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    assert_eq!(body["Error"].is_string(), body["Accounts"].is_null(), "{body}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body["Error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn no_page_of_a_browser_reaches_the_control_paths() {
    let endpoint = support::endpoint(&[]).await;
    let address = endpoint.address();
    let own = format!("Host: {address}\r\n");
    let with = |headers: &str| format!("{own}{headers}");
    for (headers, status, named) in [
        // Clients other than browsers.
        (own.clone(), 200, ""),
        (String::new(), 200, ""),
        ("Host: localhost:8787\r\n".to_owned(), 200, ""),
        ("Host: LOCALHOST\r\n".to_owned(), 200, ""),
        ("Host: endpoint.localhost:8787\r\n".to_owned(), 200, ""),
        ("Host: [::1]:8787\r\n".to_owned(), 200, ""),
        ("Host: 172.17.0.2:8787\r\n".to_owned(), 200, ""),
        (with("Sec-Fetch-Mode: cors\r\n"), 200, ""),
        // A person who enters the address, and a page of the endpoint's own.
        (with("Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n"), 200, ""),
        (with(&format!("Origin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n")), 200, ""),
        // A name that was made to resolve to this machine.
        ("Host: example.com\r\n".to_owned(), 403, "Host"),
        (format!("Host: example.com:{}\r\n", address.rsplit(':').next().unwrap()), 403, "Host"),
        ("Host: localhost.example.com\r\n".to_owned(), 403, "Host"),
        ("Host: 127.0.0.1.example.com\r\n".to_owned(), 403, "Host"),
        ("Host: notlocalhost\r\n".to_owned(), 403, "Host"),
        ("Host: a b\r\n".to_owned(), 400, "Host"),
        (with("Host: example.com\r\n"), 400, "Host"),
        // A page of another origin, and a page with an opaque origin.
        (with("Origin: https://example.com\r\n"), 403, "Origin"),
        (with("Origin: http://localhost:3000\r\n"), 403, "Origin"),
        (with(&format!("Origin: https://{address}\r\n")), 403, "Origin"),
        (with("Origin: null\r\n"), 403, "Origin"),
        ("Origin: null\r\n".to_owned(), 403, "Origin"),
        (with("Sec-Fetch-Site: cross-site\r\n"), 403, "Sec-Fetch-Site"),
        (with("Sec-Fetch-Site: same-site\r\n"), 403, "Sec-Fetch-Site"),
        // Where no token is configured, a token that is sent does not help.
        (with(&format!("Origin: null\r\n{RIGHT}")), 403, "Origin"),
    ] {
        let (text, message) = ask(&endpoint, "/_control/world", &headers).await;
        assert_eq!(text, status, "{headers}: {message}");
        assert!(message.starts_with(named), "{headers}: {message}");
    }
    let foreign = "http://example.com/_control/world";
    assert_eq!(ask(&endpoint, foreign, &own).await.0, 403, "the target's host is what counts");
}

#[tokio::test]
async fn with_a_control_token_a_request_needs_the_token_and_nothing_else() {
    let endpoint = support::endpoint(&TOKEN).await;
    for (headers, status) in [
        ("", 401),
        ("Host: localhost\r\n", 401),
        ("Authorization: Bearer another\r\n", 401),
        ("Authorization: Bearer control-secret2\r\n", 401),
        ("Authorization: Basic control-secret\r\n", 401),
        (RIGHT, 200),
    ] {
        assert_eq!(ask(&endpoint, "/_control/world", headers).await.0, status, "{headers}");
    }
    let headers = format!("{RIGHT}Host: endpoint:8787\r\nOrigin: null\r\n");
    assert_eq!(ask(&endpoint, "/_control/world", &headers).await.0, 200);
    assert!(!endpoint.log().contains("control-secret"), "{}", endpoint.log());
}

#[tokio::test]
async fn beyond_this_machine_the_control_paths_need_a_token() {
    let anywhere = ["--listen", "0.0.0.0:0"];
    let endpoint = support::endpoint(&anywhere).await;
    let (status, message) = ask(&endpoint, "/_control/world", "Host: localhost\r\n").await;
    assert_eq!(status, 403);
    assert!(message.contains("--control-token"), "{message}");
    endpoint.logged("without --control-token").await;
    let endpoint = support::endpoint(&[anywhere, TOKEN].concat()).await;
    assert_eq!(ask(&endpoint, "/_control/world", RIGHT).await.0, 200);
}

#[tokio::test]
async fn a_kept_world_is_replaced_only_where_the_start_allows_it() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let data = ["--data", kept.to_str().unwrap()];
    let endpoint = support::endpoint(&data).await;
    let world = endpoint.control(Method::GET, "world", "").await.unwrap();
    for (method, name) in [(Method::POST, "reset"), (Method::PUT, "world")] {
        let refused = endpoint.control(method, name, "{\"Accounts\": {}}").await.unwrap_err();
        assert!(refused.contains("403") && refused.contains("--allow-replace"), "{refused}");
    }
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), world);
    endpoint.control(Method::PUT, "worlds/apart", &world.to_string()).await.unwrap();
    endpoint.kill().await.unwrap();

    let endpoint = support::endpoint(&[&data[..], &["--allow-replace"]].concat()).await;
    endpoint.control(Method::PUT, "world", "{\"Accounts\": {}}").await.unwrap();
    endpoint.control(Method::POST, "reset", "").await.unwrap();
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), world);
}

#[tokio::test]
async fn the_contract_command_sends_the_token_and_reports_a_missing_one() {
    let endpoint = support::endpoint(&TOKEN).await;
    // Without a scheme, as SDKs take it.
    let verify = ["verify", "--endpoint", endpoint.address(), "--case", "MissingAction/*"];
    let (code, text) = run(Path::new("."), &verify);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--control-token") && text.contains("401"), "{text}");
    let (code, text) = run(Path::new("."), &[&verify[..], &TOKEN].concat());
    assert_eq!(code, 0, "{text}");
}
