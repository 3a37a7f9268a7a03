//! The operator, who meanwhile changes keys, addresses, the quota, clocks and instances.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ipv6_gateway::RateLimit;
use ipv6_gateway::allocation::{
    Account, InternetBandwidthOwner, Ipv6Address, Ipv6AddressStatus, Resource,
};
use store::{
    AccessKey, AccessKeyStatus, Change, Document, Error, Holder, Key, Store as _, Version, Write,
};
use suites::support::SCOPE;

use super::{KEYS, Place, Scene, WINDOW_SECS};
use crate::address::{Event, Op};
use crate::executor::Surroundings as _;
use crate::history::KeyState;

/// How often the operator acts at most.
const ACTS_MAX: u64 = 8;

/// The outcome of a commit.
#[derive(PartialEq, Eq)]
enum Committed {
    Yes,
    /// There was nothing to commit.
    No,
    Unknown,
}

impl<P: Place> Scene<P> {
    /// Plays the operator.
    pub(crate) async fn operator(self: Arc<Self>) {
        for _ in 0..self.sim.draw(ACTS_MAX + 1) {
            self.pause().await;
            match self.sim.draw(8) {
                0..3 => self.change_key().await,
                3 => self.limit_rate().await,
                4 => self.release().await,
                5 => self.step_clock(),
                6 => self.end_instance(),
                _ => {
                    let is_troubled = self.sim.chance(600);
                    self.sim.note("table troubled or healed", || is_troubled.to_string());
                    self.place.trouble(is_troubled);
                }
            }
        }
    }

    /// Disables a key, deletes it, gives it another secret, or makes it active again.
    async fn change_key(&self) {
        let id = KEYS[self.draw_index(KEYS.len())];
        let now = self.log().keys[id].last().clone();
        let secret = match &now {
            KeyState::Active(secret) | KeyState::Inactive(secret) => secret.clone(),
            KeyState::Deleted => "testsecret".to_owned(),
        };
        let (event, state) = match (&now, self.sim.draw(4)) {
            (KeyState::Active(_), 0 | 1) => ("key disabled", KeyState::Inactive(secret)),
            (KeyState::Active(_), 2) => ("key deleted", KeyState::Deleted),
            (KeyState::Active(_), _) => {
                ("key rotated", KeyState::Active(format!("secret-{}", self.sim.draw(1000))))
            }
            _ => ("key made good again", KeyState::Active(secret)),
        };
        self.sim.note(event, || id.to_owned());
        let began = self.moment();
        // From now on another process may act on any of it.
        self.log().keys.get_mut(id).unwrap().push(state.clone(), began, u64::MAX);
        let document = |secret: &String, status| {
            let access_key = AccessKey {
                access_key_id: id.to_owned(),
                access_key_secret: secret.clone(),
                account_id: SCOPE.account_id.to_owned(),
                status,
                holder: Holder::Account,
            };
            Change::Put(Document::AccessKey(Arc::new(access_key)))
        };
        let change = match &state {
            KeyState::Active(secret) => document(secret, AccessKeyStatus::Active),
            KeyState::Inactive(secret) => document(secret, AccessKeyStatus::Inactive),
            KeyState::Deleted => Change::Delete,
        };
        let keys = [AccessKey::key(id), Account::key(SCOPE.account_id)];
        let make = |read: Vec<_>| {
            let [(_, rests_on), (account, of_account)] = read.try_into().ok()?;
            let change = Write { key: AccessKey::key(id), change: change.clone(), rests_on };
            // Every commit puts something.
            Some(vec![change, Write::put(account?, of_account)])
        };
        while self.commit(&keys, make).await != Committed::Yes {}
        let ended = self.moment();
        self.log().keys.get_mut(id).unwrap().end(ended);
    }

