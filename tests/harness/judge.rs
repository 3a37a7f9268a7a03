//! Judges what a target answers to a case. Nothing is lenient.

mod schemas;
mod state;

use std::collections::BTreeSet;
use std::fmt;

use regex::Regex;
use serde_json::{Value, json};

use crate::answer::{Answer, Body};
use crate::case::{Asked, Case, Style, Variant};
use crate::client::{self, Wire, without_port};
use crate::placeholder::Placeholders;
use crate::secrets;
use crate::target::Target;

pub use schemas::{Schemas, validator};

/// The action that every case calls, those of `common` too.
pub const ACTION: &str = "AllocateIpv6InternetBandwidth";

/// How the names of headers begin that the vendor's answers have, and those that all of them have.
const OUR_HEADERS: [&str; 3] = ["x-acs-", "x-ratelimit-", "access-control-"];
const USUAL_HEADERS: [&str; 4] = [
    "access-control-allow-origin",
    "access-control-expose-headers",
    "x-acs-request-id",
    "x-acs-trace-id",
];

/// Headers that only some answers have.
const EXTRA_HEADERS: [&str; 2] = ["x-acs-retry-after", "x-ratelimit-user-api"];

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

/// What came of one case in one variant.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is wrong; nothing if the case holds.
    pub findings: Vec<Finding>,
    /// The format of the answer, as the case asks for it.
    pub format: &'static str,
    /// The whole answer, what is unstable replaced.
    pub transcript: String,
    /// The code answered; none for a success.
    pub code: Option<String>,
    /// The call, and the answer as it came.
    pub last: (Wire, Answer),
    /// The bandwidths that successes named.
    pub bought: BTreeSet<String>,
}

/// Tries `case` in one variant against `target`.
///
/// # Errors
///
/// The case could not be tried.
pub async fn judge(
    case: &Case,
    variant: &Variant,
    target: &mut Target,
    schemas: &Schemas,
    now_secs: i64,
) -> Result<Verdict, String> {
    target.begin(&case.world, case.throttling).await?;
    let mut judge = Judge {
        case,
        world: case.world.to_string(),
        schemas,
        placeholders: Placeholders::default(),
        findings: Vec::new(),
        transcript: String::new(),
    };
    let (mut before, mut bought) = (None, BTreeSet::new());
    for (position, request) in case.before.iter().enumerate() {
        let variant = Variant {
            style: request.signature.unwrap_or(variant.style),
            format: match &request.format {
                Asked::Either => variant.format.clone(),
                Asked::None => None,
                Asked::Format(format) => Some(format.clone()),
            },
        };
        let wire = client::sign(request, &variant, now_secs, &client::fresh_nonce(), ACTION);
        let answer = target.send(&wire, None).await?;
        if answer.status != 200 {
            return Err(format!("the call before was not answered with 200: {answer:?}"));
        }
        let body = answer.read()?;
        judge.write(&format!("# call {}", position + 1), &answer, &body, &wire);
        bought.extend(body.text("InternetBandwidthId").map(str::to_owned));
        before = Some(body);
    }
    let state_before = target.world().await?;
    let wire = client::sign(&case.request, variant, now_secs, &client::fresh_nonce(), ACTION);
    let answer = target.send(&wire, case.fault).await?;
    let state_after = target.world().await?;

    let format = expected_format(variant);
    judge.headers(&answer, format);
    let body = match answer.read() {
        Ok(body) => body,
        Err(error) => {
            judge.finding("body", "one that can be read", format!("{error}: {}", answer.body));
            Body { root: None, elements: serde_json::Map::new() }
        }
    };
    judge.body(&answer, &body, &wire, format);
    judge.ids(&answer, &body, before.as_ref());
    if let (Some(state_before), Some(state_after)) = (state_before, state_after) {
        judge.state(&state_before, &state_after, &body);
    }
    let heading = format!("# call {}", case.before.len() + 1);
    let heading = if case.before.is_empty() { "" } else { &heading };
    judge.write(heading, &answer, &body, &wire);
    let code = body.text("Code").map(str::to_owned);
    bought.extend(body.text("InternetBandwidthId").map(str::to_owned));
    let Judge { findings, transcript, .. } = judge;
    Ok(Verdict { findings, format, transcript, code, last: (wire, answer), bought })
}

/// The format that the contract demands: the one asked for, else the default of the signature's
/// kind.
#[must_use]
pub fn expected_format(variant: &Variant) -> &'static str {
    match variant.format.as_deref() {
        Some(format) if format.eq_ignore_ascii_case("json") => "JSON",
        Some(format) if format.eq_ignore_ascii_case("xml") => "XML",
        _ => match variant.style {
            Style::V1 => "XML",
            Style::V3 | Style::V3Sm3 => "JSON",
        },
    }
}

