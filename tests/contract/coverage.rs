//! The function and the contract have the same operations, codes, orders and elements. `contract lint`
//! and `contract coverage` find a code without a case, a schema or a snapshot.

use std::collections::BTreeSet;
use std::path::Path;

use harness::contract::Contract;
use harness::judge::Rulebook;
use harness::operations::{COMMON, Operation};
use ipv6_gateway::allocation::Refusal;
use ipv6_gateway::{Entry, Operations, rpc};
use suites::support::ALLOCATE;

fn rules() -> Rulebook {
    Rulebook::read(&Contract::embedded()).unwrap()
}

/// Each operation of the contract, with the function's entry for it.
fn both(rules: &Rulebook) -> Vec<(&Operation, Entry)> {
    let entries = Operations::all();
    let operations = rules.operations.all().iter();
    operations
        .map(|operation| {
            let entry = entries.find(&operation.action);
            (operation, entry.unwrap_or_else(|| panic!("no {}", operation.action)).clone())
        })
        .collect()
}

#[test]
fn the_contract_has_an_operation_for_each_that_is_built() {
    let built: BTreeSet<&str> = Operations::all().into_iter().map(|entry| entry.name).collect();
    let rules = rules();
    let documented = rules.operations.all().iter().map(|operation| operation.action.as_str());
    assert_eq!(built, documented.collect());
}

#[test]
fn the_contract_has_the_23_codes_of_the_page_of_a_purchase_and_the_dry_run() {
    let rules = rules();
    let rows = &rules.operations.get(ALLOCATE).unwrap().errors;
    let count = |source: &str| rows.iter().filter(|row| row.source == source).count();
    assert_eq!((count("page"), count("page-text")), (23, 1));
    let by_status =
        |status| rows.iter().filter(|row| row.source == "page" && row.status == status).count();
    assert_eq!((by_status(400), by_status(404), by_status(500)), (18, 2, 3));
}

#[test]
fn the_rules_answer_the_documented_errors_and_no_others() {
    let rules = rules();
    for (operation, entry) in both(&rules) {
        let action = &operation.action;
        // A failing store is not a rule.
        let rows = operation.errors.iter().filter(|row| row.code != "SystemBusy");
        let documented: BTreeSet<&str> = rows.map(|row| row.code.as_str()).collect();
        let ours: BTreeSet<&str> = entry.errors.iter().map(|row| row.code).collect();
        assert_eq!(ours, documented, "{action}");
        for row in entry.errors {
            let documented = operation.error(row.code).unwrap();
            assert_eq!(row.status, documented.status, "{action}: {}", row.code);
            assert_eq!(row.message, documented.message, "{action}: {}", row.code);
            let filled = Refusal::about(row, "{Ipv6AddressId}").to_string();
            assert_eq!(filled, documented.filled, "{action}: {}", row.code);
        }
    }
}

#[test]
fn the_rules_check_in_the_order_of_the_contract() {
    let rules = rules();
    for (operation, entry) in both(&rules) {
        // A code that no state leads to has no place in the order.
        let is_checked = |code: &&str| operation.error(code).unwrap().not_applicable.is_none();
        let ours: Vec<&str> = entry.errors.iter().map(|row| row.code).filter(is_checked).collect();
        assert_eq!(ours, operation.checking_order, "{}", operation.action);
    }
}

#[test]
fn the_answers_have_the_documented_elements_in_either_format() {
    let rules = rules();
    for (operation, entry) in both(&rules) {
        let elements = operation.success.elements.iter().map(|element| element.name.as_str());
        let documented: BTreeSet<&str> = elements.collect();
        for ours in [entry.json, entry.xml] {
            let ours: BTreeSet<&str> = ours.iter().copied().collect();
            assert_eq!(ours, documented, "{}", operation.action);
        }
    }
}

#[test]
fn the_gateway_answers_the_documented_codes_and_no_others() {
    let rules = rules();
    let rows = rules.operations.gate();
    let documented: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let ours: BTreeSet<&str> = rpc::error::ALL.iter().map(|row| row.code).collect();
    assert_eq!(ours, documented);
    for ours in rpc::error::ALL {
        let row = rows.iter().find(|row| row.code == ours.code).unwrap();
        assert_eq!(ours.status, row.status, "{}", ours.code);
        // The table's message may continue, and has a placeholder for the parameter's name.
        let message = row.message.replace("%s", "format");
        assert!(message.starts_with(ours.message), "{}: {message}", ours.code);
    }
}

#[test]
fn each_error_of_the_rules_says_when_it_applies() {
    let rules = rules();
    let of_the_runner = ["SystemBusy", "DryRunOperation", "IdempotentParameterMismatch"];
    for (folder, row) in rules.operations.errors().filter(|(_, row)| row.not_applicable.is_none()) {
        let is_of_rules = folder != COMMON && !of_the_runner.contains(&row.code.as_str());
        assert_eq!(row.when.is_some(), is_of_rules, "{folder}: {}", row.code);
    }
}

#[test]
fn the_contract_and_the_functions_do_not_know_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(root.join("functions")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let manifest = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(!text.contains("contracts"), "{} knows the contract", manifest.display());
    }
    let manifest = std::fs::read_to_string(root.join("contracts/Cargo.toml")).unwrap();
    for name in ["allocation", "ipv6-gateway", "rpc", "store", "local-endpoint"] {
        assert!(!manifest.contains(name), "the contract knows {name}");
    }
}
