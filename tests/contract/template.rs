//! The template's resources fit the function. The tests on DynamoDB Local check that its role
//! allows what the function does.

use std::collections::BTreeSet;

use ipv6_gateway::allocation::{self, Writer};
use suites::template::resource;

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
    // Above these limits the API answers 429 without a code, and clients do not wait.
    let burst: u32 = default("RequestBurstLimit").parse().unwrap();
    assert!(burst >= limit.calls_max, "{burst}");
    let rate: u64 = default("RequestRateLimit").parse().unwrap();
    assert!(rate * limit.window_secs >= u64::from(limit.calls_max), "{rate}");
}
