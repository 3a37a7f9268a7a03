//! The used nonces and the counted calls of a store in one process.
//!
//! Whether a nonce has expired depends on the clock of the call that uses it. When a nonce is dropped
//! depends on a monotonic clock. So neither a call with a later clock nor a step of the clock makes
//! the nonce of another call usable again.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Instant;

use crate::expiries::Expiries;
use crate::nonce::digest;
use crate::nonce_budget::{Accounts, Share};
use crate::shards::{Hasher, Shards};
use crate::{Admission, Admitted, Error, NonceBudget, Quota};

/// How long a nonce is kept, in seconds: a timestamp may be 15 minutes ahead, and is valid for 15
/// minutes after that.
const KEPT_SECS: u64 = 31 * 60;

/// The used nonces and the counted calls.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    hasher: Hasher,
    share: Share,
    nonces: Shards<Nonce>,
    forgetting: Expiries<Fingerprint>,
    accounts: Accounts,
    /// By account and action.
    tallies: HashMap<String, HashMap<String, Vec<Tally>>>,
}

/// A used nonce.
#[derive(Debug)]
struct Nonce {
    fingerprint: Fingerprint,
    /// The time from which on the nonce can be used again, by the clock of the call that uses it.
    expires_at_secs: u64,
    /// The time at which the nonce is dropped, by [`elapsed_secs`]: in four bytes, for millions are
    /// kept.
    forgotten_at_secs: u32,
    /// The number of the account.
    account: u32,
}

/// Half of the hash of an access key and a nonce: millions are kept.
pub(crate) type Fingerprint = [u8; 16];

/// The fingerprint of an access key and a nonce.
pub(crate) fn fingerprint(access_key_id: &str, nonce: &str) -> Fingerprint {
    let digest = digest(access_key_id, nonce);
    std::array::from_fn(|position| digest[position])
}

/// The seconds since the process started, by the monotonic clock.
pub(crate) fn elapsed_secs() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "it decides no answer, only when a nonce is dropped"
    )]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs()
}

/// The number of calls in a window.
#[derive(Clone, Copy, Debug)]
struct Tally {
    window_secs: u64,
    /// The window's number, counted from 1970 on.
    window: u64,
    calls: u32,
    /// As in [`Nonce`].
    forgotten_at_secs: u64,
}

impl Gate {
    /// An empty gate with the same budget.
    pub(crate) fn emptied(&self) -> Self {
        Self { share: Share::of(self.share.budget().clone()), ..Self::default() }
    }

    /// Switches to this budget.
    pub(crate) fn draw_on(&mut self, budget: &NonceBudget) {
        self.share = Share::of(budget.clone());
        self.share.take(self.nonces.len());
    }

    /// See [`crate::Store::admit`]; `elapsed_secs` is the time of the monotonic clock.
    pub(crate) fn admit(
        &mut self,
        admission: &Admission<'_>,
        elapsed_secs: u64,
    ) -> Result<Admitted, Error> {
        let Admission { access_key_id, account_id, nonce, nonce_expires_at_secs, quota, now_secs } =
            *admission;
        while self.forget(elapsed_secs) {}
        let fingerprint = fingerprint(access_key_id, nonce);
        let hash = self.hasher.hash(&fingerprint);
        let is_spent =
            |spent: &Nonce| spent.fingerprint == fingerprint && now_secs < spent.expires_at_secs;
        if self.nonces.get(hash, is_spent).is_some() {
            return Ok(Admitted::NonceUsed);
        }
        let (account, nonces_max) =
            (self.accounts.number(account_id), self.share.budget().of_account);
        if let Some(until_secs) = self.accounts.full_until_secs(account, nonces_max) {
            let wait_secs = until_secs.saturating_sub(elapsed_secs);
            return Ok(Admitted::TooManyNonces { nonces_max, wait_secs });
        }
        if self.share.is_used_up() {
            return Err(Error::Unavailable { source: "the budget of nonces is used up".into() });
        }
        if let Some(quota) = quota
            && !self.count(account_id, &quota, now_secs, elapsed_secs)
        {
            return Ok(Admitted::OverQuota);
        }
        self.remember(hash, fingerprint, account, nonce_expires_at_secs, elapsed_secs);
        Ok(Admitted::Yes)
    }

    /// Keeps a used nonce of an account until its call can no longer be valid.
    #[cfg(any(feature = "embedded", test))]
    pub(crate) fn spend(
        &mut self,
        fingerprint: Fingerprint,
        account_id: &str,
        expires_at_secs: u64,
        elapsed_secs: u64,
    ) {
        let (hash, account) = (self.hasher.hash(&fingerprint), self.accounts.number(account_id));
        self.remember(hash, fingerprint, account, expires_at_secs, elapsed_secs);
    }

