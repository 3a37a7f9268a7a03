//! The access keys that have signed before, remembered between calls.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use store::AccessKey;

/// How many keys are remembered at most; a function has few callers, an attacker many guesses.
const KEYS_MAX: usize = 10_000;

/// The access keys that have signed before, as they were then.
///
/// What is remembered is only a guess at what the store holds: by it, everything that a call needs
/// is asked for at once. Every call reads its key anew, and if that is not the key remembered, it is
/// checked anew; so a key that was disabled is refused from its next call on.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys(RwLock<HashMap<String, Arc<AccessKey>>>);

impl KnownKeys {
    /// The key of this id, if it has signed before.
    pub(crate) fn get(&self, access_key_id: &str) -> Option<Arc<AccessKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(access_key_id).cloned()
    }

    /// Remembers a key whose signature was right.
    pub(crate) fn learn(&self, access_key: &Arc<AccessKey>) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MAX {
            keys.clear();
        }
        keys.insert(access_key.access_key_id.clone(), Arc::clone(access_key));
    }
}

#[cfg(test)]
mod tests {
    use store::{AccessKeyStatus, Holder};

    use super::*;

    fn key(number: usize) -> Arc<AccessKey> {
        Arc::new(AccessKey {
            access_key_id: number.to_string(),
            access_key_secret: String::new(),
            account_id: String::new(),
            status: AccessKeyStatus::Active,
            holder: Holder::Account,
        })
    }

    #[test]
    fn so_many_keys_are_remembered_and_no_more() {
        let known = KnownKeys::default();
        for number in 0..KEYS_MAX {
            known.learn(&key(number));
        }
        assert!((0..KEYS_MAX).all(|number| known.get(&number.to_string()) == Some(key(number))));
        // One more: what was remembered is learnt again as it signs.
        known.learn(&key(KEYS_MAX));
        assert_eq!(known.get("0"), None);
        assert_eq!(known.get(&KEYS_MAX.to_string()), Some(key(KEYS_MAX)));
    }
}
