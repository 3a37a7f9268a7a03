//! A trial: the result of a case in one variant.

use crate::answer::Answer;
use crate::case::{Case, Style, Variant};
use crate::judge::Finding;

/// The result of a case in one variant.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The case's path.
    pub case: String,
    /// The description of the case.
    pub description: String,
    /// The page's sentence or the decision behind the case.
    pub rests_on: String,
    /// The variant.
    pub variant: Variant,
    /// The requested or default format.
    pub format: &'static str,
    /// The findings; none if the case holds.
    pub findings: Vec<Finding>,
    /// Whether the answer has the meaning of the reviewed one in another spelling, which is allowed.
    pub is_cosmetic: bool,
    /// The answer; `None` if there was none that can be judged.
    pub answered: Option<Answered>,
    /// The command that tries the case again.
    pub again: String,
    /// The duration, in seconds.
    pub secs: f64,
}

/// The status of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The answer is as the case demands.
    Held,
    /// The answer differs.
    Failed,
    /// No answer can be judged: no connection, a late answer, or a truncated one.
    Error,
}

impl Status {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Error => "error",
        }
    }
}

/// An answer of an endpoint.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The answer as received.
    pub answer: Answer,
    /// The transcript, with the case's names in place of the real ones.
    pub transcript: String,
}

/// A case that was not tried.
#[derive(Clone, Debug)]
pub struct NotRun {
    /// The case's path.
    pub case: String,
    /// The reason.
    pub reason: String,
}

impl Trial {
    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.answered.is_none() {
            Status::Error
        } else if self.findings.is_empty() {
            Status::Held
        } else {
            Status::Failed
        }
    }

    /// Whether the answer is as the case demands.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.status() == Status::Held
    }

    /// The case and its variant.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({}, {})", self.case, self.variant.style, self.format)
    }
}

/// The command that tries a case again at a place.
pub(super) fn again(case: &Case, variant: &Variant, place: &str, format: &str) -> String {
    let path = case.path.strip_suffix(".json").unwrap_or(&case.path);
    let style = if variant.style.is_v3() { Style::V3 } else { Style::V1 };
    format!("contract call {place} --case '{path}' --signature {style} --format {format}")
}
