//! Acts as the gateways in front of the function: turns a request into an event of each kind.

use serde_json::{Map, Value, json};

use crate::plan::Shape;
use crate::sent::Sent;
use harness::target::http_api_event;

/// The caller's address, which the world's policies name.
const SOURCE_IP: &str = "192.0.2.1";

/// The payload that a gateway of the kind `shape` makes of a request.
pub(super) fn payload(shape: Shape, sent: &Sent) -> String {
    let Sent { method, query, headers, .. } = sent;
    let (body, is_base64_encoded) = body(&sent.body);
    let payload = match shape {
        Shape::HttpApi => {
            let joined = headers.iter().map(|(name, _)| (name.clone(), json!(sent.header(name))));
            http_api_event(method, query, &joined.collect(), &sent.body)
        }
        Shape::RestApi => json!({
            "resource": "/", "path": "/", "httpMethod": method,
            "headers": null, "multiValueHeaders": multi(headers.clone()),
            "queryStringParameters": null,
            "multiValueQueryStringParameters": multi(sent.query_pairs()),
            "requestContext": { "httpMethod": method, "identity": { "sourceIp": SOURCE_IP } },
            "body": body, "isBase64Encoded": is_base64_encoded
        }),
        Shape::Alb => {
            // The query is not decoded.
            let raw = query.split('&').filter(|pair| !pair.is_empty());
            let raw = raw.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let raw = raw.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let caller = ("x-forwarded-for".to_owned(), SOURCE_IP.to_owned());
            json!({
                "requestContext": { "elb": { "targetGroupArn": "arn" } },
                "httpMethod": method, "path": "/",
                "multiValueHeaders": multi(headers.iter().cloned().chain([caller])),
                "multiValueQueryStringParameters": multi(raw),
                "body": body, "isBase64Encoded": is_base64_encoded
            })
        }
    };
    payload.to_string()
}

/// All values of each name.
fn multi(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let values = map.entry(name).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.into());
        }
    }
    map
}

fn body(body: &[u8]) -> (Value, bool) {
    use base64::Engine as _;
    match std::str::from_utf8(body) {
        Ok("") => (Value::Null, false),
        Ok(text) => (text.into(), false),
        Err(_) => (base64::engine::general_purpose::STANDARD.encode(body).into(), true),
    }
}
