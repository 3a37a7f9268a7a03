//! Plays a client: signs requests by the vendor's pages, in code that shares nothing with the function.

pub mod signature;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::iter;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use time::macros::format_description;

use crate::case::{Request, Setting, Style, Variant};
use crate::secrets;
use signature::{Caller, Pairs, encode_pairs};

/// The host in the requests of cases.
pub const HOST: &str = "vpc.cn-huhehaote.aliyuncs.com";

/// A host without its port.
#[must_use]
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        // An IPv6 address has colons inside its brackets.
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => authority,
    }
}

/// The greatest length of a text that a server shows of a call, in bytes (decision `mismatch-text`).
const SHOWN_BYTES_MAX: usize = 64 * 1024;

/// The texts that a server shows if a signature does not match (decision `mismatch-text`). It makes them
/// from the received request, including the security token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The string to sign.
    pub string_to_sign: String,
    /// The canonical request of a V3 call.
    pub canonical_request: Option<String>,
}

impl Shown {
    /// The texts, each with the name of its placeholder.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let canonical = self.canonical_request.as_deref();
        let canonical = canonical.map(|text| ("CanonicalRequest", text));
        iter::once(("StringToSign", &*self.string_to_sign)).chain(canonical)
    }
}

/// A request as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The HTTP method.
    pub method: String,
    /// The parameters of the query, unencoded.
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
        encode_pairs(pairs(&self.query))
    }

    /// The operation that the request names.
    #[must_use]
    pub fn action(&self) -> &str {
        let named = self.query.iter().find(|(name, _)| name == "Action");
        let named = named.map(|(_, action)| action).or_else(|| self.headers.get("x-acs-action"));
        named.map(String::as_str).unwrap_or_default()
    }

    /// The parameters of query and form. The form's value overrides the query's.
    fn parameters(&self) -> BTreeMap<String, String> {
        let form = signature::decode_pairs(self.body.as_bytes());
        self.query.iter().cloned().chain(form).collect()
    }

    /// The texts that a server signs and shows for the request as received.
    #[must_use]
    pub fn signed_by_server(&self) -> Shown {
        let cut = |text: String| text[..text.floor_char_boundary(SHOWN_BYTES_MAX)].to_owned();
        let Some(authorization) = self.headers.get("authorization") else {
            let string = signature::v1_string_to_sign(&self.method, &self.parameters());
            return Shown { string_to_sign: cut(string), canonical_request: None };
        };
        let signed = authorization.split_once("SignedHeaders=").map_or("", |(_, rest)| rest);
        let signed: Vec<_> = signed.split(',').next().unwrap_or_default().split(';').collect();
        let is_sm3 = authorization.split(' ').next() == Some(signature::algorithm(Style::V3Sm3));
        let style = if is_sm3 { Style::V3Sm3 } else { Style::V3 };
        let canonical = self.canonical_request(style, &signed);
        Shown {
            string_to_sign: signature::acs3_string_to_sign(style, &canonical),
            canonical_request: Some(cut(canonical)),
        }
    }

    fn canonical_request(&self, style: Style, signed: &[&str]) -> String {
        let query = self.query.iter().cloned().collect();
        let value = |name| self.headers.get(name).cloned().unwrap_or_default();
        let headers: Vec<_> = signed.iter().map(|name| (*name, value(*name))).collect();
        let body = signature::hash(style, self.body.as_bytes());
        signature::canonical_request(&self.method, &query, &headers, &body)
    }

    /// The request without its signing values and with long values cut, for people.
    pub(crate) fn shown(&self, chars_max: usize) -> Self {
        let shown = |name: &str, value: &mut String| match name {
            "Signature" | "SecurityToken" | "x-acs-security-token" => "***".clone_into(value),
            "authorization" => {
                let signed = value.split("Signature=").next().unwrap_or_default();
                *value = format!("{signed}Signature=***");
            }
            _ => {
                if let Some((end, _)) = value.char_indices().nth(chars_max) {
                    value.replace_range(end.., "…");
                }
            }
        };
        let mut wire = self.clone();
        wire.query.iter_mut().for_each(|(name, value)| shown(name, value));
        wire.headers.iter_mut().for_each(|(name, value)| shown(name, value));
        shown("body", &mut wire.body);
        wire
    }

    /// The request as a text, with a line for each parameter and header.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} /\n", self.method);
        for (name, value) in &self.query {
            text.extend(["  ", name, "=", value, "\n"]);
        }
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\n"]);
        }
        if !self.body.is_empty() {
            text.extend(["\n", &self.body, "\n"]);
        }
        text
    }

    /// The curl command that sends the request to the endpoint at `url`.
    pub(crate) fn curl(&self, url: &str) -> String {
        let url = quoted(&format!("{url}/?{}", self.query_string()));
        let mut text = format!("curl -X {} -sS -i {url}", self.method);
        for (name, value) in &self.headers {
            text.extend([" -H ", &quoted(&format!("{name}: {value}"))]);
        }
        if !self.body.is_empty() {
            text.extend([" --data-raw ", &quoted(&self.body)]);
        }
        text
    }

    /// Sets a header (V3, names in lower case) or a parameter. `None` removes it.
    fn set(&mut self, style: Style, name: &str, value: Option<String>) {
        if style.is_v3() && name.starts_with(|c: char| c.is_lowercase()) {
            self.headers.remove(name);
            self.headers.extend(value.map(|value| (name.to_owned(), value)));
        } else {
            self.query.retain(|(known, _)| known != name);
            self.query.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
}

/// A text quoted for a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn pairs(list: &Pairs) -> impl Iterator<Item = (&String, &String)> {
    list.iter().map(|(name, value)| (name, value))
}

