//! Changes to a request in transit.

use std::fmt;
use std::str::FromStr;

use crate::plan::{name_of, named};
use crate::sent::{FORM, Sent, header_value, is_token, query_string};
use harness::client::signature::encode;

/// A change to a signed request. As a text: `insert query 3 x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The kind of change.
    pub verb: Verb,
    /// The changed part: `method`, `query`, `body`, or the name of a header.
    pub place: String,
    /// The byte or the parameter, by number; it wraps around.
    pub at: usize,
    /// The new text. For a deletion, the number of bytes.
    pub text: String,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Puts a text between bytes.
    Insert,
    /// Writes a text over bytes.
    Set,
    /// Removes bytes.
    Delete,
    /// Adds a raw parameter or a header, even if one of its name exists, or replaces the method.
    Add,
    /// Removes a parameter, or all headers of a name.
    Remove,
    /// Moves a parameter from the query to the form or back.
    Move,
    /// Swaps two neighbouring parameters.
    Swap,
    /// Repeats a parameter.
    Repeat,
    /// Encodes the parameters in another way.
    Recode,
}

impl Verb {
    /// Every verb by its name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("insert", Self::Insert),
        ("set", Self::Set),
        ("delete", Self::Delete),
        ("add", Self::Add),
        ("remove", Self::Remove),
        ("move", Self::Move),
        ("swap", Self::Swap),
        ("repeat", Self::Repeat),
        ("recode", Self::Recode),
    ];
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, place, at, text } = self;
        write!(formatter, "{} {place} {at} {text}", name_of(&Verb::ALL, verb))
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.splitn(4, ' ');
        let verb = words.next().and_then(|word| named(&Verb::ALL, word)).ok_or(())?;
        let place = words.next().ok_or(())?.to_owned();
        let at = number(words.next().unwrap_or_default());
        Ok(Self { verb, place, at, text: words.next().unwrap_or_default().to_owned() })
    }
}

/// The number at the beginning of a text.
fn number(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end.min(6)].parse().unwrap_or_default()
}

impl Change {
    /// Changes `sent`, if HTTP can carry the result.
    pub(super) fn apply(&self, sent: &mut Sent) {
        let Self { verb, place, text, .. } = self;
        match (verb, place.as_str()) {
            (Verb::Add, "method") if is_token(text) => text.clone_into(&mut sent.method),
            (_, "method") => {}
            (Verb::Recode, "query") => sent.query = recode(&sent.query_pairs()),
            // A body that is no form has no encoding.
            (Verb::Recode, "body") if sent.form_pairs().is_empty() => {}
            (Verb::Recode, "body") => sent.body = recode(&sent.form_pairs()).into_bytes(),
            (_, "query" | "body") => {
                let mut query = std::mem::take(&mut sent.query).into_bytes();
                let is_query = place == "query";
                let (here, there) = if is_query {
                    (&mut query, &mut sent.body)
                } else {
                    (&mut sent.body, &mut query)
                };
                self.edit(here);
                let moved = self.edit_pairs(here);
                if let Some(pair) = moved {
                    there.extend_from_slice(if there.is_empty() { b"" } else { b"&" });
                    there.extend(pair);
                }
                sent.query = query_string(&query);
                if *verb == Verb::Move && sent.header("content-type").is_none() {
                    sent.add_header("content-type", FORM);
                }
            }
            (Verb::Add, name) => sent.add_header(name, text),
            (Verb::Remove, name) => sent.headers.retain(|(known, _)| known != name),
            (_, name) => {
                if let Some((_, value)) = sent.headers.iter_mut().find(|(known, _)| known == name) {
                    let mut bytes = std::mem::take(value).into_bytes();
                    self.edit(&mut bytes);
                    *value = header_value(&String::from_utf8_lossy(&bytes));
                }
            }
        }
    }

    /// Inserts, sets or deletes bytes.
    pub fn edit(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = self.at % (length + 1);
        let (end, text) = match self.verb {
            Verb::Insert => (at, self.text.as_str()),
            Verb::Set => (at + self.text.len(), self.text.as_str()),
            Verb::Delete => (at + number(&self.text), ""),
            Verb::Add | Verb::Remove | Verb::Move | Verb::Swap | Verb::Repeat | Verb::Recode => {
                return;
            }
        };
        bytes.splice(at..end.min(length), text.bytes());
    }

    /// Changes the raw parameters of a query or form, and returns the one that moves elsewhere.
    fn edit_pairs(&self, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
        let pairs = bytes.split(|byte| *byte == b'&').filter(|_| !bytes.is_empty());
        let mut pairs: Vec<_> = pairs.map(<[u8]>::to_vec).collect();
        let count = pairs.len();
        let (at, mut moved) = (self.at % count.max(1), None);
        match self.verb {
            Verb::Add => pairs.push(self.text.clone().into_bytes()),
            Verb::Remove if count > 0 => drop(pairs.remove(at)),
            Verb::Move if count > 0 => moved = Some(pairs.remove(at)),
            Verb::Swap if count > 0 => pairs.swap(at, (at + 1) % count),
            Verb::Repeat if count > 0 => pairs.push(pairs[at].clone()),
            _ => return None,
        }
        *bytes = pairs.join(&b'&');
        moved
    }
}

/// The same parameters in another encoding: spaces as `+`, `*` unescaped, and lower-case
/// hexadecimal digits where no letter of the text changes.
fn recode(pairs: &[(String, String)]) -> String {
    let recode = |text: &str| {
        let encoded = encode(text).replace("%20", "+").replace("%2A", "*");
        let has_upper_case = text.bytes().any(|byte| byte.is_ascii_uppercase());
        if has_upper_case { encoded } else { encoded.to_lowercase() }
    };
    let pairs = pairs.iter().map(|(name, value)| [recode(name), recode(value)].join("="));
    pairs.collect::<Vec<_>>().join("&")
}
