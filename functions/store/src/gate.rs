//! What a store of one process remembers of calls: their nonces and how many there were.

use std::collections::HashMap;

use crate::expiries::Expiries;
use crate::nonce::digest;
use crate::shards::{Hasher, Shards};
use crate::{Admission, Admitted, Error, Quota};

/// How many nonces are remembered at most, at some 70 bytes each. Forgetting one too early would
/// let a call be played back, so beyond this no call is let in until some have expired.
const NONCES_MAX: usize = 1 << 24;

/// The nonces that were spent, and the calls counted.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    hasher: Hasher,
    nonces: Shards<Nonce>,
    expiries: Expiries<Fingerprint>,
    tallies: HashMap<String, HashMap<String, Tally>>,
}

/// A nonce, and when it expires.
type Nonce = (Fingerprint, u64);

/// An access key and a nonce: half of their hash, for millions are kept.
pub(crate) type Fingerprint = [u8; 16];

/// What an access key and a nonce are remembered by.
pub(crate) fn fingerprint(access_key_id: &str, nonce: &str) -> Fingerprint {
    let digest = digest(access_key_id, nonce);
    std::array::from_fn(|position| digest[position])
}

/// How many calls there were in a window.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// The window's number, counted from 1970 on.
    window: u64,
    calls: u32,
}

impl Gate {
    /// See [`crate::Store::admit`].
    pub(crate) fn admit(&mut self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let Admission { access_key_id, account_id, nonce, nonce_expires_at_secs, quota, now_secs } =
            *admission;
        while self.drop_expired(now_secs) {}
        let fingerprint = fingerprint(access_key_id, nonce);
        // What has expired was dropped above.
        let hash = self.hasher.hash(&fingerprint);
        if self.nonces.get(hash, |spent| spent.0 == fingerprint).is_some() {
            return Ok(Admitted::NonceUsed);
        }
        if self.nonces.len() >= NONCES_MAX {
            return Err(Error::Unavailable { source: "too many nonces are remembered".into() });
        }
        if let Some(quota) = quota
            && !self.count(account_id, &quota, now_secs)
        {
            return Ok(Admitted::OverQuota);
        }
        self.spend(fingerprint, nonce_expires_at_secs);
        Ok(Admitted::Yes)
    }

    /// Remembers a nonce until it expires.
    pub(crate) fn spend(&mut self, fingerprint: Fingerprint, expires_at_secs: u64) {
        let Self { hasher, nonces, expiries, .. } = self;
        let hash = hasher.hash(&fingerprint);
        // A directory may still have it from the first time, when it is spent for the second.
        let is_as_long = |spent: &Nonce| spent.0 == fingerprint && spent.1 >= expires_at_secs;
        if nonces.get(hash, is_as_long).is_some() {
            return;
        }
        let is_same = |one: &Nonce, other: &Nonce| one.0 == other.0;
        let hash_of = |spent: &Nonce| hasher.hash(&spent.0);
        nonces.put(hash, (fingerprint, expires_at_secs), is_same, hash_of);
        expiries.add(expires_at_secs, fingerprint);
    }

    /// Counts a call, if there is room for it.
    fn count(&mut self, account_id: &str, quota: &Quota<'_>, now_secs: u64) -> bool {
        let window = now_secs / quota.window_secs.max(1);
        let of_account = self.tallies.entry(account_id.to_owned()).or_default();
        let tally = of_account.entry(quota.action.to_owned()).or_default();
        if tally.window != window {
            *tally = Tally { window, calls: 0 };
        }
        if tally.calls >= quota.calls_max {
            return false;
        }
        tally.calls += 1;
        true
    }

    /// Forgets some of the nonces whose time is up. Yields whether there may be more.
    pub(crate) fn drop_expired(&mut self, now_secs: u64) -> bool {
        let Some((secs, expired)) = self.expiries.take(now_secs) else { return false };
        for fingerprint in expired {
            let hash = self.hasher.hash(&fingerprint);
            self.nonces.remove(hash, |spent| *spent == (fingerprint, secs));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(nonce: &str, now_secs: u64) -> Admission<'_> {
        let nonce_expires_at_secs = now_secs + 901;
        Admission {
            access_key_id: "k",
            account_id: "1",
            nonce,
            nonce_expires_at_secs,
            quota: None,
            now_secs,
        }
    }

    #[test]
    fn what_has_expired_takes_no_room() {
        let mut gate = Gate::default();
        for second in 0..10_000_u64 {
            let nonces = (0..3).map(|number| format!("{second}-{number}"));
            for nonce in nonces {
                assert_eq!(gate.admit(&admission(&nonce, second)).unwrap(), Admitted::Yes);
            }
        }
        // What was spent at second 9099 expires at 10,000; the last admission was at 9999.
        assert_eq!(gate.nonces.len(), 901 * 3);
        assert_eq!(gate.expiries.len(), 901);
        while gate.drop_expired(u64::MAX) {}
        assert_eq!((gate.nonces.len(), gate.expiries.len()), (0, 0));
    }

    #[test]
    fn a_nonce_that_is_spent_twice_is_remembered_until_the_later_time() {
        let fingerprint = fingerprint("k", "n");
        for times in [[10, 20], [20, 10]] {
            let mut gate = Gate::default();
            for secs in times {
                gate.spend(fingerprint, secs);
            }
            let at = |now_secs| Admission { nonce_expires_at_secs: 99, ..admission("n", now_secs) };
            assert_eq!(gate.admit(&at(19)).unwrap(), Admitted::NonceUsed);
            assert_eq!(gate.admit(&at(20)).unwrap(), Admitted::Yes);
        }
    }

    #[test]
    fn a_key_and_a_nonce_are_told_from_another_key_and_nonce_of_the_same_letters() {
        let mut gate = Gate::default();
        let split = |access_key_id, nonce| Admission { access_key_id, ..admission(nonce, 0) };
        assert_eq!(gate.admit(&split("ab", "c")).unwrap(), Admitted::Yes);
        assert_eq!(gate.admit(&split("a", "bc")).unwrap(), Admitted::Yes);
        assert_eq!(gate.admit(&split("ab", "c")).unwrap(), Admitted::NonceUsed);
    }
}
