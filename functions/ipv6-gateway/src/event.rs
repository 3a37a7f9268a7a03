//! Events of API Gateway, Function URLs and load balancers, and the answers to them.
//!
//! Each sender has its own form of event; all are converted to [`rpc::Request`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue, Method};
use rpc::{Request, header_name, percent_encode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The form of an event, which depends on its sender. The answer must have the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// API Gateway's REST API, and an HTTP API with payload format 1.0.
    RestApi,
    /// API Gateway's HTTP API with payload format 2.0, and a Function URL.
    HttpApi,
    /// An Application Load Balancer.
    Alb,
    /// An Application Load Balancer with multi-value headers enabled.
    AlbMultiValue,
}

/// An event: a request and the form in which it was sent.
#[derive(Clone, Debug)]
pub struct Event {
    /// The form.
    pub shape: Shape,
    /// The request.
    pub request: Request,
}

/// An unsupported event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsupportedEvent {
    /// The payload is not a JSON object, or not an HTTP event.
    Shape,
    /// A required field is missing or has another type.
    Field {
        /// The form of the event.
        shape: Shape,
        /// The path of the field. Its value is left out, for it may be a secret.
        path: String,
    },
    /// `isBase64Encoded` is true and the body is not base64.
    Body,
}

impl fmt::Display for UnsupportedEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => formatter.write_str(
                "unsupported event, expected an HTTP event of API Gateway (REST API or HTTP API), a \
                 Function URL or an Application Load Balancer",
            ),
            Self::Field { shape, path } => {
                // The path comes from the payload, and this text goes into a log.
                let path = path.escape_debug();
                write!(formatter, "unsupported event of {shape:?}: `{path}` is missing or invalid")
            }
            Self::Body => formatter.write_str(
                "unsupported event: `isBase64Encoded` is true and `body` is not base64",
            ),
        }
    }
}

impl std::error::Error for UnsupportedEvent {}

/// The members of all forms of payloads that the function reads. Other members may have any value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    request_context: Option<Lenient<RequestContext>>,
    http_method: Option<Lenient<String>>,
    raw_query_string: Option<Lenient<String>>,
    query_string_parameters: Option<Lenient<Single>>,
    multi_value_query_string_parameters: Option<Lenient<Multi>>,
    headers: Option<Lenient<Single>>,
    multi_value_headers: Option<Lenient<Multi>>,
    body: Option<Lenient<String>>,
    is_base64_encoded: Option<Lenient<bool>>,
}

/// Names with one value each.
type Single = BTreeMap<String, Lenient<String>>;

/// Names with all their values.
type Multi = BTreeMap<String, Lenient<Vec<String>>>;

