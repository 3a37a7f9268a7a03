//! The same request leads to the same bytes in every shape of event, and an unsupported event is
//! reported.

use std::path::Path;

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use harness::target::bootstrap::spawn;
use harness::target::runtime_api::RuntimeApi;
use harness::target::{InProcess, http_api_payload};
use ipv6_gateway::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use suites::endpoint::built;
use suites::now_secs;
use suites::scratch;
use suites::support::ALLOCATE;
use suites::worlds::one_address;

/// A map from each name to its values, changed by `value`.
fn by_name(pairs: &[(String, String)], value: impl Fn(&str) -> String) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, text) in pairs {
        let values = map.entry(name.clone()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(value(text).into());
    }
    map
}

fn lasts(multi: &Map<String, Value>) -> Map<String, Value> {
    multi
        .iter()
        .map(|(name, values)| (name.clone(), values[values.as_array().unwrap().len() - 1].clone()))
        .collect()
}

/// A parameter as a browser encodes it, which differs from the form that is signed.
fn encoded(text: &str) -> String {
    let pairs = [("", text)];
    let mut encoder = form_urlencoded::Serializer::new(String::new());
    encoder.extend_pairs(pairs);
    encoder.finish().trim_start_matches('=').to_owned()
}

/// The event as the types of the `aws_lambda_events` library write it.
fn rewritten<T: DeserializeOwned + Serialize>(payload: &Value) -> Value {
    let event: T = serde_json::from_value(payload.clone()).unwrap();
    serde_json::to_value(event).unwrap()
}

/// The request as each sender sends it.
fn payloads(wire: &Wire) -> Vec<(&'static str, Value)> {
    let headers: Map<String, Value> =
        wire.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let multi_headers: Map<String, Value> =
        wire.headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let decoded = by_name(&wire.query, str::to_owned);
    let raw = by_name(&wire.query, encoded);
    let body = if wire.body.is_empty() { Value::Null } else { wire.body.clone().into() };
    let rest = json!({
        "resource": "/", "path": "/", "httpMethod": wire.method,
        "headers": headers, "multiValueHeaders": multi_headers,
        "queryStringParameters": lasts(&decoded), "multiValueQueryStringParameters": decoded,
        "pathParameters": null, "stageVariables": null,
        "requestContext": { "stage": "prod", "httpMethod": wire.method, "identity": { "sourceIp": "192.0.2.1" } },
        "body": body, "isBase64Encoded": false
    });
    let alb = json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:x" } },
        "httpMethod": wire.method, "path": "/", "headers": headers,
        "queryStringParameters": lasts(&raw),
        "body": wire.body, "isBase64Encoded": false
    });
    let mut shapes = vec![
        ("HTTP API", http_api_payload(wire)),
        ("HTTP API with a stage and plain text", {
            let mut payload = http_api_payload(wire);
            payload["rawPath"] = "/prod/".into();
            payload["isBase64Encoded"] = false.into();
            payload["body"] = body.clone();
            payload
        }),
        ("Function URL", {
            let mut payload = http_api_payload(wire);
            payload["requestContext"]["domainName"] = "abc.lambda-url.us-east-1.on.aws".into();
            payload["requestContext"]["authorizer"] = Value::Null;
            payload["cookies"] = json!([]);
            payload
        }),
        (
            "HTTP API, as the library writes it",
            rewritten::<ApiGatewayV2httpRequest>(&http_api_payload(wire)),
        ),
        ("REST API", rest.clone()),
        ("REST API, as the library writes it", rewritten::<ApiGatewayProxyRequest>(&rest)),
        ("REST API with single values only", {
            let mut payload = rest.clone();
            payload["multiValueHeaders"] = Value::Null;
            payload["multiValueQueryStringParameters"] = Value::Null;
            payload
        }),
        ("load balancer", alb.clone()),
        ("load balancer, as the library writes it", rewritten::<AlbTargetGroupRequest>(&alb)),
        ("load balancer with multiple values", {
            let mut payload = alb;
            let fields = payload.as_object_mut().unwrap();
            fields.remove("headers");
            fields.remove("queryStringParameters");
            payload["multiValueHeaders"] = json!(multi_headers);
            payload["multiValueQueryStringParameters"] = json!(raw);
            payload
        }),
    ];
    if wire.body.is_empty() && !wire.headers.contains_key("authorization") {
        let mut console = rest;
        for field in ["headers", "multiValueHeaders", "body"] {
            console[field] = Value::Null;
        }
        shapes.push(("the REST API's console, without headers", console));
    }
    shapes
}

fn request(fields: &Value) -> Request {
    let mut request = fields.clone();
    request["action"] = ALLOCATE.into();
    serde_json::from_value(request).unwrap()
}

