//! Reads XML whose elements hold a text or other elements.

use roxmltree::{Document, Node, NodeType};
use serde_json::{Map, Value};

use super::{Body, DEPTH_MAX, Text, escaped};
use crate::error::{Error, Result, bail};

/// Reads an XML text. Repeated elements become a list; the schema decides whether they may be repeated.
/// Attributes are an error: no answer has any.
pub(super) fn read(text: &str) -> Result<Body> {
    check_declaration(text)?;
    let document = Document::parse(text).map_err(Error::other)?;
    let root = document.root_element();
    let mut reader = Reader { text, texts: Vec::new() };
    let elements = match reader.value(root, "", 0)? {
        Value::Object(elements) => elements,
        Value::String(text) if text.trim().is_empty() => Map::new(),
        other => bail!("it has no elements: {other}"),
    };
    Ok(Body { root: Some(root.tag_name().name().to_owned()), elements, texts: reader.texts })
}

/// Checks that the declaration, if there is one, names XML 1.0 in UTF-8.
fn check_declaration(text: &str) -> Result<()> {
    let text = text.trim_start_matches('\u{feff}');
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let Some((declaration, _)) = declaration else { return Ok(()) };
    // A declaration is a list of names with values in quotes.
    let mut parts = declaration.split(['"', '\'']);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let is_right = match name.trim().trim_end_matches('=').trim_end() {
            "version" => value == "1.0",
            "encoding" => value.eq_ignore_ascii_case("utf-8"),
            _ => true,
        };
        if !is_right {
            bail!("its declaration has {} {value:?}", name.trim());
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    texts: Vec<Text>,
}

impl Reader<'_> {
    fn value(&mut self, node: Node<'_, '_>, pointer: &str, depth: usize) -> Result<Value> {
        if depth > DEPTH_MAX {
            bail!("it nests deeper than {DEPTH_MAX}");
        }
        let name = node.tag_name().name();
        let written = &self.text[node.range()];
        let end = written.find('>').unwrap_or(written.len());
        // The declaration of a prefix is an attribute.
        let attributes = written[1..end].strip_prefix(name).unwrap_or(&written[1..end]);
        let attributes = attributes.trim_end_matches('/').trim();
        if !attributes.is_empty() {
            bail!("{name} has attributes: {attributes}");
        }
        let mut text = String::new();
        let mut members = Map::new();
        for child in node.children() {
            match child.node_type() {
                NodeType::Text => text.push_str(child.text().unwrap_or_default()),
                NodeType::Element => {
                    let name = child.tag_name().name().to_owned();
                    let pointer = format!("{pointer}/{}", escaped(&name));
                    let value = self.value(child, &pointer, depth + 1)?;
                    match members.get_mut(&name) {
                        Some(Value::Array(values)) => values.push(value),
                        Some(first) => *first = Value::Array(vec![first.take(), value]),
                        None => drop(members.insert(name, value)),
                    }
                }
                NodeType::Root | NodeType::Comment | NodeType::PI => {}
            }
        }
        if !members.is_empty() {
            // Whitespace between elements is layout.
            let text = text.trim();
            if !text.is_empty() {
                bail!("{name} has text between elements: {text}");
            }
            return Ok(Value::Object(members));
        }
        let start = (node.range().start + end + 1).min(node.range().end);
        let length = written.rfind("</").map_or(0, |close| close - (end + 1));
        let range = start..start + length;
        self.texts.push(Text { pointer: pointer.to_owned(), value: text.clone(), range });
        Ok(Value::String(text))
    }
}
