//! Judges what a target answers to a case. Nothing is lenient.

mod findings;
mod lists;
mod rulebook;

use quick_xml::escape::partial_escape;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Body};
use crate::case::{Asked, Case, Request, Style, Variant};
use crate::client::{self, Shown, Wire, now_secs, without_port};
use crate::operations::{Operation, Undo};
use crate::placeholder::Placeholders;
use crate::secrets;
use crate::target::Target;
use crate::world::{self, View, differences, includes};

pub(crate) use findings::Findings;
pub use findings::{Demand, Finding};
pub(crate) use lists::judge_list;
pub use rulebook::{Rulebook, Schema, compiled, validator};

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
    /// The calls that take back what successes did, each once.
    pub undo: Vec<Undo>,
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
    rules: &Rulebook,
    now_secs: i64,
) -> Result<Verdict, String> {
    target.begin(&case.world, case.throttling).await?;
    let mut judge = Judge {
        case,
        world: case.world.to_string(),
        rules,
        placeholders: Placeholders::default(),
        findings: Findings::default(),
        transcript: String::new(),
        undo: Vec::new(),
    };
    let mut before = None;
    for (position, request) in case.before.iter().enumerate() {
        let variant = Variant {
            style: request.signature.unwrap_or(variant.style),
            format: match &request.format {
                Asked::Either => variant.format.clone(),
                Asked::None => None,
                Asked::Format(format) => Some(format.clone()),
            },
        };
        let wire = client::sign(request, &variant, now_secs, &client::fresh_nonce());
        let answer = target.send(&wire, None).await?;
        if answer.status != 200 {
            return Err(format!("the call before was not answered with 200: {answer:?}"));
        }
        let body = answer.read()?;
        judge.write(&format!("# call {}", position + 1), request, &answer, &body, &wire);
        before = Some(body);
    }
    let state_before = target.world().await?;
    let wire = client::sign(&case.request, variant, now_secs, &client::fresh_nonce());
    let answer = target.send(&wire, case.fault).await?;
    let state_after = target.world().await?;

    let format = expected_format(variant);
    let body = match answer.read() {
        Ok(body) => body,
        Err(error) => {
            let actual = format!("{error}: {}", answer.body);
            judge.findings.add("body", "one that can be read", actual);
            Body { root: None, elements: Map::new() }
        }
    };
    let elements = judge.answer(&answer, &body, &wire, format);
    judge.elements(&elements, before.as_ref());
    if let (Some(state_before), Some(state_after)) = (state_before, state_after) {
        judge.state(&state_before, &state_after, &elements);
    }
    let heading = format!("# call {}", case.before.len() + 1);
    let heading = if case.before.is_empty() { "" } else { &heading };
    judge.write(heading, &case.request, &answer, &body, &wire);
    let code = body.text("Code").map(str::to_owned);
    let Judge { findings: Findings(findings), transcript, undo, .. } = judge;
    Ok(Verdict { findings, format, transcript, code, last: (wire, answer), undo })
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
    rules: &'a Rulebook,
    placeholders: Placeholders,
    findings: Findings,
    transcript: String,
    undo: Vec<Undo>,
}