#[tokio::test]
async fn one_request_gets_the_same_bytes_in_every_shape_of_event() {
    let sound = json!({ "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200",
        "ClientToken": "a b*c~d+e/é(!')&=%" });
    let plain = json!({ "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200",
        "ClientToken": "a b*c~d+e/(!')&=%" });
    let empty = json!({ "RegionId": "cn-huhehaote", "Ipv6AddressId": "", "Bandwidth": "200" });
    let twice = json!([
        ["RegionId", "cn-huhehaote"],
        ["RegionId", "cn-huhehaote"],
        ["Ipv6AddressId", "ipv6-1"],
        ["Bandwidth", "200"]
    ]);
    let mut seen = Vec::new();
    for fields in [
        json!({ "query": plain }),
        json!({ "query": plain, "method": "GET" }),
        json!({ "body": plain }),
        json!({ "query": { "RegionId": "cn-hangzhou" }, "body": plain }),
        json!({ "query": sound }),
        json!({ "query": empty }),
        json!({ "query": twice }),
        json!({ "query": plain, "accessKeySecret": "wrong" }),
    ] {
        for style in [Style::V1, Style::V3] {
            for format in ["JSON", "XML"] {
                let variant = Variant { style, format: Some(format.to_owned()) };
                let wire = client::sign(&request(&fields), &variant, now_secs(), "n");
                let mut first: Option<(Value, Value)> = None;
                for (shape, payload) in payloads(&wire) {
                    let repeats = fields["query"].is_array();
                    // A request with one of two values is the same request only if it had one.
                    let mut target = InProcess::default();
                    target.begin(&one_address(), None).unwrap();
                    let response = target.invoke(&payload).await.unwrap();
                    let answer = (response["statusCode"].clone(), response["body"].clone());
                    if shape.contains("console") && answer.0 != 200 {
                        // Without headers it has no host that an error could name.
                        continue;
                    }
                    let expected = first.get_or_insert_with(|| answer.clone());
                    assert_eq!(
                        answer, *expected,
                        "{shape}, {style:?}, {fields}, repeats: {repeats}"
                    );
                    let headers = match shape {
                        "load balancer with multiple values" => &response["multiValueHeaders"],
                        _ => &response["headers"],
                    };
                    assert!(
                        headers["content-type"].is_string() || headers["content-type"].is_array()
                    );
                }
                seen.push(first.unwrap().0.as_u64().unwrap());
            }
        }
    }
    assert!(seen.contains(&200) && seen.contains(&400), "{seen:?}");
}

#[tokio::test]
async fn a_load_balancer_gets_the_status_in_words() {
    let variant = Variant { style: Style::V1, format: None };
    let fields = json!({ "query": { "RegionId": "cn-nowhere" } });
    let wire = client::sign(&request(&fields), &variant, now_secs(), "n");
    let (_, payload) =
        payloads(&wire).into_iter().find(|(shape, _)| *shape == "load balancer").unwrap();
    let mut target = InProcess::default();
    target.begin(&one_address(), None).unwrap();
    let response = target.invoke(&payload).await.unwrap();
    assert_eq!(response["statusDescription"], "404 Not Found");
}

/// Unsupported events, each with a word of its message.
fn no_events() -> Vec<(Value, &'static str)> {
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

/// A load balancer's health check.
fn health_check() -> Value {
    json!({
        "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:x" } },
        "httpMethod": "GET", "path": "/", "headers": { "user-agent": "ELB-HealthChecker/2.0" },
        "queryStringParameters": {}, "body": "", "isBase64Encoded": false
    })
}

#[test]
fn only_a_load_balancer_asks_whether_the_function_is_alive() {
    let asks =
        |payload: &Value| Event::parse(payload.to_string().as_bytes()).unwrap().is_health_check();
    assert!(asks(&health_check()));
    let rest_api = json!({ "elb": null, "identity": { "sourceIp": "192.0.2.1" } });
    for (field, value) in [
        ("httpMethod", json!("POST")),
        ("queryStringParameters", json!({ "Action": "DescribeIpv6Addresses" })),
        ("headers", json!({ "user-agent": "curl/8.5.0" })),
        ("headers", json!({})),
        ("requestContext", rest_api),
    ] {
        let mut payload = health_check();
        payload[field] = value;
        assert!(!asks(&payload), "{payload}");
    }
}

