//! An answer, and how its body is read.

mod json;
mod xml;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::Result;
use serde_json::{Map, Value};

/// The greatest depth of a body. No documented answer is deeper than six.
const DEPTH_MAX: usize = 100;

/// An answer as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body. U+FFFD replaces bytes that are not UTF-8.
    pub body: String,
    /// Whether the whole body is UTF-8.
    pub is_utf8: bool,
}

/// A parsed body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The name of the root element in XML; `None` in JSON.
    pub root: Option<String>,
    /// The elements by name. In XML a value is a text, an object of elements, or a list of the elements of
    /// the same name.
    pub elements: Map<String, Value>,
    /// The texts, in order.
    pub texts: Vec<Text>,
}

/// A text in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The JSON pointer below the root. In XML, elements of the same name have no index.
    pub pointer: String,
    /// The unescaped text.
    pub value: String,
    /// The range of bytes in the body: between the quotes, or between the tags.
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
    pub fn read(&self) -> Result<Body> {
        if self.is_utf8 { Body::read(&self.body) } else { Err("it is not UTF-8".into()) }
    }
}

impl Body {
    /// Reads a body: as XML if it begins with `<`, else as JSON.
    pub fn read(text: &str) -> Result<Self> {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
            return xml::read(text);
        }
        match json::read(text)? {
            (Value::Object(elements), texts) => Ok(Self { root: None, elements, texts }),
            (other, _) => Err(format!("it is not an object: {other}").into()),
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
