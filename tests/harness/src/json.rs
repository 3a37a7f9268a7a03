//! JSON in which a member that is given twice is an error.
//!
//! The readers of the standard formats take the last one silently, so a file could say one thing to
//! its reader and another to the program.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::error::Error;

use crate::contract::utf8;

/// Why a text is not the JSON that was expected.
#[derive(Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The field, as `errors[2].when`; empty for the whole text.
    pub field: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, field, what } = self;
        let colon = if field.is_empty() { "" } else { ": " };
        write!(formatter, "{line}:{column}: {field}{colon}{what}")
    }
}

/// Reads a text as a `T`. No object in it, at any depth, has a member twice.
///
/// # Errors
///
/// What is wrong, and where.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    once(text)?;
    read_loosely(text)
}

/// Reads a file as [`read`] does.
///
/// # Errors
///
/// What is wrong, with the file.
pub fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    let text = utf8(&bytes).map_err(|what| format!("{shown}: {what}"))?;
    read(&text).map_err(|fault| format!("{shown}:{fault}"))
}

/// Reads a text as a `T`. Of a member that an object has twice, the last one counts.
///
/// # Errors
///
/// What is wrong, and where.
pub fn read_loosely<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Fault::new(error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| Fault::new(String::new(), &error))?;
    Ok(value)
}

/// Checks that no object of a JSON text has a member twice.
///
/// # Errors
///
/// The first member that is, and where; or that the text is no JSON.
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

/// Any JSON value without a member twice.
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
