//! The table of RAM policies and calls, compared with `ram`, and malformed policies.

use ipv6_gateway::ram::{AccessRequest, Arn, Context, Decision, Policy, evaluate};
use ipv6_gateway::rpc::parse_timestamp;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    name: String,
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    policies: Option<Vec<Policy>>,
    #[serde(default)]
    call: Call,
    decision: Option<String>,
    policy: Option<Value>,
    refused_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Call {
    action: String,
    region: String,
    account_id: String,
    relative_id: String,
    source_ip: Option<String>,
    current_time: String,
    secure_transport: bool,
    mfa_present: bool,
}

impl Default for Call {
    /// The defaults in the schema of policies.
    fn default() -> Self {
        let schema: Value =
            serde_json::from_str(&contracts::text("common/schemas/policies.json").unwrap())
                .unwrap();
        let text = |name: &str| {
            let default = &schema["$defs"]["call"]["properties"][name]["default"];
            default.as_str().unwrap_or_else(|| panic!("{name} has no default")).to_owned()
        };
        let is = |name: &str| schema["$defs"]["call"]["properties"][name]["default"] == true;
        Self {
            action: text("action"),
            region: text("region"),
            account_id: text("accountId"),
            relative_id: text("relativeId"),
            source_ip: Some(text("sourceIp")),
            current_time: text("currentTime"),
            secure_transport: is("secureTransport"),
            mfa_present: is("mfaPresent"),
        }
    }
}

fn rows() -> Vec<(String, Row)> {
    let paths = contracts::paths();
    let themes = paths.into_iter().filter(|path| path.starts_with("common/policies/"));
    let rows = themes.flat_map(|path| {
        let text = contracts::text(&path).unwrap();
        let theme: Theme =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("contracts/{path}: {error}"));
        theme.rows.into_iter().map(move |row| (format!("{path}: {}", row.name), row))
    });
    rows.collect()
}

fn decide(policies: &[Policy], call: &Call) -> &'static str {
    let context = Context {
        current_time_secs: parse_timestamp(&call.current_time).unwrap(),
        source_ip: call.source_ip.as_ref().map(|ip| ip.parse().unwrap()),
        secure_transport: call.secure_transport,
        mfa_present: call.mfa_present,
    };
    let request = AccessRequest {
        action: &call.action,
        resource: Arn {
            service: "vpc",
            region: &call.region,
            account_id: &call.account_id,
            relative_id: &call.relative_id,
        },
        context: &context,
    };
    match evaluate(policies, &request) {
        Decision::Allow => "Allow",
        Decision::ImplicitDeny => "ImplicitDeny",
        Decision::ExplicitDeny => "ExplicitDeny",
    }
}

#[test]
fn every_policy_decides_every_call_as_the_table_says() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, row) in rows() {
        let (Some(policies), Some(expected)) = (&row.policies, &row.decision) else { continue };
        tried += 1;
        let decision = decide(policies, &row.call);
        if decision != expected {
            wrong.push(format!("{name}: {decision}, not {expected}"));
        }
        // A policy that is written and read again decides the same.
        let written = serde_json::to_string(policies).unwrap();
        let read: Vec<Policy> = serde_json::from_str(&written).unwrap();
        assert_eq!(decide(&read, &row.call), decision, "{name}, written and read");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 90, "{tried} rows");
}

#[test]
fn every_malformed_policy_is_refused_at_the_place_that_the_table_names() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, row) in rows() {
        let (Some(policy), Some(expected)) = (&row.policy, &row.refused_at) else { continue };
        tried += 1;
        let text = policy.to_string();
        let mut json = serde_json::Deserializer::from_str(&text);
        match serde_path_to_error::deserialize::<_, Policy>(&mut json) {
            Ok(_) => wrong.push(format!("{name}: taken, not refused at {expected}")),
            Err(error) => {
                // The document itself has no path.
                let path = error.path().to_string();
                let path = if path == "." { "" } else { &path };
                if path != expected {
                    wrong.push(format!("{name}: refused at {path:?}, not {expected:?}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 25, "{tried} rows");
}
