//! Signatures: what a client says it signed, and whether the server comes to the same.

pub mod acs3;
pub mod v1;

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use crate::call::{Call, Style};
use crate::error::{self, Error};
use crate::timestamp::parse_timestamp;

/// How far a timestamp may be from now, either way: 15 minutes (decision `timestamp`).
const TIMESTAMP_SKEW_SECS: u64 = 15 * 60;

/// A signature as a client sent it, with the server's string to sign.
#[derive(Clone, Debug)]
pub struct Signed<'a> {
    /// The access key that the client named.
    pub access_key_id: &'a str,
    signature: &'a str,
    string_to_sign: String,
    sign: fn(access_key_secret: &str, string_to_sign: &str) -> String,
    /// Whether the client's own hash of the body is the body's (decision `content-sha256`).
    body_hash_matches: bool,
    mismatch: fn(string_to_sign: &str) -> String,
}

impl<'a> Signed<'a> {
    /// Checks the common parameters of a call's signature and its time, and yields what is to be
    /// verified once the access key is known.
    ///
    /// # Errors
    ///
    /// The first that applies: a common parameter missing or not valid, the timestamp malformed or
    /// more than 15 minutes away from `now_secs`, in seconds since 1970 UTC.
    pub fn read(call: &'a Call, now_secs: u64) -> Result<Self, Error> {
        if call.parameter("SignatureType").is_some_and(|kind| !kind.is_empty()) {
            return Err(error::INVALID_SIGNATURE_TYPE.into());
        }
        let (signed, timestamp) = match call.style() {
            Style::V1 => (v1::signed(call)?, nonce_and_timestamp(call)?),
            Style::V3 => {
                let authorization = acs3::authorization(call)?;
                // A header that is not there is told by its name, before it is found unsigned.
                let timestamp = nonce_and_timestamp(call)?;
                (acs3::signed(call, &authorization)?, timestamp)
            }
        };
        let timestamp = parse_timestamp(&timestamp).ok_or(error::INVALID_TIMESTAMP_FORMAT)?;
        if timestamp.saturating_sub_unsigned(now_secs).unsigned_abs() > TIMESTAMP_SKEW_SECS {
            return Err(error::INVALID_TIMESTAMP_EXPIRED.into());
        }
        Ok(signed)
    }

    /// Checks the signature against the secret of the access key, in constant time.
    ///
    /// # Errors
    ///
    /// `SignatureDoesNotMatch`, with the server's string to sign in the form that the SDKs parse.
    pub fn verify(&self, access_key_secret: &str) -> Result<(), Error> {
        let expected = (self.sign)(access_key_secret, &self.string_to_sign);
        let same = expected.as_bytes().ct_eq(self.signature.as_bytes());
        if bool::from(same) && self.body_hash_matches {
            return Ok(());
        }
        let message = (self.mismatch)(&self.string_to_sign);
        Err(Error::with_message(error::SIGNATURE_DOES_NOT_MATCH, message))
    }
}

/// Checks that there is a nonce, and yields the timestamp.
fn nonce_and_timestamp(call: &Call) -> Result<Cow<'_, str>, Error> {
    call.common("SignatureNonce", "x-acs-signature-nonce").ok_or(error::MISSING_SIGNATURE_NONCE)?;
    Ok(call.common("Timestamp", "x-acs-date").ok_or(error::MISSING_TIMESTAMP)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    #[test]
    fn a_timestamp_is_good_for_15_minutes_either_way_to_the_second() {
        let query = [
            ("AccessKeyId", "testid"),
            ("Signature", "x"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", "n"),
            ("Timestamp", "2026-01-02T03:04:05Z"),
        ];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let call = Call::read(Request { query, ..Request::default() });
        let sent_secs = 1_767_323_045;
        for now_secs in [sent_secs - 900, sent_secs, sent_secs + 900] {
            assert!(Signed::read(&call, now_secs).is_ok(), "{now_secs}");
        }
        for now_secs in [0, sent_secs - 901, sent_secs + 901, u64::MAX] {
            let refused = Signed::read(&call, now_secs).map(drop).map_err(|error| error.code);
            assert_eq!(refused, Err(error::INVALID_TIMESTAMP_EXPIRED), "{now_secs}");
        }
    }
}
