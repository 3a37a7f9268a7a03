//! A request, independent of the transport.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::parameters::Parameters;

/// The action of a V3 call.
pub(crate) static X_ACS_ACTION: HeaderName = HeaderName::from_static("x-acs-action");
/// The client's hash of the body.
pub(crate) static X_ACS_CONTENT_SHA256: HeaderName =
    HeaderName::from_static("x-acs-content-sha256");
/// The client's hash of the body, under the name that clients use that sign with SM3.
pub(crate) static X_ACS_CONTENT_SM3: HeaderName = HeaderName::from_static("x-acs-content-sm3");
/// The time at which a V3 call was signed.
pub(crate) static X_ACS_DATE: HeaderName = HeaderName::from_static("x-acs-date");
/// The token of a temporary access key.
pub(crate) static X_ACS_SECURITY_TOKEN: HeaderName =
    HeaderName::from_static("x-acs-security-token");
/// The nonce of a V3 call: its access key never signs with it again.
pub(crate) static X_ACS_SIGNATURE_NONCE: HeaderName =
    HeaderName::from_static("x-acs-signature-nonce");
/// The API version of a V3 call.
pub(crate) static X_ACS_VERSION: HeaderName = HeaderName::from_static("x-acs-version");

/// The header of this name, in any letter case; `None` if the name is malformed. The names that
/// every V3 call has are not copied.
#[must_use]
pub fn header_name(name: &str) -> Option<HeaderName> {
    static KNOWN: [&HeaderName; 7] = [
        &X_ACS_ACTION,
        &X_ACS_CONTENT_SHA256,
        &X_ACS_CONTENT_SM3,
        &X_ACS_DATE,
        &X_ACS_SECURITY_TOKEN,
        &X_ACS_SIGNATURE_NONCE,
        &X_ACS_VERSION,
    ];
    let known = KNOWN.iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
    known.map_or_else(|| name.parse().ok(), |known| Some((*known).clone()))
}

/// A received request.
///
/// It has no path: signatures always cover `/`, so the path has no meaning (decision `path`).
#[derive(Clone, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The encoded query; a gateway may have decoded it and encoded it anew.
    pub query: String,
    /// The headers, including `host`.
    pub headers: HeaderMap,
    /// The body, without transfer encoding.
    pub body: Bytes,
    /// The client's address, as the server that accepted the connection reports it (decision
    /// `source-ip`).
    pub source_ip: Option<IpAddr>,
    /// Whether the request came over TLS.
    pub secure_transport: bool,
}

/// Leaves the values out: signatures and security tokens are among them.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("query", &Parameters::read(self.query.as_bytes(), b""))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("source_ip", &self.source_ip)
            .field("secure_transport", &self.secure_transport)
            .finish()
    }
}

impl Request {
    /// The value of a header; the values of repeated headers are joined by commas.
    #[must_use]
    pub fn header(&self, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
        let mut values = self.headers.get_all(name).iter().map(text);
        let first = values.next()?;
        let joined = values.fold(first, |joined, value| Cow::Owned(format!("{joined},{value}")));
        Some(match joined {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
        })
    }

    /// The body if it is a form, still encoded; otherwise nothing.
    pub(crate) fn form(&self) -> &[u8] {
        if self.body.is_empty() {
            return &[];
        }
        let is_form = self.header(CONTENT_TYPE).is_some_and(|content_type| {
            let media_type = content_type.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        // Bytes, not text: a client may encode one byte of a character and not the next.
        if is_form { &self.body } else { &[] }
    }
}

/// The text of a header's value, with invalid UTF-8 replaced.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    // Nearly all values are valid, and `from_utf8` is faster than `from_utf8_lossy`.
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_names_and_no_values() {
        let mut request = Request { query: "Signature=secret".to_owned(), ..Request::default() };
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("secret"));
        let shown = format!("{request:?}");
        assert!(shown.contains("Signature") && shown.contains("content-type"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
