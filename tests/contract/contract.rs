//! A contract is read from wherever it is, and what is wrong with a file is told with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use harness::contract::Contract;
use tempfile::TempDir;

pub(crate) fn scratch() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Writes the files of today's contract, but for those named, which get other texts.
pub(crate) fn copy(folder: &Path, changed: &[(&str, &str)]) {
    let mut files = Contract::embedded().files().clone();
    files.extend(changed.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const CASE: &str = "common/cases/MissingAction/made-up.json";

#[test]
fn a_folder_and_a_revision_hold_the_contract_that_is_part_of_the_program() {
    let folder = scratch();
    copy(&folder.path().join("contracts"), &[]);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
        let mut git = Command::new("git");
        let output = git.args(identity).args(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    let all = Contract::embedded().files().clone();
    let whole = Contract::open(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(*whole.files(), all);
    let inner = Contract::in_folder(&folder.path().join("contracts")).unwrap();
    assert_eq!(*inner.files(), all);
    let listed = contract(&["list", "--contracts", "HEAD"], folder.path());
    assert_eq!(listed, contract(&["list"], folder.path()));
    assert_eq!(listed.0, 0);
    let unknown = contract(&["list", "--contracts", "nowhere"], folder.path());
    assert_eq!(unknown.0, 2);
    assert!(unknown.1.contains("nowhere: neither a folder nor a git revision"), "{}", unknown.1);
}

/// What the command prints, and the code it ends with.
pub(crate) fn contract(arguments: &[&str], folder: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contract"));
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

#[test]
fn a_folder_without_a_contract_is_told() {
    let folder = scratch();
    let error = Contract::in_folder(folder.path()).unwrap_err();
    assert!(error.ends_with("no contract: there is no <Action>/operation.json in it"), "{error}");
}

#[test]
fn a_malformed_case_is_told_with_its_file_line_and_field() {
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
    for (text, told) in [
        (
            case("\"description\"", "\"descriptin\""),
            "made-up.json:2:14: descriptin: unknown field `descriptin`",
        ),
        (case("\"status\": 400", "\"status\": \"400\""), "answer.status: invalid type: string"),
        (case("{", "{,"), "made-up.json:1:2: key must be a string"),
        (case("}", "}}"), "made-up.json"),
    ] {
        let mut files = BTreeMap::from([(CASE.to_owned(), text)]);
        files.insert("A/operation.json".to_owned(), "{}".to_owned());
        files.insert("format.json".to_owned(), r#"{ "format": 2 }"#.to_owned());
        let error = Contract::of("here", files).cases().unwrap_err();
        assert!(error.starts_with(&format!("here/{CASE}:")) && error.contains(told), "{error}");
    }
}

#[test]
fn a_wrong_call_of_the_command_is_told_and_ends_with_3() {
    for arguments in [&["lst"][..], &["list", "--cas", "x"], &[]] {
        let (code, text) = contract(arguments, Path::new("."));
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("Usage: contract"), "{text}");
    }
    let (code, text) = contract(&["list", "--case", "no-such-case"], Path::new("."));
    assert_eq!(code, 2);
    assert!(text.contains("--case no-such-case: no case of contracts fits it"), "{text}");
    let (code, text) = contract(&["--help"], Path::new("."));
    assert_eq!(code, 0);
    assert!(text.contains("Exit codes: 0 all holds"), "{text}");
}
