//! How many nonces a process remembers at most.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many nonces may be remembered at once: by one account in one store, and by all stores that
/// share the budget. A nonce takes some 80 bytes. Forgetting one too early would let a call be played
/// back, so beyond the budget no call is let in until some are forgotten.
#[derive(Clone, Debug)]
pub struct NonceBudget {
    remembered: Arc<AtomicUsize>,
    in_all: usize,
    pub(crate) of_account: usize,
}

impl NonceBudget {
    /// Four million in all, some 320 MB.
    pub const IN_ALL: usize = 1 << 22;

    /// A million of an account: 560 calls a second, as a nonce is remembered for 31 minutes.
    pub const OF_ACCOUNT: usize = 1 << 20;

    /// A budget of `in_all` nonces, of which an account may use up `of_account` in a store.
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

/// What a store has taken of a budget. It gives all of it back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    budget: NonceBudget,
    taken: usize,
}

impl Share {
    /// Nothing taken yet.
    pub(crate) fn of(budget: NonceBudget) -> Self {
        Self { budget, taken: 0 }
    }

    pub(crate) fn budget(&self) -> &NonceBudget {
        &self.budget
    }

    /// Whether the budget is used up, by this store and the others.
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

/// The accounts of a store by number, with how many nonces of each are forgotten when.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    numbers: HashMap<String, u32>,
    forgetting: Vec<Forgetting>,
}

/// How many nonces of an account are forgotten in which second, the earliest first.
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

    /// When the oldest nonce of an account is forgotten, if it has as many as it may.
    pub(crate) fn full_until_secs(&self, number: u32, nonces_max: usize) -> Option<u64> {
        let of_account = self.forgetting.get(number as usize)?;
        let (oldest_secs, _) = of_account.seconds.front()?;
        (of_account.nonces >= nonces_max).then_some(*oldest_secs)
    }

    /// Notes that one more is forgotten in this second, which is not before any that was noted.
    pub(crate) fn add(&mut self, number: u32, forgotten_at_secs: u64) {
        let Some(of_account) = self.forgetting.get_mut(number as usize) else { return };
        of_account.nonces += 1;
        match of_account.seconds.back_mut() {
            Some((secs, nonces)) if *secs == forgotten_at_secs => *nonces += 1,
            _ => of_account.seconds.push_back((forgotten_at_secs, 1)),
        }
    }

    /// Takes back that one is forgotten in this second.
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
