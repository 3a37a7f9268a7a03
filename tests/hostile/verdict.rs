//! The promises of every answer.

use std::sync::OnceLock;

use ipv6_gateway::Response;
use ipv6_gateway::rpc::Request;
use serde_json::Value;

use crate::sent::KEYS;
use harness::answer::{Answer, Body};
use harness::client::signature::decode_pairs;
use harness::contract::Contract;
use harness::judge::{Demand, Findings, Rulebook};
use harness::operations::Operation;
use harness::target::read_event_response;

/// An answer that the contract allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The code; none for a success.
    pub(super) code: Option<String>,
    /// The elements of a success, without the id of the request.
    pub(super) said: Option<Value>,
    /// Whether the signature was accepted: every later answer depends on it.
    pub(super) is_authentic: bool,
}

/// The largest answer in bytes, without the parts of the request that it shows.
const ANSWER_BYTES: usize = 4096;

/// How many bytes of an answer one byte of a payload can become: an invalid UTF-8 byte becomes the
/// three bytes of a replacement character, each of which is encoded twice in a string to sign.
const BYTES_OF_BYTE: usize = 15;

/// The rules for answers.
fn rules() -> &'static Rulebook {
    static RULES: OnceLock<Rulebook> = OnceLock::new();
    RULES.get_or_init(|| {
        Rulebook::read(&Contract::embedded()).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// The operation of plans that name none.
pub(super) fn usual_action() -> &'static str {
    rules().operations.all().first().map_or("", |operation| &operation.action)
}

/// Judges an answer to `request`, whose payload has `payload_bytes`.
pub(super) fn of(response: &Response, request: &Request, payload_bytes: usize) -> Verdict {
    let response = serde_json::to_value(response).unwrap_or_else(|error| panic!("{error}"));
    let answer = read_event_response(&response).unwrap_or_else(|error| panic!("{error}"));
    let shown = || format!("{answer:?}");
    let body = answer.read().unwrap_or_else(|error| panic!("{error}: {}", shown()));
    let code = body.text("Code").map(str::to_owned);
    // The operation of a payload is unknown here: the answer must be right for one of them.
    let wrong = |operation: &Operation| judged(&operation.action, &answer, &body);
    let wrong: Vec<Findings> = rules().operations.all().iter().map(wrong).collect();
    assert!(wrong.iter().any(Findings::is_empty), "{wrong:?}: {}", shown());
    // XML 1.0 has no such characters.
    let is_none_of_xml =
        |c: char| c.is_ascii_control() && !"\n\t".contains(c) || "\u{fffe}\u{ffff}".contains(c);
    assert!(body.root.is_none() || !answer.body.contains(is_none_of_xml), "{answer:?}");
    assert!(!answer.headers.values().any(|value| value.contains(char::is_control)), "{answer:?}");
    let mut but_message = body.elements.clone();
    but_message.remove("Message");
    let but_message = Value::Object(but_message).to_string();
    for key in KEYS {
        let is_shown = |secret| answer.body.contains(secret);
        // The message about a mismatch shows the token to the caller that sent it.
        let is_token_leaked = key.security_token.is_some_and(|token| {
            let is_own = code.as_deref() == Some("SignatureDoesNotMatch") && sends(request, token);
            if is_own { but_message.contains(token) } else { is_shown(token) }
        });
        let is_leaked = is_shown(key.secret) || is_token_leaked;
        assert!(!is_leaked, "the answer shows a secret of {}: {}", key.id, shown());
    }
    let bytes_max = ANSWER_BYTES + BYTES_OF_BYTE * payload_bytes;
    assert!(answer.body.len() <= bytes_max, "{} bytes of an answer", answer.body.len());
    let is_authentic = code.as_deref().is_none_or(|code| !is_of_strangers(code));
    let said = code.is_none().then(|| {
        let mut elements = body.elements.clone();
        elements.remove("RequestId");
        Value::Object(elements)
    });
    Verdict { code, said, is_authentic }
}

/// Whether a request has `text` in a header or a parameter.
fn sends(request: &Request, text: &str) -> bool {
    let mut headers = request.headers.values();
    headers.any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
        || [request.query.as_bytes(), &request.body].into_iter().any(|pairs| {
            decode_pairs(pairs)
                .iter()
                .any(|(name, value)| name.contains(text) || value.contains(text))
        })
}

/// The findings about an answer to a call of `action`.
fn judged(action: &str, answer: &Answer, body: &Body) -> Findings {
    let (code, mut findings) = (body.text("Code"), Findings::default());
    let row = code.map(|code| rules().operations.error(action, code));
    let status = match row {
        None => 200,
        Some(None) => {
            findings.add("body/Code", "a documented one", code.unwrap_or_default());
            return findings;
        }
        // A rule may be documented with a 500; anything else that is has failed.
        Some(Some(row)) if row.status >= 500 && row.when.is_none() => {
            findings.add("status", "no failure of the function", row.status);
            return findings;
        }
        Some(Some(row)) => row.status,
    };
    let format = if body.root.is_some() { "XML" } else { "JSON" };
    let host = body.text("HostId").unwrap_or_default();
    let message = body.text("Message").map(str::to_owned);
    let demand = Demand { action, status, code, message, format, host };
    findings.judge(&demand, answer, Some(body), rules());
    findings
}

/// Whether a code is answered before the signature is found right.
fn is_of_strangers(code: &str) -> bool {
    // The rows are in checking order.
    let place = |code: &str| rules().operations.gate().iter().position(|row| row.code == code);
    place(code).is_some_and(|at| Some(at) <= place("SignatureDoesNotMatch"))
}
