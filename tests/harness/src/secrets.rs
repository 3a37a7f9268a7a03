//! Canaries: secrets that must not leak.
//!
//! The secrets of each case are replaced by canaries before it is tried, and every signature is remembered.
//! All answers and outputs of a target are searched for them, and [`Blot`] removes them from output.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use form_urlencoded::byte_serialize;
use maud::html;

use crate::client::signature::encode;

/// The canary of the secret `testsecret` of the cases.
pub const SECRET: &str = "CANARYsecretThatNobodyMayShow";

/// The canary of the beginning `TESTTOKEN` of the cases' security tokens.
pub const TOKEN: &str = "CANARYtokenThatNobodyMayShow";

/// A text with the cases' secrets replaced by canaries.
#[must_use]
pub fn disguise(text: &str) -> String {
    text.replace("testsecret", SECRET).replace("TESTTOKEN", TOKEN)
}

/// The signatures and other secrets of this process.
fn signatures() -> &'static Mutex<HashSet<String>> {
    static SIGNATURES: OnceLock<Mutex<HashSet<String>>> = OnceLock::new();
    SIGNATURES.get_or_init(Mutex::default)
}

/// Remembers a signature or another secret of this process.
pub fn remember(secret: &str) {
    let mut known = signatures().lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(secret.to_owned());
}

/// The text that replaces a secret.
const BLOT: &str = "[secret]";

/// The least length of a secret that is removed inside a text: a shorter one may be a part of other words.
const LENGTH_MIN: usize = 8;

/// Removes the secrets of this process from texts, in every encoding that an answer may have.
#[derive(Debug)]
pub struct Blot {
    long: Option<AhoCorasick>,
    short: HashSet<String>,
}

impl Blot {
    /// A blot for all secrets so far.
    #[must_use]
    pub fn of_known() -> Arc<Self> {
        static LAST: Mutex<Option<(usize, Arc<Blot>)>> = Mutex::new(None);
        let known = signatures().lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((count, blot)) if *count == known.len() => Arc::clone(blot),
            _ => Arc::clone(&last.insert((known.len(), Arc::new(Self::of(&known)))).1),
        }
    }

    fn of(known: &HashSet<String>) -> Self {
        let all = known.iter().map(String::as_str).chain([SECRET, TOKEN]);
        let (long, short): (Vec<_>, Vec<_>) = all.partition(|secret| secret.len() >= LENGTH_MIN);
        let short = short.into_iter().filter(|secret| !secret.is_empty()).map(str::to_owned);
        // Building a search for thousands of signatures in every encoding would take a minute.
        let of =
            |secret: &&str| if is_signature(secret) { url_forms(secret) } else { forms(secret) };
        Self { short: short.collect(), long: finder(long.iter().flat_map(of)) }
    }

    /// The text without secrets. A short secret is removed only if it is the whole text.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        match &self.long {
            _ if self.short.contains(text) => BLOT.to_owned(),
            Some(long) => long.replace_all(text, &vec![BLOT; long.patterns_len()]),
            // The search cannot be built for so many secrets.
            None => BLOT.to_owned(),
        }
    }
}

/// A search for these forms of secrets.
fn finder(forms: impl IntoIterator<Item = String>) -> Option<AhoCorasick> {
    let forms: HashSet<String> = forms.into_iter().collect();
    let mut builder = AhoCorasick::builder();
    // Hexadecimal digits have both cases.
    builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
    builder.build(forms).ok()
}

