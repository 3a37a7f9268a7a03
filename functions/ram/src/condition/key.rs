//! The keys of conditions and the attributes of a request that they name.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::evaluation::Context;
use crate::text;

/// A key of a condition. Letter case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConditionKey {
    name: String,
    /// `None`: a key that no request has. The vendor has many such keys.
    known: Option<KnownKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KnownKey {
    CurrentTime,
    SecureTransport,
    SourceIp,
    MfaPresent,
}

const KNOWN_KEYS: [(&str, KnownKey); 4] = [
    ("acs:CurrentTime", KnownKey::CurrentTime),
    ("acs:SecureTransport", KnownKey::SecureTransport),
    ("acs:SourceIp", KnownKey::SourceIp),
    ("acs:MFAPresent", KnownKey::MfaPresent),
];

/// The value that a request has for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    /// In seconds since 1970 UTC.
    Time(i64),
    Bool(bool),
    /// Never an IPv4-mapped IPv6 address.
    Ip(IpAddr),
}

impl ConditionKey {
    fn parse(name: &str) -> Self {
        let known = KNOWN_KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Self { name: name.to_owned(), known: known.map(|(_, key)| *key) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn attribute(&self, context: &Context) -> Option<Attribute> {
        match self.known? {
            KnownKey::CurrentTime => Some(Attribute::Time(context.current_time_secs)),
            KnownKey::SecureTransport => Some(Attribute::Bool(context.secure_transport)),
            KnownKey::SourceIp => context.source_ip.map(|ip| Attribute::Ip(ip.to_canonical())),
            KnownKey::MfaPresent => Some(Attribute::Bool(context.mfa_present)),
        }
    }
}

impl<'de> Deserialize<'de> for ConditionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "a condition key", |name| Ok(Self::parse(name)))
    }
}

impl Attribute {
    /// The string that string operators compare: `YYYY-MM-DDThh:mm:ssZ`, `true` or `false`, or an
    /// address in its canonical form. `None` for a time outside the years 0 to 9999.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Time(secs) => {
                OffsetDateTime::from_unix_timestamp(*secs).ok()?.format(&Rfc3339).ok()
            }
            Self::Bool(value) => Some(value.to_string()),
            Self::Ip(ip) => Some(ip.to_string()),
        }
    }
}
