//! A request as it came in, whatever carried it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{AsHeaderName, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::parameters::Parameters;

/// Names the action of a V3 call.
pub(crate) static X_ACS_ACTION: HeaderName = HeaderName::from_static("x-acs-action");
/// The client's hash of the body.
pub(crate) static X_ACS_CONTENT_SHA256: HeaderName =
    HeaderName::from_static("x-acs-content-sha256");
/// The client's hash of the body, as clients call it that sign with SM3.
pub(crate) static X_ACS_CONTENT_SM3: HeaderName = HeaderName::from_static("x-acs-content-sm3");
/// When a V3 call was signed.
pub(crate) static X_ACS_DATE: HeaderName = HeaderName::from_static("x-acs-date");
/// Holds the token of a temporary access key.
pub(crate) static X_ACS_SECURITY_TOKEN: HeaderName =
    HeaderName::from_static("x-acs-security-token");
/// Tells a V3 call from every other of its key.
pub(crate) static X_ACS_SIGNATURE_NONCE: HeaderName =
    HeaderName::from_static("x-acs-signature-nonce");
/// The API version of a V3 call.
pub(crate) static X_ACS_VERSION: HeaderName = HeaderName::from_static("x-acs-version");

/// The header of this name, in any letter case; `None`: the name has not the form of one. The names
/// that every V3 call has are not copied.
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

/// A request as it came in.
///
/// It has no path: signatures cover `/` whatever the path was, so the path says nothing
/// (decision `path`).
#[derive(Clone, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The query as it was sent, or encoded anew.
    pub query: String,
    /// The headers as received, `host` among them.
    pub headers: HeaderMap,
    /// The body, its transfer encoding undone.
    pub body: Bytes,
    /// Who connected, as whatever received the connection tells it (decision `source-ip`).
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
    /// The value of a header; several of one name are joined as HTTP joins them.
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

    /// The parameters of the body, encoded, if it is a form.
    pub(crate) fn form(&self) -> &[u8] {
        if self.body.is_empty() {
            return &[];
        }
        let is_form = self.header(CONTENT_TYPE).is_some_and(|content_type| {
            let media_type = content_type.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        // The bytes as they came: a character may be half as it is and half encoded.
        if is_form { &self.body } else { &[] }
    }
}

/// The text of a header's value; bytes that are no UTF-8 are replaced.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    // Nearly all are UTF-8, which is found faster than what is to be replaced.
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_to_developers_and_values_are_not() {
        let mut request = Request { query: "Signature=secret".to_owned(), ..Request::default() };
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("secret"));
        let shown = format!("{request:?}");
        assert!(shown.contains("Signature") && shown.contains("content-type"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
