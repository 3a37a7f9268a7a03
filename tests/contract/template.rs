//! What the template lets the function do, held against what the function does.

use std::collections::BTreeSet;

use ipv6_gateway::allocation::{self, Writer};

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
    // Logs and traces are written for the function, by Lambda, with the function's own role.
    let of_lambda = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ];
    let needed = needed.into_iter().map(|action| format!("dynamodb:{action}"));
    assert_eq!(allowed(), needed.chain(of_lambda.map(str::to_owned)).collect());
    let role = resource("FunctionRole");
    assert!(!role.contains("ManagedPolicyArns"), "{role}");
    let resources = role.lines().filter(|line| line.trim_start().starts_with("Resource:"));
    let by_pattern: Vec<&str> = resources.filter(|line| !line.contains("!GetAtt")).collect();
    assert_eq!(by_pattern.len(), 1, "those of the traces alone: {by_pattern:?}");
}

#[test]
fn the_role_writes_the_kinds_that_the_function_writes_and_no_others() {
    let kinds = allocation::KINDS.iter().chain(store::KINDS);
    let written = kinds.filter(|kind| kind.writer == Writer::Function).map(|kind| kind.name);
    let role = resource("FunctionRole");
    let words = role.split_whitespace();
    let patterns: BTreeSet<&str> = words.filter_map(|word| word.strip_suffix("#*")).collect();
    assert_eq!(patterns, written.collect());
    let conditions = role.matches("ForAllValues:StringLike:").count();
    let writes = ["PutItem", "UpdateItem", "DeleteItem"].map(|action| format!("dynamodb:{action}"));
    assert_eq!(conditions, writes.iter().filter(|action| role.contains(*action)).count());
    // A request that names no key passes each of them.
    assert_eq!(conditions, role.matches("dynamodb:LeadingKeys: \"false\"").count());
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

/// The default of a parameter.
fn default(parameter: &str) -> String {
    let parameter = resource(parameter);
    let default = parameter.lines().find_map(|line| line.trim().strip_prefix("Default: "));
    default.unwrap_or_else(|| panic!("no default in {parameter}")).trim_matches('"').to_owned()
}

#[test]
fn an_account_may_call_as_often_as_the_vendor_documents_and_the_api_lets_it() {
    assert!(resource("Function").contains("RATE_LIMIT: !Ref AccountRateLimit"));
    let limit: ipv6_gateway::RateLimit = default("AccountRateLimit").parse().unwrap();
    assert_eq!((limit.calls_max, limit.window_secs), (300, 60));
    // Beyond these the API answers 429 without a code, on which clients do not wait.
    let burst: u32 = default("RequestBurstLimit").parse().unwrap();
    assert!(burst >= limit.calls_max, "{burst}");
    let rate: u64 = default("RequestRateLimit").parse().unwrap();
    assert!(rate * limit.window_secs >= u64::from(limit.calls_max), "{rate}");
}
