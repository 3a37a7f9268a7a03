//! A request as it came in, whatever carried it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use crate::limits::PARAMETERS_MAX;

/// The parameters of one place, or of all of them, by name in byte order.
pub type Parameters = BTreeMap<String, String>;

/// A request as it came in.
///
/// It has no path: signatures cover `/` whatever the path was, so the path says nothing
/// (decision `path`).
#[derive(Clone, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The parameters of the query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
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
            .field("query", &self.query.iter().map(|(name, _)| name).collect::<Vec<_>>())
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
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let first = values.next()?;
        let joined = values.fold(first, |joined, value| Cow::Owned(format!("{joined},{value}")));
        Some(match joined {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// The parameters of the body, if it is a form; of too many only as many as tell that they are.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let is_form = self.header(CONTENT_TYPE.as_str()).is_some_and(|content_type| {
            let media_type = content_type.split(';').next().unwrap_or_default();
            media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        if !is_form {
            return Vec::new();
        }
        // The bytes as they came: a character may be half as it is and half encoded.
        form_urlencoded::parse(&self.body)
            .take(PARAMETERS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: usize) -> Request {
        let body: Vec<String> = (0..pairs).map(|number| format!("name{number}=secret")).collect();
        let mut request = Request { body: body.join("&").into(), ..Request::default() };
        let media_type = "application/x-www-form-urlencoded";
        request.headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        request.query.push(("Signature".to_owned(), "secret".to_owned()));
        request
    }

    #[test]
    fn of_a_form_one_parameter_more_is_read_than_there_may_be() {
        // So that it can be told from one that has just as many.
        for (sent, read) in [(1, 1), (200, 200), (201, 201), (202, 201), (1000, 201)] {
            assert_eq!(form(sent).form().len(), read, "{sent}");
        }
    }

    #[test]
    fn names_are_shown_to_developers_and_values_are_not() {
        let shown = format!("{:?}", form(2));
        assert!(shown.contains("Signature") && shown.contains("content-type"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