#[tokio::test]
async fn after_an_unsupported_event_the_function_continues() {
    let binary = built("bootstrap").unwrap();
    let folder = scratch();
    let file = folder.path().join("world.json");
    std::fs::write(&file, one_address().to_string()).unwrap();
    let runtime_api = RuntimeApi::start().await.unwrap();
    let mut process = spawn(Path::new(&binary), &runtime_api, &file).unwrap();
    for (payload, word) in no_events() {
        let error = runtime_api.invoke(payload.to_string()).await.unwrap().unwrap_err();
        let message = error["errorMessage"].as_str().unwrap_or_default();
        assert!(message.contains(word), "{payload}: {error}");
    }
    for source in ["aws.events", "aws.scheduler"] {
        let schedule = json!({ "source": source, "detail-type": "Scheduled Event", "detail": {} });
        let response = runtime_api.invoke(schedule.to_string()).await.unwrap().unwrap();
        assert_eq!(response, Value::Null, "a schedule calls for nothing");
    }
    let response = runtime_api.invoke(health_check().to_string()).await.unwrap().unwrap();
    assert_eq!(
        (&response["statusCode"], &response["statusDescription"]),
        (&json!(200), &json!("200 OK"))
    );
    let fields = json!({ "query": { "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200" } });
    let variant = Variant { style: Style::V1, format: None };
    let wire = client::sign(&request(&fields), &variant, now_secs(), "n");
    let response = runtime_api.invoke(http_api_payload(&wire).to_string()).await.unwrap().unwrap();
    assert_eq!(response["statusCode"], 200, "{response}");
    process.kill().await.unwrap();
}

/// Parameters and headers by which a client may claim another identity.
fn claims() -> Value {
    json!({
        "x-forwarded-for": "203.0.113.9",
        "x-real-ip": "203.0.113.9",
        "forwarded": "for=203.0.113.9;proto=https",
        "x-acs-proxy-source-ip": "203.0.113.9",
        "x-acs-proxy-secure-transport": "true"
    })
}

#[test]
fn the_source_ip_is_the_gateways_and_never_the_clients() {
    let with = |more: Value| {
        let mut headers = claims();
        headers.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        headers
    };
    let http_api = |headers: Value, ip: &str| {
        json!({
            "version": "2.0", "rawQueryString": "SourceIp=203.0.113.9&SecureTransport=true",
            "headers": headers,
            "requestContext": { "http": { "method": "GET", "path": "/", "sourceIp": ip } },
            "isBase64Encoded": false
        })
    };
    let rest_api = |headers: Value, ip: &str| {
        json!({
            "httpMethod": "GET", "path": "/", "headers": headers,
            "queryStringParameters": { "SourceIp": "203.0.113.9" },
            "requestContext": { "httpMethod": "GET", "identity": { "sourceIp": ip } },
            "isBase64Encoded": false
        })
    };
    let alb = |headers: Value| {
        json!({
            "httpMethod": "GET", "path": "/", "headers": headers,
            "queryStringParameters": { "SourceIp": "203.0.113.9" },
            "requestContext": { "elb": { "targetGroupArn": "arn" } }, "isBase64Encoded": false
        })
    };
    let https = with(json!({ "x-forwarded-proto": "https" }));
    let through = |for_: &str, proto: &str| {
        with(json!({ "x-forwarded-for": for_, "x-forwarded-proto": proto }))
    };
    let [v4, v6] = ["192.0.2.1", "2001:db8::1"].map(|ip| Some(ip.to_owned()));
    for (payload, source_ip, secure_transport) in [
        (http_api(https.clone(), "192.0.2.1"), &v4, true),
        (http_api(https.clone(), "2001:db8::1"), &v6, true),
        (http_api(claims(), "192.0.2.1"), &v4, true),
        (http_api(with(json!({ "x-forwarded-proto": "http" })), "192.0.2.1"), &v4, false),
        (http_api(https.clone(), "nobody"), &None, true),
        (rest_api(https.clone(), "192.0.2.1"), &v4, true),
        (rest_api(claims(), "2001:db8::1"), &v6, true),
        // The load balancer appends the address of the connection to the header of the client.
        (alb(through("203.0.113.9, 192.0.2.1", "https")), &v4, true),
        (alb(through("203.0.113.9,2001:db8::1", "http")), &v6, false),
        (alb(through("192.0.2.1:51234", "HTTPS")), &v4, true),
        (alb(through("[2001:db8::1]:51234", "https")), &v6, true),
        (alb(through("203.0.113.9, unknown", "https")), &None, true),
        (alb(through("", "")), &None, false),
    ] {
        let request = Event::parse(payload.to_string().as_bytes()).unwrap().request;
        let printed = (request.source_ip.map(|ip| ip.to_string()), request.secure_transport);
        assert_eq!(printed, (source_ip.clone(), secure_transport), "{payload}");
    }
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
