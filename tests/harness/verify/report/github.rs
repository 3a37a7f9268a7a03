//! The report as annotations of a GitHub workflow.

use std::fmt::Write as _;

use super::super::Run;
use super::summary;

/// How many annotations are made: GitHub shows no more of a step.
const ANNOTATIONS_MAX: usize = 10;

pub(super) fn of(run: &Run) -> String {
    let mut text = String::new();
    let failed: Vec<_> = run.trials.iter().filter(|trial| !trial.holds()).collect();
    for trial in failed.iter().take(ANNOTATIONS_MAX) {
        let findings: Vec<String> = trial.findings.iter().map(ToString::to_string).collect();
        let message = format!("{}\n{}\n{}", trial.rests_on, findings.join("\n"), trial.again);
        // A text takes whatever is written to it.
        let _ = writeln!(
            text,
            "::error file=contracts/{},title={}::{}",
            property(&trial.case),
            property(&trial.name()),
            data(&message)
        );
    }
    let level = if run.holds() { "notice" } else { "error" };
    let _ = writeln!(text, "::{level} title=contract verify::{}", data(&summary(run)));
    text
}

/// A text as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
