//! The owners of access keys that have signed calls, kept between calls.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use store::{AccessKey, Key};

use crate::authentication::identity_key;

/// The most keys that are kept. A function has few callers; an attacker may guess many keys.
const KEYS_MAX: usize = 10_000;

/// The owner of an access key at its last call.
///
/// It proves nothing and holds no secret. It names the documents that a call with this key most likely
/// needs, so that one read fetches them with the key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownKey {
    /// The account that owned the key.
    pub(crate) account_id: String,
    /// The RAM user or role that had the key; `None`: the account itself.
    pub(crate) identity: Option<Key>,
}

impl KnownKey {
    fn of(access_key: &AccessKey) -> Self {
        Self { account_id: access_key.account_id.clone(), identity: identity_key(access_key) }
    }

    /// Whether the key still has this owner.
    pub(crate) fn is_of(&self, access_key: &AccessKey) -> bool {
        self.account_id == access_key.account_id && self.identity == identity_key(access_key)
    }
}

/// The access keys that have signed calls.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys(RwLock<HashMap<String, Arc<KnownKey>>>);

impl KnownKeys {
    /// The owner of the key with this id, if the key has signed a call.
    pub(crate) fn get(&self, access_key_id: &str) -> Option<Arc<KnownKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(access_key_id).cloned()
    }

    /// Adds a key that has signed a call.
    pub(crate) fn learn(&self, access_key: &AccessKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(access_key.access_key_id.clone(), Arc::new(KnownKey::of(access_key)));
    }

    /// Removes a key that was refused.
    pub(crate) fn forget(&self, access_key_id: &str) {
        if self.get(access_key_id).is_some() {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(access_key_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use store::{AccessKeyStatus, Holder};

    use super::*;

    fn key(number: usize) -> AccessKey {
        AccessKey {
            access_key_id: number.to_string(),
            access_key_secret: String::new(),
            account_id: format!("account of {number}"),
            status: AccessKeyStatus::Active,
            holder: Holder::Account,
        }
    }

    #[test]
    fn the_number_of_known_keys_is_limited() {
        let known = KnownKeys::default();
        let is_known =
            |number: usize| known.get(&number.to_string()).is_some_and(|it| it.is_of(&key(number)));
        for number in 0..KEYS_MAX {
            known.learn(&key(number));
        }
        assert!((0..KEYS_MAX).all(is_known));
        // One key more than the limit drops all others, which return with their next calls.
        known.learn(&key(KEYS_MAX));
        assert!(!is_known(0) && is_known(KEYS_MAX));
        known.forget(&KEYS_MAX.to_string());
        assert!(!is_known(KEYS_MAX));
    }
}
