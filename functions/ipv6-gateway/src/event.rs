//! API Gateway events, and the answers to them.
//!
//! The same request looks different from each sender; all of them become one [`rpc::Request`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::query_map::QueryMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use rpc::Request;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who sent an event, which tells the form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// API Gateway's REST API, and an HTTP API with payload format 1.0.
    RestApi,
    /// API Gateway's HTTP API with payload format 2.0, and a Function URL, which sends the same.
    HttpApi,
    /// An Application Load Balancer.
    Alb,
    /// An Application Load Balancer with multi-value headers enabled.
    AlbMultiValue,
}

/// An event: a request and who sent it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Who sent it.
    pub shape: Shape,
    /// The request.
    pub request: Request,
}

/// A payload that is no event of the kinds that the function takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownEvent {
    /// It is no JSON object, or not an HTTP event.
    Shape,
    /// It looks like one, but a field is not as it should be.
    Field {
        /// Who it seems to come from.
        shape: Shape,
        /// The path of the field. Its value is left out, for it may be a secret.
        path: String,
    },
    /// Its body says that it is base64 and is not.
    Body,
}

impl fmt::Display for UnknownEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => formatter.write_str(
                "the payload is no HTTP event: neither API Gateway's (REST API or HTTP API), nor a \
                 Function URL's, nor an Application Load Balancer's",
            ),
            Self::Field { shape, path } => {
                // Names come from outside, and this goes into a log.
                let path = path.escape_debug();
                write!(
                    formatter,
                    "the payload looks like an event of {shape:?}, but not at `{path}`"
                )
            }
            Self::Body => formatter.write_str("`isBase64Encoded` is true and `body` is not base64"),
        }
    }
}

impl std::error::Error for UnknownEvent {}

impl Event {
    /// Reads the payload of an invocation.
    ///
    /// # Errors
    ///
    /// [`UnknownEvent`].
    pub fn parse(payload: &[u8]) -> Result<Self, UnknownEvent> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            http_method: Option<IgnoredAny>,
            request_context: Option<ProbeContext>,
        }
        #[derive(Deserialize)]
        struct ProbeContext {
            elb: Option<IgnoredAny>,
            http: Option<IgnoredAny>,
        }

        let probe: Probe = serde_json::from_slice(payload).map_err(|_| UnknownEvent::Shape)?;
        match probe {
            Probe { request_context: Some(ProbeContext { elb: Some(_), .. }), .. } => {
                check_values(payload, Shape::Alb)?;
                Self::alb(read(payload, Shape::Alb)?)
            }
            Probe { request_context: Some(ProbeContext { http: Some(_), .. }), .. } => {
                Self::http_api(read(payload, Shape::HttpApi)?)
            }
            Probe { http_method: Some(_), .. } => {
                check_values(payload, Shape::RestApi)?;
                Self::rest_api(read(payload, Shape::RestApi)?)
            }
            Probe { .. } => Err(UnknownEvent::Shape),
        }
    }

    /// Takes an event of a REST API, which has the parameters decoded already.
    ///
    /// # Errors
    ///
    /// [`UnknownEvent::Body`].
    pub fn rest_api(event: ApiGatewayProxyRequest) -> Result<Self, UnknownEvent> {
        let query =
            either(&event.multi_value_query_string_parameters, &event.query_string_parameters)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        let headers = if event.multi_value_headers.is_empty() {
            event.headers
        } else {
            event.multi_value_headers
        };
        let body = body(event.body, event.is_base64_encoded)?;
        let source_ip = event.request_context.identity.source_ip;
        let source_ip = source_ip.and_then(|ip| ip.parse().ok());
        let secure_transport = is_secure(&headers, true);
        let method = event.http_method;
        let request = Request { method, query, headers, body, source_ip, secure_transport };
        Ok(Self { shape: Shape::RestApi, request })
    }

    /// Takes an event of an HTTP API or a Function URL, which has the query as it was sent.
    ///
    /// # Errors
    ///
    /// [`UnknownEvent::Body`].
    pub fn http_api(event: ApiGatewayV2httpRequest) -> Result<Self, UnknownEvent> {
        // The decoded map joins repeated names with commas, so it is not looked at.
        let query = rpc::form_pairs(event.raw_query_string.as_deref().unwrap_or_default())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let http = event.request_context.http;
        let body = body(event.body, event.is_base64_encoded)?;
        let source_ip = http.source_ip.and_then(|ip| ip.parse().ok());
        let (method, headers) = (http.method, event.headers);
        let secure_transport = is_secure(&headers, true);
        let request = Request { method, query, headers, body, source_ip, secure_transport };
        Ok(Self { shape: Shape::HttpApi, request })
    }

    /// Takes an event of a load balancer, which has names and values apart but not decoded.
    ///
    /// # Errors
    ///
    /// [`UnknownEvent::Body`].
    pub fn alb(event: AlbTargetGroupRequest) -> Result<Self, UnknownEvent> {
        let query =
            either(&event.multi_value_query_string_parameters, &event.query_string_parameters)
                .map(|(name, value)| (decode(name), decode(value)))
                .collect();
        let (shape, headers) = if event.multi_value_headers.is_empty() {
            (Shape::Alb, event.headers)
        } else {
            (Shape::AlbMultiValue, event.multi_value_headers)
        };
        let body = body(event.body, event.is_base64_encoded)?;
        let source_ip = forwarded_for(&headers);
        let secure_transport = is_secure(&headers, false);
        let method = event.http_method;
        let request = Request { method, query, headers, body, source_ip, secure_transport };
        Ok(Self { shape, request })
    }
}

