//! The report as annotations of a GitHub workflow.

use super::super::causes::causes;
use super::super::{Run, Trial};
use super::{short, summary};
use crate::repository;
use crate::shown::plain;

/// The greatest number of annotations: GitHub shows no more of a step.
const ANNOTATIONS_MAX: usize = 10;

pub(super) fn of(run: &Run) -> String {
    let mut text = String::new();
    for cause in causes(run).iter().take(ANNOTATIONS_MAX) {
        let Trial { rests_on, again, case, .. } = cause.example;
        let message = format!("{}\n{rests_on}\n{again}", short(cause.finding));
        let file = repository::name(&run.contract, case);
        text.push_str(&annotation("error", file.as_deref(), &cause.heading(run), &message));
    }
    let level = if run.holds() { "notice" } else { "error" };
    text.push_str(&annotation(level, None, "contract verify", &summary(run)));
    text
}

/// The workflow command that annotates a file, or the whole run.
pub(crate) fn annotation(level: &str, file: Option<&str>, title: &str, message: &str) -> String {
    let file = file.map_or(String::new(), |file| format!("file={},", property(file)));
    format!("::{level} {file}title={}::{}\n", property(title), data(message))
}

/// A text as the message of a command.
fn data(text: &str) -> String {
    plain(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
