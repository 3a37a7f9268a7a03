//! Answers, as JSON and XML.

use std::borrow::Cow;

use quick_xml::escape::partial_escape;
use serde::{Serialize, Serializer};

use crate::members::{Members, render_text};

/// The element that every answer has.
const REQUEST_ID: &str = "RequestId";

/// The beginning of every answer in XML.
const XML_DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `application/json;charset=utf-8`.
    Json,
    /// `text/xml;charset=utf-8`.
    Xml,
}

impl Format {
    /// Reads the parameter `Format`, in any letter case (decision `format`).
    #[must_use]
    pub fn parse(format: &str) -> Option<Self> {
        match format {
            _ if format.eq_ignore_ascii_case("JSON") => Some(Self::Json),
            _ if format.eq_ignore_ascii_case("XML") => Some(Self::Xml),
            _ => None,
        }
    }

    /// The content type. Clients compare it to the letter.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=utf-8",
            Self::Xml => "text/xml;charset=utf-8",
        }
    }
}

/// An error as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: &'static str,
    /// The message.
    pub message: Cow<'static, str>,
    /// The members of `AccessDeniedDetail`, by name: why the caller's policies deny the call.
    /// Empty for every other error (decision `denied`).
    pub access_denied_detail: Vec<(&'static str, String)>,
    /// Additional headers of the answer, names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl From<&crate::Error> for ErrorResponse {
    fn from(error: &crate::Error) -> Self {
        Self {
            status: error.code.status,
            code: error.code.code,
            message: error.message.clone(),
            access_denied_detail: Vec::new(),
            headers: Vec::new(),
        }
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: String,
}

/// The values that any answer to a request needs, success or error.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The format of the answer.
    pub format: Format,
    /// An upper-case UUID.
    pub request_id: &'a str,
    /// 32 lower-case hexadecimal digits.
    pub trace_id: &'a str,
    /// The host that the client called.
    pub host_id: &'a str,
    /// The product's code.
    pub product: &'a str,
}

impl Envelope<'_> {
    /// Renders the answer of an operation that succeeded: its `members` and the `RequestId`, in
    /// the given `order`. `order` must name every member; it may name absent ones.
    #[must_use]
    pub fn success(&self, action: &str, order: &[&str], members: &Members) -> Response {
        debug_assert!(members.are_among(order), "{action} answers a member missing from the order");
        let request_id = render_text(REQUEST_ID, self.request_id, self.format);
        let members = order.iter().filter_map(|name| match *name {
            REQUEST_ID => Some(&*request_id),
            _ => members.get(name),
        });
        let mut body = String::with_capacity(512);
        match self.format {
            Format::Json => {
                body.push('{');
                for (position, member) in members.enumerate() {
                    body.extend([if position == 0 { "" } else { "," }, member]);
                }
                body.push('}');
            }
            Format::Xml => {
                body.extend([XML_DECLARATION, "<", action, "Response>"]);
                body.extend(members);
                body.extend(["</", action, "Response>"]);
            }
        }
        self.response(200, body)
    }

    /// Renders the answer of a call that failed.
    #[must_use]
    pub fn failure(&self, error: &ErrorResponse) -> Response {
        let recommend = format!(
            "https://api.aliyun.com/troubleshoot?q={}&product={}&requestId={}",
            error.code, self.product, self.request_id
        );
        let text = |name, text| (name, Element::Text(text));
        let request_id = text(REQUEST_ID, self.request_id);
        let host_id = text("HostId", self.host_id);
        let code = text("Code", error.code);
        let message = text("Message", &*error.message);
        let recommend = match self.format {
            Format::Json => text("Recommend", &recommend),
            Format::Xml => ("Recommend", Element::CData(&recommend)),
        };
        let detail = &error.access_denied_detail;
        let detail =
            (!detail.is_empty()).then_some(("AccessDeniedDetail", Element::Members(detail)));
        let body = match self.format {
            Format::Json => {
                json([request_id, message, recommend, host_id, code].into_iter().chain(detail))
            }
            Format::Xml => {
                let elements = [request_id, host_id, code, message, recommend];
                xml(elements.into_iter().chain(detail))
            }
        };
        let mut response = self.response(error.status, body);
        let headers = error.headers.iter();
        response.headers.extend(headers.map(|(name, value)| (*name, value.clone().into())));
        response
    }

    fn response(&self, status: u16, body: String) -> Response {
        let headers = vec![
            ("content-type", Cow::Borrowed(self.format.content_type())),
            ("access-control-allow-origin", Cow::Borrowed("*")),
            ("access-control-expose-headers", Cow::Borrowed("*")),
            ("x-acs-request-id", Cow::Owned(self.request_id.to_owned())),
            ("x-acs-trace-id", Cow::Owned(self.trace_id.to_owned())),
        ];
        Response { status, headers, body }
    }
}

/// The value of an error's element.
#[derive(Clone, Copy, Debug)]
enum Element<'a> {
    Text(&'a str),
    /// A URL, which the vendor wraps in `CDATA` in XML. A URL never contains `]]>`.
    CData(&'a str),
    Members(&'a [(&'static str, String)]),
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::CData(text) => serializer.serialize_str(text),
            Self::Members(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

fn json<'a>(elements: impl IntoIterator<Item = (&'a str, Element<'a>)>) -> String {
    let mut body = Vec::with_capacity(512);
    let written = serde_json::Serializer::new(&mut body).collect_map(elements);
    debug_assert!(written.is_ok(), "writing strings to memory cannot fail");
    // The serializer writes UTF-8 only.
    String::from_utf8(body).unwrap_or_default()
}

fn xml<'a>(elements: impl IntoIterator<Item = (&'a str, Element<'a>)>) -> String {
    let mut body = format!("{XML_DECLARATION}<Error>");
    for (name, element) in elements {
        body.extend(["<", name, ">"]);
        match element {
            Element::Text(text) => body.push_str(&partial_escape(text)),
            Element::CData(text) => body.extend(["<![CDATA[", text, "]]>"]),
            Element::Members(members) => {
                for (name, text) in members {
                    body.extend(["<", name, ">", &partial_escape(text), "</", name, ">"]);
                }
            }
        }
        body.extend(["</", name, ">"]);
    }
    body.push_str("</Error>");
    body
}
