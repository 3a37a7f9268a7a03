//! ACS3-HMAC-SHA256 and ACS3-HMAC-SM3: an HMAC over the hash of the query, the body's hash and the
//! headers in `SignedHeaders`.

use std::borrow::Cow;

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use sha2::{Digest, Sha256};
use sm3::Sm3;

use super::{Covered, Proof, shown};
use crate::call::Call;
use crate::encoding::Canonical;
use crate::error::{self, Error};
use crate::request::{
    X_ACS_ACTION, X_ACS_CONTENT_SHA256, X_ACS_CONTENT_SM3, X_ACS_DATE, X_ACS_SIGNATURE_NONCE,
    X_ACS_VERSION,
};

/// The supported algorithms (decision `signature-method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ACS3-HMAC-SHA256, every client's default.
    HmacSha256,
    /// ACS3-HMAC-SM3, with the hash of the Chinese national standard GB/T 32905.
    HmacSm3,
}

impl Algorithm {
    /// The name at the beginning of `Authorization`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "ACS3-HMAC-SHA256",
            Self::HmacSm3 => "ACS3-HMAC-SM3",
        }
    }

    /// The algorithm of this name. Letter case counts.
    fn parse(name: &str) -> Option<Self> {
        [Self::HmacSha256, Self::HmacSm3].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The hash of `bytes` in lower-case hexadecimal.
    #[must_use]
    pub fn hex_digest(self, bytes: &[u8]) -> String {
        match self {
            Self::HmacSha256 => base16ct::lower::encode_string(&Sha256::digest(bytes)),
            Self::HmacSm3 => base16ct::lower::encode_string(&Sm3::digest(bytes)),
        }
    }

    /// The string to sign: the algorithm's name and the hash of the canonical request.
    #[must_use]
    pub fn string_to_sign(self, canonical_request: &str) -> String {
        [self.name(), &self.hex_digest(canonical_request.as_bytes())].join("\n")
    }

    /// The signature: the HMAC in lower-case hexadecimal, keyed by the secret.
    #[must_use]
    pub fn sign(self, access_key_secret: &str, string_to_sign: &str) -> String {
        match self {
            Self::HmacSha256 => hex_hmac::<Sha256>(access_key_secret, string_to_sign),
            Self::HmacSm3 => hex_hmac::<Sm3>(access_key_secret, string_to_sign),
        }
    }
}

fn hex_hmac<D: EagerHash>(key: &str, text: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<D>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    base16ct::lower::encode_string(&mac.finalize().into_bytes())
}

/// The headers that every call has. A signature must cover them and all other `x-acs-` headers of
/// the call (decision `authorization-form`).
const REQUIRED_HEADERS: [&HeaderName; 4] =
    [&X_ACS_ACTION, &X_ACS_DATE, &X_ACS_SIGNATURE_NONCE, &X_ACS_VERSION];
/// The headers for the client's hash of the body. The header's name does not determine the
/// algorithm (decision `content-sha256`).
const CONTENT_HASHES: [&HeaderName; 2] = [&X_ACS_CONTENT_SHA256, &X_ACS_CONTENT_SM3];

/// The canonical request.
///
/// `query` must be sorted by the bytes of the names. `headers` are the signed ones, in the order of
/// `SignedHeaders`, names in lower case.
#[must_use]
pub fn canonical_request(
    method: &Method,
    query: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    headers: &[(&str, impl AsRef<str>)],
    hashed_request_payload: &str,
) -> String {
    let mut text = String::with_capacity(1024);
    // The path is `/`, also if the client called another one.
    text.extend([method.as_str(), "\n/\n"]);
    Canonical::ONCE.write_pairs(&mut text, query);
    text.push('\n');
    for (name, value) in headers {
        text.extend([name, ":", value.as_ref(), "\n"]);
    }
    text.push('\n');
    for (position, (name, _)) in headers.iter().enumerate() {
        text.extend([if position == 0 { "" } else { ";" }, name]);
    }
    text.extend(["\n", hashed_request_payload]);
    text
}

