//! The last calls and how they were answered.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use ipv6_gateway::rpc;
use serde_json::{Map, Value, json};

/// How many calls are kept.
const CALLS_MAX: usize = 1000;

/// How much of queries, bodies and answers is kept in all, in bytes.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of a call's body is kept, in bytes: more than any call of a client has, and so little
/// that all calls kept stay small.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// A call, as little worked on as can be: it is read when someone asks for it.
///
/// What comes from the connection is copied, for as long as a part of its buffer is kept, the
/// connection must take a new one for each request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// When it came, in seconds since 1970 UTC.
    at_secs: u64,
    /// Its method.
    method: Method,
    /// The query of its target.
    query: String,
    /// What a V3 call names its action in.
    action: Option<String>,
    /// The beginning of its body.
    body: Vec<u8>,
    /// The answer's status; none if the connection was broken instead.
    status: Option<StatusCode>,
    /// The answer's body, but for the texts of [`MISMATCHES`].
    answer: Bytes,
}

/// The words before the texts that an answer to a signature that does not match shows, and those after them
/// in JSON and in XML. The texts hold the caller's security token.
const MISMATCHES: [&str; 2] = [" server string to sign is:", " server StringToSign is ["];
const AFTER_MESSAGE: [&str; 2] = ["\",\"Recommend\":", "</Message>"];

/// An answer without the texts that were signed, if it shows some.
fn without_signed_texts(answer: &[u8]) -> Option<Bytes> {
    let answer = str::from_utf8(answer).ok()?;
    let start = MISMATCHES.iter().find_map(|words| answer.find(words))?;
    // A text is escaped, so it holds neither of these itself.
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
    /// How many bytes of them are kept.
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
        // After the lock, as it takes its time.
        drop(oldest);
    }

    /// Forgets all calls.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Calls::default();
    }

    /// The calls as JSON, without what is secret.
    pub(crate) fn to_json(&self) -> Value {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner).calls.clone();
        json!({ "Calls": calls.iter().map(Call::to_json).collect::<Vec<_>>() })
    }
}

impl Call {
    /// A call that is not answered yet.
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
