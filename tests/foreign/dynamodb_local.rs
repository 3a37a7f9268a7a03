//! Amazon's `DynamoDB` Local, which behaves as `DynamoDB` does.
//!
//! It comes with an npm package, installed from the lock file in `tests/clients/dynamodb-local/` on
//! first use. Its own licence (`LICENSE.txt` beside it) allows internal use by holders of an AWS
//! account and no redistribution, so nothing of it is committed. It serialises all requests, so it
//! never reports a `TransactionConflict`: the [`Proxy`] does.

mod proxy;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use store::{CALL_TIME_MAX, Credentials, DynamoDbStore, Random, Table};

use crate::tools::{command, folder, node};

pub use proxy::{Call, Consumed, Fault, Proxy};

/// The longest wait until it listens. On an idle machine it takes two seconds.
const START_TENTHS_MAX: u32 = 600;

/// The URL of `DynamoDB`, as `http://127.0.0.1:PORT`: that of `DYNAMODB_ENDPOINT`, or of a process
/// that all tests of this process share and that ends with it.
///
/// # Panics
///
/// It cannot be installed or started.
#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
#[must_use]
pub fn endpoint() -> &'static str {
    static LOCAL: LazyLock<(String, Option<Child>)> =
        LazyLock::new(|| match std::env::var("DYNAMODB_ENDPOINT") {
            Ok(endpoint) => (endpoint, None),
            Err(_) => start(),
        });
    &LOCAL.0
}

/// Installs and starts it.
fn start() -> (String, Option<Child>) {
    let home = node("dynamodb-local", &folder("clients/dynamodb-local"));
    let file = |name: &str| File::create(suites::tmp().join(name)).unwrap();
    // The port is free now, and most likely still free in a second.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    // A static value is never dropped. The shell reads until this process has ended in any way, and
    // then ends the process that it started.
    let script = "\"$@\" & child=$!; read -r _; kill \"$child\"";
    let mut shell = command("bash")
        .args(["-c", script, "bash"])
        .arg(command("java").get_program())
        .args(["-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib"])
        .args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port"])
        .arg(address.port().to_string())
        .current_dir(home.join("node_modules/amplify-dynamodb-simulator/emulator"))
        .stdin(Stdio::piped())
        .stdout(file("dynamodb-local.out"))
        .stderr(file("dynamodb-local.err"))
        .spawn()
        .unwrap();
    for _ in 0..START_TENTHS_MAX {
        if TcpStream::connect(address).is_ok() {
            return (format!("http://{address}"), Some(shell));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(shell.kill());
    drop(shell.wait());
    let message = std::fs::read_to_string(suites::tmp().join("dynamodb-local.err"));
    panic!("DynamoDB Local does not listen:\n{}", message.unwrap_or_default())
}

/// A client of the table of this name behind `endpoint_url`, with the function's time limits.
///
/// # Panics
///
/// The client cannot be made.
#[must_use]
pub fn client(endpoint_url: &str, table_name: &str) -> DynamoDbStore {
    client_within(endpoint_url, table_name, CALL_TIME_MAX)
}

/// The same with ten times the time limits, for a busy machine.
///
/// # Panics
///
/// The client cannot be made.
#[must_use]
pub fn patient_client(endpoint_url: &str, table_name: &str) -> DynamoDbStore {
    client_within(endpoint_url, table_name, CALL_TIME_MAX * 10)
}

fn client_within(endpoint_url: &str, table_name: &str, call_time_max: Duration) -> DynamoDbStore {
    let table = Table {
        name: table_name.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint_url: Some(endpoint_url.to_owned()),
        // DynamoDB Local does not check them.
        credentials: Credentials::new("test", "test", None, None, "tests"),
        call_time_max,
    };
    DynamoDbStore::new(table, random()).unwrap_or_else(|error| panic!("{error}"))
}

/// Random numbers that differ from one client to the next.
fn random() -> Random {
    use std::hash::{BuildHasher as _, RandomState};
    use std::sync::atomic::{AtomicU64, Ordering};
    let (state, drawn) = (RandomState::new(), AtomicU64::new(0));
    Box::new(move || state.hash_one(drawn.fetch_add(1, Ordering::Relaxed)))
}
