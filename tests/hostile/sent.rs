//! A request as a client sends it, byte for byte.
//!
//! A case's request has each header once and its parameters in one encoding; this one may have any
//! spelling that HTTP carries.

use harness::case::Style;
use harness::client::signature::{self, Caller, Pairs, decode_pairs, encode};

/// A request in transit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) method: String,
    /// The query string, which is visible ASCII.
    pub(super) query: String,
    /// Names in lower case, values of visible ASCII and inner spaces; a name may occur twice.
    pub(super) headers: Pairs,
    pub(super) body: Vec<u8>,
}

/// A key of the world that requests are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'k> {
    /// Its id.
    pub id: &'k str,
    /// Its secret.
    pub(super) secret: &'k str,
    /// The token of a temporary key.
    pub(super) security_token: Option<&'k str>,
    /// Whether the function accepts its signatures.
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

/// The server's time, which is that of every call, in seconds since 1970 UTC and as clients write
/// it.
pub(super) const NOW_SECS: u64 = 1_767_323_045;
const NOW: &str = "2026-01-02T03:04:05Z";

/// The common parameters of a V1 request.
pub(super) const SIGNING: [&str; 9] = [
    "Action",
    "Version",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
    "SecurityToken",
];

impl Sent {
    /// The value of a header; several with one name are joined as HTTP joins them.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.clone()).reduce(|joined, value| joined + "," + &value)
    }

    /// Replaces all headers of a name with one.
    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.add_header(name, value);
    }

    /// Adds a header, if HTTP can carry it.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        if is_token(name) {
            self.headers.push((name.to_ascii_lowercase(), header_value(value)));
        }
    }

    fn add_parameter(&mut self, name: &str, value: &str) {
        let separator = if self.query.is_empty() { "" } else { "&" };
        self.query.extend([separator, name, "=", &encode(value)]);
    }

    /// The parameters of the query.
    pub(super) fn query_pairs(&self) -> Pairs {
        decode_pairs(self.query.as_bytes())
    }

    /// The parameters of the body, if it is a form.
    pub(super) fn form_pairs(&self) -> Pairs {
        let content_type = self.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is_form = media_type.eq_ignore_ascii_case(FORM);
        if is_form { decode_pairs(&self.body) } else { Pairs::new() }
    }

    /// Adds the common parameters of `action` and the signature of `key`, and returns the names of
    /// the signed headers.
    pub(super) fn sign(&mut self, style: Style, action: &str, key: &Key<'_>) -> Vec<String> {
        let Key { id, secret, security_token, .. } = *key;
        let caller =
            Caller { action, access_key_id: id, security_token, nonce: "nonce", time: NOW };
        if !style.is_v3() {
            caller.parameters().for_each(|(name, value)| self.add_parameter(name, value));
            let parameters = self.query_pairs().into_iter().chain(self.form_pairs()).collect();
            let string = signature::v1_string_to_sign(&self.method, &parameters);
            self.add_parameter("Signature", &signature::v1_signature(secret, &string));
            return Vec::new();
        }
        caller.headers().for_each(|(name, value)| self.set_header(name, value));
        self.set_header("x-acs-content-sha256", &signature::hash(style, &self.body));
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        let signed: Vec<&str> = names.iter().map(String::as_str).collect();
        let signature = self.acs3_signature(style, &signed, key);
        self.set_header("authorization", &signature::authorization(style, id, &signed, &signature));
        names
    }

    /// The V3 signature over the headers with these names.
    pub(super) fn acs3_signature(&self, style: Style, names: &[&str], key: &Key<'_>) -> String {
        let query = self.query_pairs().into_iter().collect();
        let headers = names.iter().map(|name| (*name, self.header(name).unwrap_or_default()));
        let (headers, body) = (headers.collect::<Vec<_>>(), signature::hash(style, &self.body));
        let canonical = signature::canonical_request(&self.method, &query, &headers, &body);
        let string = signature::acs3_string_to_sign(style, &canonical);
        signature::acs3_signature(style, key.secret, &string)
    }
}

/// The content type of forms.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// Whether HTTP takes `name` as a method or the name of a header.
pub(super) fn is_token(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() < 100 && name.bytes().all(is_part)
}

/// A header's value as a server receives it: ASCII only, without spaces around it.
pub(super) fn header_value(value: &str) -> String {
    let is_fine = |c: &char| matches!(c, ' '..='~');
    value.chars().filter(is_fine).collect::<String>().trim_matches(' ').to_owned()
}

/// A query string that fits a request's first line.
pub(super) fn query_string(bytes: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'!'..=b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(byte).collect()
}
