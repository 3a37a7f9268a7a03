//! The local endpoint, over a socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use harness::answer::Answer;
use harness::case::Fault;
use harness::client::Wire;
use harness::target::{Output, Remote};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// A local endpoint, which ends with this value.
#[derive(Debug)]
pub struct Endpoint {
    remote: Remote,
    printed: Output,
    logged: Output,
    /// Killed when dropped.
    process: Child,
}

impl Endpoint {
    /// Starts `binary` on a free port of this machine, unless `arguments` name an address.
    ///
    /// # Errors
    ///
    /// The endpoint does not start.
    pub async fn start(binary: &Path, arguments: &[&str]) -> Result<Self, String> {
        // With all of its log, so that all of it is searched for secrets.
        Self::start_logging(binary, arguments, "trace").await
    }

    /// Starts `binary` on a free port, with `level` as its `RUST_LOG`.
    ///
    /// # Errors
    ///
    /// The endpoint does not start.
    pub async fn start_logging(
        binary: &Path,
        arguments: &[&str],
        level: &str,
    ) -> Result<Self, String> {
        let here: &[&str] = &["--listen", "127.0.0.1:0"];
        let mut process = Command::new(binary)
            .args(if arguments.contains(&here[0]) { &[] } else { here })
            .args(arguments)
            .env("RUST_LOG", level)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let (printed, logged) = (Output::default(), Output::default());
        // At once, because the log at start may exceed the pipe's buffer.
        logged.read(process.stderr.take().ok_or("no stderr")?);
        let stdout = process.stdout.take().ok_or("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await.map_err(|error| error.to_string())?;
        let first = first.ok_or("the endpoint ended before it listened")?;
        let (_, address) =
            first.rsplit_once("http://").ok_or_else(|| format!("no address in: {first}"))?;
        printed.add(&first);
        printed.read(lines.into_inner());
        let remote = Remote::new(&format!("http://{}", address.trim()), None)?;
        Ok(Self { remote, printed, logged, process })
    }

    /// Its address, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.remote.authority()
    }

    /// The endpoint as a target over HTTP.
    #[must_use]
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Its process id; `None` if the process has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Kills the process if it still runs, and waits until it and its locks are gone.
    ///
    /// # Errors
    ///
    /// The system refuses to kill the process.
    pub async fn kill(mut self) -> Result<(), String> {
        self.process.kill().await.map_err(|error| error.to_string())
    }

    /// Waits until it has ended, and returns its exit code; `None` if a signal ended it.
    ///
    /// # Errors
    ///
    /// The system does not report the exit.
    pub async fn ended(mut self) -> Result<Option<i32>, String> {
        let status = self.process.wait().await;
        status.map(|status| status.code()).map_err(|error| error.to_string())
    }

    /// The peak of its resident memory, in MiB.
    ///
    /// # Errors
    ///
    /// The system does not report it, or the endpoint has ended.
    pub fn peak_memory_mib(&self) -> Result<u64, String> {
        let id = self.process.id().ok_or("the endpoint has ended")?;
        let path = format!("/proc/{id}/status");
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix("kB"));
        let kib = kib.ok_or_else(|| format!("{path} tells no VmHWM"))?.trim();
        kib.parse().map(|kib: u64| kib / 1024).map_err(|error| format!("{path}: {error}"))
    }

    /// Its output at start, once it is complete.
    pub async fn banner(&self) -> String {
        loop {
            let printed = self.printed.text();
            // The last snippet ends so, for the demo world and for a given one.
            let end = printed.trim_end();
            let is_demo = printed.contains("\nTerraform") && end.ends_with("\n}");
            if is_demo || end.ends_with("\"$ACCESS_KEY_SECRET\"") {
                return printed;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Calls a control path.
    ///
    /// # Errors
    ///
    /// There is no answer, or the answer is no success.
    pub async fn control(&self, method: Method, name: &str, body: &str) -> Result<Value, String> {
        Ok(self.remote.control(method, name, body).await?)
    }

    /// Its log so far. A line may still be on its way: [`Self::logged`] waits for one.
    #[must_use]
    pub fn log(&self) -> String {
        self.logged.text()
    }

    /// Waits for the first line of its log with `text` in it.
    ///
    /// # Panics
    ///
    /// No such line appears within ten seconds.
    pub async fn logged(&self, text: &str) -> String {
        for _ in 0..1_000 {
            if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no line of the log has {text:?}: {}", self.log());
    }

    /// The lines of its output so far that hold a secret.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        [self.printed.leaks(), self.logged.leaks()].concat()
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        Ok(self.remote.send(wire, fault).await?)
    }
}

/// The executables of the workspace, each with its package.
const EXECUTABLES: [(&str, &str); 3] =
    [("bootstrap", "ipv6-gateway"), ("contract", "harness"), ("local-endpoint", "local-endpoint")];

/// Builds an executable of the workspace, in the profile of the tests, and returns its path.
///
/// # Errors
///
/// The workspace has none of this name, or cargo fails.
pub fn built(name: &str) -> Result<PathBuf, String> {
    static BUILT: LazyLock<Result<BTreeMap<String, PathBuf>, String>> = LazyLock::new(|| {
        let names = EXECUTABLES.iter().flat_map(|(name, _)| ["--bin", name]);
        // There are no examples. Asked for them, cargo takes features as it does for tests, and what
        // the tests are linked with is not compiled again.
        build(names.chain(["--examples"]))
    });
    let path = |built: &BTreeMap<String, PathBuf>| built.get(name).cloned();
    let built = if cfg!(debug_assertions) {
        path(BUILT.as_ref().map_err(Clone::clone)?)
    } else {
        // As it is deployed: with the profile `dist`, by the name under which `cargo bench` shares what it
        // builds, and without the features that other packages ask for.
        let package = EXECUTABLES.iter().find(|(executable, _)| *executable == name);
        let (_, package) = package.ok_or_else(|| format!("there is no {name}"))?;
        path(&build(["--profile", "bench", "--package", package, "--bin", name])?)
    };
    built.ok_or_else(|| format!("cargo built no {name}"))
}

/// Runs `cargo build`. Yields the paths of executables by name.
fn build<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, PathBuf>, String> {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--message-format=json-render-diagnostics"]).args(arguments);
    // What cargo says of the tests' own package: a build script that looks at it (ring's) would take
    // it for a change, and much be built anew each time.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executables = messages.filter_map(|message| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, message["executable"].as_str()?.into()))
    });
    Ok(executables.collect())
}
