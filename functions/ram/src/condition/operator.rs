//! The operators of conditions.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer};

use crate::pattern::{Case, is_match};
use crate::text;

/// An operator: compares a key's value in the request with the values in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) name: &'static str,
    pub(super) comparison: Comparison,
    /// Whether the operator is met if the comparison is true of no value.
    pub(super) is_negated: bool,
}

/// The kind of values that are compared, and the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Text(TextComparison),
    /// One variant for all comparisons: no request has a number.
    Number,
    Date(Order),
    Bool,
    Ip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextComparison {
    Equals,
    EqualsIgnoreCase,
    Like,
}

/// The expected order of the request's value and the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const OPERATORS: [Operator; 21] = {
    use Comparison::{Bool, Date, Ip, Number, Text};
    use Order::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    use TextComparison::{Equals, EqualsIgnoreCase, Like};

    const fn is(name: &'static str, comparison: Comparison) -> Operator {
        Operator { name, comparison, is_negated: false }
    }
    const fn not(name: &'static str, comparison: Comparison) -> Operator {
        Operator { name, comparison, is_negated: true }
    }
    [
        is("StringEquals", Text(Equals)),
        not("StringNotEquals", Text(Equals)),
        is("StringEqualsIgnoreCase", Text(EqualsIgnoreCase)),
        not("StringNotEqualsIgnoreCase", Text(EqualsIgnoreCase)),
        is("StringLike", Text(Like)),
        not("StringNotLike", Text(Like)),
        is("NumericEquals", Number),
        not("NumericNotEquals", Number),
        is("NumericLessThan", Number),
        is("NumericLessThanEquals", Number),
        is("NumericGreaterThan", Number),
        is("NumericGreaterThanEquals", Number),
        is("DateEquals", Date(Equal)),
        not("DateNotEquals", Date(Equal)),
        is("DateLessThan", Date(Less)),
        is("DateLessThanEquals", Date(LessOrEqual)),
        is("DateGreaterThan", Date(Greater)),
        is("DateGreaterThanEquals", Date(GreaterOrEqual)),
        is("Bool", Bool),
        is("IpAddress", Ip),
        not("NotIpAddress", Ip),
    ]
};

impl Operator {
    fn parse(name: &str) -> Result<Self, String> {
        OPERATORS.iter().find(|operator| operator.name == name).copied().ok_or_else(|| {
            let names = OPERATORS.map(|operator| operator.name).join(", ");
            format!("invalid operator `{name}`, expected one of {names}")
        })
    }
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "an operator", Self::parse)
    }
}

impl TextComparison {
    /// Whether the request's `text` compares with the policy's `value` as expected.
    pub(super) fn holds(self, text: &str, value: &str) -> bool {
        match self {
            Self::Equals => text == value,
            Self::EqualsIgnoreCase => text.eq_ignore_ascii_case(value),
            Self::Like => is_match(value, text, Case::Counts),
        }
    }
}

impl Order {
    /// Whether `ordering`, of the request's value to the policy's, is the expected one.
    pub(super) fn is(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
