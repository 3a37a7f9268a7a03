//! Times in documents and answers.

use serde::{Deserialize, Serialize};

/// Seconds since 1970 UTC, written as `2026-01-02T03:04:05Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970 UTC.
    pub secs: u64,
}

const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let secs = i64::try_from(self.secs).map_err(S::Error::custom)?;
        let time = time::OffsetDateTime::from_unix_timestamp(secs).map_err(S::Error::custom)?;
        serializer.serialize_str(&time.format(FORM).map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let time = time::PrimitiveDateTime::parse(&text, FORM).map_err(|_| {
            D::Error::custom(format!("invalid time `{text}`, expected 2026-01-02T03:04:05Z"))
        })?;
        let secs = time.assume_utc().unix_timestamp();
        let secs = u64::try_from(secs).map_err(|_| {
            D::Error::custom(format!("invalid time `{text}`, expected 1970 or later"))
        })?;
        Ok(Self { secs })
    }
}
