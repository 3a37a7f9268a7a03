//! `template.yaml`, as tests read it.

use std::collections::BTreeSet;
use std::path::Path;

/// The lines of the resource of this name.
pub fn resource(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let heading = format!("\n  {name}:\n");
    let (_, rest) = template.split_once(&heading).unwrap_or_else(|| panic!("no {name}"));
    let is_within = |line: &&str| line.is_empty() || line.starts_with("   ");
    rest.lines().take_while(is_within).collect::<Vec<_>>().join("\n")
}

/// The actions that the function's role allows: `service:Action`, one on a line.
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

/// Asserts that the function's role allows exactly the actions on the table that are `needed`.
pub fn check_role(needed: impl IntoIterator<Item = String>) {
    // Lambda writes logs and traces for the function, with the function's own role.
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
