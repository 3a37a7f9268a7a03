//! What every answer must be, whichever case or model demands it.

use serde_json::Value;

use super::findings::{Findings, Judged};
use super::headers;
use super::rulebook::Rulebook;
use crate::answer::{Answer, Body};

/// How much of a body that cannot be read is shown, in characters.
const SHOWN_MAX: usize = 200;

/// What an answer must be, as far as every answer can be judged alike.
#[derive(Clone, Debug)]
pub struct Demand<'a> {
    /// The operation called.
    pub action: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The code; none for a success.
    pub code: Option<&'a str>,
    /// The message of an error.
    pub message: Option<String>,
    /// The format, `JSON` or `XML`.
    pub format: &'static str,
    /// The host that the call named, without a port.
    pub host: &'a str,
}

impl Findings {
    /// Reads the body of an answer.
    pub(crate) fn read(&mut self, answer: &Answer) -> Option<Body> {
        let error = match answer.read() {
            Ok(body) => return Some(body),
            Err(error) => error,
        };
        let start: String = answer.body.chars().take(SHOWN_MAX).collect();
        self.add("body", "one that can be read", format!("{error}: {start}"));
        None
    }

    /// Judges status, headers and body of an answer; gives its elements, each of the type that its schema
    /// says. Of a body that cannot be read nothing more is said.
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
        // One id throughout.
        if let (Some(id), Some(recommend)) = (id, body.text("Recommend"))
            && !recommend.ends_with(&format!("requestId={id}"))
        {
            self.add("body/Recommend", format!("… requestId={id}"), recommend);
        }
        let Some(schema) = rules.schema(demand.action, demand.code) else {
            self.add("schema", "one for the answer demanded", "there is none");
            return Value::Object(body.elements.clone());
        };
        let (elements, twice) = schema.elements(body);
        for name in twice {
            self.add(format!("body/{name}"), "one element of this name", "several");
        }
        for (place, error) in schema.errors(&elements) {
            self.add_by(Judged::Schema, format!("body{place}"), "what its schema allows", error);
        }
        elements
    }
}
