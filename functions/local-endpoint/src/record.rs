//! The last calls and their answers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use ipv6_gateway::rpc;
use serde_json::{Map, Value, json};

/// The most calls that are kept.
const CALLS_MAX: usize = 1000;

/// The most bytes of queries, bodies and answers that are kept in total.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes of a call's body that are kept: more than any client sends, and little enough for
/// all calls together.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// A call, not parsed: it is parsed when it is shown.
///
/// Its parts are copied: a part of the connection's buffer would keep the connection from reusing the
/// buffer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The time of arrival, in seconds since 1970 UTC.
    at_secs: u64,
    /// The method.
    method: Method,
    /// The query.
    query: String,
    /// The header `x-acs-action` of a V3 call.
    action: Option<String>,
    /// The beginning of the body.
    body: Vec<u8>,
    /// The answer's status; `None` if the connection was broken instead.
    status: Option<StatusCode>,
    /// The answer's body, without the texts after [`MISMATCHES`].
    answer: Bytes,
}

/// The words before the signed texts in a `SignatureDoesNotMatch`, and those after them in JSON and in
/// XML. The texts hold the caller's security token.
const MISMATCHES: [&str; 2] = [" server string to sign is:", " server StringToSign is ["];
const AFTER_MESSAGE: [&str; 2] = ["\",\"Recommend\":", "</Message>"];

/// An answer without its signed texts; `None` if it has none.
fn without_signed_texts(answer: &[u8]) -> Option<Bytes> {
    let answer = str::from_utf8(answer).ok()?;
    let start = MISMATCHES.iter().find_map(|words| answer.find(words))?;
    // The text is escaped, so it cannot contain these words.
    let end = AFTER_MESSAGE.iter().find_map(|words| answer[start..].find(words));
    let rest = end.map_or("", |end| &answer[start + end..]);
    Some(Bytes::from([&answer[..start], rest].concat()))
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    /// Oldest first.
    calls: VecDeque<Call>,
    /// The bytes of all calls.
    bytes: usize,
}

impl Record {
    /// Adds a call.
    pub(crate) fn add(&self, call: Call) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += call.bytes();
        kept.calls.push_back(call);
        let mut oldest = Vec::new();
        while (kept.calls.len() > CALLS_MAX || kept.bytes > BYTES_MAX)
            && let Some(call) = kept.calls.pop_front()
        {
            kept.bytes -= call.bytes();
            oldest.push(call);
        }
        drop(kept);
        // Freed outside the lock.
        drop(oldest);
    }

    /// Removes all calls.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Calls::default();
    }

    /// The calls as JSON, without secrets.
    pub(crate) fn to_json(&self) -> Value {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner).calls.clone();
        json!({ "Calls": calls.iter().map(Call::to_json).collect::<Vec<_>>() })
    }
}

impl Call {
    /// A call without an answer.
    pub(crate) fn new(at_secs: u64, parts: &Parts, body: &[u8]) -> Self {
        let action = parts.headers.get("x-acs-action");
        Self {
            at_secs,
            method: parts.method.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            action: action.map(|action| String::from_utf8_lossy(action.as_bytes()).into_owned()),
            body: body[..body.len().min(BODY_BYTES_MAX)].to_vec(),
            status: None,
            answer: Bytes::new(),
        }
    }

    /// Adds the answer.
    pub(crate) fn answered(&mut self, status: StatusCode, body: &Bytes) {
        self.status = Some(status);
        self.answer = without_signed_texts(body).unwrap_or_else(|| body.clone());
    }

    fn bytes(&self) -> usize {
        let action = self.action.as_ref().map_or(0, String::len);
        self.query.len() + action + self.body.len() + self.answer.len()
    }

    fn to_json(&self) -> Value {
        let parameters = rpc::Parameters::read(self.query.as_bytes(), &self.body);
        let mut parameters: Map<String, Value> = parameters
            .iter()
            .filter(|(name, _)| !["Signature", "SecurityToken"].contains(name))
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let action = match parameters.remove("Action") {
            Some(action) => action,
            None => self.action.clone().into(),
        };
        json!({
            "At": rpc::format_timestamp(i64::try_from(self.at_secs).unwrap_or(i64::MAX)),
            "Method": self.method.as_str(),
            "Action": action,
            "Parameters": parameters,
            "Status": self.status.map(|status| status.as_u16()),
            "Answer": String::from_utf8_lossy(&self.answer),
        })
    }
}
