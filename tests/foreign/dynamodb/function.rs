//! The function on a table of DynamoDB: its requests, and that it answers in time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use ::store::{DynamoDbStore, Store, Write};
use foreign::dynamodb_local::{Call, Fault, Proxy, patient_client};
use harness::answer::Answer;
use harness::case::{Request, Style, Variant};
use harness::target::bootstrap::command;
use harness::target::runtime_api::RuntimeApi;
use harness::target::{http_api_payload, read_event_response};
use harness::{client as caller, secrets};
use ipv6_gateway::{Event, Function, Ids, Operations, RateLimit};
use serde_json::{Value, json};
use suites::endpoint::built;
use suites::now_secs;
use suites::support::ALLOCATE;
use suites::template::check_role;
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;
use tokio::time::Instant;

use super::{NOW_SECS, Proxied, local, new_table, world};

/// A function over a proxied store with a world of one address.
struct Proxying {
    function: Function<DynamoDbStore>,
    proxy: Proxy,
    calls: AtomicUsize,
}

impl Proxying {
    async fn new(rate_limit: Option<RateLimit>) -> Self {
        let Proxied { proxy, store, direct, .. } = Proxied::new().await;
        fill(&direct).await;
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS.into());
        let function = Function::new(store, Operations::all(), Box::new(clock), Ids::from_seed(1));
        function.limit_rate(rate_limit);
        Self { function, proxy, calls: AtomicUsize::new(0) }
    }

    /// Allocates for the address under one token.
    async fn call(&self, bandwidth: &str) -> Answer {
        self.send(&allocation(bandwidth)).await
    }

    async fn send(&self, request: &Value) -> Answer {
        let nonce = self.calls.fetch_add(1, Ordering::Relaxed).to_string();
        let payload = payload(request, NOW_SECS.into(), &nonce);
        let event = Event::parse(payload.to_string().as_bytes()).unwrap();
        let response = serde_json::to_value(self.function.handle(event).await).unwrap();
        read_event_response(&response).unwrap()
    }

    /// The requests to DynamoDB since the last time: each operation, and the actions that it needs.
    fn asked(&self) -> Vec<(String, Vec<String>)> {
        let calls = self.proxy.calls();
        for table in calls.iter().filter_map(|call| call.body["RequestItems"].as_object()) {
            assert!(table.values().all(|keys| keys["ConsistentRead"] == true), "{table:?}");
        }
        calls.iter().map(|call| (call.operation.clone(), call.iam_actions())).collect()
    }
}

/// Writes the documents of a world of one address.
pub(super) async fn fill(store: &DynamoDbStore) {
    let documents = world().into_documents().into_iter();
    let writes = documents.map(|document| Write::put(document, None));
    store.commit(writes.collect()).await.unwrap();
}

fn allocation(bandwidth: &str) -> Value {
    let query = json!({
        "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Ipv6GatewayId": "ipv6gw-1",
        "Bandwidth": bandwidth, "ClientToken": "t-1"
    });
    json!({ "action": ALLOCATE, "query": query })
}

fn payload(request: &Value, now_secs: i64, nonce: &str) -> Value {
    let mut request = request.clone();
    request["accessKeySecret"] = secrets::SECRET.into();
    let request: Request = serde_json::from_value(request).unwrap();
    let variant = Variant { style: Style::V3, format: None };
    http_api_payload(&caller::sign(&request, &variant, now_secs, nonce))
}

