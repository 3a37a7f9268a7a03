//! Every documented code has a row, a schema, a case and a snapshot, and is really answered; and
//! no other code is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::contract::Contract;
use harness::judge::{ACTION, Schemas, judge};
use harness::target::Target;
use ipv6_gateway::allocation::{Error, ErrorCode};
use ipv6_gateway::rpc;
use serde_json::Value;

use crate::cases::now_secs;

/// A row of an `errors.json`.
struct Row {
    status: u16,
    message: String,
    filled: String,
    source: String,
}

fn rows(folder: &str) -> BTreeMap<String, Row> {
    let text = contracts::text(&format!("{folder}/errors.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = file["errors"].as_array().unwrap().iter().map(|row| {
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let (message, filled) = (text(row, "message"), text(row, "filled"));
        (text(row, "code"), Row { status, message, filled, source: text(row, "source") })
    });
    rows.collect()
}

#[test]
fn the_contract_has_the_23_codes_of_the_page_and_the_dry_run() {
    let rows = rows(ACTION);
    let count = |source: &str| rows.values().filter(|row| row.source == source).count();
    assert_eq!((count("page"), count("page-text")), (23, 1));
    let by_status =
        |status| rows.values().filter(|row| row.source == "page" && row.status == status).count();
    assert_eq!((by_status(400), by_status(404), by_status(500)), (18, 2, 3));
}

#[test]
fn the_rules_answer_the_documented_codes_and_no_others() {
    let rows = rows(ACTION);
    let documented: BTreeSet<&str> = rows.keys().map(String::as_str).collect();
    let ours: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(ours, documented);
    for code in ErrorCode::ALL {
        let row = &rows[code.as_str()];
        assert_eq!(code.status(), row.status, "{code:?}");
        assert_eq!(code.template(), row.message, "{code:?}");
        let filled = Error::about(*code, "{Ipv6AddressId}").to_string();
        assert_eq!(filled, row.filled, "{code:?}");
    }
}

#[test]
fn the_rules_check_in_the_order_of_the_contract() {
    let text = contracts::text(&format!("{ACTION}/operation.json")).unwrap();
    let operation: Value = serde_json::from_str(&text).unwrap();
    let order: Vec<&str> = operation["checkingOrder"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    let ours: Vec<&str> = ErrorCode::ALL
        .iter()
        .filter(|code| **code != ErrorCode::SystemBusy)
        .map(|code| code.as_str())
        .collect();
    assert_eq!(ours, order);
}

#[test]
fn the_gateway_answers_the_documented_codes_and_no_others() {
    let rows = rows("common");
    let documented: BTreeSet<&str> = rows.keys().map(String::as_str).collect();
    let ours: BTreeSet<&str> = rpc::error::ALL.iter().map(|row| row.code).collect();
    assert_eq!(ours, documented);
    for ours in rpc::error::ALL {
        assert_eq!(ours.status, rows[ours.code].status, "{}", ours.code);
        // The table has what may follow the sentence, and a place for the parameter's name.
        let message = rows[ours.code].message.replace("%s", "format");
        assert!(message.starts_with(ours.message), "{}: {message}", ours.code);
    }
}

#[test]
fn every_documented_code_has_a_schema_a_case_and_a_snapshot() {
    let schemas = Schemas::read(&Contract::embedded()).unwrap();
    let cases = Contract::embedded().cases().unwrap();
    let paths = contracts::paths();
    for folder in [ACTION, "common"] {
        for code in rows(folder).keys() {
            assert!(schemas.error(code).is_some(), "{code} has no schema");
            let case = cases.iter().find(|case| case.folder() == folder && case.group() == code);
            assert!(case.is_some(), "{code} has no case in contracts/{folder}/cases/{code}/");
            let prefix = format!("{folder}/snapshots/{code}@");
            assert!(paths.iter().any(|path| path.starts_with(&prefix)), "{code} has no snapshot");
        }
    }
    let documented: BTreeSet<String> =
        [ACTION, "common"].into_iter().flat_map(|folder| rows(folder).into_keys()).collect();
    for code in schemas.codes() {
        assert!(documented.contains(code), "the schema of {code} is of no documented code");
    }
}

#[tokio::test]
async fn every_documented_code_is_really_answered() {
    let schemas = Schemas::read(&Contract::embedded()).unwrap();
    let mut target = Target::InProcess(Box::default());
    let mut answered = BTreeSet::new();
    for case in Contract::embedded().cases().unwrap() {
        for variant in case.variants() {
            let verdict = judge(&case, &variant, &mut target, &schemas, now_secs()).await;
            let verdict = verdict.unwrap_or_else(|error| panic!("{}: {error}", case.path));
            answered.extend(verdict.code.map(|code| (case.folder().to_owned(), code)));
        }
    }
    for folder in [ACTION, "common"] {
        for code in rows(folder).keys() {
            let was_answered = answered.contains(&(folder.to_owned(), code.clone()));
            assert!(was_answered, "{code} was not answered to any case of contracts/{folder}/");
        }
    }
}

#[test]
fn every_snapshot_is_of_a_case_and_reviewed() {
    let cases = Contract::embedded().cases().unwrap();
    let expected: BTreeSet<String> = cases
        .iter()
        .map(|case| format!("{}/snapshots/{}@{}.snap", case.folder(), case.group(), case.name()))
        .collect();
    let snapshots = contracts::paths().into_iter().filter(|path| path.contains("/snapshots/"));
    let snapshots: BTreeSet<String> = snapshots.collect();
    let unreferenced: Vec<_> = snapshots.difference(&expected).collect();
    assert!(unreferenced.is_empty(), "of no case, or waiting for review: {unreferenced:#?}");
    let missing: Vec<_> = expected.difference(&snapshots).collect();
    assert!(missing.is_empty(), "not yet taken: {missing:#?}");
}

#[test]
fn every_case_is_in_the_folder_of_the_code_it_demands() {
    for case in Contract::embedded().cases().unwrap() {
        let demanded = case.demanded.code.as_deref().unwrap_or("Success");
        assert_eq!(case.group(), demanded, "{}", case.path);
        assert!(case.page.is_some() || case.decision.is_some(), "{} rests on nothing", case.path);
    }
}

#[test]
fn the_contract_and_the_functions_do_not_know_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(root.join("functions")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(!text.contains("contracts"), "{} knows the contract", manifest.display());
    }
    let manifest = std::fs::read_to_string(root.join("contracts/Cargo.toml")).unwrap();
    for name in ["allocation", "ipv6-gateway", "rpc", "store", "local-endpoint"] {
        assert!(!manifest.contains(name), "the contract knows {name}");
    }
}
