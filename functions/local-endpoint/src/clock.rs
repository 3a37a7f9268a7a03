//! A clock that test suites can set.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// A clock that runs with the system's, at a fixed offset.
#[derive(Debug)]
pub(crate) struct Clock {
    now: fn() -> SystemTime,
    offset_secs: AtomicI64,
}

impl Clock {
    /// A clock without an offset; `now` returns the system's time.
    pub(crate) fn new(now: fn() -> SystemTime) -> Self {
        Self { now, offset_secs: AtomicI64::new(0) }
    }

    /// The time.
    pub(crate) fn now(&self) -> SystemTime {
        let offset_secs = self.offset_secs.load(Ordering::Relaxed);
        let offset = Duration::from_secs(offset_secs.unsigned_abs());
        let now = (self.now)();
        let shifted =
            if offset_secs < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
        shifted.unwrap_or(now)
    }

    /// The time, in seconds since 1970 UTC.
    pub(crate) fn now_secs(&self) -> u64 {
        self.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Sets the clock to `secs` since 1970 UTC. It runs on from there.
    pub(crate) fn set(&self, secs: i64) {
        self.reset();
        let offset_secs = secs.saturating_sub_unsigned(self.now_secs());
        self.offset_secs.store(offset_secs, Ordering::Relaxed);
    }

    /// Returns to the system's time.
    pub(crate) fn reset(&self) {
        self.offset_secs.store(0, Ordering::Relaxed);
    }
}
