//! The calls of clients and their answers, compared with the state after a kill.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use harness::answer::Answer;
use harness::client::Wire;
use serde_json::Value;
use suites::support::{ALREADY_EXISTED, BUSY, Outcome, SCOPE, refused};

use super::{ADDRESSES, Random};

/// How many recent addresses are tried again, so that clients compete for them.
const RECENT_ADDRESSES: usize = 12;
/// How many recent attempts are repeated, so that clients compete for them as well.
const RECENT_ATTEMPTS: usize = 16;
/// One in so many calls repeats an attempt.
const CALLS_PER_REPETITION: usize = 6;

/// The id of the address with this number.
pub(super) fn address_id(number: usize) -> String {
    format!("ipv6-{number}")
}

/// A purchase under a token of its own, tried by one call or more.
pub(super) struct Attempt {
    pub(super) token: String,
    pub(super) address: String,
    /// In Mbit/s.
    pub(super) bandwidth_mbps: usize,
    /// Its outcome, if a client got it or a restart showed it.
    pub(super) got: Option<Outcome>,
    /// Its calls in this round.
    calls: Vec<Wire>,
}

/// A bandwidth, as its address or its token shows it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Purchase {
    address: String,
    id: String,
    bandwidth_mbps: String,
}

/// All attempts.
#[derive(Default)]
pub(super) struct Ledger {
    attempts: Vec<Attempt>,
    /// The first attempt at an address of the current world.
    first_of_world: usize,
    /// The first attempt since the last kill.
    first_of_round: usize,
    /// The number of the first address of the world.
    first_address: usize,
    /// The number of the next address to try.
    next_address: usize,
    /// The attempt that bought each bandwidth, by the bandwidth's id.
    ids: BTreeMap<String, usize>,
    /// The attempts of the calls that have no answer yet.
    awaiting: Vec<usize>,
    acknowledged: usize,
    refused: usize,
    unanswered: usize,
    found_whole: usize,
}

impl Ledger {
    pub(super) fn attempt(&self, number: usize) -> &Attempt {
        &self.attempts[number]
    }

    /// Chooses the next call: mostly a new attempt, at an address that others may try as well.
    pub(super) fn choose(&mut self, random: &mut Random) -> usize {
        let recent = RECENT_ATTEMPTS.min(self.attempts.len() - self.first_of_world);
        if recent > 0 && random.below(CALLS_PER_REPETITION) == 0 {
            return self.attempts.len() - 1 - random.below(recent);
        }
        self.next_address = (self.next_address + 1).min(self.first_address + ADDRESSES);
        let recent = RECENT_ADDRESSES.min(self.next_address - self.first_address);
        let address = self.next_address - 1 - random.below(recent);
        let number = self.attempts.len();
        self.attempts.push(Attempt {
            token: format!("token-{number}"),
            address: address_id(address),
            bandwidth_mbps: 1 + random.below(1000),
            got: None,
            calls: Vec::new(),
        });
        number
    }

    /// Records that a call is sent.
    pub(super) fn send(&mut self, number: usize, wire: &Wire) {
        self.awaiting.push(number);
        self.attempts[number].calls.push(wire.clone());
    }

    /// Records the answer to a call, which must equal earlier answers to its attempt.
    pub(super) fn answered(&mut self, number: usize, answer: &Answer) {
        let position = self.awaiting.iter().position(|awaiting| *awaiting == number);
        self.awaiting.swap_remove(position.unwrap());
        let body = answer.read().unwrap();
        if answer.status == 200 {
            self.acknowledged += 1;
            let id = body.text("InternetBandwidthId").unwrap();
            assert_eq!(body.text("Ipv6AddressId"), Some(&*self.attempts[number].address));
            self.note(number, &Outcome::Bought(id.to_owned()));
            return;
        }
        self.refused += 1;
        match body.text("Code").unwrap() {
            BUSY => {}
            ALREADY_EXISTED => self.note(number, &refused(ALREADY_EXISTED)),
            _ => panic!("{answer:?}"),
        }
    }

    fn note(&mut self, number: usize, got: &Outcome) {
        if let Outcome::Bought(id) = got {
            let buyer = *self.ids.entry(id.clone()).or_insert(number);
            assert_eq!(buyer, number, "{id} was bought twice");
        }
        let attempt = &mut self.attempts[number];
        let known = attempt.got.get_or_insert_with(|| got.clone());
        assert_eq!(known, got, "{} was answered otherwise before", attempt.token);
    }

