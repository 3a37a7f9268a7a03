//! An address as a sequence of calls sees it, and the search for an order of calls that explains
//! all answers.

use std::collections::{BTreeMap, HashSet};

use suites::linearizability::address::MISMATCH;
use suites::support::ALREADY_EXISTED;

/// An operation on an address. A token is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Op {
    Allocate {
        token: Option<u64>,
        mbps: u16,
    },
    Modify {
        token: Option<u64>,
        mbps: u16,
    },
    Delete {
        token: Option<u64>,
    },
    /// A dry run of an allocation.
    DryRun {
        mbps: u16,
    },
    /// By the id of the address, or in a list of all.
    Describe {
        is_listed: bool,
    },
    /// The operator releases the address, or gives it back.
    Release(bool),
}

/// The answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ret {
    Bought(String),
    Done,
    Refused(String),
    /// The bandwidth's id and size.
    Shows(Option<(String, u16)>),
}

/// The state of an address. A bandwidth is a number, because its id may never have been answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Address {
    is_released: bool,
    held: Option<(usize, u16)>,
    ids: Vec<Option<String>>,
    /// The requests that tokens remember, with their answers.
    tokens: BTreeMap<(u8, u64), (u16, Option<usize>)>,
}

const RELEASED: &str = "ResourceNotFound.Ipv6Address";
const NOT_FOUND: &str = "InvalidIpv6Instance.NotFound";

impl Op {
    /// Whether it changes anything.
    pub(crate) fn changes(self) -> bool {
        !matches!(self, Self::DryRun { .. } | Self::Describe { .. })
    }
}

impl Address {
    /// Applies `op`, and returns whether its answer may be `ret`. `None`: the answer is unknown.
    fn step(&mut self, op: Op, ret: Option<&Ret>) -> bool {
        let refused = |code: &str| ret.is_none_or(|ret| *ret == Ret::Refused(code.to_owned()));
        let done = || ret.is_none_or(|ret| *ret == Ret::Done);
        let (kind, token, mbps) = match op {
            Op::Allocate { token, mbps } => (0, token, mbps),
            Op::Modify { token, mbps } => (1, token, mbps),
            Op::Delete { token } => (2, token, 0),
            Op::Describe { .. } => {
                return match (self.held, ret) {
                    (_, None) => true,
                    (None, Some(ret)) => *ret == Ret::Shows(None),
                    (Some((number, held)), Some(Ret::Shows(Some((id, mbps))))) => {
                        held == *mbps && self.is_id(number, id)
                    }
                    _ => false,
                };
            }
            Op::DryRun { .. } => {
                return match (self.is_released, self.held) {
                    (true, _) => refused(RELEASED),
                    (false, Some(_)) => refused(ALREADY_EXISTED),
                    (false, None) => refused("DryRunOperation"),
                };
            }
            Op::Release(is_released) => {
                self.is_released = is_released;
                self.held = None;
                return true;
            }
        };
        if let Some((asked, bought)) = token.and_then(|token| self.tokens.get(&(kind, token))) {
            return match (*bought, ret) {
                _ if *asked != mbps => refused(MISMATCH),
                (Some(number), Some(Ret::Bought(id))) => self.is_id(number, id),
                (Some(_), ret) => ret.is_none(),
                (None, _) => done(),
            };
        }
        let bought = match (kind, self.is_released, self.held) {
            (0, true, _) => return refused(RELEASED),
            (0, false, Some(_)) => return refused(ALREADY_EXISTED),
            (0, false, None) => {
                self.ids.push(None);
                let number = self.ids.len() - 1;
                self.held = Some((number, mbps));
                Some(number)
            }
            (_, true, _) => return refused(NOT_FOUND),
            (_, false, None) => return refused("OperationFailed.InternetBandwidthNonExist"),
            (1, false, Some((number, _))) => {
                self.held = Some((number, mbps));
                None
            }
            (_, false, Some(_)) => {
                self.held = None;
                None
            }
        };
        if let Some(token) = token {
            self.tokens.insert((kind, token), (mbps, bought));
        }
        match (bought, ret) {
            (Some(number), Some(Ret::Bought(id))) => self.is_id(number, id),
            (Some(_), ret) => ret.is_none(),
            (None, _) => done(),
        }
    }

    /// Whether `id` can be that of a bandwidth; if so, it is from now on.
    fn is_id(&mut self, number: usize, id: &str) -> bool {
        let others = self.ids.iter().enumerate();
        let is_free =
            others.clone().all(|(other, known)| other == number || known.as_deref() != Some(id));
        is_free && self.ids[number].get_or_insert_with(|| id.to_owned()) == id
    }
}

/// A call about an address, with the moments between which it may have taken effect.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) op: Op,
    pub(crate) began: u64,
    /// `None`: it never ended, and may take effect late or never.
    pub(crate) ended: Option<u64>,
    pub(crate) ret: Option<Ret>,
}

/// Whether one order of these calls explains all answers.
pub(crate) fn is_linearizable(events: &[Event]) -> bool {
    assert!(events.len() <= 64, "too many calls of one address");
    search(events, 0, &Address::default(), &mut HashSet::new())
}

fn search(
    events: &[Event],
    done: u64,
    address: &Address,
    tried: &mut HashSet<(u64, Address)>,
) -> bool {
    let is_left = |number: &usize| done & (1 << number) == 0;
    let left = || (0..events.len()).filter(is_left);
    // The calls that take effect before the first of the others ends.
    let first_end = left().filter_map(|number| events[number].ended).min();
    let Some(first_end) = first_end else { return true };
    if !tried.insert((done, address.clone())) {
        return false;
    }
    left().filter(|number| events[*number].began < first_end).any(|number| {
        let (event, mut address) = (&events[number], address.clone());
        address.step(event.op, event.ret.as_ref())
            && search(events, done | (1 << number), &address, tried)
    })
}
