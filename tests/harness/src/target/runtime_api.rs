//! An emulated Lambda Runtime API: hands out invocations and receives their outcomes.
//!
//! It follows Lambda's public description: one invocation at a time
//! at `/2018-06-01/runtime/invocation/next`, its outcome at `…/{id}/response` or `…/{id}/error`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::error::Result;
use crate::http::{Failure, Server};

/// How long an invocation may take.
const INVOCATION_TIME_MAX: Duration = Duration::from_secs(20);

/// The function's response, or the error that its runtime reported.
type Outcome = Result<Value, Value>;

/// A Runtime API on loopback. Dropping the value ends it.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    invocations: mpsc::Sender<String>,
    outcomes: Mutex<mpsc::Receiver<Outcome>>,
    _server: Server,
}

struct Exchange {
    time_max: Duration,
    invocations: Mutex<mpsc::Receiver<String>>,
    outcomes: mpsc::Sender<Outcome>,
}

impl RuntimeApi {
    /// Starts on a free port.
    pub async fn start() -> Result<Self> {
        Self::granting(INVOCATION_TIME_MAX).await
    }

    /// Starts on a free port, and grants the function `time_max` for each invocation.
    pub async fn granting(time_max: Duration) -> Result<Self> {
        let (invocations, to_hand_out) = mpsc::channel(1);
        let (reported, outcomes) = mpsc::channel(1);
        let exchange = Arc::new(Exchange {
            time_max,
            invocations: Mutex::new(to_hand_out),
            outcomes: reported,
        });
        let server = Server::start(move |request| answer(Arc::clone(&exchange), request)).await?;
        let address = server.url().trim_start_matches("http://").to_owned();
        Ok(Self { address, invocations, outcomes: Mutex::new(outcomes), _server: server })
    }

    /// The address, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Invokes the function and waits for the outcome.
    ///
    /// # Errors
    ///
    /// The function reports no outcome in time.
    pub async fn invoke(&self, payload: String) -> Result<Outcome> {
        self.invocations.send(payload).await.map_err(|_| "the emulation has ended")?;
        let mut outcomes = self.outcomes.lock().await;
        let outcome = tokio::time::timeout(INVOCATION_TIME_MAX, outcomes.recv()).await;
        let outcome = outcome.map_err(|_| "the function did not answer in time")?;
        Ok(outcome.ok_or("the emulation has ended")?)
    }
}

async fn answer(
    exchange: Arc<Exchange>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let path = request.uri().path().to_owned();
    let name = path.rsplit('/').next().unwrap_or_default();
    if name == "next" {
        let payload = exchange.invocations.lock().await.recv().await.unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(payload)));
        for (name, value) in [
            ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            (
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:123456789012:function:f",
            ),
            ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
            ("content-type", "application/json"),
        ] {
            response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
        }
        let deadline_millis = deadline_millis(exchange.time_max);
        response.headers_mut().insert("lambda-runtime-deadline-ms", deadline_millis.into());
        return Ok(response);
    }
    let body = request.into_body().collect().await?.to_bytes();
    let value = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
    let outcome = if name == "response" { Ok(value) } else { Err(value) };
    drop(exchange.outcomes.send(outcome).await);
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = hyper::StatusCode::ACCEPTED;
    Ok(response)
}

/// The end of `time_max` from now, in milliseconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the function compares it with the system's clock")]
fn deadline_millis(time_max: Duration) -> u64 {
    let deadline = SystemTime::now() + time_max;
    let since_1970 = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
