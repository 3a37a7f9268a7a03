//! The memory of the nonces of a million calls.

#[expect(dead_code, reason = "no time is measured here")]
mod measure;

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use measure::{Comparison, print};
use store::{Admission, Admitted, MemoryStore, Store};

/// How many calls are made within the 15 minutes for which a timestamp is good.
const CALLS: u64 = 1_000_000;
const WINDOW_SECS: u64 = 901;

fn main() -> Result<(), Box<dyn Error>> {
    let empty_kib = resident_kib()?;
    let store = MemoryStore::default();
    for call in 0..CALLS {
        // Spread over the window, as calls are.
        let now_secs = call * WINDOW_SECS / CALLS;
        let nonce = format!("{call:032x}");
        let admission = Admission {
            access_key_id: "LTAI5tExampleExampleEx",
            account_id: "1234567890123456",
            nonce: &nonce,
            nonce_expires_at_secs: now_secs + WINDOW_SECS,
            quota: None,
            now_secs,
        };
        if ready(store.admit(&admission))?? != Admitted::Yes {
            return Err("a new nonce was not let in".into());
        }
    }
    let taken = to_f64(resident_kib()? - empty_kib) * 1024.0;
    let mut bytes = Comparison::new(
        "memory of a nonce, a million in 15 minutes / its text and its key's",
        "bytes",
        None,
    );
    bytes.add(taken / to_f64(CALLS), 22.0 + 32.0);
    print(&[bytes]);
    Ok(())
}

/// The store in memory never waits.
fn ready<T>(future: impl Future<Output = T>) -> Result<T, &'static str> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("the store in memory waits"),
    }
}

/// The resident memory of this process, in KiB.
fn resident_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|resident| resident.trim().strip_suffix("kB"));
    Ok(kib.ok_or("the system tells no VmRSS")?.trim().parse()?)
}

#[expect(clippy::cast_precision_loss, reason = "far below what a float holds exactly")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