    fn remember(
        &mut self,
        hash: u64,
        fingerprint: Fingerprint,
        account: u32,
        expires_at_secs: u64,
        elapsed_secs: u64,
    ) {
        let Self { hasher, nonces, .. } = self;
        let is_it = |spent: &Nonce| spent.fingerprint == fingerprint;
        // A nonce can be used twice: a directory may have it from before it expired.
        let known_until_secs = nonces.get(hash, is_it).map_or(0, |spent| spent.expires_at_secs);
        let forgotten_at_secs = elapsed_secs.saturating_add(KEPT_SECS);
        let expires_at_secs = expires_at_secs.max(known_until_secs);
        let spent = Nonce {
            fingerprint,
            expires_at_secs,
            forgotten_at_secs: u32::try_from(forgotten_at_secs).unwrap_or(u32::MAX),
            account,
        };
        let former = nonces.put(hash, spent, is_it, |spent| hasher.hash(&spent.fingerprint));
        self.share.take(1);
        self.accounts.add(account, forgotten_at_secs);
        self.forgetting.add(forgotten_at_secs, fingerprint);
        if let Some(former) = former {
            self.forgot(&former);
        }
    }

    fn forgot(&mut self, forgotten: &Nonce) {
        self.share.give_back(1);
        self.accounts.remove(forgotten.account, forgotten.forgotten_at_secs.into());
    }

    /// Counts a call; `false` if the quota is used up.
    fn count(
        &mut self,
        account_id: &str,
        quota: &Quota<'_>,
        now_secs: u64,
        elapsed_secs: u64,
    ) -> bool {
        let Quota { action, calls_max, window_secs } = *quota;
        let window = now_secs / window_secs.max(1);
        let of_account = self.tallies.entry(account_id.to_owned()).or_default();
        let tallies = of_account.entry(action.to_owned()).or_default();
        tallies.retain(|tally| elapsed_secs < tally.forgotten_at_secs);
        let is_of_window =
            |tally: &Tally| (tally.window_secs, tally.window) == (window_secs, window);
        let position = tallies.iter().position(is_of_window).unwrap_or_else(|| {
            let forgotten_at_secs =
                elapsed_secs.saturating_add(KEPT_SECS).saturating_add(window_secs);
            tallies.push(Tally { window_secs, window, calls: 0, forgotten_at_secs });
            tallies.len() - 1
        });
        let tally = &mut tallies[position];
        if tally.calls >= calls_max {
            return false;
        }
        tally.calls += 1;
        true
    }

