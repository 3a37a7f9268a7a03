//! Signature version 1.0: HMAC-SHA1 over all parameters of query and form body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha1::Sha1;

use super::Signed;
use crate::call::Call;
use crate::encoding::percent_encoded;
use crate::error::{self, Error};
use crate::request::Parameters;

/// All parameters but the signature, sorted and encoded.
#[must_use]
pub fn canonicalized_query_string(parameters: &Parameters) -> String {
    let mut text = String::with_capacity(parameters.len() * 48);
    for (name, value) in parameters.iter().filter(|(name, _)| *name != "Signature") {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(percent_encoded(name));
        text.push('=');
        text.extend(percent_encoded(value));
    }
    text
}

/// What is signed: the method, the path, which is always `/`, and the parameters, encoded twice.
#[must_use]
pub fn string_to_sign(method: &Method, parameters: &Parameters) -> String {
    let canonicalized = canonicalized_query_string(parameters);
    // Every `&`, `=` and `%` becomes three characters.
    let mut text = String::with_capacity(canonicalized.len() * 3 / 2);
    text.extend([method.as_str(), "&%2F&"]);
    text.extend(percent_encoded(&canonicalized));
    text
}

/// The signature: base64 of HMAC-SHA1, the key being the secret and `&`.
#[must_use]
pub fn sign(access_key_secret: &str, string_to_sign: &str) -> String {
    let key = format!("{access_key_secret}&");
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// What is to be verified, once all that a V1 signature needs is there.
pub(crate) fn signed(call: &Call) -> Result<Signed<'_>, Error> {
    let given = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let access_key_id = given("AccessKeyId").ok_or(error::MISSING_ACCESS_KEY_ID)?;
    let signature = given("Signature").ok_or(error::MISSING_SIGNATURE)?;
    if given("SignatureMethod").ok_or(error::MISSING_SIGNATURE_METHOD)? != "HMAC-SHA1" {
        return Err(error::INVALID_SIGNATURE_METHOD.into());
    }
    if given("SignatureVersion").ok_or(error::MISSING_SIGNATURE_VERSION)? != "1.0" {
        return Err(error::INVALID_SIGNATURE_VERSION.into());
    }
    Ok(Signed {
        access_key_id,
        signature,
        string_to_sign: string_to_sign(&call.request().method, call.parameters()),
        sign,
        body_hash_matches: true,
        mismatch,
    })
}

/// The classic Python client reads what follows the first colon, so there is none before it and
/// none in the string itself (decision `mismatch-text`).
fn mismatch(string_to_sign: &str) -> String {
    let sentence = error::SIGNATURE_DOES_NOT_MATCH.message;
    format!("{sentence} server string to sign is:{string_to_sign}")
}
