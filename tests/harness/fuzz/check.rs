//! Judges one answer by what it must be. Nothing is lenient.

use std::collections::HashSet;

use jsonschema::Validator;

use super::model::{Expected, Found, State};
use super::plan::Call;
use super::table::Table;
use crate::answer::{Answer, Body};
use crate::client::{HOST, Wire};
use crate::contract::Contract;
use crate::judge::{ACTION, Finding, Schemas, validator};

/// What answers are judged by.
#[derive(Debug)]
pub(super) struct Judge {
    /// The contract's tables.
    pub(super) table: Table,
    schemas: Schemas,
    success: Validator,
}

/// An answer, or why there is none.
pub(super) type Answered = Result<Answer, String>;

impl Judge {
    /// Reads the contract.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(contract: &Contract) -> Result<Self, String> {
        Ok(Self {
            table: Table::read(contract)?,
            schemas: Schemas::read(contract)?,
            success: validator(contract, &format!("{ACTION}/schemas/success.json"))?,
        })
    }

    /// What is wrong with an answer. `state` is the one that the call met.
    #[must_use]
    pub(super) fn findings(
        &self,
        state: &State<'_>,
        call: &Call,
        wire: &Wire,
        found: &Found,
        answer: &Answered,
    ) -> Vec<Finding> {
        let mut all = Findings(Vec::new());
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                all.add("answer", "one", format!("none: {error}"));
                return all.0;
            }
        };
        let body = match answer.read() {
            Ok(body) => body,
            Err(error) => {
                let actual = format!("HTTP {}: {error}: {}", answer.status, answer.body);
                all.add("body", shown(&found.expected), actual);
                return all.0;
            }
        };
        self.of_expected(state, wire, found, answer, &body, &mut all);
        let is_xml = is_xml(call);
        let content_type =
            if is_xml { "text/xml;charset=utf-8" } else { "application/json;charset=utf-8" };
        all.equal("header content-type", Some(content_type), answer.header("content-type"));
        for name in ["access-control-allow-origin", "access-control-expose-headers"] {
            all.equal(&format!("header {name}"), Some("*"), answer.header(name));
        }
        let id = body.text("RequestId");
        all.equal("header x-acs-request-id", id, answer.header("x-acs-request-id"));
        if let (Some(id), Some(recommend)) = (id, body.text("Recommend"))
            && !recommend.ends_with(&format!("requestId={id}"))
        {
            all.add("Recommend", format!("requestId={id}"), recommend);
        }
        all.0
    }

    fn of_expected(
        &self,
        state: &State<'_>,
        wire: &Wire,
        found: &Found,
        answer: &Answer,
        body: &Body,
        all: &mut Findings,
    ) {
        let code = body.text("Code");
        let (status, schema, root) = match &found.expected {
            Expected::Refused { code: expected, message } => {
                all.equal("Code", Some(expected), code);
                let message = match expected.as_str() {
                    "SignatureDoesNotMatch" => mismatch(wire),
                    _ => message.clone(),
                };
                all.equal("Message", Some(&message), body.text("Message"));
                all.equal("HostId", Some(HOST), body.text("HostId"));
                let status = self.table.row(expected).map_or(0, |row| row.status);
                (status, self.schemas.error(expected), "Error".to_owned())
            }
            expected @ (Expected::Allocated | Expected::Replayed { .. }) => {
                all.equal("Code", None, code);
                let asked = super::gate::merged_wire(wire);
                let address = asked.get("Ipv6AddressId").map(String::as_str);
                all.equal("Ipv6AddressId", address, body.text("Ipv6AddressId"));
                let bandwidth = body.text("InternetBandwidthId");
                if let Expected::Replayed { bandwidth_id } = expected {
                    all.equal("InternetBandwidthId", Some(bandwidth_id), bandwidth);
                } else if let Some(id) = bandwidth.filter(|id| state.knows(id)) {
                    all.add("InternetBandwidthId", "a new one", id);
                }
                (200, Some(&self.success), format!("{ACTION}Response"))
            }
        };
        if answer.status != status {
            all.add("status", status.to_string(), answer.status.to_string());
        }
        if let Some(actual) = &body.root {
            all.equal("root element", Some(&root), Some(actual));
        }
        let Some(schema) = schema else {
            return all.add("schema", "one for the code", "there is none");
        };
        // If the code is another, its schema says nothing new.
        if all.0.is_empty() {
            let elements = serde_json::Value::Object(body.elements.clone());
            for error in schema.iter_errors(&elements) {
                let actual = format!("{} {error}", error.instance_path());
                all.add("schema", "an answer that fits it", actual);
            }
        }
    }

    /// What an expectation rests on.
    #[must_use]
    pub(super) fn because(&self, found: &Found) -> String {
        match &found.expected {
            Expected::Refused { code, .. } => {
                self.table.row(code).map(|row| row.because.clone()).unwrap_or_default()
            }
            Expected::Allocated => "no rule of the contract is broken".to_owned(),
            Expected::Replayed { .. } => {
                "decision token: same token and same parameters: the same ids".to_owned()
            }
        }
    }
}

/// Finds an id that was given to a request before.
pub(super) fn repeated_id(seen: &mut HashSet<String>, answer: &Answered) -> Option<Finding> {
    let body = answer.as_ref().ok()?.read().ok()?;
    let id = body.text("RequestId")?;
    let is_new = seen.insert(id.to_owned());
    (!is_new).then(|| Finding {
        what: "RequestId".to_owned(),
        expected: "one that no other request has".to_owned(),
        actual: id.to_owned(),
    })
}

/// An expectation in a line.
#[must_use]
pub(super) fn shown(expected: &Expected) -> String {
    match expected {
        Expected::Refused { code, message } => format!("{code}: {message}"),
        Expected::Allocated => "a purchase".to_owned(),
        Expected::Replayed { bandwidth_id } => format!("a replay with {bandwidth_id}"),
    }
}

/// An answer in a line.
#[must_use]
pub(super) fn told(answer: &Answered) -> String {
    match answer {
        Ok(answer) => format!("HTTP {} {}", answer.status, answer.body),
        Err(error) => format!("no answer: {error}"),
    }
}

/// The message of a signature that does not match (decision `mismatch-text`).
fn mismatch(wire: &Wire) -> String {
    let string = wire.shown_string_to_sign();
    if wire.headers.contains_key("authorization") {
        let before = "Specified signature does not match our calculation. server StringToSign is";
        format!("{before} [{string}]")
    } else {
        let before =
            "Specified signature is not matched with our calculation. server string to sign is";
        format!("{before}:{string}")
    }
}

/// Whether a call is answered in XML (decisions `format` and `format-default`).
fn is_xml(call: &Call) -> bool {
    match call.format.as_deref().map(str::to_lowercase).as_deref() {
        Some("json") => false,
        Some("xml") => true,
        _ => !call.signature.is_v3(),
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &str, expected: impl Into<String>, actual: impl Into<String>) {
        let (expected, actual) = (expected.into(), actual.into());
        self.0.push(Finding { what: what.to_owned(), expected, actual });
    }

    fn equal(&mut self, what: &str, expected: Option<&str>, actual: Option<&str>) {
        if expected != actual {
            self.add(what, expected.unwrap_or("(none)"), actual.unwrap_or("(none)"));
        }
    }
}
