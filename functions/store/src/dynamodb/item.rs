//! Documents, nonces and counters as items of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::failure::Cause;
use crate::kinds::{CALLS as CALLS_KIND, NONCE};
use crate::nonce::digest;
use crate::row::{self, schema_of};
use crate::{Admission, Document, Key, Quota, Version, Versioned};

/// The table's partition key.
pub(super) const PK: &str = "pk";
/// The table's sort key.
pub(super) const SK: &str = "sk";
/// The version of the item.
pub(super) const VERSION: &str = "version";
/// The time from which on the item has expired and DynamoDB may remove it.
pub(super) const EXPIRES_AT_SECS: &str = "expires_at_secs";
/// The schema of the item.
pub(super) const SCHEMA: &str = "schema_number";
/// The number of calls in a window.
pub(super) const CALLS: &str = "calls";
/// The members of the document, as JSON.
pub(super) const DOCUMENT: &str = "document";
/// The account that used a nonce.
const ACCOUNT_ID: &str = "account_id";
/// The time from which on a nonce can be used again.
pub(super) const REUSABLE_AT_SECS: &str = "reusable_at_secs";

/// The sort key of an item whose kind is not listed. No document of a listed kind can have this id.
const NOT_LISTED: &str = "-";

/// The longest keys of DynamoDB, in bytes.
const PK_BYTES_MAX: usize = 2048;
const SK_BYTES_MAX: usize = 1024;

/// How long a nonce or a counter is kept after its expiry, in seconds: DynamoDB removes it by its own
/// clock, and an instance whose clock is behind still needs it.
const KEPT_SECS: u64 = 3600;

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The partition key and sort key of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ItemKey {
    pk: String,
    sk: String,
}

impl ItemKey {
    /// The item key of a document; `None` if no item can have it: callers choose parts of any length.
    pub(super) fn of(key: &Key) -> Option<Self> {
        let item_key = match key.id() {
            Some(NOT_LISTED | "") => return None,
            Some(id) => Self { pk: key.partition().to_owned(), sk: id.to_owned() },
            None => Self::alone(key.partition().to_owned()),
        };
        let fits = item_key.pk.len() <= PK_BYTES_MAX && item_key.sk.len() <= SK_BYTES_MAX;
        fits.then_some(item_key)
    }

    /// The key of an item that is alone in its partition.
    fn alone(pk: String) -> Self {
        Self { pk, sk: NOT_LISTED.to_owned() }
    }

    /// The key of a nonce.
    pub(super) fn of_nonce(access_key_id: &str, nonce: &str) -> Self {
        let hash = base16ct::lower::encode_string(&digest(access_key_id, nonce));
        Self::alone(format!("{NONCE}#{hash}"))
    }

    /// The key of the counter of a window's calls, and the time from which on it may be removed. The
    /// key has the window's length too, for operators can change the length.
    pub(super) fn of_calls(account_id: &str, quota: &Quota<'_>, now_secs: u64) -> (Self, u64) {
        let Quota { action, window_secs, .. } = quota;
        let window = now_secs / (*window_secs).max(1);
        let ends_at_secs = window.saturating_add(1).saturating_mul(*window_secs);
        let pk = format!("{CALLS_KIND}#{account_id}#{action}#{window_secs}#{window}");
        (Self::alone(pk), ends_at_secs.saturating_add(KEPT_SECS))
    }

    /// The attributes of the key.
    pub(super) fn into_item(self) -> Item {
        let keys = [(PK, self.pk), (SK, self.sk)];
        keys.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).into()
    }

    /// The text of the document's key.
    fn key_text(&self) -> String {
        match &*self.sk {
            NOT_LISTED => self.pk.clone(),
            id => format!("{}#{id}", self.pk),
        }
    }

    /// Removes the key from an item.
    pub(super) fn of_item(item: &mut Item) -> Option<Self> {
        let (AttributeValue::S(pk), AttributeValue::S(sk)) = (item.remove(PK)?, item.remove(SK)?)
        else {
            return None;
        };
        Some(Self { pk, sk })
    }
}

/// The attribute of a number.
pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The attribute of the schema in which this program writes items of a kind.
pub(super) fn schema(kind: &str) -> AttributeValue {
    number(schema_of(kind).into())
}

fn bare(item_key: ItemKey, kind: &str, version: Version, expires_at_secs: Option<u64>) -> Item {
    let mut item = item_key.into_item();
    item.insert(VERSION.to_owned(), number(version.0));
    item.insert(SCHEMA.to_owned(), schema(kind));
    if let Some(expires_at_secs) = expires_at_secs {
        item.insert(EXPIRES_AT_SECS.to_owned(), number(expires_at_secs));
    }
    item
}

/// The nonce of an admission as an item.
pub(super) fn nonce(admission: &Admission<'_>, version: Version) -> Item {
    let item_key = ItemKey::of_nonce(admission.access_key_id, admission.nonce);
    let reusable_at_secs = admission.nonce_expires_at_secs;
    let mut item = bare(item_key, NONCE, version, Some(reusable_at_secs.saturating_add(KEPT_SECS)));
    item.insert(REUSABLE_AT_SECS.to_owned(), number(reusable_at_secs));
    let account_id = AttributeValue::S(admission.account_id.to_owned());
    item.insert(ACCOUNT_ID.to_owned(), account_id);
    item
}

