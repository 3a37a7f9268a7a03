//! An answer, read.

mod json;
mod xml;

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

/// How deep a body may nest. No documented answer nests deeper than six.
const DEPTH_MAX: usize = 100;

/// An answer as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body. What is not UTF-8 in it is replaced by U+FFFD.
    pub body: String,
    /// Whether all of the body is UTF-8.
    pub is_utf8: bool,
}

/// A body, read: its root element in XML, and its elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The name of the root element; JSON has none.
    pub root: Option<String>,
    /// The elements by name. In XML a value is a text, an object of elements, or, where several elements
    /// have one name, the list of these.
    pub elements: Map<String, Value>,
    /// The texts in it, in order.
    pub texts: Vec<Text>,
}

/// A text in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where it is, as a JSON pointer below the root. Elements of one name in XML have no index.
    pub pointer: String,
    /// What it says.
    pub value: String,
    /// Where it is written, as bytes of the body: between the quotes, or between the tags.
    pub range: Range<usize>,
}

impl Answer {
    /// An answer with a body of these bytes.
    #[must_use]
    pub fn new(status: u16, headers: BTreeMap<String, String>, body: &[u8]) -> Self {
        let is_utf8 = std::str::from_utf8(body).is_ok();
        Self { status, headers, body: String::from_utf8_lossy(body).into_owned(), is_utf8 }
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads the body: as XML if it begins with `<`, else as JSON.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(&self) -> Result<Body, String> {
        if self.is_utf8 { Body::read(&self.body) } else { Err("it is not in UTF-8".to_owned()) }
    }
}

impl Body {
    /// Reads a body: as XML if it begins with `<`, else as JSON.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
            return xml::read(text);
        }
        match json::read(text)? {
            (Value::Object(elements), texts) => Ok(Self { root: None, elements, texts }),
            (other, _) => Err(format!("it is no object: {other}")),
        }
    }

    /// The text of an element.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.elements.get(name).and_then(Value::as_str)
    }
}

/// A name as part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
