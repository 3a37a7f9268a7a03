//! An address as a sequence of calls sees it.

use stateright::semantics::SequentialSpec;

use crate::support::{ALREADY_EXISTED, Outcome};

/// The code of a call that differs from the one that its token remembers.
pub const MISMATCH: &str = "IdempotentParameterMismatch";

/// An address as the page describes it: it can be bought for once, and replays the answer to the
/// buyer's token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address(Option<Taken>);

/// The purchase for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    token: &'static str,
    bandwidth: u32,
    /// The id of the bandwidth; unknown while every answer with it was lost.
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Allocate { token: &'static str, bandwidth: u32 },
    Read,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ret {
    Answered(Outcome),
    Holds(Option<String>),
}

impl Taken {
    /// Whether `id` can be its bandwidth; if so, it is from now on.
    fn is(&mut self, id: &str) -> bool {
        self.id.get_or_insert_with(|| id.to_owned()) == id
    }
}

impl SequentialSpec for Address {
    type Op = Op;
    type Ret = Ret;

    /// The effect of a call whose answer is lost.
    fn invoke(&mut self, op: &Op) -> Ret {
        if let (Op::Allocate { token, bandwidth }, None) = (*op, &self.0) {
            self.0 = Some(Taken { token, bandwidth, id: None });
        }
        Ret::Holds(None)
    }

    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        match (op, ret) {
            (Op::Read, Ret::Holds(held)) => match (&mut self.0, held) {
                (None, held) => held.is_none(),
                (Some(taken), Some(id)) => taken.is(id),
                (Some(_), None) => false,
            },
            (Op::Allocate { token, bandwidth }, Ret::Answered(got)) => {
                let first = self.0.is_none();
                let taken = self.0.get_or_insert(Taken { token, bandwidth: *bandwidth, id: None });
                let (own, same) = (taken.token == *token, taken.bandwidth == *bandwidth);
                match got {
                    Outcome::Bought(id) => own && same && taken.is(id),
                    Outcome::Done => false,
                    Outcome::Refused(code) if own => !first && !same && code == MISMATCH,
                    Outcome::Refused(code) => code == ALREADY_EXISTED,
                }
            }
            (Op::Read, Ret::Answered(_)) | (Op::Allocate { .. }, Ret::Holds(_)) => false,
        }
    }
}