/// Whether a secret looks like a signature: HMAC-SHA1, HMAC-SHA256 or HMAC-SM3.
fn is_signature(secret: &str) -> bool {
    let is_sha1 = secret.len() == 28 && secret.ends_with('=');
    is_sha1 || secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A secret unencoded, encoded as in a query, and encoded twice as in a string to sign.
fn url_forms(secret: &str) -> Vec<String> {
    let once = encode(secret);
    vec![secret.to_owned(), encode(&once), once]
}

/// The forms of a secret: unencoded, in URLs, escaped in JSON, XML and HTML, in hexadecimal, and in base64
/// with each alignment.
fn forms(secret: &str) -> Vec<String> {
    let (mut digits, mut escapes) = (String::new(), String::new());
    for byte in secret.bytes() {
        // Writing to a `String` cannot fail.
        let _ = write!(digits, "{byte:02x}");
        let _ = write!(escapes, "%{byte:02x}");
    }
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut forms = url_forms(secret);
    forms.extend([
        byte_serialize(secret.as_bytes()).collect(),
        json.replace('/', r"\/"),
        json,
        html! { (secret) }.into_string(),
        quick_xml::escape::escape(secret).into_owned(),
        digits,
        escapes,
    ]);
    for shift in 0..3 {
        let bytes = [&b"\0\0"[..shift], secret.as_bytes()].concat();
        // The first and the last character also encode the neighbouring bytes.
        let (start, end) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.push(alphabet.encode(&bytes)[start..end].to_owned());
        }
    }
    forms
}

/// The kind of a secret in a text, if it has one.
#[must_use]
pub fn find(text: &str) -> Option<&'static str> {
    static KINDS: LazyLock<[(&str, Option<AhoCorasick>); 2]> = LazyLock::new(|| {
        [
            ("an access key's secret", finder(forms(SECRET))),
            ("a security token", finder(forms(TOKEN))),
        ]
    });
    for (kind, finder) in &*KINDS {
        if finder.as_ref().is_none_or(|finder| finder.is_match(text)) {
            return Some(kind);
        }
    }
    let known = signatures().lock().unwrap_or_else(PoisonError::into_inner);
    // Unencoded, encoded as in a query, or encoded twice as in a string to sign.
    let once = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let twice = percent_encoding::percent_decode_str(&once).decode_utf8_lossy();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let shows = |text: &str| {
        let words = text.split(|c: char| !is_part(c)).filter(|word| word.len() >= 28);
        // In a query, the name precedes the signature.
        words
            .flat_map(|word| [word, word.trim_start_matches("Signature=")])
            .any(|w| known.contains(w))
    };
    [text, &once, &twice].into_iter().any(shows).then_some("a signature")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_secrets_are_found() {
        remember("LtVZq5xCcS7+xkKNiHNPHIzLaXw=");
        remember(&"0f".repeat(32));
        for (text, found) in [
            ("nothing", None),
            (&format!("key {SECRET}."), Some("an access key's secret")),
            (&format!("SecurityToken%3D{TOKEN}abc"), Some("a security token")),
            ("?Signature=LtVZq5xCcS7+xkKNiHNPHIzLaXw=&a=b", Some("a signature")),
            ("?Signature=LtVZq5xCcS7%2BxkKNiHNPHIzLaXw%3D&a=b", Some("a signature")),
            ("Signature%3DLtVZq5xCcS7%252BxkKNiHNPHIzLaXw%253D", Some("a signature")),
            (&format!("Credential=k,Signature={}", "0f".repeat(32)), Some("a signature")),
        ] {
            assert_eq!(find(text), found, "{text}");
        }
    }

    #[test]
    fn a_secret_is_removed_in_every_form() {
        let secret = "Zm+9/q&<\"'x e%7E\u{e9}tail";
        remember(secret);
        remember("short");
        let blot = Blot::of_known();
        assert_eq!(blot.apply("short"), BLOT);
        assert_eq!(blot.apply("a short one"), "a short one");
        let once =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
        let once = once.to_string();
        let twice = once.replace('%', "%25");
        let of_base64 =
            |before: &str, after: &str| STANDARD_NO_PAD.encode(format!("{before}{secret}{after}"));
        let hex = secret.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
        for form in [
            secret.to_owned(),
            once.to_lowercase(),
            once,
            twice,
            of_base64("", ""),
            of_base64("a", "b"),
            of_base64("ab", "cd"),
            of_base64("abc", "d").replace('+', "-").replace('/', "_"),
            serde_json::json!({ "a": secret }).to_string(),
            maud::html! { (secret) }.into_string(),
            quick_xml::escape::escape(secret).into_owned(),
            hex.to_lowercase(),
            hex,
        ] {
            let shown = blot.apply(&form);
            assert!(shown.contains(BLOT), "{form}: {shown}");
            assert!(shown.len() <= BLOT.len() + 12, "{form}: {shown}");
        }
    }
}
