//! Judges a target's answers to a case by their meaning. Another spelling is a separate kind of finding.

mod demand;
mod findings;
mod headers;
mod lists;
mod rulebook;
mod transcript;

use serde_json::{Value, json};

use crate::answer::{Answer, Body};
use crate::case::{Case, Demanded, Request, Style, Variant};
use crate::client::{self, Shown, Wire, now_secs, timestamp, without_port};
use crate::error::Result;
use crate::operations::{Operation, Undo};
use crate::secrets;
use crate::target::Target;
use crate::world::{self, TOKEN_SECS, View, included, settled};
use transcript::{Transcript, Written};

pub use demand::Demand;
pub(crate) use findings::is_place;
pub use findings::{Finding, Findings, Judged, Place};
pub(crate) use headers::is_same as is_same_header;
pub(crate) use lists::judge_list;
pub use rulebook::{FORMATS_ASSERT, Rulebook, Schema, compiled, validator};
pub(crate) use transcript::{judge_snapshot, meaning};

/// The verdict on one case in one variant.
#[derive(Debug)]
pub struct Verdict {
    /// The findings by the case and by the schemas.
    pub findings: Findings,
    /// The requested format of the answer.
    pub format: &'static str,
    /// The answers, with unstable values replaced.
    pub transcript: String,
    /// The code of the answer; `None` for a success.
    pub code: Option<String>,
    /// The last call and its answer.
    pub last: (Wire, Answer),
}

/// Tries `case` in one variant on `target`. A wrong answer to an earlier call ends the case.
///
/// The calls that undo successes are added to `undo`, each once, even if the case ends with an error.
pub async fn judge(
    case: &Case,
    variant: &Variant,
    target: &mut Target,
    rules: &Rulebook,
    now_secs: i64,
    undo: &mut Vec<Undo>,
) -> Result<Verdict> {
    target.begin(&case.world, case.throttling).await?;
    let mut judge = Judge {
        case,
        world: case.world.to_string(),
        rules,
        findings: Findings::default(),
        transcript: Transcript::default(),
        undo,
    };
    let success = Demanded { status: 200, ..Demanded::default() };
    let mut met = target.world().await?;
    let mut earlier = None;
    for (position, request) in case.before.iter().enumerate() {
        let variant = request.variant(variant);
        judge.findings.call = Some(position + 1);
        let call = judge.call(request, &success, &variant, target, now_secs, &mut met).await?;
        if judge.findings.iter().any(|finding| finding.by != Judged::Bytes) {
            return Ok(judge.verdict(&variant, call));
        }
        earlier.clone_from(&call.body);
    }
    judge.findings.call = None;
    let call =
        judge.call(&case.request, &case.demanded, variant, target, now_secs, &mut met).await?;
    judge.anew(&call.elements, earlier.as_ref());
    judge.after(met.as_ref());
    Ok(judge.verdict(variant, call))
}

/// The format that the contract demands: the requested one, or the default of the signature.
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
    findings: Findings,
    transcript: Transcript,
    undo: &'a mut Vec<Undo>,
}

/// A call with its answer.
struct Called {
    wire: Wire,
    answer: Answer,
    body: Option<Body>,
    elements: Value,
}

