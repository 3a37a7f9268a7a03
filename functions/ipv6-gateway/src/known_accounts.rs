//! Which account owns an access key, remembered between calls.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use allocation::Caller;

/// How many keys are remembered at most; a function has few callers, an attacker many guesses.
const KEYS_MAX: usize = 10_000;

/// The owners of the access keys that have signed before.
///
/// A key never moves to another account, so what is remembered stays true; still it only names the
/// documents to be read together with the key, and whether the guess was right is checked once the
/// key has been read. Whether the key is still valid is never taken from here.
#[derive(Debug, Default)]
pub(crate) struct KnownAccounts {
    accounts: RwLock<HashMap<String, String>>,
}

impl KnownAccounts {
    /// Who calls with this key, if it has signed before.
    pub(crate) fn caller(&self, access_key_id: &str, request_id: &str) -> Option<Caller> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let account_id = accounts.get(access_key_id)?.clone();
        Some(Caller { account_id, request_id: request_id.to_owned() })
    }

    /// Remembers the owner of a key whose signature was right.
    pub(crate) fn learn(&self, access_key_id: &str, account_id: &str) {
        let known = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let is_known = known.get(access_key_id).is_some_and(|known| known == account_id);
        drop(known);
        if is_known {
            return;
        }
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= KEYS_MAX {
            accounts.clear();
        }
        accounts.insert(access_key_id.to_owned(), account_id.to_owned());
    }
}
