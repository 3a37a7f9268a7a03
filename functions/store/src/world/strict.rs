//! The reader of worlds. Unlike rows, worlds must not have unknown or repeated members, or the other
//! forms that serde's derived readers accept, such as a list of a document's members.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

use super::WorldError;
use super::locate::{self, Step};

/// Parses a JSON text and refuses repeated members.
pub(super) fn parse(text: &str) -> Result<Value, WorldError> {
    let at_end = |error: &Error, message: String| WorldError {
        line: error.line(),
        field: "the document".to_owned(),
        message,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let once = Once.deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    once.map_err(|error| {
        let field = locate::path(&locate::steps(&track.path()));
        // The line has its own field. serde_json's errors of syntax quote no part of the text.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        WorldError { field, ..at_end(&error, message) }
    })?;
    json.end()
        .map_err(|error| at_end(&error, "text follows the end of the document".to_owned()))?;
    serde_json::from_str(text).map_err(|error| at_end(&error, error.to_string()))
}

/// Reads any value and refuses repeated members.
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = std::collections::HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if seen.insert(name) {
                members.next_value_seed(Self)?;
            } else {
                // Reading the value puts the member's name into the error's path.
                members.next_value::<Twice>()?;
            }
        }
        Ok(())
    }
}

struct Twice;

impl<'de> Deserialize<'de> for Twice {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("repeated member"))
    }
}

/// A value without unknown members, whose objects, enumerations and optional members have only the
/// form that the JSON Schema allows.
pub(super) struct Strict(pub(super) Value);

impl Strict {
    fn unexpected(&self) -> Unexpected<'_> {
        match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("a number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

impl IntoDeserializer<'_, Error> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(elements) => {
                let mut elements = SeqDeserializer::new(elements.into_iter().map(Self));
                let value = visitor.visit_seq(&mut elements)?;
                elements.end().map(|()| value)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Self(value)));
                let mut members = MapDeserializer::new(members);
                let value = visitor.visit_map(&mut members)?;
                members.end().map(|()| value)
            }
        }
    }

    /// An optional member must not be `null`.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => Err(Error::custom("unexpected null, expected a value or no member")),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(Error::invalid_type(self.unexpected(), &"an object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.into_deserializer()),
            _ => Err(Error::invalid_type(self.unexpected(), &"a string")),
        }
    }

    /// A JSON Schema accepts `200.0` as an integer.
    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_f64() {
            Some(number)
                if number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&number) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked"
                )]
                visitor.visit_u16(number as u16)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// An unknown member.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("unknown member"))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

/// The members of an account with secrets below them.
const HOLD_SECRETS: [&str; 2] = ["AccessKeys", "Sessions"];

/// A message without the value that it quotes, if that value may be a secret.
pub(super) fn without_secrets(message: String, steps: &[Step]) -> String {
    let holds_secrets =
        steps.iter().any(|step| HOLD_SECRETS.iter().any(|name| step.is_member(name)));
    if !holds_secrets {
        return message;
    }
    // A message quotes the value before ", expected ". One without it may quote it after ": ".
    match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => message.split(": ").next().unwrap_or_default().to_owned(),
    }
}
