//! The cost of the parts of a call, counted in HMACs: the decision, verifying a signature, and a
//! whole event.

mod calls;
mod measure;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use harness::case::Style;
use harness::client::Wire;
use harness::target::http_api_payload;
use hmac::{Hmac, KeyInit, Mac};
use ipv6_gateway::allocation::operations::AllocateIpv6InternetBandwidth;
use ipv6_gateway::allocation::{Common, Fresh, Operation as _, Parameters, Resource, Seen};
use ipv6_gateway::rpc::signature::Signed;
use ipv6_gateway::rpc::signature::acs3::{self, Algorithm};
use ipv6_gateway::rpc::{Call, Request};
use ipv6_gateway::{API, Event, Function, Ids, Operations};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use store::{Document, MemoryStore, World};

use measure::{Comparison, now};

/// The number of rounds: each measures ours, then the baseline.
const ROUNDS: u32 = 51;

/// How many calls a round times, each to an address of its own.
const CALLS: u32 = 2000;

/// The text of an HMAC where a call has none: about as long as a V1 call's string to sign.
const TEXT: [u8; 600] = [b'a'; 600];

fn main() -> Result<(), String> {
    let v1 = calls::signed(Style::V1, CALLS)?;
    let v3 = calls::signed(Style::V3, CALLS)?;
    let world = World::parse(&calls::world(CALLS)).map_err(|error| error.to_string())?;
    let documents = world.into_documents();
    let is_address =
        |document: &&Document| matches!(document, Document::Resource(Resource::Ipv6Address(_)));
    let no_addresses: Vec<Document> =
        documents.iter().filter(|document| !is_address(document)).cloned().collect();
    measure::print(&[
        decision(&v1[0], &documents)?,
        verify_v1(&v1)?,
        verify_v3(&v3)?,
        event("an event, V1, allocating / 1 HMAC-SHA1", &v1, &documents, 200)?,
        event("an event, V3, allocating / 1 HMAC-SHA1", &v3, &documents, 200)?,
        event("an event, V1, no such address / 1 HMAC-SHA1", &v1, &no_addresses, 400)?,
    ]);
    Ok(())
}

/// Parses the operation's parameters and decides on documents that are read already.
fn decision(call: &Wire, documents: &[Document]) -> Result<Comparison, String> {
    let parameters: BTreeMap<&str, &str> =
        call.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let look_up = |name: &str| parameters.get(name).copied();
    let parameters = Parameters::new(&look_up);
    let parse = || {
        let read = Common::parse::<AllocateIpv6InternetBandwidth>(&parameters);
        let (common, call) = read.map_err(|refusal| refusal.to_string())?;
        Ok::<_, String>((common.scope("1234567890123456"), call))
    };
    let (scope, call) = parse()?;
    let mut seen = Seen::default();
    for key in AllocateIpv6InternetBandwidth::first(&call, scope) {
        let document = documents.iter().find(|document| document.key() == key);
        let resource = document.and_then(|document| match document {
            Document::Resource(resource) => Some(resource.clone()),
            Document::AccessKey(_) | Document::Identity(_) => None,
        });
        seen.add(key, resource);
    }
    let decide = || {
        let (scope, call) = parse()?;
        let mut tails = || "hp3y0l3ln89j8cdvf".to_owned();
        let mut fresh = Fresh::new(1_767_323_045, &mut tails);
        let decided = AllocateIpv6InternetBandwidth::decide(&call, scope, &seen, &mut fresh);
        decided.map(|outcome| drop(black_box(outcome))).map_err(|halt| format!("{halt:?}"))
    };
    decide()?;

    let mut comparison = Comparison::new("the decision / 1 HMAC-SHA1", "us", None);
    for _ in 0..ROUNDS {
        let ours = time(|| {
            for _ in 0..CALLS {
                black_box(decide()).ok();
            }
        });
        add(&mut comparison, ours, hmacs_sha1(&TEXT));
    }
    Ok(comparison)
}

/// Reads and verifies a V1 call; the baseline has the string to sign already.
fn verify_v1(calls: &[Wire]) -> Result<Comparison, String> {
    let string_to_sign = calls[0].signed_by_server().string_to_sign;
    let mut comparison = Comparison::new("verifying V1 / its HMAC-SHA1", "us", None);
    for _ in 0..ROUNDS {
        add(&mut comparison, verify(calls)?, hmacs_sha1(string_to_sign.as_bytes()));
    }
    Ok(comparison)
}

