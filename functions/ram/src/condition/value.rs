//! The values of conditions.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::one_or_many::Element;

/// A value as in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Text(String),
    Number(Number),
    Bool(bool),
}

impl Scalar {
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
        }
    }
}

impl Element for Scalar {
    const EXPECTED: &'static str = "a string, number or boolean";
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(Ok))
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Bool(value) => value.serialize(serializer),
        }
    }
}

/// A value as in the document, and its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed<T> {
    written: Scalar,
    pub(super) value: T,
}

/// The meaning that an operator gives to a value.
pub(super) trait Meaning: Sized {
    /// The name of such values in errors.
    const NAME: &'static str;

    fn parse(written: &Scalar) -> Option<Self>;
}

impl<T: Meaning> Parsed<T> {
    fn new(written: Scalar) -> Result<Self, String> {
        match T::parse(&written) {
            Some(value) => Ok(Self { written, value }),
            None => Err(format!("invalid value `{}`, expected {}", written.text(), T::NAME)),
        }
    }
}

impl<T: Meaning> Element for Parsed<T> {
    const EXPECTED: &'static str = T::NAME;
}

impl<'de, T: Meaning> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(Self::new))
    }
}

impl<T> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

/// Reads a scalar and converts it at once, so that an error of the conversion gets its line.
struct ScalarVisitor<T>(fn(Scalar) -> Result<T, String>);

impl<T: Element> ScalarVisitor<T> {
    fn read<E: Error>(self, scalar: Scalar) -> Result<T, E> {
        (self.0)(scalar).map_err(E::custom)
    }
}

impl<T: Element> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.read(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.read(Scalar::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.read(Scalar::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        let number = Number::from_f64(value)
            .ok_or_else(|| E::custom("invalid number, expected a number of JSON"))?;
        self.read(Scalar::Number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        self.read(Scalar::Text(value.to_owned()))
    }
}

impl Meaning for bool {
    const NAME: &'static str = "true or false";

    fn parse(written: &Scalar) -> Option<Self> {
        match written {
            Scalar::Bool(value) => Some(*value),
            Scalar::Text(text) => text.parse().ok(),
            Scalar::Number(_) => None,
        }
    }
}

/// A valid number. Its value is not kept: no request has a number to compare it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal;

impl Meaning for Decimal {
    const NAME: &'static str = "a decimal number";

    fn parse(written: &Scalar) -> Option<Self> {
        let in_form = match written {
            Scalar::Number(_) => true,
            Scalar::Text(text) => {
                let text = text.strip_prefix('-').unwrap_or(text);
                let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
                [whole, fraction].into_iter().all(is_digits)
            }
            Scalar::Bool(_) => false,
        };
        in_form.then_some(Self)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A point in time, in nanoseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(i128);

impl Instant {
    pub(super) fn from_secs(secs: i64) -> Self {
        Self(i128::from(secs) * 1_000_000_000)
    }
}

impl Meaning for Instant {
    const NAME: &'static str = "a date like 2012-11-11T23:59:59Z or 2019-08-12T17:00:00+08:00";

    fn parse(written: &Scalar) -> Option<Self> {
        let Scalar::Text(text) = written else { return None };
        // RFC 3339 demands a `T`; the parser accepts any character. The parser also accepts a leap
        // second, which the server's clock never shows.
        let is_in_form = text.as_bytes().get(10)?.eq_ignore_ascii_case(&b'T')
            && text.get(17..19).is_some_and(|second| second != "60");
        let date = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| is_in_form)?;
        Some(Self(date.unix_timestamp_nanos()))
    }
}

/// An address or a block of addresses. A block of IPv4-mapped IPv6 addresses is the IPv4 block. Any
/// other IPv6 block contains no IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IpRange(IpNet);

/// The length of the prefix of IPv4-mapped IPv6 addresses.
const MAPPED_PREFIX_BITS: u8 = 96;

impl IpRange {
    /// Whether the range contains `ip`, which must not be an IPv4-mapped IPv6 address.
    pub(super) fn contains(&self, ip: &IpAddr) -> bool {
        self.0.contains(ip)
    }
}

impl Meaning for IpRange {
    const NAME: &'static str = "an IP address or CIDR block";

    fn parse(written: &Scalar) -> Option<Self> {
        let Scalar::Text(text) = written else { return None };
        // The parser of blocks would accept 010.0.0.0, which some programs read as octal.
        let range = match text.split_once('/') {
            None => IpNet::from(text.parse::<IpAddr>().ok()?),
            Some((address, length)) => {
                let in_form = is_digits(length) && (length == "0" || !length.starts_with('0'));
                let length = length.parse().ok().filter(|_| in_form)?;
                IpNet::new(address.parse().ok()?, length).ok()?.trunc()
            }
        };
        if let IpNet::V6(v6) = range
            && let Some(v4) = v6.addr().to_ipv4_mapped()
            && let Some(length) = v6.prefix_len().checked_sub(MAPPED_PREFIX_BITS)
        {
            return Ipv4Net::new(v4, length).ok().map(|v4| Self(v4.into()));
        }
        Some(Self(range))
    }
}

#[cfg(test)]
mod tests;
