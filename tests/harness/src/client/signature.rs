//! Signatures V1 and V3 by the vendor's pages: encodings, canonical forms, hashes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use sm3::Sm3;

use crate::case::Style;

/// Names and values, in order.
pub type Pairs = Vec<(String, String)>;

/// Decodes a query or a form.
#[must_use]
pub fn decode_pairs(text: &[u8]) -> Pairs {
    form_urlencoded::parse(text).into_owned().collect()
}

/// Percent-encodes a text as the page on signatures says: all but letters, digits and `-_.~`.
#[must_use]
pub fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes a query or a form.
#[must_use]
pub fn encode_pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let pairs = pairs.into_iter().map(|(name, value)| [encode(name), encode(value)].join("="));
    pairs.collect::<Vec<_>>().join("&")
}

/// The values of a signed call besides the operation's parameters.
#[derive(Debug)]
pub struct Caller<'a> {
    /// `Action`, or `x-acs-action`.
    pub action: &'a str,
    /// The access key's id.
    pub access_key_id: &'a str,
    /// The token of a temporary key.
    pub security_token: Option<&'a str>,
    /// `SignatureNonce`, or `x-acs-signature-nonce`.
    pub nonce: &'a str,
    /// `Timestamp`, or `x-acs-date`.
    pub time: &'a str,
}

impl<'a> Caller<'a> {
    /// The common parameters of a V1 call, without the signature.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let parameters = [
            ("Action", self.action),
            ("Version", "2016-04-28"),
            ("AccessKeyId", self.access_key_id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", self.nonce),
            ("Timestamp", self.time),
        ];
        parameters.into_iter().chain(self.security_token.map(|token| ("SecurityToken", token)))
    }

    /// The common headers of a V3 call, without `authorization` and the body's hash.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let headers = [
            ("x-acs-action", self.action),
            ("x-acs-version", "2016-04-28"),
            ("x-acs-date", self.time),
            ("x-acs-signature-nonce", self.nonce),
        ];
        headers.into_iter().chain(self.security_token.map(|token| ("x-acs-security-token", token)))
    }
}

/// The string to sign of V1: the method and all parameters but the signature.
#[must_use]
pub fn v1_string_to_sign(method: &str, parameters: &BTreeMap<String, String>) -> String {
    let signed = parameters.iter().filter(|(name, _)| *name != "Signature");
    format!("{method}&%2F&{}", encode(&encode_pairs(signed)))
}

/// The V1 signature, in base64.
#[must_use]
pub fn v1_signature(secret: &str, string_to_sign: &str) -> String {
    STANDARD.encode(hmac::<Sha1>(&format!("{secret}&"), string_to_sign))
}

/// The name of the algorithm of a V3 signature.
#[must_use]
pub fn algorithm(style: Style) -> &'static str {
    match style {
        Style::V1 | Style::V3 => "ACS3-HMAC-SHA256",
        Style::V3Sm3 => "ACS3-HMAC-SM3",
    }
}

/// The hash of a V3 signature, in hexadecimal.
#[must_use]
pub fn hash(style: Style, bytes: &[u8]) -> String {
    match style {
        Style::V1 | Style::V3 => hex(&Sha256::digest(bytes)),
        Style::V3Sm3 => hex(&Sm3::digest(bytes)),
    }
}

/// The canonical request of V3.
#[must_use]
pub fn canonical_request(
    method: &str,
    query: &BTreeMap<String, String>,
    headers: &[(&str, String)],
    hashed_body: &str,
) -> String {
    let mut canonical = format!("{method}\n/\n{}\n", encode_pairs(query));
    for (name, value) in headers {
        canonical.extend([name, ":", value.trim(), "\n"]);
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    canonical.extend(["\n", &names.join(";"), "\n", hashed_body]);
    canonical
}

/// The string to sign of V3.
#[must_use]
pub fn acs3_string_to_sign(style: Style, canonical_request: &str) -> String {
    format!("{}\n{}", algorithm(style), hash(style, canonical_request.as_bytes()))
}

/// The V3 signature, in hexadecimal.
#[must_use]
pub fn acs3_signature(style: Style, secret: &str, string_to_sign: &str) -> String {
    match style {
        Style::V1 | Style::V3 => hex(&hmac::<Sha256>(secret, string_to_sign)),
        Style::V3Sm3 => hex(&hmac::<Sm3>(secret, string_to_sign)),
    }
}

/// The `authorization` header of a V3 call.
#[must_use]
pub fn authorization(
    style: Style,
    access_key_id: &str,
    headers: &[&str],
    signature: &str,
) -> String {
    let (algorithm, headers) = (algorithm(style), headers.join(";"));
    format!("{algorithm} Credential={access_key_id},SignedHeaders={headers},Signature={signature}")
}

fn hmac<H: EagerHash>(key: &str, text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<H>::new_from_slice(key.as_bytes()) else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
