//! The limits of a request (decision `limits`), each at its last byte and one beyond, over a socket
//! and as an event. Headers that gateways add do not count.

use harness::target::InProcess;
use serde_json::{Map, Value, json};
use suites::endpoint::{Endpoint, built};
use suites::worlds::one_address;

use crate::connections::{code, exchange};

/// The headers that gateways and proxies add.
const ADDED: [(&str, &str); 6] = [
    ("Forwarded", "for=192.0.2.1;proto=https"),
    ("Via", "1.1 gateway"),
    ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
    ("X-Forwarded-For", "192.0.2.1"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Proto", "https"),
];

const FORM: &str = "application/x-www-form-urlencoded";

/// A request of a given size that names no action. Within the limits it is answered
/// `MissingAction`.
struct Size {
    query: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Size {
    fn new(query: &str, body: String) -> Self {
        let headers = [
            ("Host", "x".to_owned()),
            ("Connection", "close".to_owned()),
            ("Content-Type", FORM.to_owned()),
            ("Content-Length", body.len().to_string()),
        ];
        Self { query: query.to_owned(), headers: headers.into(), body }
    }

    fn headers_bytes(&self) -> usize {
        self.headers.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Headers of so many bytes.
    fn of_headers(bytes: usize) -> Self {
        let mut sized = Self::new("Format=JSON", String::new());
        let rest = bytes - sized.headers_bytes() - "X-Long".len();
        sized.headers.push(("X-Long", "x".repeat(rest)));
        sized
    }

    /// Query, headers and body of so many bytes. The body is no form, so it has no parameters.
    fn of_request(bytes: usize) -> Self {
        let mut sized = Self::new("Format=JSON", "x".repeat(1_000_000));
        "text/plain".clone_into(&mut sized.headers[2].1);
        let rest = bytes - sized.headers_bytes() - "FormatJSON".len();
        sized.body = "x".repeat(rest);
        sized.headers[3].1 = rest.to_string();
        sized
    }

    fn of_parameters(count: usize) -> Self {
        Self::new("Format=JSON", "a=1&".repeat(count - 1))
    }

    /// A parameter with a name of so many decoded bytes.
    fn of_name(bytes: usize) -> Self {
        Self::new("Format=JSON", format!("%61{}=1", "a".repeat(bytes - 1)))
    }

    fn of_value(bytes: usize) -> Self {
        Self::new(&format!("Format=JSON&a=%61{}", "a".repeat(bytes - 1)), String::new())
    }

    fn added(mut self) -> Self {
        self.headers.extend(ADDED.map(|(name, value)| (name, value.to_owned())));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("POST /?{} HTTP/1.1\r\n", self.query);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.extend(["\r\n", &self.body]);
        text.into_bytes()
    }

    fn event(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        json!({
            "version": "2.0", "rawPath": "/", "rawQueryString": self.query,
            "headers": headers.collect::<Map<_, _>>(), "body": self.body, "isBase64Encoded": false,
            "requestContext": { "http": { "method": "POST", "path": "/", "sourceIp": "192.0.2.1" } }
        })
    }
}

/// A limit: its name, its size, the request of a size and the code over it.
type Limit = (&'static str, usize, fn(usize) -> Size, &'static str);

const LIMITS: [Limit; 5] = [
    ("headers", 32 * 1024, Size::of_headers, "RequestHeadersTooLarge"),
    ("a whole request", 1024 * 1024, Size::of_request, "RequestTooLarge"),
    ("parameters", 200, Size::of_parameters, "InvalidParameter.Format"),
    ("a parameter's name", 8 * 1024, Size::of_name, "InvalidParameter.Format"),
    ("a parameter's value", 8 * 1024, Size::of_value, "InvalidParameter.Format"),
];

/// Each limit at its last byte and one beyond, without and with what gateways add.
fn edges() -> impl Iterator<Item = (String, Size, &'static str)> {
    LIMITS.into_iter().flat_map(|(name, size, sized, over)| {
        [(size, "MissingAction"), (size + 1, over)].into_iter().flat_map(move |(size, code)| {
            let plain = (format!("{name}, {size}"), sized(size), code);
            [plain, (format!("{name}, {size}, through a gateway"), sized(size).added(), code)]
        })
    })
}

#[tokio::test]
async fn a_request_is_refused_from_the_first_byte_over_a_limit_over_a_socket() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    for (name, sized, expected) in edges() {
        assert_eq!(code(&exchange(&endpoint, &sized.bytes()).await), expected, "{name}");
    }
    // The HTTP server has limits of its own, and its answers to these have no body.
    for (bytes, status) in [(65_534, "400"), (65_535, "414")] {
        let target = format!("/?{}", "a=1&".repeat(bytes));
        let head = format!("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", &target[..bytes]);
        let answer = exchange(&endpoint, head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes}: {answer}");
    }
    for (count, status) in [(100, "400"), (101, "431")] {
        let more = "X: y\r\n".repeat(count - 1);
        let head = format!("GET / HTTP/1.1\r\nConnection: close\r\n{more}\r\n");
        let answer = exchange(&endpoint, head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{count}: {answer}");
    }
}

#[tokio::test]
async fn a_request_is_refused_from_the_first_byte_over_a_limit_as_an_event() {
    for (name, sized, expected) in edges() {
        let mut target = InProcess::default();
        target.begin(&one_address(), None).unwrap();
        let answer = target.invoke(&sized.event()).await.unwrap();
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["Code"], expected, "{name}");
    }
}
