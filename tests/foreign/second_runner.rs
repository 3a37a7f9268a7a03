//! A second reading of the contract, in another language: its verdicts must be those of `contract
//! verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use foreign::tools;
use harness::contract::Contract;
use serde_json::{Value, json};
use suites::command::copy;
use suites::command::{endpoint, verify};
use suites::scratch;

/// A case in a variant.
type Trial = (String, String, String);

fn runner() -> PathBuf {
    tools::folder("second-runner").join("runner.py")
}

fn python(arguments: &[&str]) -> std::process::Output {
    tools::command("python3").args(arguments).output().unwrap()
}

/// The runner's findings at `url`, by trial. A trial that it does not run must have a reason.
fn second(url: &str, contracts: &Path) -> BTreeMap<Trial, Vec<Value>> {
    let runner = runner();
    let output = python(&[runner.to_str().unwrap(), url, contracts.to_str().unwrap()]);
    let got = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{got}");
    let has_sm3 = "import hashlib; raise SystemExit('sm3' not in hashlib.algorithms_available)";
    let has_sm3 = python(&["-c", has_sm3]).status.success();
    let mut found = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let findings = line["findings"].as_array().unwrap().clone();
        if line["holds"].is_null() {
            assert!(!has_sm3 && line["signature"] == "V3-SM3", "not run: {line}");
        } else {
            assert_eq!(line["holds"], json!(findings.is_empty()), "{line}");
        }
        found.insert((text("case"), text("signature"), text("format")), findings);
    }
    let is_all_well = found.values().all(Vec::is_empty);
    assert_eq!(output.status.code(), Some(i32::from(!is_all_well)), "{got}");
    found
}

/// The findings of `contract verify` there.
fn first(url: &str, contracts: &Path) -> BTreeMap<Trial, Vec<Value>> {
    let contracts = contracts.to_str().unwrap();
    let (_, text, report) = verify(&["--endpoint", url, "--contracts", contracts]);
    assert_eq!(report["notRun"], json!([]), "{text}");
    let trials = report["trials"].as_array().unwrap().iter();
    let found = trials.map(|trial| {
        let text = |name: &str| trial[name].as_str().unwrap().to_owned();
        let findings = trial["findings"].as_array().unwrap().clone();
        ((text("case"), text("signature"), text("format")), findings)
    });
    found.collect()
}

fn failing(found: &BTreeMap<Trial, Vec<Value>>) -> BTreeSet<&Trial> {
    found.iter().filter(|(_, findings)| !findings.is_empty()).map(|(trial, _)| trial).collect()
}

