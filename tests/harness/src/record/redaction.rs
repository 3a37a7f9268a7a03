//! Redacts recordings.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::error::{Result, bail};
use crate::placeholder::Placeholders;
use crate::secrets::{self, Blot};
use crate::verify::{Answered, Caller};

/// The patterns of values to redact anywhere, with the kinds of their placeholders.
static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let pattern = |kind, pattern| (kind, Regex::new(pattern).expect("a pattern of this program"));
    vec![
        pattern("AccessKeyId", r"(?:LTAI|STS\.|TMP\.)[0-9A-Za-z]{8,}"),
        pattern("Signature", r"[0-9a-f]{64}|[0-9A-Za-z+/]{27}="),
        pattern("AccountId", r"[0-9]{12,}"),
        pattern("ResourceId", r"\b(?:ipv6|ipv6gw|ipv6bw|vpc|vsw|eni|i|vtb|acl)-[0-9a-z]{10,}\b"),
    ]
});

/// The elements that identify the caller.
const WHO: [&str; 3] =
    ["AuthPrincipalDisplayName", "AuthPrincipalOwnerId", "EncodedDiagnosticMessage"];

/// The redacted values in the answers to one case. The same value gets the same placeholder throughout.
pub(super) struct Redaction<'a> {
    /// The text of the case, whose values are public.
    case: &'a str,
    placeholders: Placeholders,
}

impl<'a> Redaction<'a> {
    /// Redacts the caller's access key.
    pub(super) fn new(case: &'a str, caller: Option<&Caller>) -> Self {
        let mut redaction = Self { case, placeholders: Placeholders::default() };
        if let Some(caller) = caller {
            redaction.placeholders.named("AccessKeyId", &caller.access_key_id);
        }
        redaction
    }

    /// Finds the values to redact in an answer.
    pub(super) fn learn(&mut self, answered: &Answered) {
        if let Ok(body) = answered.answer.read() {
            let detail = body.elements.get("AccessDeniedDetail").and_then(Value::as_object);
            for members in [Some(&body.elements), detail].into_iter().flatten() {
                for name in WHO {
                    self.learn_value(name, members.get(name).and_then(Value::as_str));
                }
            }
        }
        self.learn_text(&answered.transcript);
    }

    /// Finds the values to redact in a text.
    pub(super) fn learn_text(&mut self, text: &str) {
        for (kind, pattern) in &*PATTERNS {
            for found in pattern.find_iter(text) {
                self.learn_value(kind, Some(found.as_str()));
            }
        }
        let is_part = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
        for word in text.split(|c: char| !is_part(c)) {
            let word = word.trim_end_matches('.');
            if word.len() > 2 && word.parse::<IpAddr>().is_ok() {
                self.learn_value("IpAddress", Some(word));
            }
        }
    }

    fn learn_value(&mut self, kind: &'static str, value: Option<&str>) {
        if let Some(value) = value
            && !self.case.contains(value)
        {
            self.placeholders.named(kind, value);
        }
    }

    /// The redacted text.
    pub(super) fn apply(&self, text: &str) -> String {
        self.placeholders.apply(text)
    }

    /// Checks that no secret is left. The run has already removed them.
    pub(super) fn check(text: &str) -> Result<()> {
        if Blot::of_known().apply(text) != text {
            bail!("not written, as it would show a secret");
        }
        secrets::find(text)
            .map_or(Ok(()), |kind| Err(format!("not written, as it would show {kind}").into()))
    }
}
