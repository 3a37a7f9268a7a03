//! Canaries: secrets that must turn up nowhere but where they were put.
//!
//! Every case's secrets are exchanged for canary values before it is tried, and every signature made
//! is remembered. Everything that a target answers or writes is searched for them.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The canary of the secret `testsecret` of the cases.
pub const SECRET: &str = "CANARYsecretThatNobodyMayShow";

/// The canary of the beginning `TESTTOKEN` of the cases' security tokens.
pub const TOKEN: &str = "CANARYtokenThatNobodyMayShow";

/// A text with the cases' secrets exchanged for canaries.
#[must_use]
pub fn disguise(text: &str) -> String {
    text.replace("testsecret", SECRET).replace("TESTTOKEN", TOKEN)
}

/// The signatures that were made in this process.
fn signatures() -> &'static Mutex<HashSet<String>> {
    static SIGNATURES: OnceLock<Mutex<HashSet<String>>> = OnceLock::new();
    SIGNATURES.get_or_init(Mutex::default)
}

/// Remembers a signature that was made.
pub fn remember(signature: &str) {
    let mut known = signatures().lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(signature.to_owned());
}

/// Finds a secret in a text, and says what kind it is.
#[must_use]
pub fn find(text: &str) -> Option<&'static str> {
    if text.contains(SECRET) {
        return Some("an access key's secret");
    }
    if text.contains(TOKEN) {
        return Some("a security token");
    }
    let known = signatures().lock().unwrap_or_else(PoisonError::into_inner);
    // As it is, or encoded as in a query, or twice as in a string to sign.
    let once = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let twice = percent_encoding::percent_decode_str(&once).decode_utf8_lossy();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let shows = |text: &str| {
        let words = text.split(|c: char| !is_part(c)).filter(|word| word.len() >= 28);
        // A name may precede it, as in a query.
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
    fn what_was_put_in_is_found() {
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
}
