//! Conditions: operators, keys and values, as in `{"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}}`.

mod expected;
mod key;
mod operator;
mod value;

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::evaluation::Context;
use expected::{Expected, ExpectedSeed};
use key::ConditionKey;
use operator::Operator;

/// A condition: met if every operator is met for each of its keys. An empty condition is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition(Vec<(Operator, Keys)>);

/// The keys of one operator with their expected values, in the order of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Keys(Vec<(ConditionKey, Expected)>);

impl Condition {
    pub(crate) fn is_met(&self, context: &Context) -> bool {
        self.0.iter().all(|(operator, keys)| {
            keys.0.iter().all(|(key, expected)| {
                // A key that the request lacks equals no value. A negated operator negates this
                // result for all values together.
                let attribute = key.attribute(context);
                attribute.is_some_and(|it| expected.is_met_by(&it)) != operator.is_negated
            })
        })
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Condition;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of operators")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Condition, A::Error> {
        let mut operators: Vec<(Operator, Keys)> = Vec::new();
        while let Some(operator) = map.next_key::<Operator>()? {
            if operators.iter().any(|(known, _)| *known == operator) {
                return Err(A::Error::custom(format!("duplicate operator `{}`", operator.name)));
            }
            operators.push((operator, map.next_value_seed(KeysSeed(operator))?));
        }
        Ok(Condition(operators))
    }
}

/// Reads the keys and values of an operator.
struct KeysSeed(Operator);

impl<'de> DeserializeSeed<'de> for KeysSeed {
    type Value = Keys;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Keys, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeysSeed {
    type Value = Keys;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<ConditionKey>()? {
            if !seen.insert(key.name().to_ascii_lowercase()) {
                return Err(A::Error::custom(format!(
                    "duplicate key `{}`: letter case does not count",
                    key.name()
                )));
            }
            keys.push((key, map.next_value_seed(ExpectedSeed(self.0.comparison))?));
        }
        Ok(Keys(keys))
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(operator, keys)| (operator.name, keys)))
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, expected)| (key.name(), expected)))
    }
}
