//! Where a contract is read from, and how errors in its files name the place.

use std::collections::BTreeMap;
use std::path::Path;

use harness::contract::Contract;
use suites::command::copy;
use suites::scratch;

use crate::reading::run;

const CASE: &str = "common/cases/MissingAction/made-up.json";

#[test]
fn a_folder_holds_the_contract_that_is_part_of_the_program() {
    let folder = scratch();
    copy(&folder.path().join("contracts"), &[]);
    let all = Contract::embedded().files().clone();
    let whole = Contract::open(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(*whole.files(), all);
    let inner = Contract::in_folder(&folder.path().join("contracts")).unwrap();
    assert_eq!(*inner.files(), all);
}

#[test]
fn a_malformed_case_is_reported_with_file_line_and_field() {
    let case = |changed: &str, into: &str| {
        let whole = r#"{
  "description": "d",
  "decision": "d",
  "world": { "Accounts": [] },
  "request": { "query": {} },
  "answer": { "status": 400, "code": "C", "message": "m" }
}"#;
        assert!(whole.contains(changed), "{whole}");
        whole.replacen(changed, into, 1)
    };
    for (text, printed) in [
        (case("\"description\"", "\"descriptin\""), "missing field `description`"),
        (case("\"status\": 400", "\"status\": \"400\""), "answer.status: invalid type: string"),
        (case("{", "{,"), "made-up.json:1:2: key must be a string"),
        (case("}", "}}"), "made-up.json"),
    ] {
        let mut files = BTreeMap::from([(CASE.to_owned(), text)]);
        files.insert("A/operation.json".to_owned(), "{}".to_owned());
        files.insert("format.json".to_owned(), r#"{ "format": 2 }"#.to_owned());
        let error = Contract::of("here", files).cases().unwrap_err().to_string();
        assert!(error.starts_with(&format!("here/{CASE}:")) && error.contains(printed), "{error}");
    }
}

#[test]
fn a_wrong_call_of_the_command_shows_the_usage_and_exits_with_3() {
    for arguments in [&["lst"][..], &["list", "--cas", "x"], &[]] {
        let (code, text) = run(Path::new("."), arguments);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("Usage: contract"), "{text}");
    }
    let (code, text) = run(Path::new("."), &["list", "--case", "no-such-case"]);
    assert_eq!(code, 2);
    assert!(text.contains("--case no-such-case: no case of contracts fits it"), "{text}");
    let (code, text) = run(Path::new("."), &["--help"]);
    assert_eq!(code, 0);
    assert!(text.contains("Exit codes: 0 everything holds"), "{text}");
}
