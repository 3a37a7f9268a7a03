//! Signature version 1.0: HMAC-SHA1 over all parameters of query and form body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha1::Sha1;

use super::{Covered, Proof, shown};
use crate::call::Call;
use crate::encoding::Canonical;
use crate::error::{self, Error};

/// The string to sign: the method, the path, which is always `/`, and all parameters except the
/// signature, encoded twice. `parameters` must be sorted by the bytes of the names.
#[must_use]
pub fn string_to_sign(
    method: &Method,
    parameters: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
) -> String {
    let parameters = parameters.into_iter().filter(|(name, _)| name.as_ref() != "Signature");
    let mut text = String::with_capacity(1024);
    text.extend([method.as_str(), "&%2F&"]);
    Canonical::TWICE.write_pairs(&mut text, parameters);
    text
}

/// The signature: the HMAC-SHA1 in base64, keyed by the secret and `&`.
#[must_use]
pub fn sign(access_key_secret: &str, string_to_sign: &str) -> String {
    let key = [access_key_secret, "&"].concat();
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Checks the parameters of a V1 signature and returns the values to verify.
pub(super) fn proof(call: &Call) -> Result<Proof<'_>, Error> {
    let given = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let access_key_id = given("AccessKeyId").ok_or(error::MISSING_ACCESS_KEY_ID)?;
    let signature = given("Signature").ok_or(error::MISSING_SIGNATURE)?;
    if given("SignatureMethod").ok_or(error::MISSING_SIGNATURE_METHOD)? != "HMAC-SHA1" {
        return Err(error::INVALID_SIGNATURE_METHOD.into());
    }
    if given("SignatureVersion").ok_or(error::MISSING_SIGNATURE_VERSION)? != "1.0" {
        return Err(error::INVALID_SIGNATURE_VERSION.into());
    }
    Ok(Proof { access_key_id, signature, covered: Covered::V1 })
}

/// The message for a V1 signature that does not match (decision `mismatch-text`).
///
/// The classic Python client reads the text after the first colon, so the sentence has no other
/// colon. The classic Go and Java clients compare that text with their own string to sign.
pub(super) fn mismatch(string_to_sign: &str) -> String {
    let sentence = error::SIGNATURE_DOES_NOT_MATCH.message;
    format!("{sentence} server string to sign is:{}", shown(string_to_sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_compare_the_string_to_sign_with_its_own() {
        let parameters = [("A", "b+c"), ("SecurityToken", "b+c/=="), ("Z", "SecurityToken=b+c")];
        let string = string_to_sign(&Method::GET, parameters);
        let message = mismatch(&string);
        let (before, after) = message.split_once(':').unwrap();
        assert!(before.ends_with("server string to sign is"), "{message}");
        assert_eq!(after, string);
    }
}
