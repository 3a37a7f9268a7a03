//! What a signature is made over.

use std::collections::BTreeMap;

use http::Method;
use ipv6_gateway::rpc::signature::acs3::{self, Algorithm};
use ipv6_gateway::rpc::signature::v1;

use super::encoding::{canonical, decode_pairs};
use super::function::must_be_let_in;
use super::gateway::payload;
use super::plan::{Plan, Style};
use super::sent::{Sent, query_string};
use super::server::Server;
use super::signing::{v1_string_to_sign, v3_canonical_request};

/// The canonical form that V1 signs: the input is a query, and a form behind a line break.
pub(super) fn v1_canonical(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (query, form) = text.split_once('\n').unwrap_or((&text, ""));
    let mut parameters: BTreeMap<_, _> = decode_pairs(query.as_bytes()).into_iter().collect();
    parameters.extend(decode_pairs(form.as_bytes()));
    let mut signed = parameters.clone();
    signed.remove("Signature");

    let string_to_sign = v1::string_to_sign(&Method::POST, &parameters);
    let canonicalized = canonical(&signed);
    assert_eq!(string_to_sign, v1_string_to_sign("POST", &canonicalized));
    let read: BTreeMap<_, _> = decode_pairs(canonicalized.as_bytes()).into_iter().collect();
    assert_eq!(read, signed, "the canonical form does not say the same");

    try_signed(&Plan {
        style: Style::V1,
        key: "testid".to_owned(),
        method: "POST".to_owned(),
        query: query_string(query.as_bytes()),
        body: form.to_owned(),
        ..Plan::default()
    });
}

/// The canonical form that V3 signs: the input is a query, headers line by line, and a body behind
/// an empty line.
pub(super) fn v3_canonical(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (query, lines) = head.split_once('\n').unwrap_or((head, ""));
    let lines = lines.split('\n').filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = lines.map(|(name, it)| (name.to_owned(), it.trim().to_owned())).collect();
    let plan = Plan {
        style: if input.len().is_multiple_of(2) { Style::V3 } else { Style::V3Sm3 },
        key: "testid".to_owned(),
        method: "POST".to_owned(),
        query: query_string(query.as_bytes()),
        body: body.to_owned(),
        headers,
        ..Plan::default()
    };

    let Sent { headers, .. } = plan.unsigned();
    let parameters: BTreeMap<_, _> = decode_pairs(plan.query.as_bytes()).into_iter().collect();
    let borrowed: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let owned: Vec<_> = headers.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let payload = Algorithm::HmacSha256.hex_digest(body.as_bytes());
    let request = acs3::canonical_request(&Method::POST, &parameters, &borrowed, &payload);
    let expected = v3_canonical_request("POST", &canonical(&parameters), &owned, &payload);
    assert_eq!(request, expected);
    let said: BTreeMap<_, _> = request
        .lines()
        .nth(2)
        .map(str::as_bytes)
        .map(decode_pairs)
        .unwrap_or_default()
        .into_iter()
        .collect();
    assert_eq!(said, parameters, "the canonical form does not say the same");

    try_signed(&plan);
}

/// Whatever is signed by the pages is let in.
fn try_signed(plan: &Plan) {
    let signed = plan.signed();
    let payload = payload(plan.shape, &signed.sent);
    let answer = Server::new().answer(payload.as_bytes());
    let answer = answer.unwrap_or_else(|unknown| panic!("{unknown}: {payload}"));
    must_be_let_in(plan, &signed, &answer);
}
