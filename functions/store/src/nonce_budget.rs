//! Limits of the number of nonces in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most nonces in memory: of one account in one store, and of all stores that share the budget. A
/// nonce takes some 80 bytes. Dropping one too early would allow a replay, so beyond the budget no
/// call is admitted until nonces expire.
#[derive(Clone, Debug)]
pub struct NonceBudget {
    remembered: Arc<AtomicUsize>,
    in_all: usize,
    pub(crate) of_account: usize,
}

impl NonceBudget {
    /// Four million in total, some 320 MB.
    pub const IN_ALL: usize = 1 << 22;

    /// A million per account: 560 calls a second, for a nonce is kept for 31 minutes.
    pub const OF_ACCOUNT: usize = 1 << 20;

    /// A budget of `in_all` nonces in total and `of_account` nonces per account and store.
    #[must_use]
    pub fn new(in_all: usize, of_account: usize) -> Self {
        Self { remembered: Arc::default(), in_all, of_account }
    }
}

impl Default for NonceBudget {
    fn default() -> Self {
        Self::new(Self::IN_ALL, Self::OF_ACCOUNT)
    }
}

/// A store's share of a budget, given back on drop.
#[derive(Debug, Default)]
pub(crate) struct Share {
    budget: NonceBudget,
    taken: usize,
}

impl Share {
    /// An empty share.
    pub(crate) fn of(budget: NonceBudget) -> Self {
        Self { budget, taken: 0 }
    }

    pub(crate) fn budget(&self) -> &NonceBudget {
        &self.budget
    }

    /// Whether all stores together have used up the budget.
    pub(crate) fn is_used_up(&self) -> bool {
        self.budget.remembered.load(Ordering::Relaxed) >= self.budget.in_all
    }

    pub(crate) fn take(&mut self, nonces: usize) {
        self.taken += nonces;
        self.budget.remembered.fetch_add(nonces, Ordering::Relaxed);
    }

    pub(crate) fn give_back(&mut self, nonces: usize) {
        self.taken -= nonces;
        self.budget.remembered.fetch_sub(nonces, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.taken);
    }
}

/// The accounts of a store by number, and the number of each account's nonces by expiry.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    numbers: HashMap<String, u32>,
    forgetting: Vec<Forgetting>,
}

/// The number of an account's nonces by the second in which they are dropped, in order.
#[derive(Debug, Default)]
struct Forgetting {
    seconds: VecDeque<(u64, usize)>,
    nonces: usize,
}

impl Accounts {
    /// The number of an account.
    pub(crate) fn number(&mut self, account_id: &str) -> u32 {
        if let Some(number) = self.numbers.get(account_id) {
            return *number;
        }
        let number = u32::try_from(self.forgetting.len()).unwrap_or(u32::MAX);
        self.numbers.insert(account_id.to_owned(), number);
        self.forgetting.push(Forgetting::default());
        number
    }

    /// The time at which an account's oldest nonce is dropped, if the account has `nonces_max`.
    pub(crate) fn full_until_secs(&self, number: u32, nonces_max: usize) -> Option<u64> {
        let of_account = self.forgetting.get(number as usize)?;
        let (oldest_secs, _) = of_account.seconds.front()?;
        (of_account.nonces >= nonces_max).then_some(*oldest_secs)
    }

    /// Counts a nonce that is dropped in this second. The seconds of successive calls must not
    /// decrease.
    pub(crate) fn add(&mut self, number: u32, forgotten_at_secs: u64) {
        let Some(of_account) = self.forgetting.get_mut(number as usize) else { return };
        of_account.nonces += 1;
        match of_account.seconds.back_mut() {
            Some((secs, nonces)) if *secs == forgotten_at_secs => *nonces += 1,
            _ => of_account.seconds.push_back((forgotten_at_secs, 1)),
        }
    }

    /// Uncounts a nonce that is dropped in this second.
    pub(crate) fn remove(&mut self, number: u32, forgotten_at_secs: u64) {
        let Some(of_account) = self.forgetting.get_mut(number as usize) else { return };
        let second = of_account.seconds.binary_search_by_key(&forgotten_at_secs, |(secs, _)| *secs);
        let Ok(position) = second else { return };
        of_account.nonces -= 1;
        of_account.seconds[position].1 -= 1;
        while of_account.seconds.front().is_some_and(|(_, nonces)| *nonces == 0) {
            of_account.seconds.pop_front();
        }
    }
}
