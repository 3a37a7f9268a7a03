//! The same request leads to the same bytes in every shape of event, and the gateway says who sent it.

mod malformed;

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

use malformed::no_events;

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
