//! What the template lets the function do, held against what the function does.

use std::collections::BTreeSet;

fn read(file: &str) -> String {
    let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The resource of this name, as it stands in the template: up to the next one.
fn resource(name: &str) -> String {
    let template = read("template.yaml");
    let heading = format!("\n  {name}:\n");
    let (_, rest) = template.split_once(&heading).unwrap_or_else(|| panic!("no {name}"));
    let is_within = |line: &&str| line.is_empty() || line.starts_with("   ");
    rest.lines().take_while(is_within).collect::<Vec<_>>().join("\n")
}

/// The actions that the function's role allows: `service:Action`, one in a line.
fn allowed() -> BTreeSet<String> {
    let role = resource("FunctionRole");
    let items = role.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let is_action = |item: &&str| {
        item.split_once(':').is_some_and(|(service, action)| {
            let is_name = |text: &str, first: fn(&u8) -> bool| {
                text.bytes().next().is_some_and(|byte| first(&byte))
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'*')
            };
            is_name(service, u8::is_ascii_lowercase) && is_name(action, |_| true)
        })
    };
    items.filter(is_action).map(str::to_owned).collect()
}

/// Holds the function's role to the actions on the table that were seen to be `needed`, none of them
/// missing and none beyond them.
pub(crate) fn check_role(needed: impl IntoIterator<Item = String>) {
    // The log is written for the function, by Lambda, with the function's own role.
    let log = ["logs:CreateLogStream", "logs:PutLogEvents"].map(str::to_owned);
    let needed = needed.into_iter().map(|action| format!("dynamodb:{action}"));
    assert_eq!(allowed(), needed.chain(log).collect());
    let role = resource("FunctionRole");
    assert!(!role.contains("ManagedPolicyArns"), "{role}");
    let resources = role.lines().filter(|line| line.trim_start().starts_with("Resource:"));
    for line in resources {
        assert!(line.contains("!GetAtt"), "a resource by pattern: {line}");
    }
}

#[test]
fn the_table_is_encrypted_with_a_kms_key() {
    let table = resource("DocumentsTable");
    for line in ["SSEEnabled: true", "SSEType: KMS"] {
        assert!(table.contains(line), "{line} is missing in\n{table}");
    }
}

#[test]
fn the_table_has_the_key_that_the_store_has() {
    let table = resource("DocumentsTable");
    let (_, schema) = table.split_once("KeySchema:").unwrap();
    let words: Vec<&str> = schema.split_whitespace().take(10).collect();
    let expected =
        ["-", "AttributeName:", "pk", "KeyType:", "HASH", "-", "AttributeName:", "sk", "KeyType:"];
    assert_eq!(words, [&expected[..], &["RANGE"]].concat());
}

#[test]
fn an_account_may_call_as_often_as_the_vendor_documents() {
    let template = read("template.yaml");
    assert!(template.contains("RATE_LIMIT: !Ref AccountRateLimit"));
    let (_, parameter) = template.split_once("\n  AccountRateLimit:\n").unwrap();
    let default = parameter.lines().find_map(|line| line.trim().strip_prefix("Default: "));
    let limit: ipv6_gateway::RateLimit = default.unwrap().parse().unwrap();
    assert_eq!((limit.calls_max, limit.window_secs), (300, 60));
}
