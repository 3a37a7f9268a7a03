//! Asking again: how often, how long, and what happens in between.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use super::DynamoDbStore;
use super::api::{Api, Sending};
use super::failure::{Cause, Failure, Reason, Reasons};

/// How long that takes which is done to the table as a whole, and for which no caller waits.
const PATIENT_TIME_MAX: Duration = Duration::from_mins(1);
/// How many attempts there is time for if none of them is answered. DynamoDB takes some
/// milliseconds; the first attempt of an instance connects, too.
const SILENT_ATTEMPTS: u32 = 2;
/// How many attempts there are at most.
const ATTEMPTS_MAX: u32 = 10;
/// The longest pause before the second attempt; it doubles with every other.
const PAUSE_MILLIS: u64 = 25;
/// The longest pause before any.
const PAUSE_MILLIS_MAX: u64 = 400;

/// What an attempt came to, if another may follow it.
pub(super) enum Attempt<O> {
    /// DynamoDB did it.
    Done(O),
    /// It did not: why, part by part; empty if there is no telling.
    Undone(Vec<Reason>),
}

/// The attempts at one request.
pub(super) struct Attempts<'s, A> {
    store: &'s DynamoDbStore<A>,
    operation: &'static str,
    end: Instant,
    attempt_time_max: Duration,
    made: u32,
    is_open: bool,
    last: Option<Cause>,
}

impl<'s, A: Api> Attempts<'s, A> {
    /// None made so far.
    pub(super) fn new(store: &'s DynamoDbStore<A>, operation: &'static str) -> Self {
        Self::within(store, operation, store.call_time_max)
    }

    /// None made so far, of what is done to the table as a whole.
    pub(super) fn patient(store: &'s DynamoDbStore<A>, operation: &'static str) -> Self {
        Self::within(store, operation, PATIENT_TIME_MAX)
    }

    fn within(store: &'s DynamoDbStore<A>, operation: &'static str, time_max: Duration) -> Self {
        let end = store.api.now() + time_max;
        let attempt_time_max = time_max / SILENT_ATTEMPTS;
        Self { store, operation, end, attempt_time_max, made: 0, is_open: false, last: None }
    }

    /// Makes one more attempt, after a pause if it is not the first.
    ///
    /// # Errors
    ///
    /// An error that will not pass; or the last one, if that was enough.
    pub(super) async fn make<O, E>(&mut self, sending: Sending<O, E>) -> Result<Attempt<O>, Failure>
    where
        E: Reasons + ProvideErrorMetadata,
    {
        let api = &self.store.api;
        if let Some(last) = self.last.take() {
            let pause = self.pause();
            if self.made >= ATTEMPTS_MAX || api.now() + pause >= self.end {
                return Err(self.failure(last));
            }
            let (operation, attempt) = (self.operation, self.made + 1);
            tracing::info!(operation, attempt, cause = %last, "asks DynamoDB again");
            api.sleep(pause).await;
        }
        self.made += 1;
        let time = self.end.saturating_duration_since(api.now()).min(self.attempt_time_max);
        let cause = tokio::select! {
            biased;
            answer = sending => match answer {
                Ok(output) => return Ok(Attempt::Done(output)),
                Err(error) => Cause::of(&error),
            },
            () = api.sleep(time) => Cause::NoAnswer("no answer in time".to_owned()),
        };
        self.is_open |= cause.leaves_open();
        if !cause.passes() {
            return Err(self.failure(cause));
        }
        let reasons = match &cause {
            Cause::Answer { reasons, .. } => reasons.clone(),
            Cause::NoAnswer(_) | Cause::Unfit(_) => Vec::new(),
        };
        self.last = Some(cause);
        Ok(Attempt::Undone(reasons))
    }

    /// Makes the only attempt.
    ///
    /// # Errors
    ///
    /// That it did not succeed.
    pub(super) async fn once<O, E>(&mut self, sending: Sending<O, E>) -> Result<O, Failure>
    where
        E: Reasons + ProvideErrorMetadata,
    {
        match self.make(sending).await? {
            Attempt::Done(output) => Ok(output),
            Attempt::Undone(_) => {
                let last = self.last.take();
                Err(self.failure(last.unwrap_or_else(|| Cause::NoAnswer(String::new()))))
            }
        }
    }

    /// Counts an attempt that succeeded as one that did only part of what it was to do.
    pub(super) fn go_on(&mut self, told: &str) {
        self.last = Some(Cause::Unfit(told.to_owned()));
    }

    /// Whether what any of the attempts did is not known.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The failure that all attempts come to.
    pub(super) fn failure(&self, cause: Cause) -> Failure {
        Failure {
            operation: self.operation,
            table_name: self.store.table_name.clone(),
            attempts: self.made,
            cause,
            is_open: self.is_open,
        }
    }

    /// Anything up to the longest pause: those who lost one race together do not meet in the next.
    fn pause(&self) -> Duration {
        let doublings = self.made.saturating_sub(1).min(16);
        let longest = (PAUSE_MILLIS << doublings).min(PAUSE_MILLIS_MAX);
        Duration::from_millis((self.store.random)() % (longest + 1))
    }
}
