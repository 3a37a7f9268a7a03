//! Plays a client: signs requests as the vendor's pages say, in code of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use sm3::Sm3;
use time::macros::format_description;

use crate::case::{Request, Setting, Style, Variant};
use crate::secrets;

/// The host that a case's requests name.
pub const HOST: &str = "vpc.cn-huhehaote.aliyuncs.com";

/// A host without its port.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address has colons, too, in brackets.
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => authority,
    }
}

/// How much of a V1 string to sign a server shows (decision `mismatch-text`).
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// A request as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The HTTP method.
    pub method: String,
    /// The parameters of the query, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Wire {
    /// The query string.
    #[must_use]
    pub fn query_string(&self) -> String {
        encode_pairs(&self.query)
    }

    /// The operation that the request names.
    #[must_use]
    pub fn action(&self) -> &str {
        let named = self.query.iter().find(|(name, _)| name == "Action");
        let named = named.map(|(_, action)| action).or_else(|| self.headers.get("x-acs-action"));
        named.map(String::as_str).unwrap_or_default()
    }

    fn form(&self) -> Vec<(String, String)> {
        let form = form_urlencoded::parse(self.body.as_bytes());
        form.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The string that a server shows to have made the signature of, after whatever was changed on
    /// the way: without the security token, which is a secret.
    #[must_use]
    pub fn shown_string_to_sign(&self) -> String {
        let Some(authorization) = self.headers.get("authorization") else {
            let mut shown = self.clone();
            // The parameters as one, as they are signed.
            shown.query = merged(self).into_iter().collect();
            shown.body.clear();
            let secret = |(name, value): &&mut (String, String)| {
                name == "SecurityToken" && !value.is_empty()
            };
            let tokens = shown.query.iter_mut().filter(secret);
            tokens.for_each(|(_, value)| "***".clone_into(value));
            let mut shown = v1_string_to_sign(&shown);
            shown.truncate(SHOWN_BYTES_MAX);
            return shown;
        };
        let signed_headers = authorization
            .split_once("SignedHeaders=")
            .and_then(|(_, rest)| rest.split(',').next())
            .unwrap_or_default();
        let signed_headers: Vec<_> = signed_headers.split(';').collect();
        match authorization.split(' ').next() {
            Some("ACS3-HMAC-SM3") => acs3_string_to_sign::<Sm3>(self, &signed_headers),
            _ => acs3_string_to_sign::<Sha256>(self, &signed_headers),
        }
    }
}

/// A nonce that no other call has, of this process or another.
#[must_use]
pub fn fresh_nonce() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", *RUN, CALLS.fetch_add(1, Ordering::Relaxed))
}

/// What tells this process from every other: 16 hexadecimal digits.
#[must_use]
pub(crate) fn fresh_run() -> &'static str {
    &RUN
}

static RUN: LazyLock<String> = LazyLock::new(|| {
    // The keys of the standard library's hash maps are random.
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
});

/// The time, in seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "whoever judges timestamps goes by the same clock")]
#[must_use]
pub fn now_secs() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}

/// Signs `request` in the way of `variant`, at `now_secs` since 1970 UTC, with `nonce` unless it has
/// one of its own.
#[must_use]
pub fn sign(request: &Request, variant: &Variant, now_secs: i64, nonce: &str) -> Wire {
    let body = encode_pairs(&request.body.list());
    let mut wire = Wire {
        method: request.method.clone(),
        query: request.query.list(),
        headers: BTreeMap::from([("host".to_owned(), request.host.clone())]),
        body,
    };
    if !wire.body.is_empty() {
        let form = "application/x-www-form-urlencoded".to_owned();
        wire.headers.insert("content-type".to_owned(), form);
    }
    if let Some(format) = &variant.format {
        wire.query.push(("Format".to_owned(), format.clone()));
    }
    let nonce = request.nonce.as_deref().unwrap_or(nonce);
    match variant.style {
        Style::V1 => sign_v1(&mut wire, request, now_secs, nonce),
        Style::V3 => sign_acs3::<Sha256>(&mut wire, request, now_secs, nonce),
        Style::V3Sm3 => sign_acs3::<Sm3>(&mut wire, request, now_secs, nonce),
    }
    for (name, setting) in &request.after_signing {
        let is_header = variant.style.is_v3() && name.starts_with(|c: char| c.is_lowercase());
        let value = text(setting, now_secs);
        if name == "body" {
            wire.body = value.unwrap_or_default();
        } else if name == "method" {
            wire.method = value.unwrap_or_default();
        } else if is_header {
            set_header(&mut wire, name, value);
        } else {
            set_parameter(&mut wire, name, value);
        }
    }
    wire
}

