//! The page: the changes, and each affected case.

use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use super::changes::{Changed, Side};
use crate::contract::Contract;
use crate::diff::{Comparison, Finding, Severity};
use crate::shown::{both_visible, visible};

pub(super) fn of(
    old: &Contract,
    new: &Contract,
    comparison: &Comparison,
    cases: &[Changed<'_>],
) -> String {
    let severities = html! {
        @for severity in [Severity::Breaking, Severity::Additive, Severity::Cosmetic] {
            @let (count, approved) = comparison.count(severity);
            button type="button" class=(severity.name()) data-severity=(severity.name())
                aria-pressed="false" {
                (count) " " (severity.name())
                @if approved > 0 { " (" (approved) " approved)" }
            }
        }
    };
    let text = |text: &str| html! { (text) }.into_string();
    format!(
        include_str!("page.html"),
        style = include_str!("page.css"),
        from = text(old.origin()),
        to = text(new.origin()),
        severities = severities.into_string(),
        findings = findings(comparison).into_string(),
        cases = touched(cases).into_string(),
        script = include_str!("page.js"),
    )
}

fn findings(comparison: &Comparison) -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 id="changes" { "Changes" }
            @if comparison.findings.is_empty() { p { "Nothing changes." } }
            ul class="findings" { @for finding in &comparison.findings { li { (shown_finding(finding)) } } }
            @if !comparison.not_compared.is_empty() {
                p { "Not compared, as only one contract has them: "
                    (comparison.not_compared.join(", ")) "." }
            }
        }
    }
}

fn shown_finding(finding: &Finding) -> Markup {
    html! {
        div class="finding" data-severity=(finding.severity.name()) {
            span class={ "tag " (finding.severity.name()) } { (finding.severity.name()) }
            " " code { (finding.rule.id) } " " span class="place" { (finding.place) }
            p { (visible(&finding.sentence)) }
            p class="small" {
                "fingerprint " code { (finding.fingerprint) }
                @if let Some(reason) = &finding.approved { " approved: " (reason) }
            }
        }
    }
}

fn touched(cases: &[Changed<'_>]) -> Markup {
    html! {
        section aria-labelledby="cases" {
            h2 id="cases" { (cases.len()) " cases" }
            p class="small" { "Accept or reject answers that wait for review with "
                code { "cargo insta review" } "." }
            @for case in cases { (shown(case)) }
        }
    }
}

fn shown(case: &Changed<'_>) -> Markup {
    let severity = case.findings.iter().map(|finding| finding.severity).max();
    let (old, new) = (case.old.as_ref(), case.new.as_ref());
    let either = new.or(old);
    html! {
        details class="case" data-severity=(severity.map_or("", Severity::name)) {
            summary {
                @if let Some(severity) = severity {
                    span class={ "tag " (severity.name()) } { (severity.name()) } " "
                }
                code { (case.path) }
                @match (old, new) {
                    (None, _) => { " is new" },
                    (_, None) => { " is gone" },
                    (Some(_), Some(_)) => {},
                }
            }
            @if let Some(side) = either {
                p { (visible(&side.description)) }
                blockquote { (visible(&side.rests_on)) }
            }
            @for finding in &case.findings { (shown_finding(finding)) }
            (answers(old, new))
            (both("The call", old.map(|side| &*side.call), new.map(|side| &*side.call)))
            (both("As a command", old.map(|side| &*side.curl), new.map(|side| &*side.curl)))
            details class="world" {
                summary { "The world" }
                (both("", old.map(|side| &*side.world), new.map(|side| &*side.world)))
            }
        }
    }
}

fn answers(old: Option<&Side>, new: Option<&Side>) -> Markup {
    let of = |side: Option<&Side>, format: &str| {
        let answers = side.into_iter().flat_map(|side| &side.answers);
        answers.into_iter().find(|(known, _)| *known == format).map(|(_, answer)| answer.clone())
    };
    html! {
        @for format in ["JSON", "XML"] {
            @let (before, now) = (of(old, format), of(new, format));
            @if before.is_some() || now.is_some() {
                (both(&format!("The answer in {format}"), before.as_deref(), now.as_deref()))
            }
        }
    }
}

/// The time limit for comparing two texts.
const COMPARED_MAX: Duration = Duration::from_millis(200);

/// Two texts side by side with their differences marked, or one text if they are equal.
fn both(heading: &str, old: Option<&str>, new: Option<&str>) -> Markup {
    let escaped = match (old, new) {
        (Some(old), Some(new)) => Some(both_visible(old, new)),
        _ => None,
    };
    let alone = |text: Option<&str>| text.map(visible);
    let (old, new) = escaped.map_or((alone(old), alone(new)), |(old, new)| (Some(old), Some(new)));
    let (old, new) = (old.as_deref(), new.as_deref());
    html! {
        @if !heading.is_empty() { h3 { (heading) } }
        @if old == new {
            pre tabindex="0" { (old.unwrap_or_default()) }
        } @else {
            div class="sides" {
                @for (name, class, text, other, tag) in [
                    ("before", "old", old, new, ChangeTag::Delete),
                    ("now", "new", new, old, ChangeTag::Insert),
                ] {
                    div class=(class) {
                        h4 { (name) }
                        @match text {
                            None => p { "nothing" },
                            Some(text) => pre tabindex="0" { (marked(text, other, tag)) },
                        }
                    }
                }
            }
        }
    }
}

/// A text with the parts marked that the other one lacks.
fn marked(text: &str, other: Option<&str>, tag: ChangeTag) -> Markup {
    let Some(other) = other else { return html! { (text) } };
    let (old, new) = if tag == ChangeTag::Delete { (text, other) } else { (other, text) };
    // A coarse comparison is enough for very different texts.
    let difference = TextDiff::configure().timeout(COMPARED_MAX).diff_words(old, new);
    html! {
        @for change in difference.iter_all_changes() {
            @if change.tag() == ChangeTag::Equal {
                (change.value())
            } @else if change.tag() == tag {
                mark { (change.value()) }
            }
        }
    }
}
