//! Timestamps of requests: `YYYY-MM-DDThh:mm:ssZ`, UTC.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

const FORM: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Reads a timestamp, in seconds since 1970 UTC; `None` if it has another form or is no valid date
/// and time.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let is_in_form = bytes.iter().zip(b"0000-00-00T00:00:00Z").all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    if !is_in_form {
        return None;
    }
    let number = |start: usize| (bytes[start] - b'0') * 10 + (bytes[start + 1] - b'0');
    let year = i32::from(number(0)) * 100 + i32::from(number(2));
    let date = Date::from_calendar_date(year, number(5).try_into().ok()?, number(8)).ok()?;
    let time = date.with_hms(number(11), number(14), number(17)).ok()?;
    Some(time.assume_utc().unix_timestamp())
}

/// Writes a time, in seconds since 1970 UTC. A time outside the years 0 to 9999 is written as that
/// number.
#[must_use]
pub fn format_timestamp(secs: i64) -> String {
    OffsetDateTime::from_unix_timestamp(secs)
        .ok()
        .and_then(|time| time.format(FORM).ok())
        .unwrap_or_else(|| secs.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_form_is_read_and_written() {
        assert_eq!(parse_timestamp("2026-01-02T03:04:05Z"), Some(1_767_323_045));
        assert_eq!(format_timestamp(1_767_323_045), "2026-01-02T03:04:05Z");
        assert_eq!(parse_timestamp("0000-02-29T00:00:00Z"), Some(-62_162_121_600));
        assert_eq!(parse_timestamp("9999-12-31T23:59:59Z"), Some(253_402_300_799));
    }

    #[test]
    fn nothing_else_is_a_timestamp() {
        for text in [
            "",
            "undefined",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05z",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05+0000",
            "2026-01-02T03:04:05.0Z",
            "2026-02-30T03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:60:05Z",
            "2026-01-02T23:59:60Z",
            "2026-00-02T03:04:05Z",
            "2026-13-02T03:04:05Z",
            "2026-01-00T03:04:05Z",
            "+026-01-02T03:04:05Z",
            "-026-01-02T03:04:05Z",
            "+2026-01-02T03:04:05Z",
            "-2026-01-02T03:04:05Z",
            "2026-1-02T03:04:05Z",
            "02026-01-02T03:04:05Z",
            "2026-01-02T03:04:05Z ",
            "1767323045",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