#[test]
fn it_is_one_file_that_can_be_read_at_a_sitting_and_needs_only_the_standard_library() {
    let text = std::fs::read_to_string(runner()).unwrap();
    assert!(text.lines().count() < 260, "{}", text.lines().count());
    let known = "import sys; raise SystemExit(','.join(set(sys.argv[1:]) - sys.stdlib_module_names) or None)";
    let imported = text.lines().filter_map(|line| {
        line.strip_prefix("import ").or_else(|| line.strip_prefix("from ")?.split(" import").next())
    });
    let imported = imported.flat_map(|names| names.split(", "));
    let imported: Vec<&str> = imported.map(|name| name.split('.').next().unwrap()).collect();
    assert!(imported.len() > 5, "{imported:?}");
    let output = python(&[&["-c", known], &imported[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn it_finds_as_verify_does_that_every_case_holds() {
    let (_endpoint, url) = endpoint(&[]).await;
    let folder = scratch();
    copy(folder.path(), &[]);
    let (first, second) = (first(&url, folder.path()), second(&url, folder.path()));
    assert!(first.keys().eq(second.keys()), "not the same trials");
    assert!(first.len() > 2000);
    assert_eq!((failing(&first), failing(&second)), Default::default());
}

/// Alterations of cases: the file, the text, its replacement, and the place of the finding.
const ALTERED: &[(&str, &str, &str, &str)] = &[
    (
        "AllocateIpv6InternetBandwidth/cases/IllegalParam.Bandwidth/letters",
        "/answer/status",
        "404",
        "status",
    ),
    (
        "AllocateIpv6InternetBandwidth/cases/IllegalParam.Bandwidth/above-32-bits",
        "/answer/code",
        "\"IllegalParam.ChargeType\"",
        "body/Code",
    ),
    (
        "common/cases/SignatureDoesNotMatch/body-changed-v1",
        "/answer/message",
        "\"Specified signature is not matched with our calculation.\"",
        "body/Message",
    ),
    (
        "common/cases/Forbidden.RAM/sm3",
        "/answer/accessDeniedDetail/NoPermissionType",
        "\"ExplicitDeny\"",
        "body/AccessDeniedDetail",
    ),
    (
        "common/cases/Throttling.User/sm3",
        "/answer/headers/x-acs-retry-after",
        "\"^0$\"",
        "header/x-acs-retry-after",
    ),
    (
        "AllocateIpv6InternetBandwidth/cases/Success/client-token",
        "/answer/elements/Ipv6AddressId",
        "\"ipv6-other\"",
        "body/Ipv6AddressId",
    ),
    (
        "AllocateIpv6InternetBandwidth/cases/Success/replay-default-charge-type-left-out",
        "/answer/sameAsBefore",
        "false",
        "body/InternetBandwidthId",
    ),
    (
        "AllocateIpv6InternetBandwidth/cases/Success/body-bandwidth-wins",
        "/after/Ipv6Addresses/ipv6-case/Ipv6InternetBandwidth/Bandwidth",
        "7",
        "state",
    ),
    (
        "AllocateIpv6InternetBandwidth/cases/Success/get",
        "/request/query/Bandwidth",
        "\"0\"",
        "status",
    ),
];

#[tokio::test]
async fn both_find_the_same_cases_wrong_and_why() {
    let (_endpoint, url) = endpoint(&[]).await;
    let contract = Contract::embedded();
    let mut altered: Vec<(String, String)> = ALTERED
        .iter()
        .map(|(case, pointer, to, _)| {
            let path = format!("{case}.json");
            let mut document = contract.json(&path).unwrap();
            *document.pointer_mut(pointer).unwrap() = serde_json::from_str(to).unwrap();
            (path, document.to_string())
        })
        .collect();
    // With another reviewed answer.
    let shared = contract.text("common/snapshots/MissingAction.snap").unwrap();
    let own = "common/snapshots/MissingAction@absent-v1.snap".to_owned();
    altered.push((own, shared.replace("text/xml", "text/html")));
    let folder = scratch();
    let files: Vec<(&str, &str)> = altered.iter().map(|(path, text)| (&**path, &**text)).collect();
    copy(folder.path(), &files);
    let (first, second) = (first(&url, folder.path()), second(&url, folder.path()));
    assert_eq!(failing(&first), failing(&second));
    let cases: BTreeSet<&str> = failing(&first).iter().map(|trial| trial.0.as_str()).collect();
    let mut expected: BTreeSet<String> =
        ALTERED.iter().map(|(case, ..)| format!("{case}.json")).collect();
    expected.insert("common/cases/MissingAction/absent-v1.json".to_owned());
    assert!(cases.iter().eq(expected.iter()), "{cases:?}");
    for found in [&first, &second] {
        for (case, _, _, what) in ALTERED {
            let path = format!("{case}.json");
            for (_, findings) in found.iter().filter(|(trial, _)| trial.0 == path) {
                let is_named = |finding: &Value| {
                    finding["place"].as_str().is_some_and(|named| named.starts_with(what))
                };
                assert!(findings.iter().any(is_named), "{case}: {findings:?}");
            }
        }
    }
}

#[test]
fn a_run_that_cannot_start_says_why() {
    let runner = runner();
    let runner = runner.to_str().unwrap();
    for (arguments, code, got) in [
        (&[runner][..], 3, "runner.py http://127.0.0.1:8787 contracts"),
        (
            &[
                runner,
                "http://127.0.0.1:1",
                concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts"),
            ],
            2,
            "error: ",
        ),
    ] {
        let output = python(arguments);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(got), "{printed}");
    }
}
