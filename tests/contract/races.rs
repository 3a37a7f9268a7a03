//! Many callers at once: one allocation, and everybody gets a documented answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::store::{Admission, Admitted, Error, Key, MemoryStore, Store, Versioned, World, Write};
use harness::case::{Request, Style, Variant};
use harness::client;
use harness::judge::ACTION;
use harness::target::{http_api_payload, read_event_response};
use ipv6_gateway::{Event, Function, Ids};
use serde_json::json;
use tokio::sync::Barrier;

use crate::worlds::one_address;

const NOW_SECS: u32 = 1_767_323_045;
const CALLERS: usize = 64;

fn memory() -> MemoryStore {
    MemoryStore::holding(World::parse(&one_address().to_string()).unwrap().into_documents())
}

/// Yields between reading and writing, so that callers overtake one another; and counts.
struct Yielding(MemoryStore);

impl Store for Yielding {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let read = self.0.load(keys).await;
        tokio::task::yield_now().await;
        read
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        tokio::task::yield_now().await;
        self.0.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        tokio::task::yield_now().await;
        self.0.admit(admission).await
    }
}

/// Has every caller call with the token that `token` gives it, and counts the answers by code and
/// bandwidth.
async fn race(token: fn(usize) -> String) -> BTreeMap<String, usize> {
    let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS.into());
    let function = Arc::new(Function::new(Yielding(memory()), Box::new(clock), Ids::from_seed(1)));
    let start = Arc::new(Barrier::new(CALLERS));
    let calls = (0..CALLERS).map(|caller| {
        let (function, start) = (Arc::clone(&function), Arc::clone(&start));
        tokio::spawn(async move {
            let request: Request = serde_json::from_value(json!({ "query": {
                "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200",
                "ClientToken": token(caller)
            } }))
            .unwrap();
            let variant = Variant { style: Style::V3, format: None };
            let nonce = caller.to_string();
            let wire = client::sign(&request, &variant, NOW_SECS.into(), &nonce, ACTION);
            let payload = http_api_payload(&wire).to_string();
            let event = Event::parse(payload.as_bytes()).unwrap();
            start.wait().await;
            let response = serde_json::to_value(function.handle(event).await).unwrap();
            let body = read_event_response(&response).unwrap().read().unwrap();
            body.text("Code").or(body.text("InternetBandwidthId")).unwrap().to_owned()
        })
    });
    let mut answers = BTreeMap::new();
    for call in calls.collect::<Vec<_>>() {
        *answers.entry(call.await.unwrap()).or_insert(0) += 1;
    }
    answers
}

fn bandwidths(answers: &BTreeMap<String, usize>) -> Vec<usize> {
    let bandwidths = answers.iter().filter(|(answer, _)| answer.starts_with("ipv6bw-"));
    bandwidths.map(|(_, count)| *count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_callers_with_tokens_of_their_own_one_allocates() {
    let answers = race(|caller| format!("token-{caller}")).await;
    assert_eq!(bandwidths(&answers), [1], "{answers:?}");
    let refused = answers.get("OperationFailed.InternetBandwidthAlreadyExisted");
    assert_eq!(refused, Some(&(CALLERS - 1)), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_callers_with_one_token_all_get_the_same_bandwidth() {
    let answers = race(|_| "token".to_owned()).await;
    assert_eq!(bandwidths(&answers), [CALLERS], "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_callers_with_two_tokens_those_of_the_winner_get_the_same_bandwidth() {
    let answers = race(|caller| format!("token-{}", caller % 2)).await;
    assert_eq!(bandwidths(&answers), [CALLERS / 2], "{answers:?}");
    let refused = answers.get("OperationFailed.InternetBandwidthAlreadyExisted");
    assert_eq!(refused, Some(&(CALLERS / 2)), "{answers:?}");
}
