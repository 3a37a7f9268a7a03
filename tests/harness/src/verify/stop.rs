//! Decides when a run stops before all cases are tried.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::trial::Status;

/// The least number of first trials without an answer after which a run gives up.
const FIRST_ERRORS_MIN: usize = 10;
/// The number of trials in a row without an answer that end a run whose endpoint has answered before.
const LATER_ERRORS_MAX: usize = 50;

/// The time limit for releasing a purchase after a signal.
const RELEASE_TIME_MAX: Duration = Duration::from_secs(5);

/// The reason why a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The number of `--max-failures` is reached.
    Failures(usize),
    /// This number of trials in a row had no answer.
    Silence(usize),
    /// A purchase is not released, which would change the state for the next case.
    Kept,
    /// The process received this signal.
    Signal(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures(max) => write!(formatter, "--max-failures {max} was reached"),
            Self::Silence(count) => write!(formatter, "{count} in a row had no answer"),
            Self::Kept => formatter.write_str("an earlier case could not be undone"),
            Self::Signal(name) => write!(formatter, "{name} ended the run"),
        }
    }
}

/// Decides when no further trial begins.
#[derive(Debug)]
pub(super) struct Stop {
    reason: watch::Sender<Option<Reason>>,
    counts: Mutex<Counts>,
    failures_max: Option<usize>,
    first_errors_max: usize,
}

#[derive(Debug, Default)]
struct Counts {
    is_answered: bool,
    errors_in_a_row: usize,
    not_held: usize,
}

impl Stop {
    pub(super) fn new(failures_max: Option<usize>, jobs: usize) -> Self {
        Self {
            reason: watch::Sender::new(None),
            counts: Mutex::default(),
            failures_max,
            first_errors_max: FIRST_ERRORS_MIN.max(2 * jobs),
        }
    }

    /// Stops the run. The first reason is kept, unless a signal follows.
    pub(super) fn now(&self, reason: Reason) {
        self.reason.send_if_modified(|known| {
            let is_new = known.is_none() || matches!(reason, Reason::Signal(_));
            if is_new {
                *known = Some(reason);
            }
            is_new
        });
    }

    /// The reason why the run stops; `None` while it continues.
    pub(super) fn reason(&self) -> Option<Reason> {
        *self.reason.borrow()
    }

    /// Counts a trial, and stops the run at a limit. Returns the number of trials that do not hold.
    pub(super) fn count(&self, status: Status) -> usize {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if status == Status::Error {
            counts.errors_in_a_row += 1;
            let max = if counts.is_answered { LATER_ERRORS_MAX } else { self.first_errors_max };
            if counts.errors_in_a_row >= max {
                self.now(Reason::Silence(max));
            }
        } else {
            counts.is_answered = true;
            counts.errors_in_a_row = 0;
        }
        if status != Status::Held {
            counts.not_held += 1;
            if let Some(max) = self.failures_max.filter(|max| counts.not_held >= *max) {
                self.now(Reason::Failures(max));
            }
        }
        counts.not_held
    }

    /// Resolves when the time for releases after a signal is over.
    pub(super) async fn release_is_over(&self) {
        self.signalled().await;
        tokio::time::sleep(RELEASE_TIME_MAX).await;
    }

    /// Resolves when the process has received a signal.
    pub(super) async fn signalled(&self) {
        let is_signal = |reason: &Option<Reason>| matches!(reason, Some(Reason::Signal(_)));
        // `self` holds the sender, so the wait ends only with a signal.
        drop(self.reason.subscribe().wait_for(is_signal).await);
    }
}
