//! What a case is sent to.

pub mod bootstrap;
mod endpoint;
mod in_process;
mod output;
mod remote;
pub mod runtime_api;

pub use bootstrap::Bootstrap;
pub use endpoint::Endpoint;
pub use in_process::{InProcess, PLANNED_PANIC};
pub use remote::{ControlOptions, Remote};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::Wire;

/// A target, set to the world of one case.
///
/// They are told apart by hand rather than by a trait: each test knows which it has.
#[derive(Debug)]
pub enum Target {
    /// The function, in this process.
    InProcess(Box<InProcess>),
    /// The local endpoint, over a socket.
    Endpoint(Endpoint),
    /// The built `bootstrap`, under a Runtime API emulation.
    Bootstrap(Bootstrap),
    /// Any endpoint over HTTP.
    Remote(Remote),
}

impl Target {
    /// Begins a case: the target holds `world` and nothing else, and throttles as the case demands.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn begin(
        &mut self,
        world: &Value,
        throttling: Option<Throttling>,
    ) -> Result<(), String> {
        match self {
            Self::InProcess(target) => target.begin(world, throttling),
            Self::Endpoint(target) => target.remote().begin(world, throttling).await,
            Self::Remote(target) => target.begin(world, throttling).await,
            Self::Bootstrap(target) => target.begin(world, throttling).await,
        }
    }

    /// The lines in which the target wrote a secret so far.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        match self {
            // One writes to the tests' own log only, and the output of a remote endpoint cannot be read.
            Self::InProcess(_) | Self::Remote(_) => Vec::new(),
            Self::Endpoint(target) => target.leaks(),
            Self::Bootstrap(target) => target.leaks(),
        }
    }

    /// Whether the target can have its store fail and its world read.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        match self {
            Self::InProcess(_) | Self::Endpoint(_) => true,
            Self::Bootstrap(_) => false,
            Self::Remote(target) => target.is_controlled(),
        }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        match self {
            Self::InProcess(target) => target.send(wire, fault).await,
            Self::Endpoint(target) => target.send(wire, fault).await,
            Self::Bootstrap(target) => target.send(wire).await,
            Self::Remote(target) => target.send(wire, fault).await,
        }
    }

    /// The documents that there are, if the target tells.
    ///
    /// # Errors
    ///
    /// Why it does not, although it should.
    pub async fn world(&self) -> Result<Option<Value>, String> {
        match self {
            Self::InProcess(target) => target.world().map(Some),
            Self::Endpoint(target) => target.remote().world().await,
            Self::Remote(target) => target.world().await,
            Self::Bootstrap(_) => Ok(None),
        }
    }
}

/// The payload that API Gateway's HTTP API would send for a request.
#[must_use]
pub fn http_api_payload(wire: &Wire) -> Value {
    http_api_event(&wire.method, &wire.query_string(), &json!(wire.headers), wire.body.as_bytes())
}

/// The same, of the parts of a request.
pub(crate) fn http_api_event(method: &str, query: &str, headers: &Value, body: &[u8]) -> Value {
    use base64::Engine as _;
    let mut payload = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": crate::client::HOST,
            "http": {
                "method": method,
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "harness"
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "02/Jan/2026:03:04:05 +0000",
            "timeEpoch": 1_767_323_045_000_u64
        },
        "isBase64Encoded": false
    });
    if !body.is_empty() {
        // API Gateway encodes forms so.
        payload["body"] = base64::engine::general_purpose::STANDARD.encode(body).into();
        payload["isBase64Encoded"] = true.into();
    }
    payload
}

/// Reads the answer that the function gives API Gateway or a load balancer.
///
/// # Errors
///
/// What is missing in it, or at odds with the rest.
pub fn read_event_response(response: &Value) -> Result<Answer, String> {
    let status = response["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.ok_or("no statusCode")?;
    let description = response["statusDescription"].as_str();
    if description.is_some_and(|text| !text.starts_with(&format!("{status} "))) {
        return Err(format!("{description:?} of {status}"));
    }
    let single = response["headers"].as_object();
    let multi = response["multiValueHeaders"].as_object();
    if single.is_none() && multi.is_none() {
        return Err("no headers".to_owned());
    }
    let single = single.into_iter().flatten();
    let multi = multi.into_iter().flatten().map(|(name, values)| (name, &values[0]));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = single.chain(multi).map(|(name, it)| (name.clone(), text(it))).collect();
    Ok(Answer::new(status, headers, response["body"].as_str().ok_or("no body")?.as_bytes()))
}

/// The executables of the workspace, each with its package.
const EXECUTABLES: [(&str, &str); 3] = [
    ("bootstrap", "ipv6-gateway"),
    ("contract", "contract-tests"),
    ("local-endpoint", "local-endpoint"),
];

/// Builds an executable of the workspace, in the profile of the tests, and yields its path.
///
/// # Errors
///
/// The workspace has none of this name, or what cargo says.
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
        // As it is deployed: without the features that other packages ask for.
        let package = EXECUTABLES.iter().find(|(executable, _)| *executable == name);
        let (_, package) = package.ok_or_else(|| format!("there is no {name}"))?;
        path(&build(["--release", "--package", package, "--bin", name])?)
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
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
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
