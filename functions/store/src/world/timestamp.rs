//! Times in world documents.

use serde::{Deserialize, Serialize};

/// Seconds since 1970 UTC, written as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) u64);

const TIMESTAMP: &[time::format_description::BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let secs = i64::try_from(self.0).map_err(S::Error::custom)?;
        let time = time::OffsetDateTime::from_unix_timestamp(secs).map_err(S::Error::custom)?;
        serializer.serialize_str(&time.format(TIMESTAMP).map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let time = time::PrimitiveDateTime::parse(&text, TIMESTAMP).map_err(|_| {
            D::Error::custom(format!("not a time like 2026-01-02T03:04:05Z: {text}"))
        })?;
        u64::try_from(time.assume_utc().unix_timestamp()).map(Self).map_err(D::Error::custom)
    }
}