/// A document as an item.
///
/// # Errors
///
/// The document cannot be serialized.
pub(super) fn encode(
    item_key: ItemKey,
    kind: &str,
    document: &Document,
    version: Version,
) -> Result<Item, serde_json::Error> {
    let mut item = bare(item_key, kind, version, document.expires_at_secs());
    let members = String::from_utf8_lossy(&row::write(document)?).into_owned();
    item.insert(DOCUMENT.to_owned(), AttributeValue::S(members));
    Ok(item)
}

/// The text of an item's key, and its document.
///
/// # Errors
///
/// [`Cause::Unfit`]: the item is invalid. The message does not quote it.
pub(super) fn decode(mut item: Item) -> Result<(String, Versioned), Cause> {
    let unfit = |message: &str| Cause::Unfit(message.to_owned());
    let version = version(&item).ok_or_else(|| unfit("an item has no version"))?;
    let (Some(item_key), Some(AttributeValue::S(members))) =
        (ItemKey::of_item(&mut item), item.remove(DOCUMENT))
    else {
        return Err(unfit("an item has no key or no document"));
    };
    let key = item_key.key_text();
    let document = row::read(&key, members.as_bytes()).map_err(|error| {
        // The error's own text could quote a secret.
        let kind = key.split('#').next().unwrap_or_default();
        let (category, column) = (error.classify(), error.column());
        unfit(&format!("a document ({kind}) cannot be read: {category:?}, at {column}"))
    })?;
    Ok((key, Versioned { document, version }))
}

/// The version of an item.
pub(super) fn version(item: &Item) -> Option<Version> {
    item.get(VERSION)?.as_n().ok()?.parse().ok().map(Version)
}

/// The schema of an item.
pub(super) fn schema_number(item: &Item) -> Option<u16> {
    item.get(SCHEMA)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use allocation::{Parts, Scope};

    use super::*;

    #[test]
    fn no_two_nonces_have_the_same_key() {
        let calls = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""), ("a#", "b"), ("a", "#b")];
        let item_keys: BTreeSet<ItemKey> =
            calls.iter().map(|(id, nonce)| ItemKey::of_nonce(id, nonce)).collect();
        assert_eq!(item_keys.len(), calls.len());
        let long = ItemKey::of_nonce(&"k".repeat(9000), &"n".repeat(9000));
        assert_eq!(long.pk.len(), "nonce#".len() + 64);
    }

    #[test]
    fn a_nonce_outlives_its_use_by_an_hour() {
        let admission = Admission {
            access_key_id: "k",
            account_id: "1",
            nonce: "n",
            nonce_expires_at_secs: 901,
            quota: None,
            now_secs: 0,
        };
        let item = nonce(&admission, Version(1));
        let removed_at = item[EXPIRES_AT_SECS].as_n().unwrap();
        assert_eq!(
            (removed_at, &item[REUSABLE_AT_SECS]),
            (&(901 + 3600).to_string(), &number(901))
        );
    }

    #[test]
    fn a_counter_is_of_one_account_action_and_window() {
        let quota = Quota { action: "A", calls_max: 3, window_secs: 60 };
        let (first, kept_until_secs) = ItemKey::of_calls("1", &quota, 119);
        assert_eq!((first.pk.as_str(), kept_until_secs), ("calls#1#A#60#1", 120 + 3600));
        assert_eq!(ItemKey::of_calls("1", &quota, 60).0, first);
        assert_ne!(ItemKey::of_calls("2", &quota, 60).0, first);
        assert_ne!(ItemKey::of_calls("1", &quota, 120).0, first);
        assert_ne!(ItemKey::of_calls("1", &Quota { window_secs: 30, ..quota }, 60).0, first);
    }

    #[test]
    fn an_item_key_gives_the_text_of_its_key_again_unless_no_item_can_have_it() {
        let listed =
            |id: &str| Parts::listed("k", Scope { account_id: "1", region_id: "r" }, id).key();
        let longest = "x".repeat(1024);
        for key in
            [listed("a"), listed("a#-"), listed(&longest), Parts::single("k", &["1", "-"]).key()]
        {
            assert_eq!(ItemKey::of(&key).unwrap().key_text(), key.text());
        }
        let too_long = Parts::single("k", &[&"x".repeat(2047)]).key();
        for key in [listed(""), listed("-"), listed(&format!("{longest}x")), too_long] {
            assert_eq!(ItemKey::of(&key), None);
        }
    }

    #[test]
    fn the_error_of_an_unreadable_item_does_not_quote_it() {
        let item_key = ItemKey::alone("access-key#k".to_owned());
        let mut item = bare(item_key, "access-key", Version(1), None);
        assert!(decode(item.clone()).is_err());
        let members = AttributeValue::S("{\"AccessKeySecret\":\"secret\"}".to_owned());
        item.insert(DOCUMENT.to_owned(), members);
        let cause = decode(item).unwrap_err().to_string();
        assert!(cause.contains("access-key") && !cause.contains("secret"), "{cause}");
    }
}