/// A nonce that no other call has, in any process.
#[must_use]
pub fn fresh_nonce() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", *RUN, CALLS.fetch_add(1, Ordering::Relaxed))
}

/// The random name of this process: 16 hexadecimal digits.
#[must_use]
pub(crate) fn fresh_run() -> &'static str {
    &RUN
}

static RUN: LazyLock<String> = LazyLock::new(|| {
    // The keys of the standard library's hash maps are random.
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
});

/// The current time, in seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "timestamps are judged by the same clock")]
#[must_use]
pub fn now_secs() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}

/// Signs `request` as `variant` says, at `now_secs` since 1970 UTC. `nonce` is used unless the request has
/// one. The signature is remembered as a secret.
#[must_use]
pub fn sign(request: &Request, variant: &Variant, now_secs: i64, nonce: &str) -> Wire {
    let (wire, signature) = sign_quietly(request, variant, now_secs, nonce);
    secrets::remember(&signature);
    wire
}

/// As [`sign`], but returns the signature too and does not remember it.
#[must_use]
pub fn sign_quietly(
    request: &Request,
    variant: &Variant,
    now_secs: i64,
    nonce: &str,
) -> (Wire, String) {
    let style = variant.style;
    let mut wire = Wire {
        method: request.method.clone(),
        query: request.query.list(),
        headers: BTreeMap::from([("host".to_owned(), request.host.clone())]),
        body: encode_pairs(pairs(&request.body.list())),
    };
    let mut add = |name: &str, value: &str| wire.headers.insert(name.to_owned(), value.to_owned());
    if !wire.body.is_empty() {
        add("content-type", "application/x-www-form-urlencoded");
    }
    if let Some(format) = &variant.format {
        wire.query.push(("Format".to_owned(), format.clone()));
    }
    let caller = Caller {
        action: &request.action,
        access_key_id: &request.access_key_id,
        security_token: request.security_token.as_deref(),
        nonce: request.nonce.as_deref().unwrap_or(nonce),
        time: &timestamp(now_secs),
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let of_signature = if style.is_v3() {
        add("x-acs-content-sha256", &signature::hash(style, wire.body.as_bytes()));
        wire.headers.extend(caller.headers().map(owned));
        "authorization"
    } else {
        wire.query.extend(caller.parameters().map(owned));
        "Signature"
    };
    for (name, setting) in request.common.iter().filter(|(name, _)| *name != of_signature) {
        wire.set(style, name, text(setting, now_secs));
    }
    let secret = &request.access_key_secret;
    let signature = if style.is_v3() {
        let names: Vec<&str> = wire.headers.keys().map(String::as_str).collect();
        let canonical = wire.canonical_request(style, &names);
        let string = signature::acs3_string_to_sign(style, &canonical);
        let signature = signature::acs3_signature(style, secret, &string);
        let header = signature::authorization(style, caller.access_key_id, &names, &signature);
        wire.headers.insert(of_signature.to_owned(), header);
        signature
    } else {
        let string = signature::v1_string_to_sign(&wire.method, &wire.parameters());
        let signature = signature::v1_signature(secret, &string);
        wire.query.push((of_signature.to_owned(), signature.clone()));
        signature
    };
    if let Some(setting) = request.common.get(of_signature) {
        wire.set(style, of_signature, text(setting, now_secs));
    }
    for (name, setting) in &request.after_signing {
        let value = text(setting, now_secs);
        match name.as_str() {
            "body" => wire.body = value.unwrap_or_default(),
            "method" => wire.method = value.unwrap_or_default(),
            name => wire.set(style, name, value),
        }
    }
    (wire, signature)
}

fn text(setting: &Setting, now_secs: i64) -> Option<String> {
    match setting {
        Setting::Text(text) => Some(text.whole()),
        Setting::Time { offset_seconds } => Some(timestamp(now_secs + offset_seconds)),
        Setting::Absent(()) => None,
    }
}

/// A time as calls write it.
pub(crate) fn timestamp(secs: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::from_unix_timestamp(secs)
        .ok()
        .and_then(|time| time.format(form).ok())
        .unwrap_or_default()
}

/// The seconds since 1970 UTC of a time as calls write it.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let is_short = text.len() == "2026-01-02T03:04:05Z".len();
    let time = time::PrimitiveDateTime::parse(text, form).ok().filter(|_| is_short)?;
    Some(time.assume_utc().unix_timestamp())
}
