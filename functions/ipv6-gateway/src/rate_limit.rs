//! The limit of an account's calls to an action.

use std::fmt;
use std::str::FromStr;

/// The most calls of an account to an action in each window of time (decision `throttling`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The most calls in a window.
    pub calls_max: u32,
    /// The length of a window, in seconds, at least 1. Windows follow one another from 1970 on.
    pub window_secs: u64,
}

impl RateLimit {
    /// The documented limit: 300 calls in 60 seconds.
    pub const DOCUMENTED: Self = Self { calls_max: 300, window_secs: 60 };

    /// The headers of the answer to a call over the limit.
    #[must_use]
    pub fn headers_over(self, now_secs: u64) -> Vec<(&'static str, String)> {
        Throttled::over(self, now_secs).headers()
    }
}

/// The error for a text that is not a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRateLimit;

impl fmt::Display for InvalidRateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("expected CALLS/SECONDS, as in 300/60 for 300 calls a minute")
    }
}

impl std::error::Error for InvalidRateLimit {}

impl FromStr for RateLimit {
    type Err = InvalidRateLimit;

    /// Parses `300/60` as 300 calls in 60 seconds.
    fn from_str(text: &str) -> Result<Self, InvalidRateLimit> {
        let (calls, seconds) = text.split_once('/').ok_or(InvalidRateLimit)?;
        let calls_max = calls.parse().map_err(|_| InvalidRateLimit)?;
        let window_secs = seconds.parse().map_err(|_| InvalidRateLimit)?;
        if window_secs == 0 {
            return Err(InvalidRateLimit);
        }
        Ok(Self { calls_max, window_secs })
    }
}

/// A throttled call, and when to repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled {
    /// The limit that the call exceeds.
    calls_max: u64,
    wait_secs: u64,
    reset_secs: u64,
}

impl Throttled {
    /// A call over the rate limit, to be repeated in the next window.
    pub(crate) fn over(limit: RateLimit, now_secs: u64) -> Self {
        let RateLimit { calls_max, window_secs } = limit;
        let reset_secs = (now_secs / window_secs + 1).saturating_mul(window_secs);
        let wait_secs = reset_secs.saturating_sub(now_secs);
        Self { calls_max: calls_max.into(), wait_secs, reset_secs }
    }

    /// A call whose account has used up its budget of nonces.
    pub(crate) fn for_nonces(nonces_max: usize, now_secs: u64, wait_secs: u64) -> Self {
        Self {
            calls_max: nonces_max as u64,
            wait_secs,
            reset_secs: now_secs.saturating_add(wait_secs),
        }
    }

    /// The headers that tell clients how long to wait: `x-acs-retry-after` for current clients, in
    /// milliseconds, and `x-ratelimit-user-api` for others.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let Self { calls_max, wait_secs, reset_secs } = self;
        let wait_ms = wait_secs.saturating_mul(1000);
        vec![
            ("x-acs-retry-after", wait_ms.to_string()),
            (
                "x-ratelimit-user-api",
                format!("Limit:{calls_max},Remain:0,TimeLeft:{wait_ms},Reset:{reset_secs}"),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_is_calls_and_seconds() {
        let limit = RateLimit { calls_max: 300, window_secs: 60 };
        assert_eq!("300/60".parse(), Ok(limit));
        assert_eq!("0/1".parse(), Ok(RateLimit { calls_max: 0, window_secs: 1 }));
        for text in ["", "300", "300/", "/60", "300/0", "-1/60", "300/60/1", "300 / 60", "many/60"]
        {
            let error = text.parse::<RateLimit>().unwrap_err();
            assert!(error.to_string().contains("as in 300/60 for 300 calls a minute"), "{text}");
        }
    }

    #[test]
    fn a_throttled_call_must_wait_until_the_window_ends() {
        let limit = RateLimit { calls_max: 300, window_secs: 60 };
        for (now_secs, wait_ms, reset_secs) in
            [(1_767_323_045, 55_000, 1_767_323_100), (60, 60_000, 120), (119, 1000, 120)]
        {
            let [(_, retry_after), (_, of_user)] =
                Throttled::over(limit, now_secs).headers().try_into().unwrap();
            assert_eq!(retry_after, wait_ms.to_string());
            let expected = format!("Limit:300,Remain:0,TimeLeft:{wait_ms},Reset:{reset_secs}");
            assert_eq!(of_user, expected);
        }
    }
}