impl Judge<'_> {
    /// Makes a call, and judges its answer and the world after it. `met` is the world before the call, if
    /// it can be read, and then the one after.
    async fn call(
        &mut self,
        request: &Request,
        demanded: &Demanded,
        variant: &Variant,
        target: &Target,
        now_secs: i64,
        met: &mut Option<Value>,
    ) -> Result<Called> {
        let is_last = self.findings.call.is_none();
        let wire = client::sign(request, variant, now_secs, &client::fresh_nonce());
        let answer = target.send(&wire, self.case.fault.filter(|_| is_last)).await?;
        let after = target.world().await?;
        let body = self.findings.read(&answer);
        let signed = wire.signed_by_server();
        let elements = self.answer(request, demanded, &answer, body.as_ref(), &signed, variant);
        if let (Some(before), Some(after)) = (&met, &after) {
            self.state(request, demanded, before, after, &elements);
        }
        *met = after;
        let operation = self.rules.operations.get(&request.action);
        if let (Some(operation), Some(body), 200) = (operation, &body, answer.status)
            && let Some(undo) = operation.undo_of(request, body)
            && !self.undo.contains(&undo)
        {
            self.undo.push(undo);
        }
        let number = self.findings.call.unwrap_or(self.case.before.len() + 1);
        let written = Written {
            answer: &answer,
            body: body.as_ref(),
            signed: &signed,
            fresh: operation.into_iter().flat_map(Operation::fresh).collect(),
            world: &self.world,
        };
        self.transcript.write((!self.case.before.is_empty()).then_some(number), &written);
        for (usual, actual) in self.transcript.respelt() {
            self.findings.add_by(Judged::Bytes, "bytes", usual, actual);
        }
        Ok(Called { wire, answer, body, elements })
    }

    fn verdict(self, variant: &Variant, call: Called) -> Verdict {
        let code = call.body.as_ref().and_then(|body| body.text("Code")).map(str::to_owned);
        Verdict {
            findings: self.findings,
            format: expected_format(variant),
            transcript: self.transcript.into_text(),
            code,
            last: (call.wire, call.answer),
        }
    }

    /// Judges the answer itself, and returns its elements.
    fn answer(
        &mut self,
        request: &Request,
        demanded: &Demanded,
        answer: &Answer,
        body: Option<&Body>,
        signed: &Shown,
        variant: &Variant,
    ) -> Value {
        let message = demanded.message.clone().map(|message| {
            signed
                .texts()
                .fold(message, |message, (name, text)| message.replace(&format!("[{name}]"), text))
        });
        let demand = Demand {
            action: &request.action,
            status: demanded.status,
            code: demanded.code.as_deref(),
            message,
            format: expected_format(variant),
            host: without_port(&request.host),
        };
        let elements = self.findings.judge(&demand, answer, body, self.rules);
        if body.is_some() {
            let detail = demanded.access_denied_detail.as_ref().map(|detail| json!(detail));
            let detail = ("AccessDeniedDetail", detail.as_ref());
            let named = demanded.elements.iter().map(|(name, value)| (name.as_str(), Some(value)));
            for (name, expected) in named.chain([detail]) {
                self.findings.element(name, expected, &elements);
            }
        }
        headers::judge_extra(&mut self.findings, demanded, answer);
        self.unique(answer, body);
        self.secrecy(demanded, answer, body, signed);
        elements
    }

    /// Judges that no other answer has the same ids.
    fn unique(&mut self, answer: &Answer, body: Option<&Body>) {
        let request = body.and_then(|body| body.text("RequestId"));
        let trace = answer.header("x-acs-trace-id");
        for (path, id) in [("body/RequestId", request), ("header/x-acs-trace-id", trace)] {
            if let Some(id) = id.filter(|id| !self.rules.is_new(id)) {
                self.findings.add(path, "an id that no other answer has", id);
            }
        }
    }

    /// Judges that the answer shows no secret. The finding does not show it either.
    fn secrecy(
        &mut self,
        demanded: &Demanded,
        answer: &Answer,
        body: Option<&Body>,
        signed: &Shown,
    ) {
        let headers =
            answer.headers.iter().map(|(name, value)| (format!("header/{name}"), value.clone()));
        let texts = match body {
            None => vec![("body".to_owned(), answer.body.clone())],
            Some(body) => {
                let texts = body.texts.iter().map(|text| {
                    let mut value = text.value.clone();
                    // The signed texts repeat what the caller sent, which may include its token.
                    if text.pointer == "/Message"
                        && demanded.code.as_deref() == Some("SignatureDoesNotMatch")
                    {
                        for (_, signed) in signed.texts() {
                            value = value.replace(signed, "");
                        }
                    }
                    (format!("body{}", text.pointer), value)
                });
                texts.collect()
            }
        };
        for (path, text) in headers.chain(texts) {
            if let Some(kind) = secrets::find(&text) {
                self.findings.add_by(Judged::Secrecy, path, format!("no {kind}"), kind);
            }
        }
    }

    /// Judges the newly drawn elements by the answer to the earlier call.
    fn anew(&mut self, elements: &Value, earlier: Option<&Body>) {
        let Some(earlier) = earlier else { return };
        let operation = self.rules.operations.get(&self.case.request.action);
        for name in operation.into_iter().flat_map(Operation::fresh) {
            let (before, now) = (earlier.text(name), elements[name].as_str());
            let path = format!("body/{name}");
            if self.case.demanded.same_as_before {
                self.findings.equal(&path, before, now);
            } else if now.is_some() && now == before {
                self.findings.add(path, "a new id", now.unwrap_or_default());
            }
        }
    }

    /// Judges the world after a call: an error and a replay change nothing, a success has only the effects of
    /// its operation.
    fn state(
        &mut self,
        request: &Request,
        demanded: &Demanded,
        before: &Value,
        after: &Value,
        elements: &Value,
    ) {
        let now_secs = now_secs();
        let view = self.rules.operations.get(&request.action).map(|operation| {
            View::of(operation, before, &request.access_key_id, &request.parameters())
        });
        let mut expected = Ok(before.clone());
        // An answer with a code must not change anything, whatever answer is demanded.
        let success = elements.as_object().filter(|it| !it.contains_key("Code"));
        if let (Some(view), Some(success), 200) = (&view, success, demanded.status) {
            judge_list(&mut self.findings, view, elements);
            match view.remembered(now_secs) {
                Some(remembered) => {
                    for (name, expected) in world::members(&remembered["Answer"]) {
                        self.findings.element(name, Some(expected), elements);
                    }
                }
                None => expected = view.after(before, success, &timestamp(now_secs + TOKEN_SECS)),
            }
        }
        match expected {
            Err(missing) => self.findings.add("state", missing, "no such document"),
            Ok(expected) => {
                let (expected, after) = settled(&expected, after, now_secs);
                self.findings.differences(Judged::Demand, "state", Some(&expected), Some(&after));
            }
        }
    }

    /// Judges the world by the case's `after`.
    fn after(&mut self, world: Option<&Value>) {
        let Some(world) = world else { return };
        let key = world::key(world, &self.case.request.access_key_id);
        let Some(key) = key else { return };
        for (kind, documents) in &self.case.after {
            for (id, expected) in documents {
                let actual = included(&key.account[kind][id], expected);
                let path = format!("state/{}/{kind}/{id}", key.account_id);
                self.findings.differences(Judged::Demand, &path, Some(expected), Some(&actual));
            }
        }
    }
}