    /// Drops some of the nonces whose calls can no longer be valid. Returns whether there may be more.
    pub(crate) fn forget(&mut self, elapsed_secs: u64) -> bool {
        let Some((secs, forgotten)) = self.forgetting.take(elapsed_secs) else { return false };
        for fingerprint in forgotten {
            let hash = self.hasher.hash(&fingerprint);
            // A nonce that was used again is kept for longer.
            let is_it = |spent: &Nonce| {
                spent.fingerprint == fingerprint && u64::from(spent.forgotten_at_secs) == secs
            };
            if let Some(forgotten) = self.nonces.remove(hash, is_it) {
                self.forgot(&forgotten);
            }
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
    fn dropped_nonces_and_counters_take_no_memory() {
        let mut gate = Gate::default();
        for second in 0..10_000_u64 {
            let nonces = (0..3).map(|number| format!("{second}-{number}"));
            for nonce in nonces {
                // The call's clock does not move.
                assert_eq!(gate.admit(&admission(&nonce, 7), second).unwrap(), Admitted::Yes);
            }
        }
        assert_eq!((gate.nonces.len(), gate.forgetting.len()), (31 * 60 * 3, 31 * 60));
        while gate.forget(u64::MAX) {}
        assert_eq!((gate.nonces.len(), gate.forgetting.len()), (0, 0));
    }

    #[test]
    fn a_nonce_expires_by_the_clock_of_the_call_that_uses_it() {
        let mut gate = Gate::default();
        let life = |now_secs| Admission { nonce_expires_at_secs: 901, ..admission("n", now_secs) };
        assert_eq!(gate.admit(&life(0), 0).unwrap(), Admitted::Yes);
        // Meanwhile there are calls with later clocks, one of them a day ahead.
        for (nonce, now_secs) in [("o", 901), ("p", 86_400)] {
            assert_eq!(gate.admit(&admission(nonce, now_secs), 1).unwrap(), Admitted::Yes);
        }
        assert_eq!(gate.admit(&life(900), 2).unwrap(), Admitted::NonceUsed);
        assert_eq!(gate.admit(&life(0), 31 * 60 - 1).unwrap(), Admitted::NonceUsed);
        assert_eq!(gate.admit(&life(901), 3).unwrap(), Admitted::Yes);
    }

    #[test]
    fn a_nonce_used_twice_is_kept_until_the_later_time() {
        let fingerprint = fingerprint("k", "n");
        for times in [[10, 20], [20, 10]] {
            let mut gate = Gate::default();
            for (expires_at_secs, elapsed_secs) in times.into_iter().zip([0, 100]) {
                gate.spend(fingerprint, "1", expires_at_secs, elapsed_secs);
            }
            let at = |now_secs| Admission { nonce_expires_at_secs: 99, ..admission("n", now_secs) };
            assert_eq!(gate.admit(&at(19), 31 * 60 + 99).unwrap(), Admitted::NonceUsed);
            assert_eq!(gate.admit(&at(20), 31 * 60 + 99).unwrap(), Admitted::Yes);
        }
    }

    #[test]
    fn a_window_keeps_its_count_while_others_are_counted() {
        let mut gate = Gate::default();
        let mut admit = |nonce, now_secs, window_secs, elapsed_secs| {
            let quota = Some(Quota { action: "Act", calls_max: 1, window_secs });
            gate.admit(&Admission { quota, ..admission(nonce, now_secs) }, elapsed_secs).unwrap()
        };
        assert_eq!(admit("1", 60, 60, 0), Admitted::Yes);
        // A later window, an earlier one, and one of another length.
        assert_eq!(admit("2", 120, 60, 0), Admitted::Yes);
        assert_eq!(admit("3", 59, 60, 0), Admitted::Yes);
        assert_eq!(admit("4", 61, 61, 0), Admitted::Yes);
        for now_secs in [60, 120, 0] {
            assert_eq!(admit("5", now_secs, 60, 1), Admitted::OverQuota, "{now_secs}");
        }
        assert_eq!(admit("5", 60, 60, 32 * 60), Admitted::Yes, "the nonce was dropped");
    }

    #[test]
    fn nonces_are_limited_per_account_and_for_all_stores_together() {
        let budget = NonceBudget::new(5, 3);
        let gate = || {
            let mut gate = Gate::default();
            gate.draw_on(&budget);
            gate
        };
        let (mut first, mut second) = (gate(), gate());
        let of = |account_id, nonce| Admission { account_id, ..admission(nonce, 0) };
        for (nonce, elapsed_secs) in [("a", 0), ("b", 10), ("c", 10)] {
            assert_eq!(first.admit(&of("1", nonce), elapsed_secs).unwrap(), Admitted::Yes);
        }
        // The account must wait; a nonce that it has used is still refused as used.
        let full = Admitted::TooManyNonces { nonces_max: 3, wait_secs: KEPT_SECS - 11 };
        assert_eq!(first.admit(&of("1", "d"), 11).unwrap(), full);
        assert_eq!(first.admit(&of("1", "a"), 11).unwrap(), Admitted::NonceUsed);
        // Other accounts and stores have the rest of the budget.
        assert_eq!(first.admit(&of("2", "d"), 11).unwrap(), Admitted::Yes);
        assert_eq!(second.admit(&of("1", "d"), 11).unwrap(), Admitted::Yes);
        assert!(second.admit(&of("2", "e"), 11).is_err());
        // Dropping nonces, emptying a gate and dropping a gate free the budget.
        assert_eq!(first.admit(&of("1", "e"), KEPT_SECS).unwrap(), Admitted::Yes);
        let full = Admitted::TooManyNonces { nonces_max: 3, wait_secs: 10 };
        assert_eq!(first.admit(&of("1", "f"), KEPT_SECS).unwrap(), full);
        assert!(second.admit(&of("2", "e"), KEPT_SECS).is_err());
        first = first.emptied();
        for nonce in ["a", "b", "c"] {
            assert_eq!(first.admit(&of("1", nonce), KEPT_SECS).unwrap(), Admitted::Yes);
        }
        drop(first);
        for nonce in ["e", "f"] {
            assert_eq!(second.admit(&of("2", nonce), KEPT_SECS).unwrap(), Admitted::Yes);
        }
    }

    #[test]
    fn pairs_of_key_and_nonce_with_the_same_concatenation_have_different_fingerprints() {
        let mut gate = Gate::default();
        let split = |access_key_id, nonce| Admission { access_key_id, ..admission(nonce, 0) };
        assert_eq!(gate.admit(&split("ab", "c"), 0).unwrap(), Admitted::Yes);
        assert_eq!(gate.admit(&split("a", "bc"), 0).unwrap(), Admitted::Yes);
        assert_eq!(gate.admit(&split("ab", "c"), 0).unwrap(), Admitted::NonceUsed);
    }
}
