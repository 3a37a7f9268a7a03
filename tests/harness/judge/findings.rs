//! What is wrong with an answer, whoever demands it: a case, or the fuzzer's model.

use std::fmt;

use serde_json::Value;

use super::rulebook::Rulebook;
use crate::answer::{Answer, Body};

/// One way in which an answer is not what the contract demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong: a field, a header, the state.
    pub what: String,
    /// What the contract demands.
    pub expected: String,
    /// What came.
    pub actual: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, expected, actual } = self;
        write!(formatter, "{what}\n      expected: {expected}\n      actual:   {actual}")
    }
}

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

/// The findings of one answer so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    /// Adds what is wrong.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        expected: impl fmt::Display,
        actual: impl fmt::Display,
    ) {
        let (expected, actual) = (expected.to_string(), actual.to_string());
        self.0.push(Finding { what: what.into(), expected, actual });
    }

    /// Adds what is wrong if the two are not the same.
    pub(crate) fn equal(&mut self, what: &str, expected: Option<&str>, actual: Option<&str>) {
        if expected != actual {
            self.add(what, expected.unwrap_or("(none)"), actual.unwrap_or("(none)"));
        }
    }

    /// Judges status, headers and body of an answer; gives its elements, each of the type that its schema
    /// says.
    pub(crate) fn judge(
        &mut self,
        demand: &Demand<'_>,
        answer: &Answer,
        body: &Body,
        rules: &Rulebook,
    ) -> Value {
        if answer.status != demand.status {
            self.add("status", demand.status, answer.status);
        }
        let content_type = match demand.format {
            "JSON" => "application/json;charset=utf-8",
            _ => "text/xml;charset=utf-8",
        };
        self.equal("header content-type", Some(content_type), answer.header("content-type"));
        for name in ["access-control-allow-origin", "access-control-expose-headers"] {
            self.equal(&format!("header {name}"), Some("*"), answer.header(name));
        }
        let trace_id = answer.header("x-acs-trace-id").unwrap_or_default();
        let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if trace_id.len() != 32 || !trace_id.bytes().all(is_digit) {
            self.add("header x-acs-trace-id", "32 lower-case hexadecimal digits", trace_id);
        }
        let id = body.text("RequestId");
        self.equal("header x-acs-request-id", id, answer.header("x-acs-request-id"));
        self.equal("Code", demand.code, body.text("Code"));
        self.equal("Message", demand.message.as_deref(), body.text("Message"));
        let root = match demand.code {
            _ if demand.format == "JSON" => None,
            Some(_) => Some("Error".to_owned()),
            None => Some(format!("{}Response", demand.action)),
        };
        self.equal("root element", root.as_deref(), body.root.as_deref());
        if demand.code.is_some() {
            self.equal("HostId", Some(demand.host), body.text("HostId"));
        }
        // One id throughout.
        if let (Some(id), Some(recommend)) = (id, body.text("Recommend"))
            && !recommend.ends_with(&format!("requestId={id}"))
        {
            self.add("Recommend", format!("requestId={id}"), recommend);
        }
        let schema = match demand.code {
            None => rules.success(demand.action),
            Some(code) => rules.error(demand.action, code),
        };
        let Some(schema) = schema else {
            self.add("schema", "one for the answer demanded", "there is none");
            return Value::Object(body.elements.clone());
        };
        let (elements, twice) = schema.elements(body);
        for name in twice {
            self.add("body", "one that can be read", format!("{name} stands twice"));
        }
        for (place, error) in schema.errors(&elements) {
            self.add(format!("schema {place}").trim_end(), "an answer that fits it", error);
        }
        elements
    }
}
