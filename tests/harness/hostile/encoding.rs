//! Forms and percent-encoding, read and written by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Names and values, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// Takes a query string or form apart, nothing decoded: `a=b&c` is `a` and `b`, `c` and nothing.
pub(super) fn split(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, &[][..]),
        }
    })
}

/// Decodes a query string or form: `+` is a space, `%` and two hexadecimal digits are a byte, any
/// other `%` is itself, and what is no UTF-8 becomes the replacement character.
pub(super) fn decode_pairs(text: &[u8]) -> Pairs {
    split(text).map(|(name, value)| (decode(name), decode(value))).collect()
}

pub(super) fn decode(text: &[u8]) -> String {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut bytes, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes as the vendor's page on signatures says: all but letters, digits and `-_.~`.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The canonical form of parameters: sorted by name, encoded.
pub(super) fn canonical(parameters: &BTreeMap<String, String>) -> String {
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Parameters by name; `None` if one stands there with two values.
pub(super) fn by_name(pairs: &Pairs) -> Option<BTreeMap<String, String>> {
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value.clone()).is_some_and(|earlier| earlier != *value) {
            return None;
        }
    }
    Some(map)
}

/// Whether a `Content-Type` is that of a form.
pub(super) fn is_form(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
