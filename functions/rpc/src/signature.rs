//! Signatures: reads a call's signature and verifies it against the access key's secret.

pub mod acs3;
pub mod v1;

use std::borrow::Cow;
use std::fmt;

use subtle::ConstantTimeEq;

use crate::call::{Call, Style};
use crate::error::{self, Error};
use crate::request::{X_ACS_DATE, X_ACS_SECURITY_TOKEN, X_ACS_SIGNATURE_NONCE};
use crate::timestamp::parse_timestamp;

/// The most that a timestamp may differ from the server's clock: 15 minutes (decision `timestamp`).
const TIMESTAMP_SKEW_SECS: u64 = 15 * 60;

/// A call's signature, not yet verified, and the common parameters that belong to it.
#[derive(Clone)]
pub struct Signed<'a> {
    /// The client's access key.
    pub access_key_id: &'a str,
    /// The token of a temporary access key. A secret.
    pub security_token: Option<Cow<'a, str>>,
    /// The nonce: the access key may sign with it once.
    pub nonce: Cow<'a, str>,
    /// The time of the signature, in seconds since 1970 UTC.
    pub timestamp_secs: u64,
    signature: &'a str,
    call: &'a Call,
    covered: Covered<'a>,
}

/// Leaves the secrets out.
impl fmt::Debug for Signed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signed")
            .field("access_key_id", &self.access_key_id)
            .field("nonce", &self.nonce)
            .field("timestamp_secs", &self.timestamp_secs)
            .finish_non_exhaustive()
    }
}

/// The part of a call that its signature covers.
#[derive(Clone, Debug)]
enum Covered<'a> {
    /// The method and all parameters.
    V1,
    /// The method, the query, the body and these headers, in the order of `SignedHeaders`.
    V3(acs3::Algorithm, Vec<(&'a str, Cow<'a, str>)>),
}

impl<'a> Signed<'a> {
    /// Reads a call's signature and checks its timestamp and the form of its common parameters.
    /// [`Self::verify`] checks the signature itself.
    ///
    /// # Errors
    ///
    /// The first that applies: a common parameter missing or not valid, the timestamp malformed or
    /// more than 15 minutes away from `now_secs`, in seconds since 1970 UTC.
    pub fn read(call: &'a Call, now_secs: u64) -> Result<Self, Error> {
        if call.parameter("SignatureType").is_some_and(|kind| !kind.is_empty()) {
            return Err(error::INVALID_SIGNATURE_TYPE.into());
        }
        let (proof, nonce, timestamp) = match call.style() {
            Style::V1 => {
                let proof = v1::proof(call)?;
                let (nonce, timestamp) = nonce_and_timestamp(call)?;
                (proof, nonce, timestamp)
            }
            Style::V3 => {
                let authorization = acs3::authorization(call)?;
                // Before the proof: a missing header is reported as missing, not as unsigned.
                let (nonce, timestamp) = nonce_and_timestamp(call)?;
                (acs3::proof(call, &authorization)?, nonce, timestamp)
            }
        };
        let timestamp = parse_timestamp(&timestamp).ok_or(error::INVALID_TIMESTAMP_FORMAT)?;
        if timestamp.saturating_sub_unsigned(now_secs).unsigned_abs() > TIMESTAMP_SKEW_SECS {
            return Err(error::INVALID_TIMESTAMP_EXPIRED.into());
        }
        let Proof { access_key_id, signature, covered } = proof;
        Ok(Self {
            access_key_id,
            security_token: call.common("SecurityToken", &X_ACS_SECURITY_TOKEN),
            nonce,
            // A clock near 1970 accepts timestamps before 1970.
            timestamp_secs: u64::try_from(timestamp).unwrap_or_default(),
            signature,
            call,
            covered,
        })
    }

    /// The time from which on the call's timestamp is too old, in seconds since 1970 UTC. Until
    /// then its nonce must be kept (decision `nonce`).
    #[must_use]
    pub fn expires_at_secs(&self) -> u64 {
        self.timestamp_secs + TIMESTAMP_SKEW_SECS + 1
    }