/// Reads the `Authorization` header.
pub(super) fn authorization(call: &Call) -> Result<Authorization<'_>, Error> {
    let authorization = call
        .request()
        .headers
        .get(AUTHORIZATION)
        .filter(|value| !value.is_empty())
        .ok_or(error::MISSING_AUTHORIZATION)?;
    let authorization = authorization.to_str().map_err(|_| error::INCOMPLETE_SIGNATURE)?;
    let (algorithm, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let algorithm = Algorithm::parse(algorithm).ok_or(error::INVALID_SIGNATURE_METHOD)?;
    Ok(Authorization::parse(algorithm, rest).ok_or(error::INCOMPLETE_SIGNATURE)?)
}

/// Checks that the signature covers all required parts and returns the values to verify.
pub(super) fn proof<'a>(
    call: &'a Call,
    authorization: &Authorization<'a>,
) -> Result<Proof<'a>, Error> {
    let Authorization { algorithm, credential, signed_headers, signature } = *authorization;
    let request = call.request();
    let mut headers = Vec::with_capacity(16);
    for name in signed_headers.split(';') {
        headers.push((name, request.header(name).ok_or(error::INCOMPLETE_SIGNATURE)?));
    }
    // Letter case does not count. Clients send lower case, so the fast comparison is first.
    let is_signed = |name: &HeaderName| {
        headers.iter().any(|(signed, _)| *signed == name.as_str())
            || headers.iter().any(|(signed, _)| *signed == name)
    };
    let covers_the_call = REQUIRED_HEADERS.into_iter().all(is_signed)
        && CONTENT_HASHES.into_iter().any(is_signed)
        // Otherwise a third party could add or remove a security token.
        && request.headers.keys().filter(|name| name.as_str().starts_with("x-acs-")).all(is_signed)
        // Otherwise a third party could change the meaning of the body.
        && (request.body.is_empty() || is_signed(&CONTENT_TYPE));
    if !covers_the_call {
        return Err(error::INCOMPLETE_SIGNATURE.into());
    }
    Ok(Proof { access_key_id: credential, signature, covered: Covered::V3(algorithm, headers) })
}

/// The canonical request of a call with these signed headers, and whether the client's hash of the
/// body is correct (decision `content-sha256`).
pub(super) fn canonical_request_of(
    call: &Call,
    algorithm: Algorithm,
    headers: &[(&str, Cow<'_, str>)],
) -> (String, bool) {
    let request = call.request();
    let hashed_request_payload = algorithm.hex_digest(&request.body);
    let query = call.parameters().query();
    let canonical = canonical_request(&request.method, query, headers, &hashed_request_payload);
    let mut sent = CONTENT_HASHES.into_iter().filter_map(|name| request.header(name));
    let body_hash_matches = sent.all(|sent| sent == hashed_request_payload);
    (canonical, body_hash_matches)
}

/// The parts of an `Authorization` header.
#[derive(Clone, Copy)]
pub(super) struct Authorization<'a> {
    algorithm: Algorithm,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=<id>,SignedHeaders=<a;b>,Signature=<hex>`, each part once, in any order.
    ///
    /// An empty signature is well-formed and matches nothing.
    fn parse(algorithm: Algorithm, text: &'a str) -> Option<Self> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let part = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if part.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            algorithm,
            credential: credential.filter(|id| !id.is_empty())?,
            signed_headers: signed_headers.filter(|names| !names.is_empty())?,
            signature: signature?,
        })
    }
}

/// The message for a V3 signature that does not match, taken from public bug reports (decision
/// `mismatch-text`).
pub(super) fn mismatch(string_to_sign: &str, canonical_request: &str) -> String {
    // XML forbids these two characters, and a header may hold them.
    let canonical_request = shown(canonical_request).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    format!(
        "Specified signature does not match our calculation. server StringToSign is \
         [{string_to_sign}] server CanonicalRequest is [{canonical_request}]"
    )
}
