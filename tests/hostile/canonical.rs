//! The canonical forms that are signed.

use std::collections::BTreeMap;

use http::Method;
use ipv6_gateway::rpc::signature::acs3::{self, Algorithm};
use ipv6_gateway::rpc::signature::v1;

use crate::function::try_plan;
use crate::plan::{Plan, Style};
use crate::sent::query_string;
use harness::client::signature::{canonical_request, decode_pairs, v1_string_to_sign};

/// The canonical form that V1 signs: the input is a query, and a form after a line break.
pub(super) fn v1_canonical(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (query, form) = text.split_once('\n').unwrap_or((&text, ""));
    let mut parameters: BTreeMap<_, _> = decode_pairs(query.as_bytes()).into_iter().collect();
    parameters.extend(decode_pairs(form.as_bytes()));
    let string_to_sign = v1::string_to_sign(&Method::POST, &parameters);
    assert_eq!(string_to_sign, v1_string_to_sign("POST", &parameters));
    try_plan(&Plan {
        style: Style::V1,
        query: query_string(query.as_bytes()),
        body: form.to_owned(),
        ..Plan::read("")
    });
}

/// The canonical form that V3 signs: the input is a query, headers line by line, and a body after
/// an empty line.
pub(super) fn v3_canonical(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (query, lines) = head.split_once('\n').unwrap_or((head, ""));
    let lines = lines.split('\n').filter_map(|line| line.split_once(':'));
    let plan = Plan {
        style: if input.len().is_multiple_of(2) { Style::V3 } else { Style::V3Sm3 },
        query: query_string(query.as_bytes()),
        body: body.to_owned(),
        headers: lines.map(|(name, it)| (name.to_owned(), it.trim().to_owned())).collect(),
        ..Plan::read("")
    };
    let parameters = decode_pairs(plan.query.as_bytes()).into_iter().collect();
    let headers = plan.unsigned().headers;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let payload = Algorithm::HmacSha256.hex_digest(body.as_bytes());
    let request = acs3::canonical_request(&Method::POST, &parameters, &headers, &payload);
    assert_eq!(request, canonical_request("POST", &parameters, &headers, &payload));
    try_plan(&plan);
}
