//! Members that hold one element or a list of elements.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One element, or a list of at least one. Both mean the same; each is written in the form in which
/// it was read.
///
/// Reading needs a visitor: an untagged enum would lose the element's path and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// An element of [`OneOrMany`]: neither a list nor an object.
pub(crate) trait Element {
    /// The element's name in errors.
    const EXPECTED: &'static str;
}

impl<T> OneOrMany<T> {
    /// Whether `predicate` is true of any element.
    pub(crate) fn any(&self, predicate: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::One(element) => predicate(element),
            Self::Many(elements) => elements.iter().any(predicate),
        }
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(element) => element.serialize(serializer),
            Self::Many(elements) => elements.serialize(serializer),
        }
    }
}

impl<'de, T: Element + Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Element + Deserialize<'de>> OneOrManyVisitor<T> {
    fn one<E: Error>(value: impl IntoDeserializer<'de, E>) -> Result<OneOrMany<T>, E> {
        T::deserialize(value.into_deserializer()).map(OneOrMany::One)
    }
}

impl<'de, T: Element + Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} or a list of at least one", T::EXPECTED)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::one(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::one(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::one(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Self::one(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::one(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        let elements: Vec<T> = Vec::deserialize(SeqAccessDeserializer::new(elements))?;
        if elements.is_empty() {
            return Err(A::Error::invalid_length(0, &self));
        }
        Ok(OneOrMany::Many(elements))
    }
}
