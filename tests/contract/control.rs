//! The control protocol: the endpoint's messages fit the published schema, and a world that no
//! request names ends.

use reqwest::Method;
use serde_json::{Value, json};
use suites::control::follows_the_protocol;
use suites::endpoint::Endpoint;
use suites::support;
use suites::worlds::one_address;

#[tokio::test]
async fn the_endpoint_follows_the_protocol() {
    let endpoint = support::endpoint(&[]).await;
    follows_the_protocol(endpoint.remote()).await;
}

async fn worlds(endpoint: &Endpoint) -> Value {
    endpoint.control(Method::GET, "worlds", "").await.unwrap()
}

#[tokio::test]
async fn a_world_without_requests_ends_and_the_unnamed_world_never() {
    let endpoint = support::endpoint(&["--world-lease", "1"]).await;
    let first = endpoint.control(Method::GET, "world", "").await.unwrap();
    endpoint.control(Method::PUT, "worlds/a", &one_address().to_string()).await.unwrap();
    // Listing the worlds names none of them.
    while worlds(&endpoint).await != json!({ "Worlds": [] }) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for (method, name) in [(Method::GET, "worlds/a"), (Method::DELETE, "worlds/a")] {
        let error = endpoint.control(method, name, "").await.unwrap_err();
        assert!(error.contains("404") && error.contains("there is no world a"), "{error}");
    }
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), first);
    let forever = support::endpoint(&["--world-lease", "0"]).await;
    let document = one_address().to_string();
    let made = forever.control(Method::PUT, "worlds/a", &document).await.unwrap();
    assert_eq!(made, json!({}));
}

#[tokio::test]
async fn each_request_for_a_world_renews_its_lease() {
    let endpoint = support::endpoint(&["--world-lease", "3"]).await;
    for name in ["called", "left"] {
        let path = format!("worlds/{name}");
        endpoint.control(Method::PUT, &path, &one_address().to_string()).await.unwrap();
    }
    // Until the world that no call names has ended.
    loop {
        endpoint.control(Method::GET, "worlds/called", "").await.unwrap();
        let left = worlds(&endpoint).await;
        if left != json!({ "Worlds": ["called", "left"] }) {
            assert_eq!(left, json!({ "Worlds": ["called"] }));
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
