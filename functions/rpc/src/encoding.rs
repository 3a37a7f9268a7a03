//! The encodings of parameters: as clients send them, and as signatures are made over them.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// RFC 3986: everything but the unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes for a signature: space as `%20`, `*` as `%2A`, `~` kept, hexadecimal in upper case.
#[must_use]
pub fn percent_encode(text: &str) -> Cow<'_, str> {
    percent_encoded(text).into()
}

/// As [`percent_encode`], piece by piece.
pub(crate) fn percent_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Decodes a query string or form body, where `+` and `%20` both are a space.
///
/// Clients encode differently from one another and from the signature, so what was decoded here is
/// encoded anew for it, and the raw text is never signed.
pub fn form_pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(text.as_bytes())
}
