//! An answer, read.

use std::collections::BTreeMap;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// An answer as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// A body, read: its root element in XML, and its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The name of the root element; JSON has none.
    pub root: Option<String>,
    /// The elements by name.
    pub elements: Map<String, Value>,
}

impl Answer {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads the body in the format that the content type names.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read(&self) -> Result<Body, String> {
        match self.header("content-type") {
            Some("application/json;charset=utf-8") => {
                let Elements(elements) =
                    serde_json::from_str(&self.body).map_err(|error| error.to_string())?;
                Ok(Body { root: None, elements })
            }
            Some("text/xml;charset=utf-8") => read_xml(&self.body),
            other => Err(format!("content-type {other:?} is neither of the two documented")),
        }
    }
}

/// The members of an object, each of which occurs once.
struct Elements(Map<String, Value>);

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Elements;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Elements, A::Error> {
                let mut elements = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if elements.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("{name} stands twice")));
                    }
                }
                Ok(Elements(elements))
            }
        }
        value.deserialize_map(Members)
    }
}

impl Body {
    /// The text of an element.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.elements.get(name).and_then(Value::as_str)
    }
}

/// An element that is still open.
struct Open {
    name: String,
    text: String,
    children: Map<String, Value>,
}

/// Reads elements that hold text or other elements. An element that is repeated becomes an array;
/// whether it may be repeated is for its schema to say.
fn read_xml(body: &str) -> Result<Body, String> {
    let declaration = "<?xml version='1.0' encoding='UTF-8'?>";
    let rest = body.strip_prefix(declaration).ok_or("the XML declaration is not the vendor's")?;
    let mut reader = Reader::from_str(rest);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Open> = Vec::new();
    let mut read = None;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if start.attributes().next().is_some() {
                    return Err(format!("{name} has attributes"));
                }
                if read.is_some() {
                    return Err(format!("{name} follows the end"));
                }
                open.push(Open { name, text: String::new(), children: Map::new() });
            }
            Event::Text(text) => add(&mut open, &text.xml10_content())?,
            Event::CData(text) => add(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let text = quick_xml::escape::resolve_predefined_entity(&name)
                    .ok_or_else(|| format!("unknown entity {name}"))?;
                add(&mut open, text)?;
            }
            Event::End(_) => {
                let Open { name, text, children } = open.pop().ok_or("an end too many")?;
                let Some(outer) = open.last_mut() else {
                    if !text.is_empty() {
                        return Err(format!("text between elements: {text:?}"));
                    }
                    read = Some(Body { root: Some(name), elements: children });
                    continue;
                };
                if !children.is_empty() && !text.is_empty() {
                    return Err(format!("text between elements of {name}: {text:?}"));
                }
                let value = if children.is_empty() { text.into() } else { Value::Object(children) };
                match outer.children.get_mut(&name) {
                    Some(Value::Array(values)) => values.push(value),
                    Some(first) => *first = Value::Array(vec![first.take(), value]),
                    None => drop(outer.children.insert(name, value)),
                }
            }
            Event::Eof => return read.ok_or_else(|| "no element".to_owned()),
            other => return Err(format!("unexpected in an answer: {other:?}")),
        }
    }
}

fn add(open: &mut [Open], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.is_empty() => {}
        None => return Err(format!("text between elements: {text:?}")),
    }
    Ok(())
}
