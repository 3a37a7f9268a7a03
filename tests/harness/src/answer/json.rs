//! Reads JSON strictly: a repeated member is an error at any depth.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{DEPTH_MAX, Text, escaped};
use crate::error::{Result, bail};
use crate::json::once;

/// The value of a JSON text, and the texts in it with their places.
pub(super) fn read(text: &str) -> Result<(Value, Vec<Text>)> {
    once(text)?;
    let raw: &RawValue = serde_json::from_str(text)?;
    let mut reader = Reader { text, texts: Vec::new() };
    let value = reader.value(raw, "", 0)?;
    reader.texts.sort_by_key(|text| text.range.start);
    Ok((value, reader.texts))
}

struct Reader<'a> {
    text: &'a str,
    texts: Vec<Text>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, raw: &'a RawValue, pointer: &str, depth: usize) -> Result<Value> {
        if depth > DEPTH_MAX {
            bail!("it nests deeper than {DEPTH_MAX}");
        }
        let fail = |error: serde_json::Error| format!("{error} at {pointer}");
        let written = raw.get();
        Ok(match written.as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> =
                    serde_json::from_str(written).map_err(fail)?;
                let members = members.into_iter().map(|(name, raw)| {
                    let pointer = format!("{pointer}/{}", escaped(&name));
                    Ok((name, self.value(raw, &pointer, depth + 1)?))
                });
                Value::Object(members.collect::<Result<_>>()?)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(written).map_err(fail)?;
                let items = items.into_iter().enumerate();
                let items = items
                    .map(|(index, raw)| self.value(raw, &format!("{pointer}/{index}"), depth + 1));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Some(b'"') => {
                let value: String = serde_json::from_str(written).map_err(fail)?;
                // `written` is a part of the text that was read.
                let start = written.as_ptr().addr() - self.text.as_ptr().addr() + 1;
                let range = start..start + written.len() - 2;
                let pointer = pointer.to_owned();
                self.texts.push(Text { pointer, value: value.clone(), range });
                Value::String(value)
            }
            _ => serde_json::from_str(written).map_err(fail)?,
        })
    }
}