    /// Releases an address with its bandwidth, or gives it back.
    async fn release(&self) {
        let address_id = format!("ipv6-{}", 1 + self.sim.draw(self.addresses));
        let is_released = self.sim.chance(600);
        self.sim.note("address released or given back", || format!("{address_id} {is_released}"));
        let status =
            if is_released { Ipv6AddressStatus::Released } else { Ipv6AddressStatus::Available };
        let mut keys = vec![Ipv6Address::key(SCOPE, &address_id)];
        loop {
            let mut owner = None;
            let began = self.moment();
            let committed = self
                .commit(&keys, |read| {
                    let mut read = read.into_iter();
                    let (document, rests_on) = read.next()?;
                    let Some(Document::Resource(Resource::Ipv6Address(address))) = document else {
                        return None;
                    };
                    owner = address.ipv6_internet_bandwidth.as_ref().map(|held| {
                        InternetBandwidthOwner::key(SCOPE, &held.internet_bandwidth_id)
                    });
                    if keys.get(1) != owner.as_ref() {
                        return None;
                    }
                    let address = Ipv6Address {
                        status,
                        ipv6_internet_bandwidth: None,
                        ..Ipv6Address::clone(&address)
                    };
                    let put = Write::put(Resource::from(address), rests_on);
                    let delete = owner.clone().zip(read.next()).map(|(key, (_, rests_on))| Write {
                        key,
                        change: Change::Delete,
                        rests_on,
                    });
                    Some([put].into_iter().chain(delete).collect())
                })
                .await;
            let ended = match committed {
                Committed::Yes => Some(self.moment()),
                // The commit may have been made, and is made again.
                Committed::Unknown => None,
                // The bandwidth is known once the address was read.
                Committed::No => {
                    keys.truncate(1);
                    keys.extend(owner);
                    continue;
                }
            };
            let event = Event { op: Op::Release(is_released), began, ended, ret: None };
            self.log().operations.push((address_id.clone(), event));
            if ended.is_some() {
                return;
            }
        }
    }

    /// Commits the result of `writes` on the documents of `keys`, again after each conflict.
    async fn commit(
        &self,
        keys: &[Key],
        mut writes: impl FnMut(Vec<(Option<Document>, Option<Version>)>) -> Option<Vec<Write>>,
    ) -> Committed {
        loop {
            let store = self.place.client();
            if let Ok(read) = store.load(keys).await {
                let read = read.into_iter().map(|read| match read {
                    Some(read) => (Some(read.document), Some(read.version)),
                    None => (None, None),
                });
                let Some(writes) = writes(read.collect()) else { return Committed::No };
                match store.commit(writes).await {
                    Ok(()) => return Committed::Yes,
                    Err(Error::Unavailable { .. }) => return Committed::Unknown,
                    Err(Error::Conflict) => {}
                }
            }
            self.sim.sleep(50_000).await;
        }
    }

    /// Changes the quota, one instance after another.
    async fn limit_rate(&self) {
        self.draw_limit();
        let limit = self.log().limits.last().copied().flatten();
        for number in 0..self.ahead_secs.len() {
            let function = Arc::clone(&self.instances()[number].function);
            function.limit_rate(limit);
            self.sim.sleep(self.sim.draw(10_000)).await;
        }
    }

    /// Draws the quota of an account.
    pub(crate) fn draw_limit(&self) {
        let calls_max = if self.plan.is_troubled {
            1 + u32::try_from(self.sim.draw(6)).unwrap()
        } else {
            u32::try_from(self.plan.clients).unwrap()
        };
        let is_limited = !self.plan.is_troubled || self.sim.chance(600);
        let rate = is_limited.then_some(RateLimit { calls_max, window_secs: WINDOW_SECS });
        self.sim.note("quota", || format!("{rate:?}"));
        self.log().limits.push(rate);
    }

    /// Sets the clock of an instance, mostly so that timestamps are at the edge of the accepted
    /// times.
    pub(crate) fn step_clock(&self) {
        let number = self.draw_index(self.ahead_secs.len());
        let secs = match self.sim.draw(4) {
            0 => 0,
            1 => i64::try_from(self.sim.draw(5)).unwrap() - 2,
            _ => {
                let secs = i64::try_from(899 + self.sim.draw(3)).unwrap();
                if self.sim.chance(500) { secs } else { -secs }
            }
        };
        self.sim.note("clock set", || format!("of {number}: {secs} s ahead"));
        self.ahead_secs[number].store(secs, Ordering::Relaxed);
    }

    /// Ends an instance and starts another in its place, or all instances if they share a process.
    fn end_instance(&self) {
        let count = self.ahead_secs.len();
        let ending = if self.place.crash() {
            0..count
        } else {
            let number = self.draw_index(count);
            number..number + 1
        };
        for number in ending {
            self.sim.note("instance ended", || number.to_string());
            let started = self.start(number);
            let ended = std::mem::replace(&mut self.instances()[number], started);
            ended.ends.notify_waiters();
        }
    }
}
