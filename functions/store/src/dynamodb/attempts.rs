//! Repeats failed requests to DynamoDB.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;

use super::DynamoDbStore;
use super::api::{DynamoDbApi, Sending};
use super::failure::{Cause, Failure, Reason, Reasons};

/// The longest time of a request for the whole table, for which no caller waits.
const PATIENT_TIME_MAX: Duration = Duration::from_mins(1);
/// The number of unanswered attempts for which there is time. DynamoDB answers in some milliseconds;
/// the first attempt of an instance also connects.
const SILENT_ATTEMPTS: u32 = 2;
/// The most attempts.
const ATTEMPTS_MAX: u32 = 10;
/// The longest pause before the second attempt; it doubles with each further attempt.
const PAUSE_MILLIS: u64 = 25;
/// The longest pause before any attempt.
const PAUSE_MILLIS_MAX: u64 = 400;

/// The result of an attempt that succeeded or may be repeated.
pub(super) enum Attempt<O> {
    /// The attempt succeeded.
    Done(O),
    /// The attempt failed: the reason for each part of the request, or empty if unknown.
    Failed(Vec<Reason>),
}

/// The attempts of one request.
pub(super) struct Attempts<'s, A> {
    store: &'s DynamoDbStore<A>,
    operation: &'static str,
    end: Instant,
    attempt_time_max: Duration,
    made: u32,
    is_unknown: bool,
    last: Option<Cause>,
}

impl<'s, A: DynamoDbApi> Attempts<'s, A> {
    /// The attempts of a request that serves a call.
    pub(super) fn new(store: &'s DynamoDbStore<A>, operation: &'static str) -> Self {
        Self::within(store, operation, store.call_time_max)
    }

    /// The attempts of a request for the whole table.
    pub(super) fn patient(store: &'s DynamoDbStore<A>, operation: &'static str) -> Self {
        Self::within(store, operation, PATIENT_TIME_MAX)
    }

    fn within(store: &'s DynamoDbStore<A>, operation: &'static str, time_max: Duration) -> Self {
        let end = store.api.now() + time_max;
        let attempt_time_max = time_max / SILENT_ATTEMPTS;
        Self { store, operation, end, attempt_time_max, made: 0, is_unknown: false, last: None }
    }

    /// Makes one more attempt, after a pause if it is not the first.
    ///
    /// # Errors
    ///
    /// The attempt failed permanently, or attempts or time are used up.
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
        self.is_unknown |= cause.is_unknown();
        if !cause.is_transient() {
            return Err(self.failure(cause));
        }
        let reasons = match &cause {
            Cause::Answer { reasons, .. } => reasons.clone(),
            Cause::NoAnswer(_) | Cause::Unfit(_) => Vec::new(),
        };
        self.last = Some(cause);
        Ok(Attempt::Failed(reasons))
    }

    /// Makes the only attempt.
    ///
    /// # Errors
    ///
    /// The attempt failed.
    pub(super) async fn once<O, E>(&mut self, sending: Sending<O, E>) -> Result<O, Failure>
    where
        E: Reasons + ProvideErrorMetadata,
    {
        match self.make(sending).await? {
            Attempt::Done(output) => Ok(output),
            Attempt::Failed(_) => {
                let last = self.last.take();
                Err(self.failure(last.unwrap_or_else(|| Cause::NoAnswer(String::new()))))
            }
        }
    }

    /// Marks the last attempt as one that did only a part of the request, for the given reason.
    pub(super) fn mark_partial(&mut self, reason: &str) {
        self.last = Some(Cause::Unfit(reason.to_owned()));
    }

    /// Whether the outcome of any attempt is unknown.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// The failure of all attempts.
    pub(super) fn failure(&self, cause: Cause) -> Failure {
        Failure {
            operation: self.operation,
            table_name: self.store.table_name.clone(),
            attempts: self.made,
            cause,
            is_unknown: self.is_unknown,
        }
    }

    /// A random pause up to the longest: callers that conflicted do not conflict again.
    fn pause(&self) -> Duration {
        let doublings = self.made.saturating_sub(1).min(16);
        let longest = (PAUSE_MILLIS << doublings).min(PAUSE_MILLIS_MAX);
        Duration::from_millis((self.store.random)() % (longest + 1))
    }
}
