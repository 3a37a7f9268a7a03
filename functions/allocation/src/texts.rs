//! Named strings in one allocation.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Strings by name, in the order given.
///
/// They share one allocation, for stores keep millions of them. Names and values are truncated at
/// U+0000. Rows and worlds with that character are refused, and no call with it succeeds: its
/// parameters are checked or compared with a document.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Texts(Box<str>);

const END: char = '\0';

impl Texts {
    /// The names and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.0.split_terminator(END);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(known, text)| (known == name).then_some(text))
    }
}

impl<N: AsRef<str>, T: AsRef<str>> FromIterator<(N, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(texts: I) -> Self {
        let texts: Vec<_> = texts.into_iter().collect();
        let bytes = texts.iter().map(|(name, text)| name.as_ref().len() + text.as_ref().len() + 2);
        let mut joined = String::with_capacity(bytes.sum());
        for (name, text) in &texts {
            for part in [name.as_ref(), text.as_ref()] {
                joined.push_str(part.split(END).next().unwrap_or_default());
                joined.push(END);
            }
        }
        Self(joined.into())
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Texts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = map.next_entry::<String, String>()? {
                    if text.0.contains(END) || text.1.contains(END) {
                        return Err(A::Error::custom("invalid string: it contains U+0000"));
                    }
                    texts.push(text);
                }
                Ok(texts.into_iter().collect())
            }
        }
        deserializer.deserialize_map(Map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_name_and_keep_their_order() {
        let texts: Texts = [("b", "2"), ("a", ""), ("", "3")].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [("b", "2"), ("a", ""), ("", "3")]);
        assert_eq!((texts.get("a"), texts.get("c"), texts.get("2")), (Some(""), None, None));
        assert_eq!(Texts::default().iter().count(), 0);
    }

    #[test]
    fn texts_are_read_from_an_object_and_written_as_one() {
        let read =
            |json: &str| serde_json::from_str::<Texts>(json).map_err(|error| error.to_string());
        let texts = read(r#"{"b":"2","a":""}"#).unwrap();
        assert_eq!(texts.iter().collect::<Vec<_>>(), [("b", "2"), ("a", "")]);
        assert_eq!(serde_json::to_string(&texts).unwrap(), r#"{"b":"2","a":""}"#);
        for json in [r#"{"a\u0000b":"1"}"#, r#"{"a":"1\u00002"}"#] {
            let error = read(json).unwrap_err();
            assert!(error.contains("U+0000"), "{error}");
        }
        for json in [r#"{"a":1}"#, r#"{"a":null}"#, r#"["a"]"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
