//! What came of all cases.

use std::time::Duration;

use super::given::Left;
use super::propose::Proposed;
use super::trial::{NotRun, Status, Trial};
use crate::command::Outcome;

/// What came of all cases.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where they were tried, as an option.
    pub place: String,
    /// The proxy that calls went through, without its user and password.
    pub proxy: Option<String>,
    /// Which contract.
    pub contract: String,
    /// Which version of it.
    pub version: String,
    /// What was not judged, by name.
    pub lenient: Vec<&'static str>,
    /// Whether an answer that is written otherwise than the reviewed one does not hold.
    pub is_exact: bool,
    /// Whether the state was read.
    pub reads_state: bool,
    /// The cases tried, in order.
    pub trials: Vec<Trial>,
    /// The cases not tried, in order.
    pub not_run: Vec<NotRun>,
    /// Why some of them were not; `None` if the run came to its end.
    pub stopped: Option<String>,
    /// What cases left behind.
    pub left: Vec<Left>,
    /// The snapshots that no case has or that wait for review, each with which of both.
    pub unused: Vec<(String, String)>,
    /// The answers that are not the reviewed ones.
    pub(super) proposed: Proposed,
    /// How long all of it took.
    pub time: Duration,
}

impl Run {
    /// How many trials came out so.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.trials.iter().filter(|trial| trial.status() == status).count()
    }

    /// Whether every case that was tried holds, no purchase is kept and no snapshot is unused.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.trials.iter().all(Trial::holds)
            && self.left.iter().all(|left| left.kept.is_none())
            && self.unused.is_empty()
    }

    /// What the run found. Where something fails, what could not be judged matters no more.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let is_kept = self.left.iter().any(|left| left.kept.is_some());
        if is_kept || self.count(Status::Failed) > 0 || !self.unused.is_empty() {
            Outcome::Fails
        } else if self.stopped.is_some() || self.count(Status::Error) > 0 {
            Outcome::Unjudged
        } else {
            Outcome::Holds
        }
    }
}
