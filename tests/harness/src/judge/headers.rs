//! Judges the headers of an answer.

use mediatype::{MediaType, ReadParams as _};

use super::findings::Findings;
use crate::answer::Answer;
use crate::case::Demanded;

/// The prefixes of the vendor's headers, and the headers of every answer.
const OURS: [&str; 3] = ["x-acs-", "x-ratelimit-", "access-control-"];
pub(super) const USUAL: [&str; 5] = [
    "content-type",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "x-acs-request-id",
    "x-acs-trace-id",
];

/// The headers that only some answers have, with the kinds of their values.
pub(super) const EXTRA: [(&str, &str); 2] =
    [("x-acs-retry-after", "RetryAfter"), ("x-ratelimit-user-api", "RateLimit")];

/// Judges the headers that every answer has.
pub(super) fn judge(findings: &mut Findings, format: &str, answer: &Answer) {
    let expected = match format {
        "JSON" => "application/json;charset=utf-8",
        _ => "text/xml;charset=utf-8",
    };
    let actual = answer.header("content-type");
    if !actual.is_some_and(|actual| is_same_type(expected, actual)) {
        findings.add("header/content-type", expected, actual.unwrap_or("(none)"));
    }
    for name in ["access-control-allow-origin", "access-control-expose-headers"] {
        findings.equal(&format!("header/{name}"), Some("*"), answer.header(name));
    }
    let encoding = answer.header("content-encoding").map(str::trim);
    // The call requested no encoding.
    if let Some(encoding) = encoding.filter(|it| !it.eq_ignore_ascii_case("identity")) {
        findings.add("header/content-encoding", "(none)", encoding);
    }
    let trace_id = answer.header("x-acs-trace-id").unwrap_or_default();
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if trace_id.len() != 32 || !trace_id.bytes().all(is_digit) {
        findings.add("header/x-acs-trace-id", "32 lower-case hexadecimal digits", trace_id);
    }
}

/// Judges the headers that a case demands, and the vendor's headers that it does not demand.
pub(super) fn judge_extra(findings: &mut Findings, demanded: &Demanded, answer: &Answer) {
    for (name, pattern) in &demanded.headers {
        let actual = answer.header(name).unwrap_or("(none)");
        if !regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(actual)) {
            findings.add(format!("header/{name}"), pattern, actual);
        }
    }
    for (name, actual) in &answer.headers {
        // Other headers belong to the server or gateway that carries the answer.
        let is_ours = OURS.iter().any(|start| name.starts_with(start));
        if is_ours && !USUAL.contains(&name.as_str()) && !demanded.headers.contains_key(name) {
            findings.add(format!("header/{name}"), "(none)", actual);
        }
    }
}

/// Whether two values of a header have the same meaning.
pub(crate) fn is_same(name: &str, one: &str, other: &str) -> bool {
    one == other || name == "content-type" && is_same_type(one, other)
}

/// Whether two media types are equal, regardless of case, spaces and quotes. The default charset is UTF-8.
fn is_same_type(one: &str, other: &str) -> bool {
    let read = |text: &str| -> Option<(String, Vec<(String, String)>)> {
        let media = MediaType::parse(text.trim()).ok()?;
        let parameters = media.params().map(|(name, value)| {
            (name.as_str().to_ascii_lowercase(), value.unquoted_str().to_ascii_lowercase())
        });
        let is_default = |(name, value): &(String, String)| name == "charset" && value == "utf-8";
        let parameters = parameters.filter(|parameter| !is_default(parameter)).collect();
        Some((media.essence().to_string().to_ascii_lowercase(), parameters))
    };
    read(one).is_some_and(|one| read(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_compared_by_what_they_mean() {
        let is_same = |other| is_same_type("application/json;charset=utf-8", other);
        for same in [
            "application/json; charset=UTF-8",
            " Application/JSON ;charset=\"utf-8\"",
            "application/json",
        ] {
            assert!(is_same(same), "{same}");
        }
        for other in [
            "text/json;charset=utf-8",
            "application/json;charset=utf-16",
            "application/json;charset=utf-8;v=1",
            "application/json;charset=utf-8, application/json;charset=utf-8",
            "",
        ] {
            assert!(!is_same(other), "{other}");
        }
    }
}
