//! The signature vectors: captured from the official clients, published by the vendor, and our own.
//! Each step is compared separately, so that a mismatch names the step.

use std::collections::BTreeSet;

use ipv6_gateway::rpc::signature::acs3::{self, Algorithm};
use ipv6_gateway::rpc::signature::{Signed, v1};
use ipv6_gateway::rpc::{Call, Parameters, Request, parse_timestamp, percent_encode};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    style: String,
    method: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    access_key_secret: String,
}

fn step(name: &str, file: &str) -> String {
    let path = format!("common/signatures/{name}/{file}");
    contracts::text(&path).unwrap_or_else(|| panic!("contracts/{path} is not there"))
}

fn names() -> BTreeSet<String> {
    let paths = contracts::paths();
    let folders = paths.iter().filter_map(|path| path.strip_prefix("common/signatures/"));
    folders.filter_map(|path| path.split('/').next()).map(str::to_owned).collect()
}

fn vector(name: &str) -> Vector {
    serde_json::from_str(&step(name, "request.json")).unwrap()
}

#[test]
fn every_vector_is_reproduced_step_by_step() {
    let (mut v1s, mut v3s) = (0, 0);
    for name in names() {
        let vector = vector(&name);
        let method = vector.method.parse().unwrap();
        let secret = &vector.access_key_secret;
        match vector.style.as_str() {
            "V1" => {
                v1s += 1;
                let all = Parameters::read(vector.query.as_bytes(), vector.body.as_bytes());
                let string_to_sign = v1::string_to_sign(&method, all.iter());
                // One function takes the first two steps.
                let canonicalized = step(&name, "canonicalized-query-string.txt");
                let expected = percent_encode(&canonicalized);
                let (_, encoded) = string_to_sign.split_once("&%2F&").unwrap();
                assert_eq!(encoded, expected, "{name}: canonicalized query string");
                let expected = step(&name, "string-to-sign.txt");
                assert_eq!(string_to_sign, expected, "{name}: string to sign");
                let signature = v1::sign(secret, &string_to_sign);
                assert_eq!(signature, step(&name, "signature.txt"), "{name}: signature");
            }
            style => {
                let algorithm = match style {
                    "V3" => Algorithm::HmacSha256,
                    "V3-SM3" => Algorithm::HmacSm3,
                    other => panic!("{name}: {other}"),
                };
                v3s += 1;
                let expected = step(&name, "canonical-request.txt");
                // The line before the last has the names that the client signed.
                let signed = expected.lines().rev().nth(1).unwrap();
                let value = |name: &str| {
                    let mut named = vector.headers.iter();
                    let found = named.find(|(known, _)| known.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.trim()).unwrap_or_default()
                };
                let headers: Vec<_> = signed.split(';').map(|name| (name, value(name))).collect();
                let payload = algorithm.hex_digest(vector.body.as_bytes());
                let query = Parameters::read(vector.query.as_bytes(), b"");
                let canonical = acs3::canonical_request(&method, query.iter(), &headers, &payload);
                assert_eq!(canonical, expected, "{name}: canonical request");
                let string_to_sign = algorithm.string_to_sign(&canonical);
                let expected = step(&name, "string-to-sign.txt");
                assert_eq!(string_to_sign, expected, "{name}: string to sign");
                let signature = algorithm.sign(secret, &string_to_sign);
                assert_eq!(signature, step(&name, "signature.txt"), "{name}: signature");
            }
        }
    }
    assert!(v1s >= 20 && v3s >= 10, "{v1s} vectors of V1 and {v3s} of V3");
}

#[test]
fn every_vector_is_accepted_as_sent_and_refused_with_another_secret() {
    for name in names() {
        let vector = vector(&name);
        let headers = vector.headers.iter();
        let call = Call::read(Request {
            method: vector.method.parse().unwrap(),
            query: vector.query,
            headers: headers.map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect(),
            body: vector.body.into(),
            ..Request::default()
        });
        let date = call.request().header("x-acs-date");
        let sent = call.parameter("Timestamp").or(date.as_deref());
        let sent_secs = sent.and_then(parse_timestamp).unwrap();
        let signed = Signed::read(&call, sent_secs.try_into().unwrap());
        let signed = signed.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(
            signed.verify(&vector.access_key_secret).map_err(|it| it.code),
            Ok(()),
            "{name}"
        );
        assert!(signed.verify("another").is_err(), "{name}");
    }
}