/// Makes calls one at a time: a refused one, an allocation, its replay, a throttled call where
/// there is a quota, and the other operations.
async fn every_way(proxying: &Proxying) -> Vec<(String, Vec<String>)> {
    let mut asked = Vec::new();
    // The first call of a key reads the key first.
    assert_eq!(proxying.call("0").await.status, 400);
    asked.extend(proxying.asked());
    assert_eq!(proxying.call("200").await.status, 200);
    let allocation = proxying.asked();
    let counts = proxying.function.rate_limit().is_some();
    let admission: &[_] = if counts { &["PutItem", "UpdateItem"] } else { &["PutItem"] };
    let expected: Vec<(String, Vec<String>)> = [&["BatchGetItem"], admission]
        .concat()
        .into_iter()
        .map(|operation| (operation.to_owned(), vec![operation.to_owned()]))
        .chain([("TransactWriteItems".to_owned(), vec!["PutItem".to_owned(); 3])])
        .collect();
    assert_eq!(allocation, expected, "an allocation is one read, its admission and one commit");
    asked.extend(allocation);
    assert_eq!(proxying.call("200").await.status, 200);
    assert_eq!(proxying.asked().len(), expected.len() - 1, "a replay commits nothing");
    let last = proxying.call("300").await;
    assert!(last.body.contains("IdempotentParameterMismatch"), "{last:?}");
    let throttled = proxying.call("200").await.body.contains("Throttling.User");
    assert_eq!(throttled, proxying.function.rate_limit().is_some());
    asked.extend(proxying.asked());
    asked.extend(other_operations(proxying).await);
    asked
}

/// Lists the address, changes its bandwidth by its id, and deletes it.
async fn other_operations(proxying: &Proxying) -> Vec<(String, Vec<String>)> {
    let call = async |action: &str, mut query: Value| {
        query["RegionId"] = "cn-huhehaote".into();
        let answer = proxying.send(&json!({ "action": action, "query": query })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let asked = proxying.asked();
        (serde_json::from_str::<Value>(&answer.body).unwrap(), asked)
    };
    let (listed, mut all) = call("DescribeIpv6Addresses", json!({})).await;
    let bandwidth = &listed["Ipv6Addresses"]["Ipv6Address"][0]["Ipv6InternetBandwidth"];
    let by_id = json!({ "Ipv6InternetBandwidthId": bandwidth["Ipv6InternetBandwidthId"] });
    let mut changed = by_id.clone();
    changed["Bandwidth"] = "300".into();
    for (action, query, written) in [
        ("ModifyIpv6InternetBandwidth", changed, &["PutItem"][..]),
        ("DeleteIpv6InternetBandwidth", by_id, &["PutItem", "DeleteItem"]),
    ] {
        let (_, asked) = call(action, query).await;
        let operations: Vec<&str> = asked.iter().map(|(operation, _)| operation.as_str()).collect();
        let reads = operations.iter().filter(|operation| **operation == "BatchGetItem").count();
        assert_eq!(reads, 2, "{action}: the bandwidth's address, then the address");
        let (_, parts) = asked.last().unwrap();
        assert_eq!(parts, written, "{action}");
        all.extend(asked);
    }
    all
}

#[tokio::test]
async fn an_allocation_is_one_read_and_one_commit_and_the_role_allows_exactly_its_actions() {
    let mut needed = BTreeSet::new();
    for rate_limit in [None, Some(RateLimit { calls_max: 4, window_secs: 60 })] {
        let asked = every_way(&Proxying::new(rate_limit).await).await;
        needed.extend(asked.into_iter().flat_map(|(_, actions)| actions));
    }
    check_role(needed);
}

/// The request units for writing an item by Amazon's rule: one for each started kilobyte.
fn write_units(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    let bytes = attributes.map(|(name, value)| {
        let (_, value) = value.as_object().unwrap().iter().next().unwrap();
        // For a number this is more than its size.
        name.len() + value.as_str().unwrap().len()
    });
    bytes.sum::<usize>().div_ceil(1024)
}

/// Computed by Amazon's rules, because DynamoDB Local counts neither absent items nor more than one
/// item of a transaction. The units that it does count are compared.
#[tokio::test]
async fn an_allocation_costs_what_the_page_of_the_store_says() {
    allocation_costs(None, 7).await;
    allocation_costs(Some(RateLimit { calls_max: 300, window_secs: 60 }), 8).await;
}

async fn allocation_costs(rate_limit: Option<RateLimit>, write_units_told: usize) {
    let proxying = Proxying::new(rate_limit).await;
    assert_eq!(proxying.call("0").await.status, 400);
    drop((proxying.proxy.calls(), proxying.proxy.consumed()));
    assert_eq!(proxying.call("200").await.status, 200);
    let (mut read, mut written) = (0, 0);
    for Call { operation, body } in proxying.proxy.calls() {
        match operation.as_str() {
            // All of them are smaller than four kilobytes, and an absent one costs as much.
            "BatchGetItem" => {
                let tables = body["RequestItems"].as_object().unwrap().values();
                read += tables.map(|table| table["Keys"].as_array().unwrap().len()).sum::<usize>();
            }
            "PutItem" => written += write_units(&body["Item"]),
            // The counter has a few small attributes.
            "UpdateItem" => written += 1,
            // Each item of a transaction costs twice.
            "TransactWriteItems" => {
                let parts = body["TransactItems"].as_array().unwrap().iter();
                written += parts.map(|part| 2 * write_units(&part["Put"]["Item"])).sum::<usize>();
            }
            operation => panic!("{operation}"),
        }
    }
    let got = proxying.proxy.consumed();
    let got = |operation| got.iter().find(|call| call.operation == operation).unwrap().units;
    // The token does not exist yet.
    assert_eq!((got("BatchGetItem") + 1.0, got("PutItem")), (5.0, 1.0));
    assert_eq!((read, written), (5, write_units_told));
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("functions/store/README.md")).unwrap();
    for text in [format!("{read} read request units"), format!("{written} write request units")] {
        assert!(page.contains(&text), "functions/store/README.md does not say: {text}");
    }
}

