//! The transcript: the answers of a case as a text for review, and its comparison with the reviewed one.
//!
//! The text has the answers as received, with a placeholder for each value that differs from run to run.
//! Transcripts are compared by their meaning: status, headers and the values in the bodies.

use quick_xml::escape::partial_escape;
use serde_json::{Map, Value, json};

use super::findings::{Findings, Judged};
use super::headers::{self, EXTRA, USUAL};
use super::rulebook::{Rulebook, Schema};
use crate::answer::{Answer, Body, Text};
use crate::case::Case;
use crate::client::Shown;
use crate::error::Result;
use crate::placeholder::Placeholders;

/// The text before the request id in an error's `Recommend` link.
const LINKED: &str = "requestId=";

/// The transcript of a case so far.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    text: String,
    placeholders: Placeholders,
    /// The elements whose newly drawn values were replaced.
    fresh: Vec<String>,
    /// Unusual spellings that the text does not show: the usual and the actual one.
    respelt: Vec<(String, String)>,
}

/// An answer, and the values that decide its placeholders.
pub(super) struct Written<'a> {
    pub(super) answer: &'a Answer,
    /// The body, if it can be read.
    pub(super) body: Option<&'a Body>,
    /// The texts that the caller signed.
    pub(super) signed: &'a Shown,
    /// The elements that are newly drawn for each success.
    pub(super) fresh: Vec<&'a str>,
    /// The world of the case, as JSON.
    pub(super) world: &'a str,
}

impl Transcript {
    /// Adds an answer.
    pub(super) fn write(&mut self, heading: Option<usize>, written: &Written<'_>) {
        let Written { answer, body, .. } = written;
        for (kind, text) in written.signed.texts() {
            self.placeholders.named(kind, text);
        }
        // The body comes first, so that its ids get the first numbers.
        let body = body.map_or_else(|| answer.body.clone(), |body| self.body(written, body));
        if let Some(number) = heading {
            self.text.extend(["# call ", &number.to_string(), "\n"]);
        }
        self.text.extend(["HTTP ", &answer.status.to_string(), "\n"]);
        for name in USUAL {
            let value = answer.header(name).map(|value| match name {
                "x-acs-request-id" => self.placeholders.named("RequestId", value),
                "x-acs-trace-id" => self.placeholders.named("TraceId", value),
                _ => value.to_owned(),
            });
            self.text.extend([name, ": ", value.as_deref().unwrap_or("(none)"), "\n"]);
        }
        for (name, kind) in EXTRA {
            if let Some(value) = answer.header(name) {
                self.text.extend([name, ": ", &self.placeholders.named(kind, value), "\n"]);
            }
        }
        let end = answer.body.trim_end().len();
        if end < answer.body.len() {
            self.respelt.push(("no space at the end".to_owned(), answer.body[end..].to_owned()));
        }
        // A snapshot has the line ends of a text file.
        let body = body.replace("\r\n", "\n").replace('\r', "\n");
        self.text.extend(["\n", &body, "\n"]);
    }

    /// Takes the unusual spellings that the text does not show: of replaced texts, and of the end of a body.
    pub(super) fn respelt(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.respelt)
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The body with its placeholders.
    fn body(&mut self, written: &Written<'_>, body: &Body) -> String {
        let is_xml = body.root.is_some();
        let mut text = written.answer.body.clone();
        let replaced: Vec<(&Text, String)> = body
            .texts
            .iter()
            .filter_map(|text| {
                let raw = &written.answer.body[text.range.clone()];
                let parts = self.unstable(written, text);
                if parts.is_empty() {
                    return None;
                }
                let replaced = put(raw, &text.value, &parts, is_xml);
                let replaced = replaced.unwrap_or_else(|meant| {
                    self.respelt.push((escaped(&text.value, is_xml), raw.to_owned()));
                    escaped(&meant, is_xml)
                });
                Some((text, replaced))
            })
            .collect();
        for (place, new) in replaced.into_iter().rev() {
            text.replace_range(place.range.clone(), &new);
        }
        text
    }

    /// The unstable parts of a text, with their placeholders.
    fn unstable(&mut self, written: &Written<'_>, text: &Text) -> Vec<(String, String)> {
        let Text { pointer, value, .. } = text;
        let name = pointer.strip_prefix('/').unwrap_or(pointer);
        let whole = |name: String| vec![(value.clone(), name)];
        if value.is_empty() {
            return Vec::new();
        }
        match name {
            "RequestId" => whole(self.placeholders.named("RequestId", value)),
            "Recommend" => match value.rsplit_once(LINKED) {
                Some((_, id)) if !id.is_empty() => {
                    let name = self.placeholders.named("RequestId", id);
                    vec![(format!("{LINKED}{id}"), format!("{LINKED}{name}"))]
                }
                Some(_) | None => Vec::new(),
            },
            "Message" => {
                let signed = written.signed.texts();
                let shown = signed.filter(|(_, text)| !text.is_empty() && value.contains(text));
                shown
                    .map(|(kind, text)| (text.to_owned(), self.placeholders.named(kind, text)))
                    .collect()
            }
            name if written.fresh.contains(&name) && !written.world.contains(&**value) => {
                self.fresh.push(name.to_owned());
                whole(self.placeholders.named(name, value))
            }
            // An id of an earlier answer.
            _ => self.placeholders.known(value, &self.fresh).map(whole).unwrap_or_default(),
        }
    }
}

