//! The demands on every answer, from a case or from the model.

use serde_json::Value;

use super::findings::{Findings, Judged};
use super::headers;
use super::rulebook::Rulebook;
use crate::answer::{Answer, Body};

/// How much of an unreadable body is shown, in characters.
const SHOWN_MAX: usize = 200;

/// The demands that every answer has in common.
#[derive(Clone, Debug)]
pub struct Demand<'a> {
    /// The operation.
    pub action: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The code; `None` for a success.
    pub code: Option<&'a str>,
    /// The message of an error.
    pub message: Option<String>,
    /// The format, `JSON` or `XML`.
    pub format: &'static str,
    /// The host in the call, without a port.
    pub host: &'a str,
}

impl Findings {
    /// Reads the body of an answer; `None` and a finding if it cannot be read.
    pub(crate) fn read(&mut self, answer: &Answer) -> Option<Body> {
        let error = match answer.read() {
            Ok(body) => return Some(body),
            Err(error) => error,
        };
        let start: String = answer.body.chars().take(SHOWN_MAX).collect();
        self.add("body", "a body that can be read", format!("{error}: {start}"));
        None
    }

    /// Judges the status, headers and body of an answer, and returns its elements with the types of the
    /// schema. The elements of an unreadable body are null.
    pub fn judge(
        &mut self,
        demand: &Demand<'_>,
        answer: &Answer,
        body: Option<&Body>,
        rules: &Rulebook,
    ) -> Value {
        if answer.status != demand.status {
            self.add("status", demand.status, answer.status);
        }
        headers::judge(self, demand.format, answer);
        let Some(body) = body else { return Value::Null };
        let format = if body.root.is_some() { "XML" } else { "JSON" };
        self.equal("format", Some(demand.format), Some(format));
        let id = body.text("RequestId");
        self.equal("header/x-acs-request-id", id, answer.header("x-acs-request-id"));
        self.equal("body/Code", demand.code, body.text("Code"));
        self.equal("body/Message", demand.message.as_deref(), body.text("Message"));
        if let Some(root) = &body.root {
            let success = format!("{}Response", demand.action);
            let expected = demand.code.map_or(&*success, |_| "Error");
            self.equal("root", Some(expected), Some(root));
        }
        if demand.code.is_some() {
            self.equal("body/HostId", Some(demand.host), body.text("HostId"));
        }
        // The link must have the same request id.
        if let (Some(id), Some(recommend)) = (id, body.text("Recommend"))
            && !recommend.ends_with(&format!("requestId={id}"))
        {
            self.add("body/Recommend", format!("… requestId={id}"), recommend);
        }
        let Some(schema) = rules.schema(demand.action, demand.code) else {
            self.add("schema", "a schema of the demanded answer", "(none)");
            return Value::Object(body.elements.clone());
        };
        let (elements, twice) = schema.elements(body);
        for name in twice {
            self.add(format!("body/{name}"), "one element", "several");
        }
        for (place, error) in schema.errors(&elements) {
            self.add_by(
                Judged::Schema,
                format!("body{place}"),
                "a value that fits the schema",
                error,
            );
        }
        elements
    }
}