    /// Checks that the call's security token equals `security_token`, in constant time. Both may
    /// be absent.
    ///
    /// # Errors
    ///
    /// The first that applies (decision `security-token`): the call's token is missing, malformed,
    /// or different.
    pub fn verify_security_token(&self, security_token: Option<&str>) -> Result<(), Error> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
        let Some(sent) = &self.security_token else {
            return match security_token {
                Some(_) => Err(error::MISSING_SECURITY_TOKEN.into()),
                None => Ok(()),
            };
        };
        if !sent.bytes().all(is_base64) {
            return Err(error::INVALID_SECURITY_TOKEN_MALFORMED.into());
        }
        let same = security_token.is_some_and(|token| is_same(token, sent));
        if !same {
            return Err(error::INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY.into());
        }
        Ok(())
    }

    /// Checks the signature against the access key's secret, in constant time. Only this method
    /// hashes the call, so an unknown key costs no hash.
    ///
    /// # Errors
    ///
    /// `SignatureDoesNotMatch`. Its message shows the text that the server signed, which holds the
    /// call's security token; only the caller may see it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rpc::signature::{Signed, v1};
    /// use rpc::{Call, Parameters, Request, parse_timestamp};
    ///
    /// let query = "Action=DescribeVpcs&AccessKeyId=id&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0\
    ///              &SignatureNonce=1&Timestamp=2026-01-02T03:04:05Z";
    /// let mut request = Request::default();
    /// let signed = Parameters::read(query.as_bytes(), b"");
    /// let signature = v1::sign("secret", &v1::string_to_sign(&request.method, signed.iter()));
    /// request.query = format!("{query}&Signature={}", rpc::percent_encode(&signature));
    ///
    /// let call = Call::read(request);
    /// let now_secs = parse_timestamp("2026-01-02T03:05:00Z").unwrap().unsigned_abs();
    /// let signed = Signed::read(&call, now_secs)?;
    /// assert_eq!(signed.access_key_id, "id");
    /// assert!(signed.verify("secret").is_ok());
    /// assert!(signed.verify("another secret").is_err());
    /// # Ok::<(), rpc::Error>(())
    /// ```
    pub fn verify(&self, access_key_secret: &str) -> Result<(), Error> {
        let message = match &self.covered {
            Covered::V1 => {
                let request = self.call.request();
                let text = v1::string_to_sign(&request.method, self.call.parameters().iter());
                if is_same(&v1::sign(access_key_secret, &text), self.signature) {
                    return Ok(());
                }
                v1::mismatch(&text)
            }
            Covered::V3(algorithm, headers) => {
                let (canonical, body_hash_matches) =
                    acs3::canonical_request_of(self.call, *algorithm, headers);
                let text = algorithm.string_to_sign(&canonical);
                let expected = algorithm.sign(access_key_secret, &text);
                if is_same(&expected, self.signature) && body_hash_matches {
                    return Ok(());
                }
                acs3::mismatch(&text, &canonical)
            }
        };
        Err(Error::with_message(error::SIGNATURE_DOES_NOT_MATCH, message))
    }
}

/// The values that V1 sends as parameters and V3 in the `Authorization` header.
struct Proof<'a> {
    access_key_id: &'a str,
    signature: &'a str,
    covered: Covered<'a>,
}

/// The most bytes of a signed text in a message (decision `mismatch-text`): more than any client's
/// call needs, and small enough for every gateway to pass the answer on.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// The part of a text that is shown.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

/// Compares secrets in a time that depends on their length only.
fn is_same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// The nonce and the timestamp. A missing nonce is reported first.
fn nonce_and_timestamp(call: &Call) -> Result<(Cow<'_, str>, Cow<'_, str>), Error> {
    let nonce = call.common("SignatureNonce", &X_ACS_SIGNATURE_NONCE);
    let nonce = nonce.ok_or(error::MISSING_SIGNATURE_NONCE)?;
    let timestamp = call.common("Timestamp", &X_ACS_DATE).ok_or(error::MISSING_TIMESTAMP)?;
    Ok((nonce, timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    #[test]
    fn no_more_than_64_kib_of_a_text_are_shown() {
        let whole = "x".repeat(SHOWN_BYTES_MAX);
        assert_eq!(shown(&whole), whole);
        assert_eq!(shown(&format!("{whole}x")), whole);
        // A character is shown whole or not at all.
        assert_eq!(shown(&format!("{}é", &whole[1..])), &whole[1..]);
    }

    #[test]
    fn a_timestamp_is_good_for_15_minutes_either_way_to_the_second() {
        let query = "AccessKeyId=testid&Signature=x&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0\
                     &SignatureNonce=n&Timestamp=2026-01-02T03:04:05Z"
            .to_owned();
        let call = Call::read(Request { query, ..Request::default() });
        let sent_secs = 1_767_323_045;
        for now_secs in [sent_secs - 900, sent_secs, sent_secs + 900] {
            let signed = Signed::read(&call, now_secs).unwrap();
            assert_eq!(signed.expires_at_secs(), sent_secs + 901, "{now_secs}");
        }
        for now_secs in [0, sent_secs - 901, sent_secs + 901, u64::MAX] {
            let refused = Signed::read(&call, now_secs).map(drop).map_err(|error| error.code);
            assert_eq!(refused, Err(error::INVALID_TIMESTAMP_EXPIRED), "{now_secs}");
        }
    }
}
