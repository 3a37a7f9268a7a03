//! A proxy in front of `DynamoDB` that records requests, and fails on demand.
//!
//! It can also cancel writes as `DynamoDB` does and `DynamoDB` Local does not: a write is cancelled
//! while a transaction on one of its items is in progress.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use harness::http::{Failure, Server, local_client};

/// A request to `DynamoDB`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation.
    pub operation: String,
    /// The request.
    pub body: Value,
}

impl Call {
    /// The actions that IAM checks for this call. A transaction has no action of its own: each of
    /// its parts is authorised as the single call would be.
    #[must_use]
    pub fn iam_actions(&self) -> Vec<String> {
        if self.operation != "TransactWriteItems" {
            return vec![self.operation.clone()];
        }
        let parts = self.body["TransactItems"].as_array().into_iter().flatten();
        let kinds = parts.filter_map(Value::as_object).flat_map(|part| part.keys());
        kinds
            .map(|kind| match kind.as_str() {
                "ConditionCheck" => "ConditionCheckItem".to_owned(),
                kind => format!("{kind}Item"),
            })
            .collect()
    }
}

/// The cost of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumed {
    /// The operation.
    pub operation: String,
    /// The request units: for reading if the operation reads, else for writing.
    pub units: f64,
}

/// The fault of a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// None: the call is answered.
    None,
    /// An error with this name.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The name.
        code: &'static str,
    },
    /// The transaction is cancelled, with this reason for each part.
    Cancelled(&'static str),
    /// All items of the read are left unread.
    LeftUnread,
    /// The connection breaks before `DynamoDB` gets the call.
    Unheard,
    /// The connection breaks after `DynamoDB` has answered.
    AnswerLost,
    /// `DynamoDB` answers, and the answer arrives too late.
    AnswerLate,
}

/// The items that a transaction holds, until it has ended or its client is gone.
struct Held<'a> {
    by: &'a Shared,
    items: Vec<String>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        lock(&self.by.held).retain(|held| !self.items.contains(held));
    }
}

/// A proxy on loopback, which ends with this value.
#[derive(Debug)]
pub struct Proxy {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    client: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    consumed: Mutex<Vec<Consumed>>,
    faults: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    /// How long a transaction holds its items; `None`: nothing is cancelled.
    transaction_time: Mutex<Option<Duration>>,
    /// The items that transactions hold.
    held: Mutex<HashSet<String>>,
}

impl Proxy {
    /// Starts on a free port, in front of the server at `upstream`.
    ///
    /// # Errors
    ///
    /// The proxy does not start.
    pub async fn start(upstream: &str) -> Result<Self, String> {
        let client = local_client()?;
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client,
            calls: Mutex::default(),
            consumed: Mutex::default(),
            faults: Mutex::default(),
            transaction_time: Mutex::default(),
            held: Mutex::default(),
        });
        let of_server = Arc::clone(&shared);
        let answer = move |request| answer(Arc::clone(&of_server), request);
        Ok(Self { server: Server::start(answer).await?, shared })
    }

    /// Its URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The calls since the last time, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.shared.calls))
    }

    /// The cost of the calls since the last time, as `DynamoDB` reported it, in order of the
    /// answers.
    #[must_use]
    pub fn consumed(&self) -> Vec<Consumed> {
        std::mem::take(&mut *lock(&self.shared.consumed))
    }

    /// Makes a transaction hold its items for this time, and cancels other writes to them
    /// meanwhile.
    pub fn cancel_overlapping_writes(&self, transaction_time: Duration) {
        *lock(&self.shared.transaction_time) = Some(transaction_time);
    }

    /// Plans faults for the next calls of an operation, one each.
    pub fn plan(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared.faults).insert(operation, faults.into_iter().collect());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = parts.headers.get("x-amz-target").ok_or("no X-Amz-Target")?.to_str()?;
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let asked: Value = serde_json::from_slice(&body)?;
    lock(&shared.calls).push(Call { operation: operation.clone(), body: asked.clone() });
    let fault = lock(&shared.faults).get_mut(operation.as_str()).and_then(VecDeque::pop_front);
    match fault {
        None | Some(Fault::None) => shared.forward_alone(parts, &operation, asked).await,
        Some(Fault::Refused { status, code }) => refuse(status, code),
        Some(Fault::Cancelled(code)) => {
            let parts = asked["TransactItems"].as_array().map_or(0, Vec::len);
            cancel(&vec![code; parts])
        }
        Some(Fault::LeftUnread) => {
            reply(200, &json!({ "Responses": {}, "UnprocessedKeys": asked["RequestItems"] }))
        }
        Some(Fault::Unheard) => Err("planned".into()),
        Some(Fault::AnswerLost) => {
            shared.forward(parts, &operation, asked).await?;
            Err("planned".into())
        }
        Some(Fault::AnswerLate) => {
            let answer = shared.forward(parts, &operation, asked).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            answer
        }
    }
}

