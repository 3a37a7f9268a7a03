//! What came of a case.

use crate::answer::Answer;
use crate::case::{Case, Style, Variant};
use crate::judge::Finding;

/// A case that was tried in one variant.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The case's path.
    pub case: String,
    /// What happens in it.
    pub description: String,
    /// The page's sentence or the decision that it rests on.
    pub rests_on: String,
    /// How it was tried.
    pub variant: Variant,
    /// The format that it asks for, spelled out.
    pub format: &'static str,
    /// What is wrong; nothing if the case holds.
    pub findings: Vec<Finding>,
    /// Whether the answer means the same as the reviewed one and is written otherwise, which is let pass.
    pub is_cosmetic: bool,
    /// What was answered, unless nothing came that can be judged.
    pub answered: Option<Answered>,
    /// The command that tries this case again.
    pub again: String,
    /// How long it took, in seconds.
    pub secs: f64,
}

/// How a trial came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The answer is as the case demands.
    Held,
    /// It is not.
    Failed,
    /// No answer came that can be judged: no connection, none in time, or one that was cut off.
    Error,
}

impl Status {
    /// Its name in reports.
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
    /// The answer as it came.
    pub answer: Answer,
    /// All of it, what is unstable replaced, and what was put for what the case names replaced again.
    pub transcript: String,
}

/// A case that was not tried.
#[derive(Clone, Debug)]
pub struct NotRun {
    /// The case's path.
    pub case: String,
    /// Why it was not tried.
    pub reason: String,
}

impl Trial {
    /// How it came out.
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

    /// The case and how it was tried.
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
