//! Signature version 1.0: HMAC-SHA1 over all parameters of query and form body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha1::Sha1;

use super::{Covered, Proof};
use crate::call::Call;
use crate::encoding::{Canonical, percent_encode};
use crate::error::{self, Error};

/// What is signed: the method, the path, which is always `/`, and all parameters but the
/// signature, encoded, and all of them encoded again. The parameters are in the order of their
/// names' bytes.
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

/// The signature: base64 of HMAC-SHA1, the key being the secret and `&`.
#[must_use]
pub fn sign(access_key_secret: &str, string_to_sign: &str) -> String {
    let key = [access_key_secret, "&"].concat();
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// What is to be verified, once all that a V1 signature needs is there.
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

/// How much of a string to sign is shown, in bytes: far more than any client's call has, and so
/// little that an answer fits whatever carries it (decision `mismatch-text`).
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// The classic Python client reads what follows the first colon, so there is none before it and
/// none in the string itself; a security token is a secret, and is not shown (decision
/// `mismatch-text`).
pub(super) fn mismatch(string_to_sign: &str, security_token: Option<&str>) -> String {
    let sentence = error::SIGNATURE_DOES_NOT_MATCH.message;
    let string_to_sign = match security_token {
        Some(token) => {
            let parameter = |value| {
                let pair = format!("SecurityToken={}", percent_encode(value));
                percent_encode(&pair).into_owned()
            };
            string_to_sign.replace(&parameter(token), &parameter("***"))
        }
        None => string_to_sign.to_owned(),
    };
    // It is ASCII, so it can be cut anywhere.
    let shown = string_to_sign.get(..SHOWN_BYTES_MAX).unwrap_or(&string_to_sign);
    format!("{sentence} server string to sign is:{shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_string_to_sign_is_shown_without_the_token_and_not_without_end() {
        let shown = |string: &str, token| {
            let message = mismatch(string, token);
            message.split_once("server string to sign is:").unwrap().1.to_owned()
        };
        let parameters = [("A", "b+c"), ("SecurityToken", "b+c/=="), ("Z", "SecurityToken=b+c")];
        let string = string_to_sign(&Method::GET, parameters);
        assert_eq!(shown(&string, None), string);
        assert_eq!(
            shown(&string, Some("b+c/==")),
            "GET&%2F&A%3Db%252Bc%26SecurityToken%3D%252A%252A%252A%26Z%3DSecurityToken%253Db%252Bc",
        );
        let long = "x".repeat(SHOWN_BYTES_MAX + 1);
        assert_eq!(shown(&long, None).len(), SHOWN_BYTES_MAX);
        assert_eq!(shown(&long[1..], None).len(), SHOWN_BYTES_MAX);
    }
}
