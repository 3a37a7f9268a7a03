//! Percent-encoding of parameters for signatures.

use std::borrow::Cow;

/// Writes pairs for a signature. As in RFC 3986, every byte but those of unreserved characters is
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

    /// Encoded, and the result encoded again.
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
        loop {
            let (unreserved, rest) = plain.split_at(unreserved_bytes(plain.as_bytes()));
            text.push_str(unreserved);
            // A character has up to four bytes, each encoded.
            let Some(character) = rest.chars().next() else { break };
            let (character, rest) = rest.split_at(character.len_utf8());
            for byte in character.bytes() {
                text.push_str(self.percent);
                for digit in [byte >> 4, byte & 15] {
                    text.push(char::from(UPPER_HEX[usize::from(digit)]));
                }
            }
            plain = rest;
        }
    }
}

static UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether each byte is encoded. A table, for every call looks up hundreds of bytes.
static RESERVED: [bool; 256] = {
    let mut reserved = [true; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        reserved[byte as usize] =
            !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
        byte += 1;
    }
    reserved
};

/// Whether a byte is encoded.
pub(crate) fn is_reserved(byte: u8) -> bool {
    RESERVED[usize::from(byte)]
}

/// The number of leading bytes of `text` that need no encoding.
fn unreserved_bytes(text: &[u8]) -> usize {
    // Eight at a time without a branch between them, then one by one.
    let (eights, _) = text.as_chunks::<8>();
    let is_plain =
        |eight: &&[u8; 8]| !eight.iter().fold(false, |any, byte| any | is_reserved(*byte));
    let plain = 8 * eights.iter().take_while(is_plain).count();
    let more = text[plain..].iter().position(|byte| is_reserved(*byte));
    more.map_or(text.len(), |more| plain + more)
}

/// Encodes for a signature: space as `%20`, `*` as `%2A`, `~` kept, hexadecimal in upper case.
#[must_use]
pub fn percent_encode(text: &str) -> Cow<'_, str> {
    if unreserved_bytes(text.as_bytes()) == text.len() {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() * 3);
    Canonical::ONCE.write(&mut encoded, text);
    Cow::Owned(encoded)
}