/// Whether the client spoke TLS, which API Gateway and load balancers tell in a header of their own
/// making, over whatever a client sent (decision `source-ip`).
fn is_secure(headers: &HeaderMap, otherwise: bool) -> bool {
    let proto = headers.get("x-forwarded-proto").map(HeaderValue::as_bytes);
    proto.map_or(otherwise, |proto| proto.eq_ignore_ascii_case(b"https"))
}

/// Who connected to the load balancer, which adds it to whatever a client sent: the last address
/// (decision `source-ip`).
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let with_port = || last.parse().map(|address: SocketAddr| address.ip());
    last.parse().or_else(|_| with_port()).ok()
}

fn read<T: DeserializeOwned>(payload: &[u8], shape: Shape) -> Result<T, UnknownEvent> {
    serde_json::from_slice(payload).or_else(|_| {
        // A client can send headers that the types of events refuse; that must not fail the call.
        let mut payload: Value =
            serde_json::from_slice(payload).map_err(|_| UnknownEvent::Shape)?;
        drop_odd_headers(&mut payload);
        serde_path_to_error::deserialize(payload).map_err(|error| {
            let path = error.path().to_string();
            UnknownEvent::Field { shape, path }
        })
    })
}

/// Checks that every parameter has a value. No sender leaves one without, and the types of events
/// panic at one.
fn check_values(payload: &[u8], shape: Shape) -> Result<(), UnknownEvent> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parameters {
        query_string_parameters: Option<Value>,
        multi_value_query_string_parameters: Option<Value>,
    }
    let parameters: Parameters =
        serde_json::from_slice(payload).map_err(|_| UnknownEvent::Shape)?;
    for (path, parameters) in [
        ("queryStringParameters", parameters.query_string_parameters),
        ("multiValueQueryStringParameters", parameters.multi_value_query_string_parameters),
    ] {
        let values = parameters.as_ref().and_then(Value::as_object).into_iter().flatten();
        let mut lists = values.filter_map(|(_, value)| value.as_array());
        if lists.any(Vec::is_empty) {
            return Err(UnknownEvent::Field { shape, path: path.to_owned() });
        }
    }
    Ok(())
}

/// Drops the headers whose values hold control characters. A signature that covers one is found to name a
/// header that is not there.
fn drop_odd_headers(payload: &mut Value) {
    let is_plain = |value: &Value| {
        value.as_str().is_none_or(|value| HeaderValue::from_bytes(value.as_bytes()).is_ok())
    };
    if let Some(headers) = payload.get_mut("headers").and_then(Value::as_object_mut) {
        headers.retain(|_, value| is_plain(value));
    }
    if let Some(headers) = payload.get_mut("multiValueHeaders").and_then(Value::as_object_mut) {
        headers.retain(|_, values| values.as_array().is_none_or(|v| v.iter().all(is_plain)));
    }
}

/// The parameters with all their values where the event has them, else with one each.
fn either<'a>(
    multi_value: &'a QueryMap,
    single: &'a QueryMap,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    if multi_value.is_empty() { single.iter() } else { multi_value.iter() }
}

/// Undoes the encoding of one name or value, by the rules of forms.
fn decode(text: &str) -> String {
    // No separator is left in it that could be one: what came apart at `&` and `=` came apart.
    let text = text.replace('&', "%26").replace('=', "%3D");
    rpc::form_pairs(&text).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

fn body(body: Option<String>, is_base64_encoded: bool) -> Result<Bytes, UnknownEvent> {
    let body = body.unwrap_or_default();
    if is_base64_encoded {
        return STANDARD.decode(body).map(Bytes::from).map_err(|_| UnknownEvent::Body);
    }
    Ok(Bytes::from(body))
}

/// An answer, in the form that the event's sender reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The HTTP status.
    pub status_code: u16,
    /// The status in words, which load balancers want.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_description: Option<String>,
    /// The headers, names in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<&'static str, Cow<'static, str>>,
    /// The headers again, for a load balancer that takes no others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub multi_value_headers: BTreeMap<&'static str, [Cow<'static, str>; 1]>,
    /// The body, as it is.
    pub body: String,
    /// Never.
    pub is_base64_encoded: bool,
}

impl Response {
    pub(crate) fn new(shape: Shape, response: rpc::Response) -> Self {
        let rpc::Response { status, headers, body } = response;
        let is_alb = matches!(shape, Shape::Alb | Shape::AlbMultiValue);
        let mut response = Self {
            status_code: status,
            status_description: is_alb.then(|| {
                let reason = http::StatusCode::from_u16(status).ok();
                let reason = reason.and_then(|status| status.canonical_reason());
                format!("{status} {}", reason.unwrap_or_default())
            }),
            headers: BTreeMap::new(),
            multi_value_headers: BTreeMap::new(),
            body,
            is_base64_encoded: false,
        };
        match shape {
            Shape::AlbMultiValue => {
                response.multi_value_headers =
                    headers.into_iter().map(|(name, value)| (name, [value])).collect();
            }
            Shape::RestApi | Shape::HttpApi | Shape::Alb => {
                response.headers = headers.into_iter().collect();
            }
        }
        response
    }
}
