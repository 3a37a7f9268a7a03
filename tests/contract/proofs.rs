//! `contract coverage`: the proofs of each row, and that a lost proof is noticed.

use harness::contract::Contract;
use harness::coverage::{Kind, rows};
use harness::judge::validator;
use harness::operations::{Operation, Operations};
use serde_json::Value;
use suites::command::copy;
use suites::command::{contract, printed};
use suites::scratch;
use suites::support::ALLOCATE;

use crate::decisions::ledger;

#[test]
fn every_row_is_proved_and_none_has_lost_a_proof() {
    let output = contract(&["coverage", "--ratchet"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let contract = Contract::embedded();
    let (rows, operations) = (rows(&contract).unwrap(), Operations::read(&contract).unwrap());
    let count = |kind: Kind| rows.iter().filter(|row| row.kind == kind).count();
    let parameters = operations.all().iter().flat_map(Operation::accepted).count();
    assert_eq!(
        (count(Kind::Success), count(Kind::Parameter)),
        (operations.all().len(), parameters)
    );
    assert_eq!(count(Kind::Decision), ledger().len());
    let id = format!("{ALLOCATE}/error/IllegalParam.Bandwidth");
    let bandwidth = rows.iter().find(|row| row.id == id).unwrap();
    assert!(bandwidth.cases.len() > 30 && bandwidth.cases.len() == bandwidth.snapshots.len());
    let schema = &bandwidth.schemas[..];
    assert_eq!(schema, [format!("{ALLOCATE}/schemas/errors/IllegalParam.Bandwidth.json")]);
}

#[test]
fn every_format_shows_the_same_rows() {
    let table = printed(&contract(&["coverage"]));
    let json = contract(&["coverage", "--format", "json"]);
    let rows: Value = serde_json::from_slice(&json.stdout).unwrap();
    let schema = validator(&Contract::embedded(), "common/schemas/proofs.json").unwrap();
    schema.validate(&rows).unwrap();
    let folder = scratch();
    let page = folder.path().join("coverage.html");
    let output = contract(&["coverage", "--format", "html", "--output", page.to_str().unwrap()]);
    assert!(output.status.success(), "{}", printed(&output));
    let page = std::fs::read_to_string(page).unwrap();
    for row in rows.as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        assert!(table.contains(id) && page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(!page.contains("<script") && !page.contains("http://"), "{page}");
}

#[test]
fn a_lost_proof_fails_the_ratchet_although_another_row_gains_one() {
    let folder = scratch();
    copy(folder.path(), &[]);
    let place = folder.path().to_str().unwrap();
    let case = |code: &str, name: &str| format!("{ALLOCATE}/cases/{code}/{name}.json");
    let root = Contract::in_folder(folder.path()).unwrap().origin().to_owned();
    // One case fewer here, one more there.
    let gone = case("IllegalParam.Bandwidth", "letters");
    let more = case("SystemBusy", "once-more");
    let busy =
        Contract::embedded().text(&case("SystemBusy", "store-unavailable")).unwrap().to_owned();
    std::fs::remove_file(format!("{root}/{gone}")).unwrap();
    std::fs::write(format!("{root}/{more}"), busy).unwrap();

    let ratchet = ["coverage", "--contracts", place, "--ratchet"];
    let output = contract(&ratchet);
    let got = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{got}");
    let loss = |kind: &str| {
        let start = format!("{ALLOCATE}/error/IllegalParam.Bandwidth: it had ");
        got.lines().any(|line| line.starts_with(&start) && line.contains(kind))
    };
    assert!(loss("cases") && loss("snapshots"), "{got}");

    let update = ["coverage", "--contracts", place, "--update"];
    let output = contract(&update);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    let why = "--allow-loss ";
    assert!(printed(&output).contains(why), "{}", printed(&output));
    let got = printed(&output);
    let next_row = |got: &str| got.split(why).nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let mut allowed = vec![next_row(&got)];
    loop {
        let options: Vec<&str> =
            allowed.iter().flat_map(|row| ["--allow-loss", row.as_str()]).collect();
        let output = contract(&[&update[..], &options].concat());
        if output.status.code() == Some(0) {
            break;
        }
        allowed.push(next_row(&printed(&output)));
        assert!(allowed.len() < 20, "{allowed:?}");
    }
    assert!(allowed.contains(&format!("{ALLOCATE}/error/IllegalParam.Bandwidth")), "{allowed:?}");
    assert!(!allowed.contains(&format!("{ALLOCATE}/error/SystemBusy")), "{allowed:?}");
    assert_eq!(contract(&ratchet).status.code(), Some(0));
    let written = Contract::in_folder(folder.path())
        .unwrap()
        .json(&format!("{ALLOCATE}/coverage.json"))
        .unwrap();
    let schema = validator(&Contract::embedded(), "common/schemas/coverage.json").unwrap();
    schema.validate(&written).unwrap();
}

#[test]
fn a_row_without_proofs_is_reported() {
    let folder = scratch();
    let file = format!("{ALLOCATE}/errors.json");
    let errors = Contract::embedded().text(&file).unwrap().to_owned();
    let more = errors.replacen(
        "\"errors\": [",
        "\"errors\": [{ \"code\": \"Brand.New\", \"status\": 400, \"message\": \"m\", \"filled\": \"m\" },",
        1,
    );
    copy(folder.path(), &[(&file, &more)]);
    let output = contract(&["coverage", "--contracts", folder.path().to_str().unwrap()]);
    let got = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{got}");
    assert!(
        got.contains(&format!("{ALLOCATE}/error/Brand.New: lacks cases, snapshots, schemas")),
        "{got}"
    );
}
