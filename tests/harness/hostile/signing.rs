//! Signs requests as the vendor's pages say. Unlike the harness' client it takes them as they are
//! sent, and remembers nothing of the millions it makes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use sm3::Sm3;

use super::encoding::{canonical, encode};
use super::plan::Style;
use super::sent::Sent;

/// A key of the world that requests are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'k> {
    /// Its id.
    pub id: &'k str,
    /// Its secret.
    pub(super) secret: &'k str,
    /// The token that goes with it.
    pub(super) security_token: Option<&'k str>,
    /// Whether a right signature is good.
    pub(super) is_good: bool,
}

const fn key(id: &'static str, secret: &'static str) -> Key<'static> {
    Key { id, secret, security_token: None, is_good: true }
}

const fn session(id: &'static str, secret: &'static str, token: &'static str) -> Key<'static> {
    Key { id, secret, security_token: Some(token), is_good: true }
}

/// The keys that sign.
pub const KEYS: [Key<'static>; 8] = [
    key("testid", "kept-of-account"),
    key("allowed", "kept-of-allowed"),
    key("denied", "kept-of-denied"),
    key("other", "kept-of-other"),
    session("STS.deployer", "kept-of-deployer", "kept+of/deployer=="),
    Key { is_good: false, ..session("STS.expired", "kept-of-expired", "kept+of/expired==") },
    Key { is_good: false, ..key("disabled", "kept-of-disabled") },
    Key { is_good: false, ..key("stranger", "kept-of-stranger") },
];

/// The time at which requests are made and taken, in seconds since 1970 UTC, and as clients write
/// it.
pub(super) const NOW_SECS: u64 = 1_767_323_045;
const NOW: &str = "2026-01-02T03:04:05Z";

/// Adds the common parameters of `action` and the signature of `key` to a request; yields the names of the
/// headers that are signed.
pub(super) fn sign(sent: &mut Sent, style: Style, action: &str, key: &Key<'_>) -> Vec<String> {
    match style {
        Style::V1 => {
            sign_v1(sent, action, key);
            Vec::new()
        }
        Style::V3 => sign_v3::<Sha256>("ACS3-HMAC-SHA256", sent, action, key),
        Style::V3Sm3 => sign_v3::<Sm3>("ACS3-HMAC-SM3", sent, action, key),
    }
}

fn sign_v1(sent: &mut Sent, action: &str, key: &Key<'_>) {
    let mut add = |name: &str, value: &str| {
        let separator = if sent.query.is_empty() { "" } else { "&" };
        let _ = write!(sent.query, "{separator}{name}={}", encode(value));
    };
    add("Action", action);
    add("Version", "2016-04-28");
    add("AccessKeyId", key.id);
    add("SignatureMethod", "HMAC-SHA1");
    add("SignatureVersion", "1.0");
    add("SignatureNonce", "nonce");
    add("Timestamp", NOW);
    if let Some(token) = key.security_token {
        add("SecurityToken", token);
    }
    let mut parameters: std::collections::BTreeMap<_, _> = sent.query_pairs().into_iter().collect();
    parameters.extend(sent.form_pairs());
    parameters.remove("Signature");
    let text = v1_string_to_sign(&sent.method, &canonical(&parameters));
    let mac = hmac::<Sha1>(&format!("{}&", key.secret), &text);
    let _ = write!(sent.query, "&Signature={}", encode(&STANDARD.encode(mac)));
}

/// What V1 signs of a method and canonical parameters.
pub(super) fn v1_string_to_sign(method: &str, canonical: &str) -> String {
    format!("{method}&%2F&{}", encode(canonical))
}

fn sign_v3<H: EagerHash + Digest>(
    algorithm: &str,
    sent: &mut Sent,
    action: &str,
    key: &Key<'_>,
) -> Vec<String> {
    let payload = hex(&H::digest(&sent.body));
    sent.set_header("x-acs-action", action);
    sent.set_header("x-acs-version", "2016-04-28");
    sent.set_header("x-acs-date", NOW);
    sent.set_header("x-acs-signature-nonce", "nonce");
    sent.set_header("x-acs-content-sha256", &payload);
    if let Some(token) = key.security_token {
        sent.set_header("x-acs-security-token", token);
    }
    let mut names: Vec<_> = sent.headers.iter().map(|(name, _)| name.clone()).collect();
    names.retain(|name| name != "authorization");
    names.sort();
    names.dedup();
    let signature = v3_signature::<H>(algorithm, sent, &names, key);
    let authorization = format!(
        "{algorithm} Credential={},SignedHeaders={},Signature={signature}",
        key.id,
        names.join(";")
    );
    sent.set_header("authorization", &authorization);
    names
}

/// The signature over `sent` and those of its headers that are called `names`.
pub(super) fn v3_signature<H: EagerHash + Digest>(
    algorithm: &str,
    sent: &Sent,
    names: &[String],
    key: &Key<'_>,
) -> String {
    let query = canonical(&sent.query_pairs().into_iter().collect());
    let headers: Vec<_> =
        names.iter().map(|name| (&**name, sent.header(name).unwrap_or_default())).collect();
    let payload = hex(&H::digest(&sent.body));
    let request = v3_canonical_request(&sent.method, &query, &headers, &payload);
    let text = format!("{algorithm}\n{}", hex(&H::digest(request.as_bytes())));
    hex(&hmac::<H>(key.secret, &text))
}

/// What V3 hashes of a request.
pub(super) fn v3_canonical_request(
    method: &str,
    query: &str,
    headers: &[(&str, String)],
    payload: &str,
) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}\n"));
    let lines = lines.collect::<Vec<_>>().concat();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    format!("{method}\n/\n{query}\n{lines}\n{names}\n{payload}")
}

fn hmac<H: EagerHash>(key: &str, text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<H>::new_from_slice(key.as_bytes()) else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
