//! `contract verify` on a local endpoint: the time for the whole contract, in both signature styles
//! and both formats, compared with three seconds, and the time for each judged answer compared with
//! a bare call.
//!
//! The baseline sends the same calls, signed beforehand, with the same concurrency and a bare
//! reqwest client, and reads the answers. It sets no world and judges nothing.

mod measure;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::client::{Wire, fresh_nonce, now_secs, sign};
use harness::contract::Contract;
use harness::http::local_client;
use reqwest::Method;
use suites::endpoint::{Endpoint, built};

use measure::{Comparison, now, print};

const ROUNDS: usize = 5;
/// The number of concurrent calls: the default of `contract verify`.
const AT_ONCE: usize = 8;
/// The time limit for the whole contract, in seconds.
const SECS_MAX: f64 = 3.0;

#[tokio::main]
async fn main() -> Result<(), String> {
    let (binary, contract) = (built("local-endpoint")?, built("contract")?);
    let endpoint = Endpoint::start_logging(&binary, &[], "off").await?;
    let url = format!("http://{}", endpoint.address());
    let mut whole = Comparison::new("the whole contract / 3 s", "s", Some(0.0..=1.0));
    let mut each = Comparison::new("an answer judged / a bare call of reqwest", "us", None);
    for _ in 0..ROUNDS {
        let wires = Arc::new(signed()?);
        let calls = f64::from(u32::try_from(wires.len()).map_err(|error| error.to_string())?);
        let start = now();
        let mut verify = Command::new(&contract);
        let status = verify.args(["verify", "--endpoint", &url]).stdout(Stdio::null()).status();
        let secs = start.elapsed().as_secs_f64();
        if !status.map_err(|error| error.to_string())?.success() {
            return Err("the contract does not hold".to_owned());
        }
        let start = now();
        send(&url, &wires).await?;
        let bare_secs = start.elapsed().as_secs_f64();
        whole.add(secs, SECS_MAX);
        each.add(secs / calls * 1e6, bare_secs / calls * 1e6);
    }
    print(&[whole, each]);
    Ok(())
}

/// The call of every case in every variant, signed.
fn signed() -> Result<Vec<Wire>, String> {
    let cases = Contract::embedded().cases()?;
    let wires = cases.iter().flat_map(|case| {
        let variants = case.variants().into_iter();
        variants.map(|variant| sign(&case.request, &variant, now_secs(), &fresh_nonce()))
    });
    Ok(wires.collect())
}

async fn send(url: &str, wires: &Arc<Vec<Wire>>) -> Result<(), String> {
    let client = local_client()?;
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (client, url) = (client.clone(), url.to_owned());
            let (wires, next) = (Arc::clone(wires), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(wire) = wires.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let method =
                        Method::from_bytes(wire.method.as_bytes()).map_err(|e| e.to_string())?;
                    let url = format!("{url}/?{}", wire.query_string());
                    let mut request = client.request(method, url).body(wire.body.clone());
                    for (name, value) in &wire.headers {
                        request = request.header(name, value);
                    }
                    let answer = request.send().await.map_err(|error| error.to_string())?;
                    answer.bytes().await.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for sender in senders {
        sender.await.map_err(|error| error.to_string())??;
    }
    Ok(())
}
