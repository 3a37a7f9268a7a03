//! The values that an operator expects of a key.

use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::Attribute;
use super::operator::{Comparison, Order, TextComparison};
use super::value::{Decimal, Instant, IpRange, Parsed, Scalar};
use crate::one_or_many::OneOrMany;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Text(TextComparison, OneOrMany<Scalar>),
    Number(OneOrMany<Parsed<Decimal>>),
    Date(Order, OneOrMany<Parsed<Instant>>),
    Bool(OneOrMany<Parsed<bool>>),
    Ip(OneOrMany<Parsed<IpRange>>),
}

impl Expected {
    /// Whether the request's attribute compares with any of the values as expected.
    pub(super) fn is_met_by(&self, attribute: &Attribute) -> bool {
        match (self, attribute) {
            (Self::Text(comparison, values), _) => attribute
                .text()
                .is_some_and(|text| values.any(|value| comparison.holds(&text, &value.text()))),
            (Self::Date(order, values), Attribute::Time(now_secs)) => {
                let now = Instant::from_secs(*now_secs);
                values.any(|value| order.is(now.cmp(&value.value)))
            }
            (Self::Bool(values), Attribute::Bool(is)) => values.any(|value| value.value == *is),
            (Self::Ip(values), Attribute::Ip(ip)) => values.any(|value| value.value.contains(ip)),
            // An attribute of another kind matches no value.
            (Self::Number(_) | Self::Date(..) | Self::Bool(_) | Self::Ip(_), _) => false,
        }
    }
}

/// Reads values of the kind that the comparison needs.
pub(super) struct ExpectedSeed(pub(super) Comparison);

impl<'de> DeserializeSeed<'de> for ExpectedSeed {
    type Value = Expected;

    fn deserialize<D: Deserializer<'de>>(self, values: D) -> Result<Expected, D::Error> {
        Ok(match self.0 {
            Comparison::Text(comparison) => {
                Expected::Text(comparison, OneOrMany::deserialize(values)?)
            }
            Comparison::Number => Expected::Number(OneOrMany::deserialize(values)?),
            Comparison::Date(order) => Expected::Date(order, OneOrMany::deserialize(values)?),
            Comparison::Bool => Expected::Bool(OneOrMany::deserialize(values)?),
            Comparison::Ip => Expected::Ip(OneOrMany::deserialize(values)?),
        })
    }
}

impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(_, values) => values.serialize(serializer),
            Self::Number(values) => values.serialize(serializer),
            Self::Date(_, values) => values.serialize(serializer),
            Self::Bool(values) => values.serialize(serializer),
            Self::Ip(values) => values.serialize(serializer),
        }
    }
}
