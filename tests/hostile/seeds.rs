//! The fuzzers' first inputs, all of them from the contract.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::sent::{NOW_SECS, SIGNING};
use harness::case::Style;
use harness::client::{self, Wire};
use harness::contract::Contract;
use harness::target::http_api_payload;

/// An input and its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// The name of the target.
    pub target: &'static str,
    /// The input.
    pub input: Vec<u8>,
}

/// A request of a client, in the files of signatures.
#[derive(Deserialize)]
struct Vector {
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// All inputs from the contract's cases, signatures, worlds and policies.
///
/// # Errors
///
/// A file of the contract cannot be read; the error names the first.
pub fn seeds() -> Result<Vec<Seed>, String> {
    let mut seeds = Vec::new();
    let mut add = |target, input: String| seeds.push(Seed { target, input: input.into_bytes() });
    for case in Contract::embedded().cases()? {
        add("world", case.world.to_string());
        for variant in case.variants() {
            let wire = client::sign(&case.request, &variant, NOW_SECS.cast_signed(), "nonce");
            add("event", http_api_payload(&wire).to_string());
            add("function", plan(&wire, variant.style).to_string());
            let headers: Vec<_> = wire.headers.clone().into_iter().collect();
            requests(&wire.query_string(), &headers, &wire.body, &mut add);
        }
    }
    for path in contracts::paths() {
        let text = || contracts::text(&path).ok_or_else(|| format!("{path} is no text"));
        let file = Path::new(&path).file_name().and_then(|name| name.to_str());
        if file == Some("request.json") && path.starts_with("common/signatures/") {
            let vector: Vector =
                serde_json::from_str(&text()?).map_err(|error| format!("{path}: {error}"))?;
            requests(&vector.query, &vector.headers, &vector.body, &mut add);
        } else if path.starts_with("common/policies/") {
            let table: Value =
                serde_json::from_str(&text()?).map_err(|error| format!("{path}: {error}"))?;
            policies(&table, &mut |policy| {
                add("policy", policy.to_string());
                add("world", world_of(policy).to_string());
            });
        }
    }
    seeds.sort();
    seeds.dedup();
    Ok(seeds)
}

/// The inputs from a request for the targets of its parts.
fn requests(
    query: &str,
    headers: &[(String, String)],
    body: &str,
    add: &mut impl FnMut(&'static str, String),
) {
    let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let content_type = content_type.map_or("", |(_, value)| value);
    add("query_and_form", format!("{query}\n{content_type}\n{body}"));
    add("v1_canonical", format!("{query}\n{body}"));
    let lines = headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
    let lines = lines.collect::<Vec<_>>().concat();
    add("v3_canonical", format!("{query}{lines}\n\n{body}"));
    let authorization = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if let Some((_, value)) = authorization {
        add("authorization_header", value.clone());
        if let Some((head, _)) = value.split_once("Signature=") {
            add("authorization_header", format!("{head}Signature={{own}}"));
        }
        if let (Some((head, _)), Some((_, tail))) =
            (value.split_once("SignedHeaders="), value.split_once(",Signature="))
            && !tail.is_empty()
        {
            let known = "SignedHeaders={headers},Signature={signature}";
            add("authorization_header", format!("{head}{known}"));
        }
    }
}

/// The operation's part of a request, to be signed again.
fn plan(wire: &Wire, style: Style) -> Plan {
    let mut query = wire.query.clone();
    query.retain(|(name, _)| !SIGNING.contains(&&**name));
    let query = Wire { query, ..wire.clone() }.query_string();
    Plan {
        action: wire.action().to_owned(),
        style,
        query,
        // A plan cannot have a body of several lines.
        body: wire.body.lines().next().unwrap_or_default().to_owned(),
        method: wire.method.clone(),
        ..Plan::read("")
    }
}

/// Calls `found` with every policy in a table of them, at any depth.
fn policies(value: &Value, found: &mut impl FnMut(&Value)) {
    if value.get("Statement").is_some() {
        found(value);
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| policies(value, found)),
        Value::Object(members) => members.values().for_each(|value| policies(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A world with a user who has the policy.
fn world_of(policy: &Value) -> Value {
    json!({ "Accounts": { "1000000000000001": { "RamUsers": { "alice": {
        "UserId": "200000000000000001",
        "AccessKeys": { "alice": { "AccessKeySecret": "secret" } },
        "Policies": { "Some": policy }
    } } } } })
}
