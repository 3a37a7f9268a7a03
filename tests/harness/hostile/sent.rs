//! A request as a client sends it, byte for byte.

use super::encoding::{Pairs, decode_pairs, is_form};

/// A request on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) method: String,
    /// The query string, which is visible ASCII.
    pub(super) query: String,
    /// Names in lower case, values of visible ASCII and inner spaces; a name may stand twice.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Sent {
    /// The value of a header; several of one name are joined as HTTP joins them.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, first) = values.next()?;
        Some(values.fold(first.clone(), |joined, (_, value)| format!("{joined},{value}")))
    }

    /// Puts a header in place of all of its name.
    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.add_header(name, value);
    }

    /// Adds a header, as far as HTTP could carry it.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        if is_token(name) {
            self.headers.push((name.to_ascii_lowercase(), header_value(value)));
        }
    }

    /// The parameters of the query.
    pub(super) fn query_pairs(&self) -> Pairs {
        decode_pairs(self.query.as_bytes())
    }

    /// The parameters of the body, if it is a form.
    pub(super) fn form_pairs(&self) -> Pairs {
        let is_form = self.header("content-type").is_some_and(|value| is_form(&value));
        if is_form { decode_pairs(&self.body) } else { Pairs::new() }
    }
}

/// Whether HTTP takes `name` as a method or the name of a header.
pub(super) fn is_token(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() < 100 && name.bytes().all(is_part)
}

/// What a server gets of a header's value: nothing but ASCII here, no space around it.
pub(super) fn header_value(value: &str) -> String {
    let is_fine = |c: &char| matches!(c, ' '..='~');
    value.chars().filter(is_fine).collect::<String>().trim_matches(' ').to_owned()
}

/// A query string that can stand in a request's first line.
pub(super) fn query_string(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, byte| {
        match byte {
            b'!'..=b'~' => text.push(char::from(*byte)),
            _ => text.extend([format!("%{byte:02X}")]),
        }
        text
    })
}