/// The function's binary, with its documents in `table` behind `dynamodb_url`.
fn bootstrap(runtime_api: &RuntimeApi, table: &str, dynamodb_url: &str) -> Child {
    command(&built("bootstrap").unwrap(), runtime_api)
        // With all of its log, so that all of it is searched for secrets.
        .env("RUST_LOG", "trace")
        .env("TABLE_NAME", table)
        .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", secrets::SECRET)
        .env("AWS_SESSION_TOKEN", secrets::TOKEN)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn an_invocation_ends_in_time_although_dynamodb_does_not_answer() {
    let Proxied { proxy, direct, table, .. } = Proxied::new().await;
    fill(&direct).await;
    let time_max = Duration::from_millis(1500);
    let runtime_api = RuntimeApi::granting(time_max).await.unwrap();
    let _process = bootstrap(&runtime_api, &table, proxy.url());
    let call = async |nonce: &str| {
        let payload = payload(&allocation("200"), now_secs(), nonce).to_string();
        let start = Instant::now();
        let response = runtime_api.invoke(payload).await.unwrap().unwrap();
        (read_event_response(&response).unwrap(), start.elapsed())
    };
    // The key is read, then the documents; a single store call would continue for two seconds.
    assert_eq!(call("1").await.0.status, 200);
    for (nonce, operation) in [("2", "BatchGetItem"), ("3", "PutItem")] {
        proxy.plan(operation, vec![Fault::AnswerLate; 100]);
        let (answer, time) = call(nonce).await;
        assert!(answer.status == 500 && answer.body.contains("SystemBusy"), "{answer:?}");
        assert!(time < time_max, "{time:?}");
        proxy.plan(operation, []);
        // A later attempt of the token succeeds.
        assert_eq!(call(&format!("{nonce} again")).await.0.status, 200);
    }
}

#[tokio::test]
async fn the_lambda_binary_serves_from_the_table_and_logs_no_secret() {
    let table = new_table().await;
    fill(&patient_client(local(), &table)).await;
    let runtime_api = RuntimeApi::start().await.unwrap();
    let mut process = bootstrap(&runtime_api, &table, local());
    let mut bandwidths = BTreeSet::new();
    for nonce in ["1", "2"] {
        let payload = payload(&allocation("200"), now_secs(), nonce).to_string();
        let response = runtime_api.invoke(payload).await.unwrap().unwrap();
        let answer = read_event_response(&response).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.read().unwrap();
        bandwidths.insert(body.text("InternetBandwidthId").unwrap().to_owned());
    }
    assert_eq!(bandwidths.len(), 1, "a replay gives the first bandwidth");
    process.start_kill().unwrap();
    let (mut logged, mut got) = (String::new(), String::new());
    process.stdout.take().unwrap().read_to_string(&mut logged).await.unwrap();
    process.stderr.take().unwrap().read_to_string(&mut got).await.unwrap();
    assert!(logged.lines().count() >= 2 && got.is_empty(), "{logged}{got}");
    for line in logged.lines() {
        assert_eq!(secrets::find(line), None, "{line}");
    }
}