struct Judge<'a> {
    case: &'a Case,
    world: String,
    schemas: &'a Schemas,
    placeholders: Placeholders,
    findings: Vec<Finding>,
    transcript: String,
}

impl Judge<'_> {
    fn finding(&mut self, what: &str, expected: impl fmt::Display, actual: impl fmt::Display) {
        self.findings.push(Finding {
            what: what.to_owned(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        });
    }

    fn equal(&mut self, what: &str, expected: Option<&str>, actual: Option<&str>) {
        if expected != actual {
            self.finding(what, expected.unwrap_or("(none)"), actual.unwrap_or("(none)"));
        }
    }

    fn headers(&mut self, answer: &Answer, format: &str) {
        let status = self.case.demanded.status;
        if answer.status != status {
            self.finding("status", status, answer.status);
        }
        let content_type = match format {
            "JSON" => "application/json;charset=utf-8",
            _ => "text/xml;charset=utf-8",
        };
        self.equal("header content-type", Some(content_type), answer.header("content-type"));
        for name in ["access-control-allow-origin", "access-control-expose-headers"] {
            self.equal(&format!("header {name}"), Some("*"), answer.header(name));
        }
        let trace_id = answer.header("x-acs-trace-id").unwrap_or_default();
        let is_trace_id = trace_id.len() == 32
            && trace_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_trace_id {
            self.finding("header x-acs-trace-id", "32 lower-case hexadecimal digits", trace_id);
        }
        for (name, pattern) in &self.case.demanded.headers {
            let actual = answer.header(name).unwrap_or("(none)");
            let matches = Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(actual));
            if !matches {
                self.finding(&format!("header {name}"), pattern, actual);
            }
        }
        for (name, actual) in &answer.headers {
            // Those of HTTP itself are whoever's carries the answer.
            let is_ours = OUR_HEADERS.iter().any(|start| name.starts_with(start));
            let is_usual = USUAL_HEADERS.contains(&name.as_str());
            if is_ours && !is_usual && !self.case.demanded.headers.contains_key(name) {
                self.finding(&format!("header {name}"), "(none)", actual);
            }
        }
        let all = format!("{:?}\n{}", answer.headers, answer.body);
        if let Some(secret) = secrets::find(&all) {
            self.finding("secrecy", format!("an answer without {secret}"), all);
        }
    }

    fn body(&mut self, answer: &Answer, body: &Body, wire: &Wire, format: &str) {
        let demanded = &self.case.demanded;
        let string_to_sign = wire.shown_string_to_sign();
        let message =
            demanded.message.as_ref().map(|m| m.replace("[StringToSign]", &string_to_sign));
        self.equal("Code", demanded.code.as_deref(), body.text("Code"));
        self.equal("Message", message.as_deref(), body.text("Message"));
        let detail = demanded.access_denied_detail.as_ref().map(|detail| json!(detail));
        if detail.as_ref() != body.elements.get("AccessDeniedDetail") {
            let shown =
                |detail: Option<&Value>| detail.map_or("(none)".to_owned(), Value::to_string);
            let actual = shown(body.elements.get("AccessDeniedDetail"));
            self.finding("AccessDeniedDetail", shown(detail.as_ref()), actual);
        }
        self.equal(
            "header x-acs-request-id",
            body.text("RequestId"),
            answer.header("x-acs-request-id"),
        );
        let root = match &demanded.code {
            _ if format == "JSON" => None,
            Some(_) => Some("Error".to_owned()),
            None => Some(format!("{ACTION}Response")),
        };
        self.equal("root element", root.as_deref(), body.root.as_deref());
        if demanded.code.is_some() {
            let host = without_port(&self.case.request.host);
            self.equal("HostId", Some(host), body.text("HostId"));
        }
        let schema = match &demanded.code {
            None => Some(self.schemas.success()),
            Some(code) => self.schemas.error(code),
        };
        let Some(schema) = schema else {
            return self.finding("schema", "one for the code demanded", "there is none");
        };
        let elements = Value::Object(body.elements.clone());
        let errors: Vec<(String, String)> = schema
            .iter_errors(&elements)
            .map(|error| (format!("schema {}", schemas::place(&error)), error.to_string()))
            .collect();
        for (what, error) in errors {
            self.finding(what.trim_end(), "an answer that fits it", error);
        }
        // One id throughout.
        if let (Some(id), Some(recommend)) = (body.text("RequestId"), body.text("Recommend"))
            && !recommend.ends_with(&format!("requestId={id}"))
        {
            self.finding("Recommend", format!("requestId={id}"), recommend);
        }
    }

    fn ids(&mut self, answer: &Answer, body: &Body, before: Option<&Body>) {
        let demanded = &self.case.demanded;
        if answer.status == 200 {
            let address = demanded.ipv6_address_id.as_deref();
            self.equal("Ipv6AddressId", address, body.text("Ipv6AddressId"));
        }
        let bandwidth = body.text("InternetBandwidthId");
        if let Some(expected) = demanded.internet_bandwidth_id.as_deref() {
            self.equal("InternetBandwidthId", Some(expected), bandwidth);
        }
        let Some(before) = before else { return };
        if demanded.same_as_before {
            self.equal("InternetBandwidthId", before.text("InternetBandwidthId"), bandwidth);
        } else if bandwidth.is_some() && bandwidth == before.text("InternetBandwidthId") {
            self.finding("InternetBandwidthId", "a new one", bandwidth.unwrap_or_default());
        }
        if body.text("RequestId") == before.text("RequestId") {
            self.finding("RequestId", "a new one", body.text("RequestId").unwrap_or_default());
        }
    }

    fn state(&mut self, before: &Value, after: &Value, body: &Body) {
        let demanded = &self.case.demanded;
        let is_replay = demanded.same_as_before || demanded.internet_bandwidth_id.is_some();
        if demanded.status != 200 || is_replay {
            if before != after {
                self.finding("state", format!("unchanged: {before}"), after);
            }
        } else if before == after {
            self.finding("state", "an address with bandwidth", "nothing has changed");
        } else {
            let address = demanded.ipv6_address_id.as_deref().unwrap_or_default();
            let bandwidth = body.text("InternetBandwidthId").unwrap_or_default();
            let (mut unchanged, mut left) = (before.clone(), after.clone());
            match state::undo_purchase(&mut unchanged, &mut left, address, bandwidth) {
                Ok(()) if unchanged == left => {}
                Ok(()) => self.finding("state", format!("but for {address}: {unchanged}"), left),
                Err(expected) => self.finding("state", expected, after),
            }
        }
        let Some(holds) = &self.case.after else { return };
        let id = holds.get("Ipv6AddressId");
        let accounts = after["Accounts"].as_array().into_iter().flatten();
        let address = accounts
            .flat_map(|account| account["Ipv6Addresses"].as_array().into_iter().flatten())
            .find(|address| address.get("Ipv6AddressId") == id);
        let Some(address) = address else {
            return self.finding("state", format!("the address {id:?}"), "no such address");
        };
        for (field, expected) in holds {
            let bandwidth = &address["Ipv6InternetBandwidth"];
            let actual =
                address.get(field).or_else(|| bandwidth.get(field)).unwrap_or(&Value::Null);
            if actual != expected {
                self.finding(&format!("state: {field} of the address"), expected, actual);
            }
        }
    }

    /// Adds an answer to the transcript.
    fn write(&mut self, heading: &str, answer: &Answer, body: &Body, wire: &Wire) {
        let placeholders = &mut self.placeholders;
        placeholders.learn("RequestId", body.text("RequestId").unwrap_or_default());
        placeholders.learn("TraceId", answer.header("x-acs-trace-id").unwrap_or_default());
        if let Some(id) = body.text("InternetBandwidthId")
            && !self.world.contains(id)
        {
            placeholders.learn("InternetBandwidthId", id);
        }
        // As the body's format escapes it.
        let string_to_sign = wire.shown_string_to_sign();
        let escaped = match body.root {
            Some(_) => string_to_sign.replace('&', "&amp;"),
            None => string_to_sign.replace('\n', "\\n"),
        };
        placeholders.learn("StringToSign", &escaped);
        for (kind, name) in ["RetryAfter", "RateLimit"].into_iter().zip(EXTRA_HEADERS).rev() {
            placeholders.learn(kind, answer.header(name).unwrap_or_default());
        }
        let mut text = String::new();
        if !heading.is_empty() {
            text.extend([heading, "\n"]);
        }
        text.extend(["HTTP ", &answer.status.to_string(), "\n"]);
        for name in [
            "content-type",
            "access-control-allow-origin",
            "access-control-expose-headers",
            "x-acs-request-id",
            "x-acs-trace-id",
        ] {
            text.extend([name, ": ", answer.header(name).unwrap_or("(none)"), "\n"]);
        }
        for name in EXTRA_HEADERS {
            if let Some(value) = answer.header(name) {
                text.extend([name, ": ", value, "\n"]);
            }
        }
        text.extend(["\n", &answer.body, "\n"]);
        self.transcript.push_str(&placeholders.apply(&text));
    }
}
