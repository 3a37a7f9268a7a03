//! Reads JSON in which a repeated member is an error.
//!
//! Usual parsers silently keep the last one, so a file could mean one thing to a person and another to the
//! program.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Error;

use crate::contract::utf8;
use crate::error::{At as _, Result};

/// The difference between a text and the expected JSON.
#[derive(Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The field, like `errors[2].when`; empty for the whole text.
    pub field: String,
    /// The problem.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, field, what } = self;
        let colon = if field.is_empty() { "" } else { ": " };
        write!(formatter, "{line}:{column}: {field}{colon}{what}")
    }
}

/// Reads a text as a `T`. A repeated member is an error, at any depth.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    once(text)?;
    read_loosely(text)
}

/// Reads a file as [`read`] does.
pub fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = std::fs::read(path).at(path.display())?;
    let text = utf8(&bytes).at(path.display())?;
    read(&text).at(path.display())
}

/// Writes a value as indented JSON.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Reads a text as a `T`. Of a repeated member, the last one counts.
pub fn read_loosely<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Fault::new(error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| Fault::new(String::new(), &error))?;
    Ok(value)
}

/// Checks that a text is JSON without a repeated member.
pub fn once(text: &str) -> Result<(), Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    Once.deserialize(tracked).map_err(|error| Fault::new(track.path().to_string(), &error))
}

impl Fault {
    fn new(field: String, error: &Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let what = error.to_string();
        let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
        let field = if [".", "?"].contains(&&*field) { String::new() } else { field };
        Self { line, column, field, what: what.to_owned() }
    }
}

/// Any JSON value without a repeated member.
#[derive(Clone, Copy)]
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
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} is given twice")));
            }
            names.insert(name);
            map.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
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
}
