//! Reports changes to people, to programs, and on a pull request.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Comparison, Finding, RULES, Severity};
use crate::contract::Contract;
use crate::error::Result;
use crate::json::pretty;
use crate::repository;
use crate::shown::{self, both_visible, markdown_code};
use crate::verify::{annotation, parts};

/// The greatest length of the changes in a pull request's comment, which may have 65,536 characters.
const CHARS_MAX: usize = 50_000;

/// The greatest number of annotations of a severity: GitHub shows no more of a step.
const ANNOTATIONS_MAX: usize = 10;

/// All rules.
pub(super) fn rules() -> String {
    let mut table = shown::table(["rule", "severity", "what changed"]);
    for rule in RULES {
        table.add_row([rule.id, rule.severity.name(), rule.says]);
    }
    format!("{table}\n")
}

/// The changes, for people.
pub(super) fn text(comparison: &Comparison, old: &Contract, new: &Contract) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    for finding in &comparison.findings {
        let Finding { rule, severity, place, sentence, fingerprint, approved, .. } = finding;
        let _ = writeln!(text, "{} {} {place}", severity.name(), rule.id);
        let _ = writeln!(text, "    {sentence}");
        let _ = match approved {
            Some(reason) => writeln!(text, "    {fingerprint}, approved: {reason}"),
            None => writeln!(text, "    {fingerprint}"),
        };
    }
    if !comparison.not_compared.is_empty() {
        let not_compared = comparison.not_compared.join(", ");
        let _ = writeln!(text, "not compared, as only one contract has them: {not_compared}");
    }
    for stale in &comparison.stale {
        let _ = writeln!(text, "approval without a change: {stale}");
    }
    let _ = writeln!(text, "{}", summary(comparison, old, new));
    text
}

/// The changes as one line.
fn summary(comparison: &Comparison, old: &Contract, new: &Contract) -> String {
    let counts = [Severity::Breaking, Severity::Additive, Severity::Cosmetic].map(|severity| {
        let (all, approved) = comparison.count(severity);
        let approved =
            if approved == 0 { String::new() } else { format!(" ({approved} approved)") };
        format!("{all} {}{approved}", severity.name())
    });
    format!("from {} to {}: {}", old.origin(), new.origin(), counts.join(", "))
}

/// The changes, for programs.
pub(super) fn json(comparison: &Comparison, old: &Contract, new: &Contract) -> Result<String> {
    let whole = json!({
        "old": old.origin(),
        "new": new.origin(),
        "holds": comparison.holds(),
        "notCompared": comparison.not_compared,
        "staleApprovals": comparison.stale,
        "findings": comparison.findings,
    });
    pretty(&whole)
}

/// The changes, for a comment on a pull request.
pub(super) fn markdown(comparison: &Comparison, old: &Contract, new: &Contract) -> String {
    let mut text = format!("### Changes to the contract\n\n{}\n", summary(comparison, old, new));
    if !comparison.findings.is_empty() {
        text.push_str("\n| | rule | where | change | fingerprint |\n|---|---|---|---|---|\n");
    }
    let mut shown = 0;
    for finding in &comparison.findings {
        let Finding { rule, severity, place, fingerprint, approved, old, new, .. } = finding;
        let change = match (old, new) {
            (Value::Null, Value::Null) => rule.says.to_owned(),
            (old, new) => change(old, new),
        };
        let approved = approved
            .as_ref()
            .map_or(String::new(), |reason| format!("<br>approved: {}", markdown_code(reason)));
        let (severity, rule, place) = (severity.name(), rule.id, markdown_code(place));
        let row =
            format!("| {severity} | `{rule}` | {place} | {change}{approved} | `{fingerprint}` |\n");
        if text.chars().count() + row.chars().count() > CHARS_MAX {
            break;
        }
        text.push_str(&row);
        shown += 1;
    }
    // Writing to a `String` cannot fail.
    if shown < comparison.findings.len() {
        let _ = writeln!(text, "\nand {} more", comparison.findings.len() - shown);
    }
    if !comparison.not_compared.is_empty() {
        let not_compared = comparison.not_compared.join(", ");
        let _ = writeln!(text, "\nNot compared, as only one contract has them: {not_compared}.");
    }
    text
}

/// Two values as a cell of a table. Long ones are cut to their first difference.
fn change(old: &Value, new: &Value) -> String {
    const CELL_MAX: usize = 120;
    let text = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (old, new) = both_visible(&text(old), &text(new));
    let (old, new) = parts(&old, &new, CELL_MAX);
    format!("{} → {}", markdown_code(&old), markdown_code(&new))
}

/// The changes, as annotations of a GitHub workflow.
pub(super) fn github(comparison: &Comparison, new: &Contract) -> String {
    let mut text = String::new();
    for severity in [Severity::Breaking, Severity::Additive] {
        let of = comparison.findings.iter().filter(|finding| finding.severity == severity);
        for finding in of.take(ANNOTATIONS_MAX) {
            let level = match (severity, &finding.approved) {
                (Severity::Breaking, None) => "error",
                (Severity::Breaking | Severity::Additive | Severity::Cosmetic, _) => "notice",
            };
            let message = format!("{}\nfingerprint {}", finding.sentence, finding.fingerprint);
            let file = repository::name(new.origin(), finding.file());
            text.push_str(&annotation(level, file.as_deref(), finding.rule.id, &message));
        }
    }
    let (breaking, approved) = comparison.count(Severity::Breaking);
    let level = if comparison.holds() { "notice" } else { "error" };
    let message = format!("{breaking} breaking changes, {approved} of them approved");
    text.push_str(&annotation(level, None, "contract diff", &message));
    text
}
