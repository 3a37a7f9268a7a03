//! Connections to the local endpoint that are slow, half closed, pipelined, endless, or over a
//! limit.

use std::time::Duration;

use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use serde_json::{Value, json};
use suites::endpoint::Endpoint;
use suites::now_secs;
use suites::support::{self, ALLOCATE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest wait for an answer: far shorter than the endpoint tolerates a slow connection, and
/// far longer than an answer takes.
const PATIENCE: Duration = Duration::from_secs(15);

fn sign(id: &str) -> Wire {
    let query = json!({ "RegionId": "cn-huhehaote", "Ipv6AddressId": id, "Bandwidth": "200" });
    let request: Request =
        serde_json::from_value(json!({ "action": ALLOCATE, "query": query })).unwrap();
    let variant = Variant { style: Style::V1, format: Some("JSON".to_owned()) };
    client::sign(&request, &variant, now_secs(), &client::fresh_nonce())
}

/// A signed request as bytes. Each of the `more` headers ends with CRLF.
fn request(id: &str, more: &str) -> String {
    format!("POST /?{} HTTP/1.1\r\nHost: x\r\n{more}\r\n", sign(id).query_string())
}

async fn connect(endpoint: &Endpoint) -> TcpStream {
    TcpStream::connect(endpoint.address()).await.unwrap()
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn exchange(endpoint: &Endpoint, bytes: &[u8]) -> String {
    let mut stream = connect(endpoint).await;
    // The server may close before it has read everything.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer in time"));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a well-behaved call and asserts that it is answered.
async fn is_answered(endpoint: &Endpoint) {
    let answer = timeout(PATIENCE, endpoint.send(&sign("ipv6-nowhere"), None)).await;
    let answer = answer.expect("an answer in time").unwrap();
    let body = answer.read().unwrap();
    assert_eq!(body.text("Code"), Some("InvalidIpv6Instance.NotFound"));
}

pub(crate) fn code(answer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body: {answer}"));
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    body["Code"].as_str().unwrap_or("Success").to_owned()
}

#[tokio::test]
async fn slow_connections_do_not_stop_others() {
    let endpoint = support::endpoint(&[]).await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = connect(&endpoint).await;
        let beginning = match number % 3 {
            // An incomplete line, an incomplete head, an incomplete body.
            0 => "POST /?Acti".to_owned(),
            1 => "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(),
            _ => request("ipv6-demo01", "Content-Length: 100\r\n"),
        };
        stream.write_all(beginning.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..3 {
        is_answered(&endpoint).await;
        for stream in &mut slow {
            // One byte now and then, as slow attackers send.
            stream.write_all(b"x").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_connection_over_the_bound_waits_until_another_ends() {
    let endpoint = support::endpoint(&["--max-connections", "1"]).await;
    let mut first = connect(&endpoint).await;
    let call = request("ipv6-nowhere", "");
    let ask = "GET /_control/calls HTTP/1.1\r\nHost: localhost\r\n\r\n";
    answer_of(&mut first, &call).await;
    let mut second = connect(&endpoint).await;
    let last = request("ipv6-demo01", "Connection: close\r\n");
    second.write_all(last.as_bytes()).await.unwrap();
    for _ in 0..100 {
        let calls = answer_of(&mut first, ask).await;
        assert!(!calls.contains("ipv6-demo01"), "{calls}");
    }
    drop(first);
    let mut answer = String::new();
    let read = timeout(PATIENCE, second.read_to_string(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    assert_eq!(code(&answer), "Success");
}

/// Sends a request over a persistent connection, and reads its answer.
async fn answer_of(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let some = timeout(PATIENCE, stream.read_buf(&mut read)).await;
        assert_ne!(some.expect("an answer in time").unwrap(), 0, "closed");
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                return body.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn a_half_closed_connection_gets_its_answer() {
    let endpoint = support::endpoint(&[]).await;
    let mut stream = connect(&endpoint).await;
    stream.write_all(request("ipv6-demo01", "").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert_eq!(code(&answer), "Success");
    // A connection that is half closed before its request is complete gets no answer and is closed.
    let mut stream = connect(&endpoint).await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost:").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(!answer.contains("200 OK"), "{answer}");
    is_answered(&endpoint).await;
}

/// How the answer to a request in this version announces a persistent connection: the values of
/// `connection`, and whether there is a `keep-alive`.
async fn said(endpoint: &Endpoint, version: &str, connection: &str) -> (Vec<String>, bool) {
    let query = sign("ipv6-nowhere").query_string();
    let head = format!("POST /?{query} HTTP/{version}\r\nHost: x\r\n{connection}\r\n");
    let mut stream = connect(endpoint).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
    }
    let answer = String::from_utf8(answer).unwrap().to_lowercase();
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let values = head.lines().filter_map(|line| line.strip_prefix("connection: "));
    (values.map(str::to_owned).collect(), head.contains("\nkeep-alive: timeout=25"))
}

#[tokio::test]
async fn an_answer_announces_a_persistent_connection_only_if_it_persists() {
    let endpoint = support::endpoint(&[]).await;
    for (version, connection, is_kept) in [
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: TE, Close\r\n", false),
        ("1.1", "Connection: te\r\nConnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let (values, has_keep_alive) = said(&endpoint, version, connection).await;
        assert_eq!(has_keep_alive, is_kept, "{version} {connection}");
        // HTTP/1.0 closes by default.
        let expected: &[&str] = match (is_kept, version) {
            (true, _) => &["keep-alive"],
            (false, "1.0") => &[],
            (false, _) => &["close"],
        };
        assert_eq!(values, expected, "{version} {connection}");
    }
}

#[tokio::test]
async fn localhost_means_both_loopback_addresses() {
    let endpoint = support::endpoint(&["--listen", "localhost:0"]).await;
    let port: u16 = endpoint.address().rsplit(':').next().unwrap().parse().unwrap();
    // A system without IPv6 has nothing to bind.
    let has_ipv6 = tokio::net::TcpListener::bind("[::1]:0").await.is_ok();
    for (address, is_there) in [("127.0.0.1", true), ("::1", has_ipv6)] {
        assert_eq!(TcpStream::connect((address, port)).await.is_ok(), is_there, "{address}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let endpoint = support::endpoint(&[]).await;
    let ids = ["ipv6-demo01", "ipv6-nowhere", "ipv6-demo02", "ipv6-ula"];
    let requests: String = ids[..3].iter().map(|id| request(id, "")).collect();
    let last = request(ids[3], "Connection: close\r\n");
    let answers = exchange(&endpoint, (requests + &last).as_bytes()).await;
    let expected =
        ["ipv6-demo01", "InvalidIpv6Instance.NotFound", "ipv6-demo02", "OperationUnsupported.ULA"];
    let bodies: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(bodies.len(), expected.len(), "{answers}");
    for (body, expected) in bodies.iter().zip(expected) {
        assert!(body.contains(expected), "{expected} in {body}");
    }
}

#[tokio::test]
async fn a_request_over_a_limit_is_refused_before_it_is_read_whole() {
    let endpoint = support::endpoint(&[]).await;
    let long = |bytes: usize| "x".repeat(bytes);
    // A body of two gigabytes is announced and not sent.
    let announced = request("ipv6-demo01", "Content-Length: 2147483648\r\n");
    let answer = exchange(&endpoint, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(code(&answer), "RequestTooLarge");
    // A body without an end.
    let head = request("ipv6-demo01", "Transfer-Encoding: chunked\r\n");
    let chunk = format!("10000\r\n{}\r\n", long(0x10000));
    let endless = head + &chunk.repeat(17);
    assert_eq!(code(&exchange(&endpoint, endless.as_bytes()).await), "RequestTooLarge");
    // Headers.
    let close = "Connection: close\r\n";
    let headers = format!("X-Long: {}\r\n{close}", long(32 * 1024));
    let answer = exchange(&endpoint, request("ipv6-demo01", &headers).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(code(&answer), "RequestHeadersTooLarge");
    // Parameters.
    let body = "a=1&".repeat(201);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let headers = format!("{form}{close}Content-Length: {}\r\n", body.len());
    let many = request("ipv6-demo01", &headers) + &body;
    let answer = exchange(&endpoint, many.as_bytes()).await;
    assert!(answer.contains("The request has more than 200 parameters."), "{answer}");
    let large = format!("GET /?Action=x&{}=1 HTTP/1.1\r\nHost: x\r\n{close}\r\n", long(8193));
    let answer = exchange(&endpoint, large.as_bytes()).await;
    assert!(answer.contains(&format!("Specified parameter {}... is not", long(64))), "{answer}");
    // Requests that the HTTP server itself rejects get an answer without a body.
    let target = format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", long(70_000));
    let answer = exchange(&endpoint, target.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414"), "{answer}");
    let many = "X: y\r\n".repeat(200);
    let answer = exchange(&endpoint, request("ipv6-demo01", &many).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer = exchange(&endpoint, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    is_answered(&endpoint).await;
}

#[tokio::test]
async fn many_large_bodies_at_once_take_bounded_memory() {
    let endpoint = support::endpoint(&[]).await;
    let head = request("ipv6-demo01", "Transfer-Encoding: chunked\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // 4 MiB each, of which the endpoint may hold at most 1 MiB.
    let bytes = head + &chunk.repeat(64);
    for _ in 0..4 {
        let exchanges = (0..32).map(|_| exchange(&endpoint, bytes.as_bytes()));
        futures_util::future::join_all(exchanges).await;
    }
    is_answered(&endpoint).await;
    let peak_mib = endpoint.peak_memory_mib().unwrap();
    assert!(peak_mib < 256, "{peak_mib} MiB for 128 requests of 4 MiB, 32 at once");
}
