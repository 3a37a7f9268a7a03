//! ACS3-HMAC-SHA256: HMAC-SHA256 over the query, the body's hash and the headers that
//! `SignedHeaders` lists.

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha2::{Digest, Sha256};

use super::{Signed, v1};
use crate::call::Call;
use crate::error::{self, Error};
use crate::request::Parameters;

/// The algorithm's name, as `Authorization` begins with it.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The headers that every signature must cover (decision `authorization-form`).
const REQUIRED_HEADERS: [&str; 6] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// The canonical form of a request.
///
/// `headers` are the signed ones in the order of `SignedHeaders`, names in lower case.
#[must_use]
pub fn canonical_request(
    method: &Method,
    query: &Parameters,
    headers: &[(&str, &str)],
    hashed_request_payload: &str,
) -> String {
    // The path is `/`, also where a prefix was called.
    let mut text = format!("{method}\n/\n{}\n", v1::canonicalized_query_string(query));
    for (name, value) in headers {
        text.extend([name, ":", value, "\n"]);
    }
    text.push('\n');
    for (position, (name, _)) in headers.iter().enumerate() {
        text.extend([if position == 0 { "" } else { ";" }, name]);
    }
    text.push('\n');
    text.push_str(hashed_request_payload);
    text
}

/// What is signed: the algorithm and the hash of the canonical request.
#[must_use]
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", hex_sha256(canonical_request.as_bytes()))
}

/// The signature: lower-case hexadecimal HMAC-SHA256, the key being the bare secret.
#[must_use]
pub fn sign(access_key_secret: &str, string_to_sign: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(access_key_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(string_to_sign.as_bytes());
    base16ct::lower::encode_string(&mac.finalize().into_bytes())
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn hex_sha256(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

/// The parts of the `Authorization` header, once it is there and one of ours.
pub(crate) fn authorization(call: &Call) -> Result<Authorization<'_>, Error> {
    let authorization = call
        .request()
        .headers
        .get("authorization")
        .filter(|value| !value.is_empty())
        .ok_or(error::MISSING_AUTHORIZATION)?;
    let authorization = authorization.to_str().map_err(|_| error::INCOMPLETE_SIGNATURE)?;
    let (algorithm, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if algorithm != ALGORITHM {
        return Err(error::INVALID_SIGNATURE_METHOD.into());
    }
    Ok(Authorization::parse(rest).ok_or(error::INCOMPLETE_SIGNATURE)?)
}

/// What is to be verified, once the signature covers all that it must.
pub(crate) fn signed<'a>(
    call: &'a Call,
    authorization: &Authorization<'a>,
) -> Result<Signed<'a>, Error> {
    let Authorization { credential, signed_headers, signature } = *authorization;
    let request = call.request();
    let names: Vec<&str> = signed_headers.split(';').collect();
    // Without it, whoever changes the type of a body changes what the body says.
    let content_type = (!request.body.is_empty()).then_some("content-type");
    if !REQUIRED_HEADERS.iter().chain(&content_type).all(|name| names.contains(name)) {
        return Err(error::INCOMPLETE_SIGNATURE.into());
    }
    let values: Option<Vec<_>> = names.iter().map(|name| request.header(name)).collect();
    let values = values.ok_or(error::INCOMPLETE_SIGNATURE)?;
    let headers: Vec<_> = names.iter().copied().zip(values.iter().map(|v| &**v)).collect();
    let hashed_request_payload = hex_sha256(&request.body);
    let canonical =
        canonical_request(&request.method, call.query(), &headers, &hashed_request_payload);
    Ok(Signed {
        access_key_id: credential,
        signature,
        string_to_sign: string_to_sign(&canonical),
        sign,
        body_hash_matches: headers.contains(&("x-acs-content-sha256", &hashed_request_payload)),
        mismatch,
    })
}

/// The parts of an `Authorization` header after the algorithm.
#[derive(Clone, Copy)]
pub(crate) struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `Credential=<id>,SignedHeaders=<a;b>,Signature=<hex>`, each part once.
    fn parse(text: &'a str) -> Option<Self> {
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if value.is_empty() || place.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            credential: credential?,
            signed_headers: signed_headers?,
            signature: signature?,
        })
    }
}

/// As a client of the service once showed it in public (decision `mismatch-text`).
fn mismatch(string_to_sign: &str) -> String {
    format!(
        "Specified signature does not match our calculation. server StringToSign is [{string_to_sign}]"
    )
}
