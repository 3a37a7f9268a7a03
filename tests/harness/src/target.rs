//! The targets that cases are sent to.

pub mod bootstrap;
#[cfg(feature = "in-process")]
mod in_process;
mod output;
mod remote;
pub mod runtime_api;

pub use bootstrap::Bootstrap;
#[cfg(feature = "in-process")]
pub use in_process::InProcess;
pub use output::Output;
pub use remote::{ControlOptions, Remote};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::Wire;
use crate::error::{Result, bail};

/// The panic message of a store whose panic a case plans.
pub const PLANNED_PANIC: &str = "the case demands it";

/// A target that holds the world of one case.
#[derive(Debug)]
pub enum Target {
    /// The function in this process.
    #[cfg(feature = "in-process")]
    InProcess(Box<InProcess>),
    /// The built `bootstrap`, under an emulated Runtime API.
    Bootstrap(Box<Bootstrap>),
    /// An endpoint over HTTP.
    Remote(Remote),
}

impl Target {
    /// Begins a case: replaces the target's world by `world`, and throttles as the case demands.
    pub async fn begin(&mut self, world: &Value, throttling: Option<Throttling>) -> Result<()> {
        match self {
            #[cfg(feature = "in-process")]
            Self::InProcess(target) => target.begin(world, throttling),
            Self::Remote(target) => target.begin(world, throttling).await,
            Self::Bootstrap(target) => target.begin(world, throttling).await,
        }
    }

    /// The output lines that show a secret.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        // The output of the other targets cannot be read.
        if let Self::Bootstrap(target) = self { target.leaks() } else { Vec::new() }
    }

    /// Whether the target's store can be made to fail and its world can be read.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        match self {
            #[cfg(feature = "in-process")]
            Self::InProcess(_) => true,
            Self::Bootstrap(_) => false,
            Self::Remote(target) => target.is_controlled(),
        }
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer> {
        match self {
            #[cfg(feature = "in-process")]
            Self::InProcess(target) => target.send(wire, fault).await,
            Self::Bootstrap(target) => target.send(wire).await,
            Self::Remote(target) => target.send(wire, fault).await,
        }
    }

    /// The target's world; `None` if it cannot be read.
    pub async fn world(&self) -> Result<Option<Value>> {
        match self {
            #[cfg(feature = "in-process")]
            Self::InProcess(target) => target.world().map(Some),
            Self::Remote(target) => target.world().await,
            Self::Bootstrap(_) => Ok(None),
        }
    }
}

/// The payload of API Gateway's HTTP API for a request.
#[must_use]
pub fn http_api_payload(wire: &Wire) -> Value {
    http_api_event(&wire.method, &wire.query_string(), &json!(wire.headers), wire.body.as_bytes())
}

/// The payload for a request of these parts.
#[must_use]
pub fn http_api_event(method: &str, query: &str, headers: &Value, body: &[u8]) -> Value {
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
        // API Gateway sends the bodies of forms in base64.
        payload["body"] = base64::engine::general_purpose::STANDARD.encode(body).into();
        payload["isBase64Encoded"] = true.into();
    }
    payload
}

/// Reads the function's response to API Gateway or to a load balancer.
pub fn read_event_response(response: &Value) -> Result<Answer> {
    let status = response["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.ok_or("no statusCode")?;
    let description = response["statusDescription"].as_str();
    if description.is_some_and(|text| !text.starts_with(&format!("{status} "))) {
        bail!("{description:?} of {status}");
    }
    let single = response["headers"].as_object();
    let multi = response["multiValueHeaders"].as_object();
    if single.is_none() && multi.is_none() {
        bail!("no headers");
    }
    let single = single.into_iter().flatten();
    let multi = multi.into_iter().flatten().map(|(name, values)| (name, &values[0]));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = single.chain(multi).map(|(name, it)| (name.clone(), text(it))).collect();
    Ok(Answer::new(status, headers, response["body"].as_str().ok_or("no body")?.as_bytes()))
}
