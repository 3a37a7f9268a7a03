//! Allocations on DynamoDB Local, against the bare requests that an allocation needs.
//!
//! Ours: one event after another into the function. The baseline: the same requests, recorded
//! beforehand and sent by a plain HTTP client that signs nothing and ignores the answers: the read
//! and then the commit, once without and once with the nonce, which is stored during the read.
//!
//! Besides, one page of a list of ten thousand addresses.

#[path = "../../benches/calls.rs"]
mod calls;
#[path = "../../benches/measure.rs"]
mod measure;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::ops::ControlFlow;
use std::time::Duration;

use foreign::dynamodb_local::{Call, Proxy, client, endpoint, patient_client};
use harness::case::Style;
use harness::target::http_api_payload;
use ipv6_gateway::allocation::{Partition, Scope};
use ipv6_gateway::{Event, Function, Ids, Operations};
use serde_json::{Value, json};
use store::{DynamoDbStore, Store, World, Write};

use measure::{Comparison, now, print};

type Failure = Box<dyn Error + Send + Sync>;

const ROUNDS: u32 = 5;
const ALLOCATIONS: u32 = 400;
/// How many addresses a list has, and how often they are listed.
const LISTED: u32 = 10_000;
const LISTS: u32 = 5;
/// The most documents in one commit.
const WRITES_MAX: usize = 50;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let local = endpoint();
    let proxy = Proxy::start(local).await?;
    let table = table(0);
    client(local, &table).create_table().await?;
    let recorded = client(proxy.url(), &table);
    fill(&recorded, ALLOCATIONS).await?;
    let filling = proxy.calls();
    allocate(recorded).await?;
    let asked = proxy.calls();
    let goal = || Some(0.9..=f64::INFINITY);
    let mut pair =
        Comparison::new("allocations on DynamoDB Local / bare read and commit", "/s", goal());
    let what = "allocations on DynamoDB Local / bare read, nonce and commit";
    let mut three = Comparison::new(what, "/s", goal());
    for round in 1..=ROUNDS {
        let table = self::table(3 * round);
        let store = client(local, &table);
        store.create_table().await?;
        fill(&store, ALLOCATIONS).await?;
        let ours = allocate(store).await?;
        let bare_pair = bare(local, 3 * round + 1, &filling, &asked, false).await?;
        pair.add(ours, bare_pair);
        three.add(ours, bare(local, 3 * round + 2, &filling, &asked, true).await?);
    }
    print(&[pair, three]);
    let (time, units) = list(local).await?;
    writeln!(stdout(), "a page of {LISTED} addresses: {time:.1?}, {units} read units")?;
    Ok(())
}

fn table(number: u32) -> String {
    format!("bench-{}-{number}", std::process::id())
}

async fn fill(store: &DynamoDbStore, addresses: u32) -> Result<(), Failure> {
    let documents = World::parse(&calls::world(addresses))?.into_documents();
    for documents in documents.chunks(WRITES_MAX) {
        let writes = documents.iter().map(|document| Write::put(document.clone(), None));
        store.commit(writes.collect()).await?;
    }
    Ok(())
}

/// Allocations a second.
async fn allocate(store: DynamoDbStore) -> Result<f64, Failure> {
    let function = Function::new(store, Operations::all(), Box::new(calls::now), Ids::from_seed(1));
    let signed = calls::signed(Style::V3, ALLOCATIONS)?;
    let events = signed.iter().map(|wire| {
        Event::parse(http_api_payload(wire).to_string().as_bytes()).map_err(|e| e.to_string())
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let start = now();
    for event in events {
        let answer = function.handle(event).await;
        if answer.status_code != 200 {
            return Err(format!("a call was answered with {}", answer.status_code).into());
        }
    }
    Ok(f64::from(ALLOCATIONS) / start.elapsed().as_secs_f64())
}

/// The median time of a list of all addresses of a region, and the request units that `DynamoDB` Local
/// counts for one.
async fn list(local: &str) -> Result<(Duration, f64), Failure> {
    let table = format!("lists-{}", std::process::id());
    let filling = patient_client(local, &table);
    filling.create_table().await?;
    fill(&filling, LISTED).await?;
    let proxy = Proxy::start(local).await?;
    let store = client(proxy.url(), &table);
    let scope = Scope { account_id: "1234567890123456", region_id: "cn-huhehaote" };
    let mut times = Vec::new();
    for _ in 0..LISTS {
        let mut total = 0;
        let mut each = |_| {
            total += 1;
            ControlFlow::Continue(())
        };
        let start = now();
        store.list(&Partition::of("ipv6-address", scope), &mut each).await?;
        times.push(start.elapsed());
        if total != LISTED {
            return Err(format!("{total} addresses are listed, not {LISTED}").into());
        }
    }
    times.sort();
    let units: f64 = proxy.consumed().iter().map(|call| call.units).sum();
    Ok((times[times.len() / 2], units / f64::from(LISTS)))
}

/// Allocations a second, with recorded requests.
async fn bare(
    local: &str,
    number: u32,
    filling: &[Call],
    asked: &[Call],
    spends_nonces: bool,
) -> Result<f64, Failure> {
    let table = table(number);
    client(local, &table).create_table().await?;
    let client = harness::http::local_client()?;
    let moved = |call: &Call| {
        let mut body = call.body.to_string().replace(&self::table(0), &table);
        if let Some(token) = call.body["ClientRequestToken"].as_str() {
            body = body.replace(token, &format!("{number}{}", &token[4..]));
        }
        (call.operation.clone(), body)
    };
    for (operation, body) in filling.iter().map(moved) {
        send(&client, local, &operation, body).await?;
    }
    let moved: Vec<(String, String)> = asked.iter().map(moved).collect();
    let of_kind = |kind: &'static str| {
        moved.iter().filter(move |(operation, _)| operation == kind).map(|(_, body)| body.clone())
    };
    // The first call of a key reads the key first.
    let reads = of_kind("BatchGetItem").skip(1);
    let all: Vec<_> = reads.zip(of_kind("PutItem")).zip(of_kind("TransactWriteItems")).collect();
    let count = u32::try_from(all.len())?;
    let start = now();
    for ((read, nonce), commit) in all {
        let read = send(&client, local, "BatchGetItem", read);
        if spends_nonces {
            let nonce = send(&client, local, "PutItem", nonce);
            let (read, nonce) = tokio::join!(read, nonce);
            read.and(nonce)?;
        } else {
            read.await?;
        }
        send(&client, local, "TransactWriteItems", commit).await?;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

async fn send(
    client: &reqwest::Client,
    local: &str,
    operation: &str,
    body: String,
) -> Result<(), Failure> {
    let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let request = client
        .post(local)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", credential)
        .body(body);
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    if status.is_success() {
        return Ok(());
    }
    let message: Value = serde_json::from_slice(&body).unwrap_or_else(|_| json!("no JSON"));
    Err(format!("{operation}: {status}: {message}").into())
}
