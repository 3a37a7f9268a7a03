//! The result of all cases.

use std::time::Duration;

use super::given::Purchase;
use super::propose::Proposed;
use super::trial::{NotRun, Status, Trial};
use crate::command::Outcome;

/// The result of all cases.
#[derive(Clone, Debug)]
pub struct Run {
    /// The options that select the place.
    pub place: String,
    /// The proxy of the calls, without user and password.
    pub proxy: Option<String>,
    /// The origin of the contract.
    pub contract: String,
    /// The version of the contract.
    pub version: String,
    /// The names of the parts that were not judged.
    pub lenient: Vec<&'static str>,
    /// Whether an answer fails for its spelling alone.
    pub is_exact: bool,
    /// Whether the state was read.
    pub reads_state: bool,
    /// The trials, in order.
    pub trials: Vec<Trial>,
    /// The cases that were not tried, in order.
    pub not_run: Vec<NotRun>,
    /// The reason why the run was stopped; `None` if it was completed.
    pub stopped: Option<String>,
    /// The purchases of the cases.
    pub purchases: Vec<Purchase>,
    /// The snapshots without a case or in wait for review, each with the reason.
    pub unused: Vec<(String, String)>,
    /// The answers that differ from the reviewed ones.
    pub(super) proposed: Proposed,
    /// The duration.
    pub time: Duration,
}

impl Run {
    /// The number of trials with this status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.trials.iter().filter(|trial| trial.status() == status).count()
    }

    /// Whether every trial holds, every purchase is released and every snapshot is used.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.trials.iter().all(Trial::holds)
            && self.purchases.iter().all(|purchase| purchase.kept.is_none())
            && self.unused.is_empty()
    }

    /// The outcome. A failure outweighs answers that could not be judged.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let is_kept = self.purchases.iter().any(|purchase| purchase.kept.is_some());
        if is_kept || self.count(Status::Failed) > 0 || !self.unused.is_empty() {
            Outcome::Fails
        } else if self.stopped.is_some() || self.count(Status::Error) > 0 {
            Outcome::Unjudged
        } else {
            Outcome::Holds
        }
    }
}