/// Reads and verifies a V3 call; the baseline has the canonical request already.
fn verify_v3(calls: &[Wire]) -> Result<Comparison, String> {
    let query: BTreeMap<String, String> = calls[0].query.iter().cloned().collect();
    let headers: Vec<(&str, &str)> = calls[0]
        .headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let hashed_payload = Algorithm::HmacSha256.hex_digest(b"");
    let canonical =
        acs3::canonical_request(&hyper::Method::POST, &query, &headers, &hashed_payload);
    let string_to_sign = Algorithm::HmacSha256.string_to_sign(&canonical);
    let mut comparison =
        Comparison::new("verifying V3 / its 2 SHA-256 and HMAC-SHA256", "us", None);
    for _ in 0..ROUNDS {
        let baseline = time(|| {
            for _ in 0..CALLS {
                black_box(Sha256::digest(black_box(b"")));
                black_box(Sha256::digest(black_box(&canonical)));
                let mac = Hmac::<Sha256>::new_from_slice(black_box(b"testsecret"));
                black_box(mac.map(|mac| mac.chain_update(black_box(&string_to_sign)).finalize()))
                    .ok();
            }
        });
        add(&mut comparison, verify(calls)?, baseline);
    }
    Ok(comparison)
}

/// The time for reading `calls` and verifying their signatures.
fn verify(calls: &[Wire]) -> Result<Duration, String> {
    let requests: Result<Vec<Request>, String> =
        calls.iter().map(|call| Ok(event_of(call)?.request)).collect();
    let requests = requests?;
    let now_secs = calls::now_secs();
    let mut verified = 0;
    let took = time(|| {
        for request in requests {
            let call = Call::read(request);
            let action = call.route(&API, |_| Ok(()));
            let signed = action.and_then(|()| Signed::read(&call, now_secs));
            verified += u32::from(signed.and_then(|signed| signed.verify("testsecret")).is_ok());
        }
    });
    if verified == CALLS { Ok(took) } else { Err(format!("only {verified} of {CALLS} verified")) }
}

/// From payload to payload: our part of an invocation.
fn event(
    what: &'static str,
    calls: &[Wire],
    documents: &[Document],
    status: u16,
) -> Result<Comparison, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let payloads: Vec<String> =
        calls.iter().map(|call| http_api_payload(call).to_string()).collect();
    let (store, clock) = (MemoryStore::default(), Box::new(calls::now));
    let function = Function::new(store, Operations::all(), clock, Ids::from_seed(1));
    let mut comparison = Comparison::new(what, "us", None);
    for _ in 0..ROUNDS {
        function.store().replace(documents.iter().cloned());
        let mut answered = 0;
        let ours = time(|| {
            runtime.block_on(async {
                for payload in &payloads {
                    let Ok(event) = Event::parse(payload.as_bytes()) else { continue };
                    let response = function.handle(event).await;
                    answered += u32::from(response.status_code == status);
                    black_box(serde_json::to_vec(&response)).ok();
                }
            });
        });
        if answered != CALLS {
            return Err(format!("{what}: only {answered} of {CALLS} were answered with {status}"));
        }
        add(&mut comparison, ours, hmacs_sha1(&TEXT));
    }
    Ok(comparison)
}

fn event_of(call: &Wire) -> Result<Event, String> {
    Event::parse(http_api_payload(call).to_string().as_bytes()).map_err(|error| error.to_string())
}

/// The time of HMAC-SHA1 over `text`, once for every call.
fn hmacs_sha1(text: &[u8]) -> Duration {
    time(|| {
        for _ in 0..CALLS {
            let mac = Hmac::<Sha1>::new_from_slice(black_box(b"testsecret&"));
            black_box(mac.map(|mac| mac.chain_update(black_box(text)).finalize())).ok();
        }
    })
}

fn add(comparison: &mut Comparison, ours: Duration, baseline: Duration) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(CALLS);
    comparison.add(micros(ours), micros(baseline));
}

fn time(work: impl FnOnce()) -> Duration {
    let start = now();
    work();
    start.elapsed()
}
