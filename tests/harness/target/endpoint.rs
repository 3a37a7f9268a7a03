//! The local endpoint, over a socket.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::output::Output;
use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::Wire;

/// A local endpoint of its own, ended with this value.
#[derive(Debug)]
pub struct Endpoint {
    address: String,
    client: reqwest::Client,
    printed: Output,
    logged: Output,
    /// Killed when dropped.
    process: Child,
}

impl Endpoint {
    /// Starts `binary` on a free port.
    ///
    /// # Errors
    ///
    /// Why it does not start.
    pub async fn start(binary: &Path, arguments: &[&str]) -> Result<Self, String> {
        // All of it, so that all of it is searched for secrets.
        Self::start_logging(binary, arguments, "trace").await
    }

    /// Starts `binary` on a free port, where it logs what `RUST_LOG` as `level` says.
    ///
    /// # Errors
    ///
    /// Why it does not start.
    pub async fn start_logging(
        binary: &Path,
        arguments: &[&str],
        level: &str,
    ) -> Result<Self, String> {
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("RUST_LOG", level)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let stdout = process.stdout.take().ok_or("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await.map_err(|error| error.to_string())?;
        let first = first.ok_or("the endpoint ended before it listened")?;
        let (_, address) =
            first.rsplit_once("http://").ok_or_else(|| format!("no address in: {first}"))?;
        let (printed, logged) = (Output::default(), Output::default());
        printed.add(&first);
        printed.read(lines.into_inner());
        logged.read(process.stderr.take().ok_or("no stderr")?);
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        Ok(Self { address: address.trim().to_owned(), client, printed, logged, process })
    }

    /// Where it listens, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process; `None` if that has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Kills it, if it is still there, and waits until it is gone, and its locks with it.
    ///
    /// # Errors
    ///
    /// The system does not let it be killed.
    pub async fn kill(mut self) -> Result<(), String> {
        self.process.kill().await.map_err(|error| error.to_string())
    }

    /// The most memory that it has had resident so far, in MiB.
    ///
    /// # Errors
    ///
    /// The system does not tell, or the endpoint has ended.
    pub fn peak_memory_mib(&self) -> Result<u64, String> {
        let id = self.process.id().ok_or("the endpoint has ended")?;
        let path = format!("/proc/{id}/status");
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix("kB"));
        let kib = kib.ok_or_else(|| format!("{path} tells no VmHWM"))?.trim();
        kib.parse().map(|kib: u64| kib / 1024).map_err(|error| format!("{path}: {error}"))
    }

    /// What it told at start, once it has told all of it.
    pub async fn banner(&self) -> String {
        loop {
            let printed = self.printed.text();
            // The last snippet ends so.
            if printed.contains("\nTerraform") && printed.trim_end().ends_with("\n}") {
                return printed;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Calls a control path.
    ///
    /// # Errors
    ///
    /// No answer, or one that is no success.
    pub async fn control(&self, method: Method, name: &str, body: &str) -> Result<Value, String> {
        let url = format!("http://{}/_control/{name}", self.address);
        let request = self.client.request(method, url).body(body.to_owned());
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("_control/{name}: {status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.logged.text()
    }

    /// The lines in which it wrote a secret so far.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        [self.printed.leaks(), self.logged.leaks()].concat()
    }

    pub(super) async fn begin(
        &self,
        world: &Value,
        throttling: Option<Throttling>,
    ) -> Result<(), String> {
        self.control(Method::POST, "reset", "").await?;
        if let Some(Throttling { calls, seconds }) = throttling {
            let throttling = json!({ "Calls": calls, "Seconds": seconds }).to_string();
            self.control(Method::PUT, "throttling", &throttling).await?;
        }
        self.control(Method::PUT, "world", &format!("{world:#}")).await.map(drop)
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        if let Some(fault) = fault {
            let action = "AllocateIpv6InternetBandwidth";
            let kind = match fault {
                Fault::StoreUnavailable => "StoreUnavailable",
                Fault::StorePanics => "StorePanics",
            };
            let fault = json!({ "Action": action, "Times": 1, "Kind": kind });
            let faults = json!({ "Faults": [fault] }).to_string();
            self.control(Method::PUT, "faults", &faults).await?;
        }
        let url = format!("http://{}/?{}", self.address, wire.query_string());
        let method = Method::from_bytes(wire.method.as_bytes()).map_err(|e| e.to_string())?;
        let mut request = self.client.request(method, url).body(wire.body.clone());
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let headers = headers.collect();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        Ok(Answer { status, headers, body })
    }

    pub(super) async fn world(&self) -> Result<Value, String> {
        self.control(Method::GET, "world", "").await
    }
}