/// A text escaped for a body of this format.
fn escaped(text: &str, is_xml: bool) -> String {
    if is_xml {
        return partial_escape(text).into_owned();
    }
    let quoted = json!(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Replaces parts of an escaped text, whose unescaped value is `value`.
///
/// # Errors
///
/// The body escapes the text in another way. The error is the text with its parts replaced.
fn put(
    raw: &str,
    value: &str,
    parts: &[(String, String)],
    is_xml: bool,
) -> std::result::Result<String, String> {
    let replaced = |text: &str, old: &str, new: &str| {
        let start = text.rfind(old)?;
        Some(format!("{}{new}{}", &text[..start], &text[start + old.len()..]))
    };
    let meant = parts
        .iter()
        .fold(value.to_owned(), |text, (old, new)| replaced(&text, old, new).unwrap_or(text));
    let written = parts.iter().try_fold(raw.to_owned(), |raw, (old, new)| {
        // In CDATA nothing is escaped.
        replaced(&raw, &escaped(old, is_xml), new).or_else(|| replaced(&raw, old, new))
    });
    // If the text is escaped in another way, a found part may be half of an escape.
    let says = |written: &str| {
        let body = if is_xml {
            format!("<a><b>{written}</b></a>")
        } else {
            format!("{{\"a\":\"{written}\"}}")
        };
        Body::read(&body).is_ok_and(|body| body.texts.first().is_some_and(|it| it.value == meant))
    };
    written.filter(|written| says(written)).ok_or(meant)
}

/// An answer in a transcript.
struct Read<'a> {
    status: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

/// Reads a transcript.
fn read(text: &str) -> Result<Vec<Read<'_>>> {
    let mut all = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        if let Some(line) = rest.strip_prefix("# call ") {
            rest = line.split_once('\n').map_or("", |(_, rest)| rest);
        }
        let (answer, after) = match rest.find("\n# call ") {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, ""),
        };
        let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP "));
        let status = status.ok_or("an answer begins with a line `HTTP <status>`")?.trim();
        let headers = lines.map(|line| line.split_once(": ").ok_or("a header is `name: value`"));
        let headers = headers.collect::<Result<_, _>>()?;
        all.push(Read { status, headers, body: body.trim_end() });
        rest = after;
    }
    Ok(all)
}

/// The meaning of a transcript: the status, headers and body of each answer; `None` if it cannot be read.
pub(crate) fn meaning(text: &str) -> Option<Vec<Value>> {
    let answer = |read: Read<'_>| {
        let headers = read.headers.into_iter().filter(|(_, value)| *value != "(none)");
        let headers: Map<String, Value> =
            headers.map(|(name, value)| (name.to_owned(), value.into())).collect();
        let (root, body) = match Body::read(read.body) {
            Ok(body) => (body.root, body.elements.into()),
            Err(_) => (None, json!(read.body)),
        };
        json!({ "status": read.status, "headers": headers, "root": root, "body": body })
    };
    Some(read(text).ok()?.into_iter().map(answer).collect())
}

/// Judges the answers of a case by the reviewed ones.
pub(crate) fn judge_snapshot(
    findings: &mut Findings,
    case: &Case,
    rules: &Rulebook,
    reviewed: &str,
    transcript: &str,
) {
    let by = Judged::Snapshot;
    findings.call = None;
    let (expected, actual) = match (read(reviewed), read(transcript)) {
        (Ok(expected), Ok(actual)) => (expected, actual),
        (Err(error), _) => {
            return findings.add_by(by, "snapshot", "a snapshot that can be read", error);
        }
        (_, Err(error)) => {
            return findings.add_by(by, "answer", "an answer that can be read", error);
        }
    };
    // A wrong answer to an earlier call ends a case, so there may be fewer answers. That finding exists.
    if expected.len() < actual.len() {
        let count = |answers: &[Read<'_>]| format!("{} answers", answers.len());
        return findings.add_by(by, "snapshot", count(&expected), count(&actual));
    }
    let found = findings.len();
    for (position, (expected, actual)) in expected.iter().zip(&actual).enumerate() {
        let before = case.before.get(position);
        let schema = match before {
            Some(request) => rules.success(&request.action),
            None => rules.schema(&case.request.action, case.demanded.code.as_deref()),
        };
        findings.call = before.map(|_| position + 1);
        compare(findings, expected, actual, schema);
    }
    findings.call = None;
    let is_whole = expected.len() == actual.len();
    if is_whole && findings.len() == found && reviewed.trim_end() != transcript.trim_end() {
        findings.add_by(Judged::Bytes, "bytes", reviewed.trim_end(), transcript.trim_end());
    }
}

fn compare(
    findings: &mut Findings,
    expected: &Read<'_>,
    actual: &Read<'_>,
    schema: Option<&Schema>,
) {
    let by = Judged::Snapshot;
    if expected.status != actual.status {
        findings.add_by(by, "status", expected.status, actual.status);
    }
    let value = |of: &Read<'_>, name: &str| {
        let mut all = of.headers.iter().filter(|(known, _)| *known == name);
        all.next().map_or("(none)".to_owned(), |(_, value)| (*value).to_owned())
    };
    let mut names: Vec<&str> =
        expected.headers.iter().chain(&actual.headers).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (expected, actual) = (value(expected, name), value(actual, name));
        if !headers::is_same(name, &expected, &actual) {
            findings.add_by(by, format!("header/{name}"), expected, actual);
        }
    }
    let (Ok(one), Ok(other)) = (Body::read(expected.body), Body::read(actual.body)) else {
        if expected.body != actual.body {
            findings.add_by(by, "body", expected.body, actual.body);
        }
        return;
    };
    if one.root != other.root {
        let root = |body: &Body| body.root.clone().unwrap_or_else(|| "(none)".to_owned());
        findings.add_by(by, "root", root(&one), root(&other));
    }
    let typed = |body: &Body| match schema {
        Some(schema) => schema.elements(body).0,
        None => Value::Object(body.elements.clone()),
    };
    findings.differences(by, "body", Some(&typed(&one)), Some(&typed(&other)));
}