#[derive(Deserialize)]
struct RequestContext {
    elb: Option<IgnoredAny>,
    http: Option<Lenient<Http>>,
    identity: Option<Lenient<RequestIdentity>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: Option<Lenient<String>>,
    source_ip: Option<Lenient<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestIdentity {
    source_ip: Option<Lenient<String>>,
}

/// A member that counts as absent if it has another type, so that other members can still be read.
struct Lenient<T>(Option<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// The value of a member, if it has the right type.
fn value<T>(member: Option<Lenient<T>>) -> Option<T> {
    member.and_then(|Lenient(value)| value)
}

impl Shape {
    /// The form of a payload with these members.
    fn of(has_elb: bool, has_http: bool, has_http_method: bool) -> Option<Self> {
        if has_elb {
            Some(Self::Alb)
        } else if has_http {
            Some(Self::HttpApi)
        } else {
            has_http_method.then_some(Self::RestApi)
        }
    }
}

impl Event {
    /// Reads the payload of an invocation.
    ///
    /// # Errors
    ///
    /// [`UnsupportedEvent`].
    pub fn parse(payload: &[u8]) -> Result<Self, UnsupportedEvent> {
        let event: Payload =
            serde_json::from_slice(payload).map_err(|_| UnsupportedEvent::Shape)?;
        let context = value(event.request_context);
        let has_elb = context.as_ref().is_some_and(|context| context.elb.is_some());
        let has_http = context.as_ref().is_some_and(|context| context.http.is_some());
        let shape = Shape::of(has_elb, has_http, event.http_method.is_some());
        let shape = shape.ok_or(UnsupportedEvent::Shape)?;
        let wrong = |path: &str| UnsupportedEvent::Field { shape, path: path.to_owned() };
        let RequestContext { http, identity, .. } =
            context.ok_or_else(|| wrong("requestContext"))?;
        let Http { method, source_ip } = value(http).unwrap_or_default();
        let (method, path) = match shape {
            Shape::HttpApi => (method, "requestContext.http.method"),
            Shape::RestApi | Shape::Alb | Shape::AlbMultiValue => (event.http_method, "httpMethod"),
        };
        let method = value(method).and_then(|method| method.parse().ok());
        let method = method.ok_or_else(|| wrong(path))?;

        let parameters = either(
            value(event.query_string_parameters),
            value(event.multi_value_query_string_parameters),
        );
        let multi_value_headers = value(event.multi_value_headers);
        let has_multi_value_headers = multi_value_headers.as_ref().is_some_and(|h| !h.is_empty());
        let headers = headers(either(value(event.headers), multi_value_headers));
        let ip = |ip: Option<Lenient<String>>| value(ip).and_then(|ip| ip.parse().ok());
        let (query, source_ip) = match shape {
            // The decoded parameters are not used: they join repeated names by commas.
            Shape::HttpApi => (value(event.raw_query_string).unwrap_or_default(), ip(source_ip)),
            Shape::RestApi => {
                let source_ip = value(identity).and_then(|identity| identity.source_ip);
                (query(&parameters, percent_encode), ip(source_ip))
            }
            Shape::Alb | Shape::AlbMultiValue => {
                // The load balancer splits at `&` and `=` and does not decode.
                let encode = |text: &str| text.replace('&', "%26").replace('=', "%3D");
                (query(&parameters, encode), forwarded_for(&headers))
            }
        };
        let secure_transport = is_secure(&headers, !has_elb);
        let body = value(event.body).unwrap_or_default();
        let body = if value(event.is_base64_encoded) == Some(true) {
            STANDARD.decode(body).map(Bytes::from).map_err(|_| UnsupportedEvent::Body)?
        } else {
            Bytes::from(body)
        };
        let shape = match shape {
            Shape::Alb if has_multi_value_headers => Shape::AlbMultiValue,
            other => other,
        };
        let request = Request { method, query, headers, body, source_ip, secure_transport };
        Ok(Self { shape, request })
    }

    /// Whether this is a load balancer's health check. Any client can send one; the answer does not
    /// depend on the store.
    #[must_use]
    pub fn is_health_check(&self) -> bool {
        let Request { method, query, headers, .. } = &self.request;
        let agent = headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
        matches!(self.shape, Shape::Alb | Shape::AlbMultiValue)
            && method == Method::GET
            && query.is_empty()
            && agent.starts_with(b"ELB-HealthChecker/")
    }
}

/// Whether a payload is a scheduled event (of `EventBridge` rules or its scheduler), which keeps the
/// function warm and needs no answer.
#[must_use]
pub fn is_scheduled(payload: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Scheduled {
        source: String,
    }
    serde_json::from_slice(payload).is_ok_and(|Scheduled { source }| {
        ["aws.events", "aws.scheduler"].contains(&source.as_str())
    })
}

/// Whether the client used TLS. API Gateway and load balancers set a header to it and overwrite the
/// client's (decision `source-ip`).
fn is_secure(headers: &HeaderMap, otherwise: bool) -> bool {
    let proto = headers.get("x-forwarded-proto").map(HeaderValue::as_bytes);
    proto.map_or(otherwise, |proto| proto.eq_ignore_ascii_case(b"https"))
}

/// The address of the load balancer's client: the last one, which the load balancer appends (decision
/// `source-ip`).
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let with_port = || last.parse().map(|address: SocketAddr| address.ip());
    last.parse().or_else(|_| with_port()).ok()
}

/// The members with all their values if the event has these, otherwise with one value each. Values of
/// another type are left out.
fn either(single: Option<Single>, multi: Option<Multi>) -> Vec<(String, Vec<String>)> {
    match multi {
        Some(multi) if !multi.is_empty() => {
            let multi = multi.into_iter();
            multi.filter_map(|(name, Lenient(values))| Some((name, values?))).collect()
        }
        _ => {
            let single = single.unwrap_or_default().into_iter();
            single.filter_map(|(name, Lenient(value))| Some((name, vec![value?]))).collect()
        }
    }
}

/// The query of `parameters`.
fn query<'a, T: AsRef<str>>(
    parameters: &'a [(String, Vec<String>)],
    encode: impl Fn(&'a str) -> T,
) -> String {
    let mut query = String::new();
    for (name, values) in parameters {
        for value in values {
            query.extend([encode(name).as_ref(), "=", encode(value).as_ref(), "&"]);
        }
    }
    query
}

/// The headers. A header with a control character in a value is left out and does not fail the call; a
/// signature that covers it fails, for the header is missing.
fn headers(all: Vec<(String, Vec<String>)>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(all.len());
    for (name, values) in all {
        let Some(name) = header_name(&name) else { continue };
        let values: Result<Vec<_>, _> = values.into_iter().map(HeaderValue::try_from).collect();
        for value in values.unwrap_or_default() {
            headers.append(name.clone(), value);
        }
    }
    headers
}

/// An answer, in the form of its event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The status with its reason phrase, which load balancers need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_description: Option<String>,
    /// The headers, names in lower case.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The headers for a load balancer with multi-value headers.
    #[serde(serialize_with = "as_map", skip_serializing_if = "Vec::is_empty")]
    pub multi_value_headers: Vec<(&'static str, [Cow<'static, str>; 1])>,
    /// The body.
    pub body: String,
    /// Always false.
    pub is_base64_encoded: bool,
}

impl Response {
    /// The answer to [`Event::is_health_check`].
    #[must_use]
    pub fn healthy(shape: Shape) -> Self {
        let body = "{}".to_owned();
        Self::new(shape, rpc::Response { status: 200, headers: Vec::new(), body })
    }

    /// The answer in the form `shape`.
    #[must_use]
    pub fn new(shape: Shape, response: rpc::Response) -> Self {
        let rpc::Response { status, headers, body } = response;
        let is_alb = matches!(shape, Shape::Alb | Shape::AlbMultiValue);
        let mut response = Self {
            status_code: status,
            status_description: is_alb.then(|| {
                let reason = http::StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|status| status.canonical_reason());
                format!("{status} {}", reason.unwrap_or_default())
            }),
            headers: Vec::new(),
            multi_value_headers: Vec::new(),
            body,
            is_base64_encoded: false,
        };
        match shape {
            Shape::AlbMultiValue => {
                response.multi_value_headers =
                    headers.into_iter().map(|(name, value)| (name, [value])).collect();
            }
            Shape::RestApi | Shape::HttpApi | Shape::Alb => {
                response.headers = headers;
            }
        }
        response
    }
}

fn as_map<S: Serializer, V: Serialize>(
    headers: &[(&'static str, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}
