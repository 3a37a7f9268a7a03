//! The local endpoint, over a socket.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::answer::Answer;
use crate::case::Fault;
use crate::client::Wire;

/// A local endpoint of its own, ended with this value.
#[derive(Debug)]
pub struct Endpoint {
    address: String,
    client: reqwest::Client,
    printed: Arc<Mutex<String>>,
    #[expect(dead_code, reason = "it is killed when dropped")]
    process: Child,
}

impl Endpoint {
    /// Starts `binary` on a free port.
    ///
    /// # Errors
    ///
    /// Why it does not start.
    pub async fn start(binary: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let stdout = process.stdout.take().ok_or("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await.map_err(|error| error.to_string())?;
        let first = first.ok_or("the endpoint ended before it listened")?;
        let (_, address) =
            first.rsplit_once("http://").ok_or_else(|| format!("no address in: {first}"))?;
        let printed = Arc::new(Mutex::new(format!("{first}\n")));
        let reading = Arc::clone(&printed);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut printed = reading.lock().unwrap_or_else(PoisonError::into_inner);
                printed.push_str(&line);
                printed.push('\n');
            }
        });
        let client = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
        Ok(Self { address: address.trim().to_owned(), client, printed, process })
    }

    /// Where it listens, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it told at start, once it has told all of it.
    pub async fn banner(&self) -> String {
        loop {
            let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner).clone();
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

    pub(super) async fn begin(&self, world: &Value) -> Result<(), String> {
        self.control(Method::POST, "reset", "").await?;
        self.control(Method::PUT, "world", &format!("{world:#}")).await.map(drop)
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        if let Some(Fault::StoreUnavailable) = fault {
            let action = "AllocateIpv6InternetBandwidth";
            let fault = json!({ "Action": action, "Times": 1, "Kind": "StoreUnavailable" });
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
