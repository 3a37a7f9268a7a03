//! Documents, nonces and counters as items of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::nonce::digest;
use crate::{Document, Quota, Version, Versioned};

/// The table's key.
pub(super) const PK: &str = "pk";
/// Tells one state of an item from every other.
pub(super) const VERSION: &str = "version";
/// From when on the item counts as gone, and DynamoDB may remove it.
pub(super) const EXPIRES_AT_SECS: &str = "expires_at_secs";
/// How many calls there were in a window.
pub(super) const CALLS: &str = "calls";
/// The document, as JSON.
pub(super) const DOCUMENT: &str = "document";

/// The longest key that DynamoDB takes. No document has a longer one; a caller may name one that
/// would.
pub(super) const PK_BYTES_MAX: usize = 2048;

/// How long a counter is kept after its window, in seconds: clocks differ.
const CALLS_KEPT_SECS: u64 = 3600;

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The key of a nonce's item.
pub(super) fn nonce_pk(access_key_id: &str, nonce: &str) -> String {
    format!("nonce#{}", base16ct::lower::encode_string(&digest(access_key_id, nonce)))
}

/// The key of the item that counts the calls of a window, and when it may be removed. A window's
/// number means nothing without its length, which can be changed.
pub(super) fn calls_of(quota: &Quota<'_>, now_secs: u64) -> (String, u64) {
    let Quota { account_id, action, window_secs, .. } = quota;
    let window = now_secs / (*window_secs).max(1);
    let ends_at_secs = window.saturating_add(1).saturating_mul(*window_secs);
    let pk = format!("calls#{account_id}#{action}#{window_secs}#{window}");
    (pk, ends_at_secs.saturating_add(CALLS_KEPT_SECS))
}

/// A number.
pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An item without a document.
pub(super) fn bare_item(pk: String, version: Version, expires_at_secs: Option<u64>) -> Item {
    let mut item = Item::from([
        (PK.to_owned(), AttributeValue::S(pk)),
        (VERSION.to_owned(), number(version.0)),
    ]);
    if let Some(expires_at_secs) = expires_at_secs {
        item.insert(EXPIRES_AT_SECS.to_owned(), number(expires_at_secs));
    }
    item
}

/// A document as an item.
///
/// # Errors
///
/// What serde says.
pub(super) fn encode(
    pk: String,
    document: &Document,
    version: Version,
) -> Result<Item, serde_json::Error> {
    let mut item = bare_item(pk, version, document.expires_at_secs());
    let json = serde_json::to_string(document)?;
    item.insert(DOCUMENT.to_owned(), AttributeValue::S(json));
    Ok(item)
}

/// The key and the document of an item.
///
/// # Errors
///
/// What is wrong with the item; never what stands in it.
pub(super) fn decode(mut item: Item) -> Result<(String, Versioned), String> {
    let version = version(&item).ok_or("an item has no version")?;
    let (Some(AttributeValue::S(pk)), Some(AttributeValue::S(json))) =
        (item.remove(PK), item.remove(DOCUMENT))
    else {
        return Err("an item has no key or no document".to_owned());
    };
    let document = serde_json::from_str(&json).map_err(|error| {
        // What serde says of it could quote a secret.
        let kind = pk.split('#').next().unwrap_or_default();
        format!("a document ({kind}) cannot be read: {:?}, at {}", error.classify(), error.column())
    })?;
    Ok((pk, Versioned { document, version }))
}

/// The version of an item.
pub(super) fn version(item: &Item) -> Option<Version> {
    item.get(VERSION)?.as_n().ok()?.parse().ok().map(Version)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_nonces_have_the_same_key() {
        let calls = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""), ("a#", "b"), ("a", "#b")];
        let keys: BTreeSet<String> = calls.iter().map(|(id, nonce)| nonce_pk(id, nonce)).collect();
        assert_eq!(keys.len(), calls.len());
        assert_eq!(nonce_pk(&"k".repeat(9000), &"n".repeat(9000)).len(), "nonce#".len() + 64);
    }

    #[test]
    fn a_counter_is_of_one_account_action_and_window() {
        let quota = Quota { account_id: "1", action: "A", calls_max: 3, window_secs: 60 };
        let (first, kept_until_secs) = calls_of(&quota, 119);
        assert_eq!((first.as_str(), kept_until_secs), ("calls#1#A#60#1", 120 + 3600));
        assert_eq!(calls_of(&quota, 60).0, first);
        assert_ne!(calls_of(&quota, 120).0, first);
        assert_ne!(calls_of(&Quota { window_secs: 30, ..quota }, 60).0, first);
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let mut item = bare_item("access-key#k".to_owned(), Version(1), None);
        assert!(decode(item.clone()).is_err());
        item.insert(
            DOCUMENT.to_owned(),
            AttributeValue::S("{\"AccessKey\":\"secret\"}".to_owned()),
        );
        let told = decode(item).unwrap_err();
        assert!(told.contains("access-key") && !told.contains("secret"), "{told}");
    }
}
