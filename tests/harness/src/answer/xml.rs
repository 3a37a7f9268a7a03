//! XML, read: elements that hold a text or other elements.

use roxmltree::{Document, Node, NodeType};
use serde_json::{Map, Value};

use super::{Body, DEPTH_MAX, Text, escaped};

/// Reads a text. An element that is repeated becomes a list; its schema says whether it may be repeated.
///
/// # Errors
///
/// What is wrong with it: it is not well-formed, or it has what no answer has, as attributes.
pub(super) fn read(text: &str) -> Result<Body, String> {
    check_declaration(text)?;
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let mut reader = Reader { text, texts: Vec::new() };
    let elements = match reader.value(root, "", 0)? {
        Value::Object(elements) => elements,
        Value::String(text) if text.trim().is_empty() => Map::new(),
        other => return Err(format!("it has no elements: {other}")),
    };
    Ok(Body { root: Some(root.tag_name().name().to_owned()), elements, texts: reader.texts })
}

/// Clients read XML 1.0 in UTF-8, whether or not it says so.
fn check_declaration(text: &str) -> Result<(), String> {
    let text = text.trim_start_matches('\u{feff}');
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let Some((declaration, _)) = declaration else { return Ok(()) };
    // It is written like attributes, each of which has a name and a value in quotes.
    let mut parts = declaration.split(['"', '\'']);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let is_right = match name.trim().trim_end_matches('=').trim_end() {
            "version" => value == "1.0",
            "encoding" => value.eq_ignore_ascii_case("utf-8"),
            _ => true,
        };
        if !is_right {
            return Err(format!("its declaration has {} {value:?}", name.trim()));
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    texts: Vec<Text>,
}

impl Reader<'_> {
    fn value(&mut self, node: Node<'_, '_>, pointer: &str, depth: usize) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Err(format!("it nests deeper than {DEPTH_MAX}"));
        }
        let name = node.tag_name().name();
        let written = &self.text[node.range()];
        let end = written.find('>').unwrap_or(written.len());
        // A prefix is declared by an attribute.
        let attributes = written[1..end].strip_prefix(name).unwrap_or(&written[1..end]);
        let attributes = attributes.trim_end_matches('/').trim();
        if !attributes.is_empty() {
            return Err(format!("{name} has attributes: {attributes}"));
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
            // Blanks between elements are how they are laid out.
            let text = text.trim();
            if !text.is_empty() {
                return Err(format!("{name} has text between elements: {text}"));
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
