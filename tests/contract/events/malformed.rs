//! Unsupported and malformed events: an error that shows no value, or the event without the odd member.

use harness::case::{Style, Variant};
use harness::client;
use ipv6_gateway::Event;
use serde_json::{Value, json};
use suites::now_secs;

use super::{payloads, request};

/// Unsupported events, each with a word of its message.
pub(super) fn no_events() -> Vec<(Value, &'static str)> {
    vec![
        (json!({}), "expected an HTTP event"),
        (json!([]), "expected an HTTP event"),
        (json!(null), "expected an HTTP event"),
        (json!("text"), "expected an HTTP event"),
        (json!(17), "expected an HTTP event"),
        (json!({ "key1": "value1", "key2": "value2" }), "expected an HTTP event"),
        (json!({ "source": "aws.s3", "detail": {} }), "expected an HTTP event"),
        (json!({ "source": ["aws.events"] }), "expected an HTTP event"),
        (
            json!({ "Records": [{ "eventSource": "aws:sqs", "body": "x" }] }),
            "expected an HTTP event",
        ),
        (json!({ "httpMethod": "GET" }), "RestApi"),
        (json!({ "httpMethod": "GET", "requestContext": 1 }), "RestApi"),
        (json!({ "httpMethod": 1, "requestContext": {} }), "RestApi"),
        (json!({ "requestContext": { "http": {} } }), "HttpApi"),
        (json!({ "requestContext": { "http": 1 } }), "HttpApi"),
        (json!({ "requestContext": { "elb": {} } }), "Alb"),
        (json!({ "requestContext": { "elb": {} }, "httpMethod": 1, "headers": {} }), "Alb"),
        (
            json!({ "requestContext": { "http": { "method": "GET" } }, "headers": {}, "body": "%%",
                "isBase64Encoded": true }),
            "base64",
        ),
    ]
}

#[test]
fn an_unsupported_event_is_reported_without_its_values() {
    for (payload, word) in no_events() {
        let error = Event::parse(payload.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(word), "{payload}: {error}");
    }
    let secret = json!({ "httpMethod": "GET", "requestContext": "my-secret" });
    let error = Event::parse(secret.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.contains("requestContext") && !error.contains("my-secret"), "{error}");
}

/// The parsed event, or the message about it.
fn read(payload: &str) -> Result<impl PartialEq + std::fmt::Debug + use<>, String> {
    let event = Event::parse(payload.as_bytes()).map_err(|error| error.to_string())?;
    let rpc = event.request;
    let headers = format!("{:?}", rpc.headers);
    Ok((rpc.method, rpc.query, headers, rpc.body, rpc.source_ip, rpc.secure_transport))
}

/// The paths of the members of objects, at any depth.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        paths(member, &path, all);
        all.push(path);
    }
}

/// Members that are read, and that mean the same in these events as their absence.
const READ: [&str; 3] =
    ["/isBase64Encoded", "/multiValueHeaders", "/multiValueQueryStringParameters"];

/// JSON of every type, including values that few parsers accept.
const ANY: [&str; 13] = [
    "null",
    "true",
    "0",
    "-1.5e3",
    "1e999",
    r#""""#,
    r#""text""#,
    r#""\ud800""#,
    "[]",
    r#"[null, "a", [1]]"#,
    "{}",
    r#"{"a": {"b": [null]}}"#,
    r#"{"a": "b", "c": ["d"]}"#,
];

#[test]
fn a_member_of_another_type_counts_as_absent_and_one_that_is_not_read_may_have_any_value() {
    let query = json!({ "RegionId": "cn-huhehaote", "Bandwidth": "200" });
    let fields = json!({ "query": query, "body": { "ClientToken": "token" } });
    let variant = Variant { style: Style::V3, format: None };
    let wire = client::sign(&request(&fields), &variant, now_secs(), "n");
    let (mut not_read, mut wrong) = (0, 0);
    for (shape, mut payload) in payloads(&wire) {
        let context = &mut payload["requestContext"];
        context["authorizer"] = json!({ "jwt": { "claims": { "sub": "a" }, "scopes": null } });
        context["timeEpoch"] = json!(1_700_000_000);
        context["requestTimeEpoch"] = json!(1_700_000_000);
        let whole = read(&payload.to_string());
        assert!(whole.is_ok(), "{shape}: {whole:?}");
        let mut all = Vec::new();
        paths(&payload, "", &mut all);
        for path in all {
            // These members also identify the sender.
            let tells_shape = ["/requestContext", "/elb", "/http", "/httpMethod"]
                .iter()
                .any(|end| path.ends_with(end));
            let (parent, name) = path.rsplit_once('/').unwrap();
            let mut without = payload.clone();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let without = read(&without.to_string());
            let mut with = payload.clone();
            let is_of_type = |any: &Value| {
                let had = payload.pointer(&path).unwrap();
                had.is_null() || std::mem::discriminant(any) == std::mem::discriminant(had)
            };
            for any in ANY {
                *with.pointer_mut(&path).unwrap() = "@any@".into();
                let read = read(&with.to_string().replace(r#""@any@""#, any));
                let context = format!("{shape}, {path}: {any}");
                if without == whole && !READ.contains(&&*path) {
                    not_read += 1;
                    assert_eq!(read, whole, "{context}");
                } else if !tells_shape && !serde_json::from_str(any).is_ok_and(|it| is_of_type(&it))
                {
                    wrong += 1;
                    assert_eq!(read, without, "{context}");
                }
            }
        }
    }
    assert!(not_read > 500 && wrong > 500, "{not_read} {wrong}");
}

#[test]
fn odd_payloads_are_answered_or_refused_without_a_panic() {
    // A header with a control character is dropped, one beyond ASCII is kept; the call continues.
    let v2 = json!({
        "version": "2.0", "rawQueryString": "", "headers": { "user-agent": "é", "x-odd": "a\u{1}" },
        "requestContext": { "http": { "method": "GET", "path": "/", "sourceIp": "192.0.2.1" } },
        "isBase64Encoded": false
    });
    let rest = |parameters: Value| {
        json!({
            "httpMethod": "GET", "path": "/",
            "multiValueHeaders": { "user-agent": ["é"], "x-odd": ["a", "a\u{1}"] },
            "multiValueQueryStringParameters": parameters,
            "requestContext": { "httpMethod": "GET", "identity": {} }, "isBase64Encoded": false
        })
    };
    for payload in [v2, rest(json!({ "Action": ["x"] }))] {
        let request = Event::parse(payload.to_string().as_bytes()).unwrap().request;
        let names: Vec<_> = request.headers.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["user-agent"], "{payload}");
    }
    let without_value = rest(json!({ "Action": [] }));
    let request = Event::parse(without_value.to_string().as_bytes()).unwrap().request;
    assert_eq!(request.query, "");
}
