//! The report of a campaign.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::campaign::{Caught, Report};
use super::plan::Plan;
use crate::client::quoted;
use crate::error::Result;
use crate::{file, json};

/// The report, for people.
#[must_use]
pub(super) fn text(report: &Report, endpoint: &str) -> String {
    let mut text = String::new();
    let Report { sequences, calls, met, unmet, time, caught } = report;
    if let Some(caught) = caught {
        text.push_str(&of_caught(caught, endpoint));
    }
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "{calls} calls in {sequences} sequences, in {:.1} s; {} kinds of answers",
        time.as_secs_f64(),
        met.len()
    );
    if caught.is_none() && *sequences > 1 {
        for (code, times) in met {
            let _ = writeln!(text, "{times:>9}  {code}");
        }
        let _ = writeln!(text, "never answered: {}", unmet.join(", "));
        text.push_str("every answer is as the contract demands\n");
    }
    text
}

fn of_caught(caught: &Caught, endpoint: &str) -> String {
    let Caught { seed, plan, failure } = caught;
    let mut text = String::new();
    let json = serde_json::to_string(plan).unwrap_or_default();
    let (calls, step) = (plan.calls(), failure.step);
    let _ = writeln!(text, "FAILS: a sequence of {calls} calls, in step {step}");
    for (position, each) in plan.steps.iter().enumerate() {
        let json = serde_json::to_value(each).map(shortened).unwrap_or_default();
        let _ = writeln!(text, "  step {}:   {json}", position + 1);
    }
    let _ = writeln!(text, "  expected: {}", failure.expected);
    let _ = writeln!(text, "  actual:   {}", failure.actual);
    for finding in &failure.findings {
        let _ = writeln!(text, "    {finding}");
    }
    let json = quoted(&json);
    let _ = writeln!(text, "  again:    contract fuzz --endpoint {endpoint} --replay {json}");
    if let Some(seed) = seed {
        let _ = writeln!(
            text,
            "  shrunk from: contract fuzz --endpoint {endpoint} --seed {seed} --calls 1 --jobs 1"
        );
    }
    text
}

/// The value with its long texts cut.
fn shortened(value: Value) -> Value {
    const CHARS_MAX: usize = 120;
    match value {
        Value::String(text) if text.chars().count() > CHARS_MAX => {
            let begin: String = text.chars().take(CHARS_MAX / 4).collect();
            format!("{begin}... ({} bytes)", text.len()).into()
        }
        Value::Array(list) => list.into_iter().map(shortened).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(name, value)| (name, shortened(value))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// Writes a plan to a file for `--replay`.
pub(super) fn save(plan: &Plan, path: &Path) -> Result<()> {
    file::write_whole(path, json::pretty(plan)?.as_bytes())
}