impl Judge<'_> {
    fn operation(&self, request: &Request) -> Option<&Operation> {
        self.rules.operations.get(&request.action)
    }

    /// Judges the answer itself; gives its elements.
    fn answer(&mut self, answer: &Answer, body: &Body, wire: &Wire, format: &'static str) -> Value {
        let demanded = &self.case.demanded;
        let signed = wire.signed_by_server();
        let message = demanded.message.clone().map(|message| {
            signed
                .texts()
                .fold(message, |message, (name, text)| message.replace(&format!("[{name}]"), text))
        });
        let demand = Demand {
            action: &self.case.request.action,
            status: demanded.status,
            code: demanded.code.as_deref(),
            message,
            format,
            host: without_port(&self.case.request.host),
        };
        let elements = self.findings.judge(&demand, answer, body, self.rules);
        let detail = demanded.access_denied_detail.as_ref().map(|detail| json!(detail));
        if detail.as_ref() != body.elements.get("AccessDeniedDetail") {
            let shown = |it: Option<&Value>| it.map_or("(none)".to_owned(), Value::to_string);
            let actual = shown(body.elements.get("AccessDeniedDetail"));
            self.findings.add("AccessDeniedDetail", shown(detail.as_ref()), actual);
        }
        for (name, pattern) in &demanded.headers {
            let actual = answer.header(name).unwrap_or("(none)");
            if !Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(actual)) {
                self.findings.add(format!("header {name}"), pattern, actual);
            }
        }
        for (name, actual) in &answer.headers {
            // Those of HTTP itself are whoever's carries the answer.
            let is_ours = OUR_HEADERS.iter().any(|start| name.starts_with(start));
            let is_usual = USUAL_HEADERS.contains(&name.as_str());
            if is_ours && !is_usual && !demanded.headers.contains_key(name) {
                self.findings.add(format!("header {name}"), "(none)", actual);
            }
        }
        let mut body_text = answer.body.clone();
        if demanded.code.as_deref() == Some("SignatureDoesNotMatch") {
            // Its caller gets back what it sent: in the texts that were signed, and nowhere else.
            for (_, text) in escaped(&signed, body) {
                body_text = body_text.replace(&text, "");
            }
        }
        let all = format!("{:?}\n{body_text}", answer.headers);
        if let Some(secret) = secrets::find(&all) {
            self.findings.add("secrecy", format!("an answer without {secret}"), all);
        }
        elements
    }

    /// Judges what the case says of elements, and those that are drawn anew.
    fn elements(&mut self, elements: &Value, before: Option<&Body>) {
        for (name, expected) in &self.case.demanded.elements {
            let actual = &elements[name];
            if actual != expected {
                self.findings.add(name, expected, actual);
            }
        }
        let Some(before) = before else { return };
        if elements["RequestId"].as_str() == before.text("RequestId") {
            self.findings.add("RequestId", "a new one", &elements["RequestId"]);
        }
        let operation = self.operation(&self.case.request);
        let fresh: Vec<String> =
            operation.into_iter().flat_map(Operation::fresh).map(str::to_owned).collect();
        for name in fresh {
            let (earlier, now) = (before.text(&name), elements[&name].as_str());
            if self.case.demanded.same_as_before {
                self.findings.equal(&name, earlier, now);
            } else if now.is_some() && now == earlier {
                self.findings.add(&name, "a new one", now.unwrap_or_default());
            }
        }
    }

    /// Judges the world after the call: a refusal and a replay leave it as it was, a success does what the
    /// operation says, and nothing else.
    fn state(&mut self, before: &Value, after: &Value, elements: &Value) {
        let Case { request, demanded, after: holds, .. } = self.case;
        let rules = self.rules;
        let view = rules.operations.get(&request.action).map(|operation| {
            View::of(operation, before, &request.access_key_id, &request.parameters())
        });
        let now_secs = now_secs();
        if let Some(view) = view.as_ref().filter(|_| demanded.status == 200) {
            judge_list(&mut self.findings, view, elements);
        }
        let remembered = view.as_ref().and_then(|view| view.remembered(now_secs).cloned());
        let expected = match &view {
            Some(view) if demanded.status == 200 && remembered.is_none() => {
                let none = Map::new();
                view.after(before, elements.as_object().unwrap_or(&none))
            }
            Some(_) | None => Ok(before.clone()),
        };
        match expected {
            Err(missing) => self.findings.add("state", missing, "no such thing"),
            Ok(expected) => {
                for (what, expected, actual) in differences(&expected, after, now_secs) {
                    self.findings.add(what, expected, actual);
                }
            }
        }
        if demanded.status == 200
            && let Some(remembered) = remembered
        {
            for (name, expected) in world::members(&remembered["Answer"]) {
                if elements[name] != *expected {
                    self.findings.add(name, expected, &elements[name]);
                }
            }
        }
        let account = world::key(after, &request.access_key_id).map(|key| key.account);
        for (kind, documents) in holds {
            for (id, expected) in documents {
                let actual = account.map_or(&Value::Null, |account| &account[kind][id]);
                if !includes(actual, expected) {
                    self.findings.add(format!("state: {kind} {id}"), expected, actual);
                }
            }
        }
    }

    /// Adds an answer to the transcript.
    fn write(
        &mut self,
        heading: &str,
        request: &Request,
        answer: &Answer,
        body: &Body,
        wire: &Wire,
    ) {
        let operation = self.rules.operations.get(&request.action);
        let placeholders = &mut self.placeholders;
        placeholders.learn("RequestId", body.text("RequestId").unwrap_or_default());
        placeholders.learn("TraceId", answer.header("x-acs-trace-id").unwrap_or_default());
        for name in operation.into_iter().flat_map(Operation::fresh) {
            if let Some(id) = body.text(name)
                && !self.world.contains(id)
            {
                placeholders.learn(name, id);
            }
        }
        if let (Some(operation), 200) = (operation, answer.status)
            && let Some(undo) = operation.undone(request, body)
            && !self.undo.contains(&undo)
        {
            self.undo.push(undo);
        }
        for (name, text) in escaped(&wire.signed_by_server(), body) {
            placeholders.learn(name, &text);
        }
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

/// The texts that a server signed, as the format of `body` escapes them.
fn escaped(signed: &Shown, body: &Body) -> impl Iterator<Item = (&'static str, String)> {
    let is_xml = body.root.is_some();
    signed.texts().map(move |(name, text)| {
        let text = if is_xml {
            partial_escape(text).into_owned()
        } else {
            json!(text).to_string().trim_matches('"').to_owned()
        };
        (name, text)
    })
}