fn sign_v1(wire: &mut Wire, request: &Request, now_secs: i64, nonce: &str) {
    for (name, value) in [
        ("Action", &*request.action),
        ("Version", "2016-04-28"),
        ("AccessKeyId", &request.access_key_id),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", nonce),
        ("Timestamp", &timestamp(now_secs)),
    ] {
        wire.query.push((name.to_owned(), value.to_owned()));
    }
    if let Some(token) = &request.security_token {
        wire.query.push(("SecurityToken".to_owned(), token.clone()));
    }
    for (name, setting) in request.common.iter().filter(|(name, _)| *name != "Signature") {
        set_parameter(wire, name, text(setting, now_secs));
    }
    let key = format!("{}&", request.access_key_secret);
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return };
    mac.update(v1_string_to_sign(wire).as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    secrets::remember(&signature);
    wire.query.push(("Signature".to_owned(), signature));
    if let Some(setting) = request.common.get("Signature") {
        set_parameter(wire, "Signature", text(setting, now_secs));
    }
}

/// The name of the algorithm with a hash.
trait Acs3: EagerHash + Digest {
    const ALGORITHM: &str;
}

impl Acs3 for Sha256 {
    const ALGORITHM: &str = "ACS3-HMAC-SHA256";
}

impl Acs3 for Sm3 {
    const ALGORITHM: &str = "ACS3-HMAC-SM3";
}

fn sign_acs3<H: Acs3>(wire: &mut Wire, request: &Request, now_secs: i64, nonce: &str) {
    for (name, value) in [
        ("x-acs-action", &*request.action),
        ("x-acs-version", "2016-04-28"),
        ("x-acs-date", &timestamp(now_secs)),
        ("x-acs-signature-nonce", nonce),
        ("x-acs-content-sha256", &hex(&H::digest(wire.body.as_bytes()))),
    ] {
        wire.headers.insert(name.to_owned(), value.to_owned());
    }
    if let Some(token) = &request.security_token {
        wire.headers.insert("x-acs-security-token".to_owned(), token.clone());
    }
    for (name, setting) in request.common.iter().filter(|(name, _)| *name != "authorization") {
        if name.starts_with(|c: char| c.is_lowercase()) {
            set_header(wire, name, text(setting, now_secs));
        } else {
            set_parameter(wire, name, text(setting, now_secs));
        }
    }
    let names: Vec<String> = wire.headers.keys().cloned().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Ok(mut mac) = Hmac::<H>::new_from_slice(request.access_key_secret.as_bytes()) else {
        return;
    };
    mac.update(acs3_string_to_sign::<H>(wire, &names).as_bytes());
    let signature = hex(&mac.finalize().into_bytes());
    secrets::remember(&signature);
    let credential = &request.access_key_id;
    let signed = names.join(";");
    let algorithm = H::ALGORITHM;
    let authorization =
        format!("{algorithm} Credential={credential},SignedHeaders={signed},Signature={signature}");
    wire.headers.insert("authorization".to_owned(), authorization);
    if let Some(setting) = request.common.get("authorization") {
        set_header(wire, "authorization", text(setting, now_secs));
    }
}

/// The parameters of query and form; the form's value wins.
fn merged(wire: &Wire) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = wire.query.iter().cloned().collect();
    all.extend(wire.form());
    all
}

fn v1_string_to_sign(wire: &Wire) -> String {
    let mut all = merged(wire);
    all.remove("Signature");
    let all: Vec<_> = all.into_iter().collect();
    format!("{}&%2F&{}", wire.method, encode(&encode_pairs(&all)))
}

fn acs3_string_to_sign<H: Acs3>(wire: &Wire, signed_headers: &[&str]) -> String {
    let query: BTreeMap<String, String> = wire.query.iter().cloned().collect();
    let query = encode_pairs(&query.into_iter().collect::<Vec<_>>());
    let mut canonical = format!("{}\n/\n{query}\n", wire.method);
    for name in signed_headers {
        let value = wire.headers.get(*name).map(String::as_str).unwrap_or_default();
        canonical.extend([name, ":", value.trim(), "\n"]);
    }
    let payload = hex(&H::digest(wire.body.as_bytes()));
    canonical.extend(["\n", &signed_headers.join(";"), "\n", &payload]);
    format!("{}\n{}", H::ALGORITHM, hex(&H::digest(canonical.as_bytes())))
}

fn set_parameter(wire: &mut Wire, name: &str, value: Option<String>) {
    wire.query.retain(|(known, _)| known != name);
    wire.query.extend(value.map(|value| (name.to_owned(), value)));
}

fn set_header(wire: &mut Wire, name: &str, value: Option<String>) {
    wire.headers.remove(name);
    wire.headers.extend(value.map(|value| (name.to_owned(), value)));
}

fn text(setting: &Setting, now_secs: i64) -> Option<String> {
    match setting {
        Setting::Text(text) => Some(text.whole()),
        Setting::Time { offset_seconds } => Some(timestamp(now_secs + offset_seconds)),
        Setting::Absent(()) => None,
    }
}

/// A moment in UTC, as calls write it.
pub(crate) fn timestamp(secs: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::from_unix_timestamp(secs)
        .ok()
        .and_then(|time| time.format(form).ok())
        .unwrap_or_default()
}

/// A moment as calls write it, in seconds since 1970 UTC.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let is_short = text.len() == "2026-01-02T03:04:05Z".len();
    let time = time::PrimitiveDateTime::parse(text, form).ok().filter(|_| is_short)?;
    Some(time.assume_utc().unix_timestamp())
}

fn encode_pairs(pairs: &[(String, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A text as it stands in a query.
pub(crate) fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
