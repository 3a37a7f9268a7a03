//! Signatures: what a client says it signed, and whether the server comes to the same.

pub mod acs3;
pub mod v1;

use subtle::ConstantTimeEq;

use crate::error::{self, Error};

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

impl Signed<'_> {
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