fn refuse(status: u16, code: &str) -> Result<Response<Full<Bytes>>, Failure> {
    let name = format!("com.amazonaws.dynamodb.v20120810#{code}");
    reply(status, &json!({ "__type": name, "message": "planned" }))
}

/// Cancels a transaction, with a reason for each part.
fn cancel(codes: &[&str]) -> Result<Response<Full<Bytes>>, Failure> {
    let reasons = codes.iter().map(|code| json!({ "Code": code, "Message": "planned" }));
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let reasons: Vec<Value> = reasons.collect();
    reply(400, &json!({ "__type": name, "CancellationReasons": reasons }))
}

/// The item of a write, or of a part of a transaction; `None` if it writes none.
fn item(table: &Value, write: &Value) -> Option<String> {
    let key = write.get("Key").or_else(|| write.get("Item"))?;
    Some(format!("{table} {} {}", key["pk"], key["sk"]))
}

fn reply(status: u16, body: &Value) -> Result<Response<Full<Bytes>>, Failure> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status)?;
    Ok(response)
}

impl Shared {
    /// Passes a request on, unless a transaction in progress cancels it.
    async fn forward_alone(
        &self,
        parts: http::request::Parts,
        operation: &str,
        asked: Value,
    ) -> Result<Response<Full<Bytes>>, Failure> {
        let Some(time) = *lock(&self.transaction_time) else {
            return self.forward(parts, operation, asked).await;
        };
        if operation != "TransactWriteItems" {
            let is_held =
                item(&asked["TableName"], &asked).is_some_and(|it| lock(&self.held).contains(&it));
            if is_held {
                return refuse(400, "TransactionConflictException");
            }
            return self.forward(parts, operation, asked).await;
        }
        let writes = asked["TransactItems"].as_array().into_iter().flatten();
        let writes = writes.filter_map(Value::as_object).flat_map(|part| part.values());
        let items: Vec<String> =
            writes.filter_map(|write| item(&write["TableName"], write)).collect();
        let codes: Vec<&str> = {
            let mut held = lock(&self.held);
            let code = |it| if held.contains(it) { "TransactionConflict" } else { "None" };
            let codes: Vec<&str> = items.iter().map(code).collect();
            if codes.iter().all(|code| *code == "None") {
                held.extend(items.iter().cloned());
            }
            codes
        };
        if codes.contains(&"TransactionConflict") {
            return cancel(&codes);
        }
        let _held = Held { by: self, items };
        tokio::time::sleep(time).await;
        self.forward(parts, operation, asked).await
    }

    /// Passes a request on with a question for its cost, and its answer back.
    async fn forward(
        &self,
        parts: http::request::Parts,
        operation: &str,
        mut asked: Value,
    ) -> Result<Response<Full<Bytes>>, Failure> {
        let mut headers = parts.headers;
        // The client computes its own.
        headers.remove("host");
        headers.remove("content-length");
        if matches!(operation, "BatchGetItem" | "PutItem" | "Query" | "TransactWriteItems") {
            asked["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        let request = self.client.post(&self.upstream).headers(headers).body(asked.to_string());
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        let text: Value = serde_json::from_slice(&body).unwrap_or_default();
        let consumed = &text["ConsumedCapacity"];
        // One for each table, or that of the only one.
        let units = consumed["CapacityUnits"].as_f64().or(consumed[0]["CapacityUnits"].as_f64());
        if let Some(units) = units {
            lock(&self.consumed).push(Consumed { operation: operation.to_owned(), units });
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        for name in ["content-type", "x-amzn-requestid"] {
            if let Some(value) = headers.get(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }
}
