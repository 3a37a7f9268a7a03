//! The encodings of parameters: as clients send them, and as signatures are made over them.

use std::borrow::Cow;

/// How pairs are written for a signature. RFC 3986: everything but the unreserved characters is
/// encoded, in upper case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canonical {
    percent: &'static str,
    equals: &'static str,
    ampersand: &'static str,
}

impl Canonical {
    /// Encoded once.
    pub(crate) const ONCE: Self = Self { percent: "%", equals: "=", ampersand: "&" };

    /// Encoded, and the whole of it encoded again.
    pub(crate) const TWICE: Self = Self { percent: "%25", equals: "%3D", ampersand: "%26" };

    /// Appends pairs, in the order given.
    pub(crate) fn write_pairs(
        self,
        text: &mut String,
        pairs: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) {
        for (position, (name, value)) in pairs.into_iter().enumerate() {
            if position > 0 {
                text.push_str(self.ampersand);
            }
            self.write(text, name.as_ref());
            text.push_str(self.equals);
            self.write(text, value.as_ref());
        }
    }

    /// Appends a name or value.
    fn write(self, text: &mut String, mut plain: &str) {
        while let Some(reserved) = plain.bytes().position(|byte| !is_unreserved(byte)) {
            let (unreserved, rest) = plain.split_at(reserved);
            text.push_str(unreserved);
            // A character has up to four bytes, each encoded.
            let character_bytes = rest.chars().next().map_or(rest.len(), char::len_utf8);
            let (character, rest) = rest.split_at(character_bytes);
            for byte in character.bytes() {
                text.push_str(self.percent);
                text.extend(
                    [byte >> 4, byte & 15].map(|digit| char::from(UPPER_HEX[usize::from(digit)])),
                );
            }
            plain = rest;
        }
        text.push_str(plain);
    }
}

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Which bytes are unreserved: every call has hundreds to look up.
const UNRESERVED: [bool; 256] = {
    let mut unreserved = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        unreserved[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        byte += 1;
    }
    unreserved
};

/// Whether a byte is written as it is.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    UNRESERVED[usize::from(byte)]
}

/// Encodes for a signature: space as `%20`, `*` as `%2A`, `~` kept, hexadecimal in upper case.
#[must_use]
pub fn percent_encode(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_unreserved) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() * 3);
    Canonical::ONCE.write(&mut encoded, text);
    Cow::Owned(encoded)
}
