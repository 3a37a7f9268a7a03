//! Endpoints that do not listen yet, and endpoints behind a proxy.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use harness::http::{Failure, Server};
use http::{Request, Response};
use http_body_util::Full;
use suites::command::{command, endpoint, printed};
use suites::endpoint::{Endpoint, built};

use super::before::{Behind, before};

/// The variables that name a proxy.
const PROXY: [&str; 7] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "REQUEST_METHOD",
];

fn verify(url: &str, options: &[&str]) -> Command {
    let place = ["verify", "--case", "MissingAction/*", "--endpoint", url];
    let mut command = command(&[&place[..], options].concat());
    for name in PROXY.iter().chain(&["NO_PROXY", "no_proxy"]) {
        command.env_remove(name);
    }
    command
}

async fn run(command: Command) -> (Option<i32>, String) {
    let output = tokio::process::Command::from(command).output().await.unwrap();
    (output.status.code(), printed(&output))
}

/// An endpoint behind a proxy that breaks the first connections and answers the next ones as a
/// gateway does for an absent endpoint.
async fn starting(endpoint: &Endpoint) -> Server {
    let requests = Arc::new(AtomicUsize::new(0));
    before(endpoint.address(), move |behind: Behind, request: Request<Bytes>| {
        let requests = Arc::clone(&requests);
        async move {
            let gateway = |status: u16| {
                let response = Response::builder().status(status);
                Ok(response.body(Full::new(Bytes::from("<html>not yet</html>")))?)
            };
            match requests.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Err(Failure::from("not yet")),
                2 => gateway(502),
                3 => gateway(503),
                4 => gateway(504),
                _ => behind.pass(request).await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_endpoint_is_waited_for_until_it_answers() {
    let (endpoint, _) = endpoint(&[]).await;
    let server = starting(&endpoint).await;
    let (code, text) = run(verify(server.url(), &["--wait", "600"])).await;
    assert_eq!(code, Some(0), "{text}");

    // This one begins to listen later: until then the port refuses connections.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let waiting = tokio::spawn(run(verify(&format!("http://{free}"), &["--wait", "600"])));
    tokio::task::yield_now().await;
    let late = ["--listen", &free];
    let binary = built("local-endpoint").unwrap();
    let _late = Endpoint::start_logging(&binary, &late, "warn").await.unwrap();
    let (code, text) = waiting.await.unwrap();
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_beyond_this_machine_and_named_without_its_password() {
    let (endpoint, url) = endpoint(&[]).await;
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let answer = move |behind: Behind, mut request: Request<Bytes>| {
        let requests = Arc::clone(&counted);
        async move {
            let shown = request.headers_mut().remove("proxy-authorization").unwrap();
            requests.fetch_add(1, Ordering::SeqCst);
            // For another host the proxy answers with the request that it got.
            if request.uri().host() != Some("192.0.2.1") {
                let message = format!("CANARYpassword {}", shown.to_str().unwrap());
                return Ok(Response::builder().status(407).body(Full::new(message.into()))?);
            }
            behind.pass(request).await
        }
    };
    let proxy = before(endpoint.address(), answer).await;
    let host = proxy.url().strip_prefix("http://").unwrap();
    let with_password = format!("http://user:CANARYpassword@{host}");
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        let mut command = verify("http://192.0.2.1:8787", &[]);
        command.env(name, &with_password);
        let (code, text) = run(command).await;
        assert_eq!(code, Some(0), "{name}: {text}");
        assert!(text.contains(&format!("through the proxy {}", proxy.url())), "{text}");
        assert!(!text.contains("CANARY") && !text.contains("user"), "{text}");
        assert!(requests.swap(0, Ordering::SeqCst) > 0, "{name}");
    }
    let mut command = verify("http://192.0.2.2:8787", &["--access-key-id", "a"]);
    command.args(["--access-key-secret", "b"]).env("http_proxy", &with_password);
    let (code, text) = run(command).await;
    assert!(code == Some(2) && requests.swap(0, Ordering::SeqCst) > 0, "{text}");
    assert!(text.contains("[secret]") && !text.contains("CANARY"), "{text}");
    assert!(!text.contains("dXNlcjpDQU5BUllwYXNzd29yZA"), "{text}");
    let port = url.rsplit_once(':').unwrap().1;
    for local in [&url, &format!("http://127.1:{port}"), &format!("http://LOCALHOST:{port}")] {
        let mut command = verify(local, &[]);
        command.envs(PROXY[..6].iter().map(|name| (name, &with_password)));
        let (code, text) = run(command).await;
        assert_eq!(code, Some(0), "{local}: {text}");
        assert!(!text.contains("proxy"), "{text}");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}
