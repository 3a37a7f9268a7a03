//! Plays what stands in front of the function: a request becomes an event of each kind.

use serde_json::{Map, Value, json};

use super::encoding::split;
use super::plan::Shape;
use super::sent::Sent;

/// Who calls, and whom the world's policies know.
const SOURCE_IP: &str = "192.0.2.1";

/// The payload that a gateway of the kind `shape` sends for a request.
pub(super) fn payload(shape: Shape, sent: &Sent) -> String {
    let (body, is_base64_encoded) = body(shape, &sent.body);
    let payload = match shape {
        Shape::HttpApi => {
            let mut headers: Map<String, Value> = Map::new();
            for (name, _) in &sent.headers {
                headers.insert(name.clone(), sent.header(name).into());
            }
            json!({
                "version": "2.0", "routeKey": "$default", "rawPath": "/",
                "rawQueryString": sent.query, "headers": headers,
                "requestContext": {
                    "http": { "method": sent.method, "path": "/", "sourceIp": SOURCE_IP }
                },
                "body": body, "isBase64Encoded": is_base64_encoded
            })
        }
        Shape::RestApi => json!({
            "resource": "/", "path": "/", "httpMethod": sent.method,
            "headers": null, "multiValueHeaders": multi(&sent.headers),
            "queryStringParameters": null,
            "multiValueQueryStringParameters": multi(&sent.query_pairs()),
            "requestContext": {
                "httpMethod": sent.method, "identity": { "sourceIp": SOURCE_IP }
            },
            "body": body, "isBase64Encoded": is_base64_encoded
        }),
        Shape::Alb => {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let raw = split(sent.query.as_bytes());
            let raw: Vec<_> = raw.map(|(name, value)| (text(name), text(value))).collect();
            let mut headers = sent.headers.clone();
            headers.push(("x-forwarded-for".to_owned(), SOURCE_IP.to_owned()));
            json!({
                "requestContext": { "elb": { "targetGroupArn": "arn" } },
                "httpMethod": sent.method, "path": "/",
                "multiValueHeaders": multi(&headers),
                "multiValueQueryStringParameters": multi(&raw),
                "body": body, "isBase64Encoded": is_base64_encoded
            })
        }
    };
    payload.to_string()
}

/// All values of each name.
fn multi(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let values = map.entry(name.clone()).or_insert_with(|| json!([]));
        values.as_array_mut().into_iter().for_each(|values| values.push(value.clone().into()));
    }
    map
}

fn body(shape: Shape, body: &[u8]) -> (Value, bool) {
    use base64::Engine as _;
    match std::str::from_utf8(body) {
        Ok("") => (Value::Null, false),
        Ok(text) if shape != Shape::HttpApi => (text.into(), false),
        _ => (base64::engine::general_purpose::STANDARD.encode(body).into(), true),
    }
}
