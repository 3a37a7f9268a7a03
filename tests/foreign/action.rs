//! The GitHub Action: what its script finds and says, tried on a repository made for it.

use std::path::Path;
use std::process::Output;

use crate::revisions::commit_all;
use foreign::tools;
use suites::command::{copy, printed};
use suites::endpoint::built;
use suites::scratch;
use suites::support::ALLOCATE;

fn action(name: &str) -> String {
    format!("{}/../../.github/actions/contract/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn check(folder: &Path, verify: &str) -> (Output, String) {
    let out = folder.join("out");
    let contract = built("contract").unwrap();
    let output = tools::command("bash")
        .arg(action("check"))
        .env("CONTRACT", contract)
        .env("CONTRACTS", "contracts")
        .env("BASE", "HEAD")
        .env("VERIFY", verify)
        .env("OUT", &out)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .current_dir(folder)
        .output()
        .unwrap();
    let comment = std::fs::read_to_string(out.join("comment.md")).unwrap();
    (output, comment)
}

#[test]
fn it_says_what_a_change_means_and_fails_where_it_breaks_something() {
    let folder = scratch();
    let place = folder.path();
    copy(&place.join("contracts"), &[]);
    commit_all(place);
    let verify = "--in-process --case IllegalParam.Bandwidth/*";

    let (output, comment) = check(place, verify);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    for part in [
        "<!-- contract: contract -->",
        "all hold",
        "nothing is wrong",
        "No row has lost a proof.",
        "0 breaking",
    ] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }

    let case =
        place.join(format!("contracts/{ALLOCATE}/cases/IllegalParam.Bandwidth/letters.json"));
    let text = std::fs::read_to_string(&case).unwrap();
    std::fs::write(&case, text.replace("The param of", "The parameter")).unwrap();
    let snapshot = place.join("contracts/common/snapshots/MissingAction.snap");
    std::fs::remove_file(snapshot).unwrap();
    let (output, comment) = check(place, verify);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    for part in [
        "do not hold",
        "error/MissingAction: snapshots were",
        "| breaking | `case-answer-changed` |",
        "| breaking | `snapshot-removed` |",
    ] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }
    let told = printed(&output);
    assert!(told.contains("::error file=contracts/"), "{told}");
    let summary = std::fs::read_to_string(place.join("summary.md")).unwrap();
    assert!(summary.contains("case-answer-changed"), "{summary}");
    for name in [
        "verdict.json",
        "verdict.html",
        "verdict.xml",
        "changes.json",
        "coverage.html",
        "review.html",
    ] {
        assert!(place.join("out").join(name).is_file(), "{name}");
    }
}

#[test]
fn its_scripts_can_be_read_by_a_shell_and_its_steps_name_them() {
    let yaml = std::fs::read_to_string(action("action.yml")).unwrap();
    for name in ["check", "comment"] {
        let output = tools::command("bash").args(["-n", &action(name)]).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        assert!(yaml.contains(&format!("$GITHUB_ACTION_PATH/{name}")), "{yaml}");
    }
}
