//! Answers, as JSON and XML.

use std::borrow::Cow;

use quick_xml::escape::partial_escape;
use serde::Serializer as _;

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

    /// The content type, in the exact form that clients compare.
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
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: &'static str,
    /// The message.
    pub message: Cow<'static, str>,
}

/// The order of an answer's elements, which the vendor's samples give for each format.
#[derive(Clone, Copy, Debug)]
pub struct Elements {
    /// In JSON.
    pub json: &'static [&'static str],
    /// In XML.
    pub xml: &'static [&'static str],
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: String,
}

/// What every answer to one request has in common.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// The format to answer in.
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
    /// The answer of an operation that succeeded. `answer` lacks the `RequestId`, `elements` has
    /// it.
    #[must_use]
    pub fn success(
        &self,
        action: &str,
        elements: &Elements,
        answer: &[(&'static str, String)],
    ) -> Response {
        let value = |name: &'static str| {
            let value = answer.iter().find(|(element, _)| *element == name);
            (name, value.map_or(self.request_id, |(_, value)| value))
        };
        let body = match self.format {
            Format::Json => json(elements.json.iter().copied().map(value)),
            Format::Xml => {
                let root = format!("{action}Response");
                xml(&root, elements.xml.iter().copied().map(value))
            }
        };
        self.response(200, body)
    }

    /// The answer of a call that failed.
    #[must_use]
    pub fn failure(&self, fault: &Fault) -> Response {
        let recommend = format!(
            "https://api.aliyun.com/troubleshoot?q={}&product={}&requestId={}",
            fault.code, self.product, self.request_id
        );
        let body = match self.format {
            Format::Json => json([
                ("RequestId", self.request_id),
                ("Message", &*fault.message),
                ("Recommend", &recommend),
                ("HostId", self.host_id),
                ("Code", fault.code),
            ]),
            Format::Xml => xml(
                "Error",
                [
                    ("RequestId", self.request_id),
                    ("HostId", self.host_id),
                    ("Code", fault.code),
                    ("Message", &*fault.message),
                    ("Recommend", &recommend),
                ],
            ),
        };
        self.response(fault.status, body)
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

fn json<'a>(elements: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut body = Vec::with_capacity(512);
    let written = serde_json::Serializer::new(&mut body).collect_map(elements);
    debug_assert!(written.is_ok(), "text serialises and memory takes all that is written");
    // The serialiser writes UTF-8 only.
    String::from_utf8(body).unwrap_or_default()
}

fn xml<'a>(root: &str, elements: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut body = format!("<?xml version='1.0' encoding='UTF-8'?><{root}>");
    for (name, value) in elements {
        // The vendor wraps this one element so; it holds a URL, which never has `]]>`.
        let value = match name {
            "Recommend" => Cow::Owned(format!("<![CDATA[{value}]]>")),
            _ => partial_escape(value),
        };
        body.extend(["<", name, ">", &*value, "</", name, ">"]);
    }
    body.extend(["</", root, ">"]);
    body
}