    /// Compares a world found after a kill with the answers before it.
    pub(super) fn check(&mut self, world: &Value) {
        let of_addresses = purchases_of_addresses(world);
        let of_tokens = purchases_of_tokens(world);
        let purchases: BTreeSet<&Purchase> = of_tokens.values().collect();
        // An address and a token that were not written together show here.
        let halves: Vec<_> =
            purchases.symmetric_difference(&of_addresses.values().collect()).copied().collect();
        assert!(halves.is_empty(), "there in part: {halves:?}");
        assert_eq!(purchases.len(), of_tokens.len(), "two tokens bought one bandwidth");
        let ids: BTreeSet<&String> = purchases.iter().map(|purchase| &purchase.id).collect();
        assert_eq!(ids.len(), purchases.len(), "two addresses have one bandwidth");
        let mut known = 0;
        for number in self.first_of_world..self.attempts.len() {
            let attempt = &self.attempts[number];
            let Attempt { token, address, got, .. } = attempt;
            let Some(found) = of_tokens.get(token) else {
                match got {
                    Some(Outcome::Bought(id)) => {
                        panic!("{id} of {token} was acknowledged and is lost")
                    }
                    Some(Outcome::Refused(_) | Outcome::Done) => {
                        let is_there = of_addresses.contains_key(address);
                        assert!(is_there, "what {token} was refused for, at {address}, is lost");
                    }
                    None => {}
                }
                continue;
            };
            known += 1;
            let bandwidth_mbps = attempt.bandwidth_mbps.to_string();
            let expected =
                Purchase { address: address.clone(), id: found.id.clone(), bandwidth_mbps };
            assert_eq!(*found, expected, "{token} was not made for this");
            self.found_whole += usize::from(got.is_none());
            self.note(number, &Outcome::Bought(found.id.clone()));
        }
        assert_eq!(known, of_tokens.len(), "there is a token that no call sent");
    }

    /// The attempts to repeat: those of calls without an answer, and so many others.
    pub(super) fn take_to_repeat(&mut self, others: usize, random: &mut Random) -> Vec<usize> {
        let unanswered = std::mem::take(&mut self.awaiting);
        self.unanswered += unanswered.len();
        let count = self.attempts.len() - self.first_of_world;
        let others = (0..others).map(|_| self.first_of_world + random.below(count));
        unanswered.into_iter().chain(others).collect()
    }

    /// So many of the last calls before the kill that are known to have bought something.
    pub(super) fn to_replay(&self, calls: usize) -> Vec<Wire> {
        let all = self.attempts[self.first_of_round..].iter().rev();
        let sole = all.filter_map(|attempt| match (&attempt.calls[..], &attempt.got) {
            ([call], Some(Outcome::Bought(_))) => Some(call.clone()),
            _ => None,
        });
        sole.take(calls).collect()
    }

    /// Ends a round. If half of the addresses have been tried, returns the numbers of new ones.
    pub(super) fn end_round(&mut self) -> Option<Range<usize>> {
        for attempt in &mut self.attempts[self.first_of_world..] {
            attempt.calls.clear();
        }
        self.first_of_round = self.attempts.len();
        if self.next_address - self.first_address < ADDRESSES / 2 {
            return None;
        }
        self.first_of_world = self.attempts.len();
        self.first_address += ADDRESSES;
        self.next_address = self.first_address;
        Some(self.first_address..self.first_address + ADDRESSES)
    }

    /// The bandwidths of the addresses of the world, as answers or restarts showed them.
    pub(super) fn bought(&self) -> Vec<(String, String)> {
        let all = self.attempts[self.first_of_world..].iter();
        let bought = all.filter_map(|attempt| match &attempt.got {
            Some(Outcome::Bought(id)) => Some((attempt.address.clone(), id.clone())),
            Some(Outcome::Refused(_) | Outcome::Done) | None => None,
        });
        bought.collect()
    }

    /// Summarises the run, and asserts that it covered something.
    pub(super) fn summary(&self) -> String {
        let Self { acknowledged, refused, unanswered, found_whole, .. } = self;
        assert!([acknowledged, refused, unanswered].iter().all(|count| **count > 0));
        format!(
            "{acknowledged} acknowledged, {refused} refused, {unanswered} unanswered, of which \
             {found_whole} were found whole"
        )
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The bandwidths, by address.
fn purchases_of_addresses(world: &Value) -> BTreeMap<String, Purchase> {
    let addresses = world["Accounts"][SCOPE.account_id]["Ipv6Addresses"].as_object().unwrap();
    assert_eq!(addresses.len(), ADDRESSES, "addresses are lost");
    let purchase = |(id, address): (&String, &Value)| {
        let bandwidth = &address["Ipv6InternetBandwidth"];
        let address = id.clone();
        let id = bandwidth["Ipv6InternetBandwidthId"].as_str()?.to_owned();
        let bandwidth_mbps = bandwidth["Bandwidth"].to_string();
        Some((address.clone(), Purchase { address, id, bandwidth_mbps }))
    };
    addresses.iter().filter_map(purchase).collect()
}

/// The bandwidths, by the token that bought each.
fn purchases_of_tokens(world: &Value) -> BTreeMap<String, Purchase> {
    let tokens = world["Accounts"][SCOPE.account_id]["ClientTokens"].as_object();
    let purchase = |(id, token): (&String, &Value)| {
        let (parameters, answer) = (&token["Parameters"], &token["Answer"]);
        assert_eq!(parameters["Ipv6AddressId"], answer["Ipv6AddressId"], "{token}");
        let purchase = Purchase {
            address: text(&answer["Ipv6AddressId"]),
            id: text(&answer["InternetBandwidthId"]),
            bandwidth_mbps: text(&parameters["Bandwidth"]),
        };
        (id.rsplit('/').next().unwrap().to_owned(), purchase)
    };
    tokens.into_iter().flatten().map(purchase).collect()
}
