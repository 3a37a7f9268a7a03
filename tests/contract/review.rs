//! `contract review`: the page, driven in a browser.

use std::path::Path;
use std::process::Command;

use harness::contract::Contract;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contract::{copy, scratch};
use crate::installed::{node, run};
use crate::support::ALLOCATE;
use crate::verify::{contract, printed};

/// Two contracts: another message, whose answer waits for review, another case, other words, a wider limit.
fn change() -> [TempDir; 2] {
    let right = |path: &str| Contract::embedded().text(path).unwrap().to_owned();
    let of = |path: &str| format!("{ALLOCATE}/{path}");
    let case = of("cases/IllegalParam.Bandwidth/letters.json");
    // The case has no answer of its own so far.
    let shared = of("snapshots/IllegalParam.Bandwidth.snap");
    let snapshot = of("snapshots/IllegalParam.Bandwidth@letters.snap");
    let reworded = |text: &str| text.replace("The param of Bandwidth", "The parameter Bandwidth");
    let missing = "common/cases/MissingAction/absent-v1.json";
    let words = right(missing).replace("Action is left out.", "There is no Action.");
    let operation = right(&of("operation.json")).replace("\"maximum\": 2000", "\"maximum\": 3000");
    let folders = [scratch(), scratch()];
    copy(folders[0].path(), &[]);
    let files = [
        (case.clone(), reworded(&right(&case))),
        (format!("{snapshot}.new"), reworded(&right(&shared))),
        (missing.to_owned(), words),
        (of("operation.json"), operation),
        (
            of("cases/SystemBusy/once-more.json"),
            right(&of("cases/SystemBusy/store-unavailable.json")),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    copy(folders[1].path(), &files);
    folders
}

fn review(arguments: &[&str], folder: &Path) -> String {
    let file = folder.join("review.html");
    let output = contract(&[&["review", "--output", file.to_str().unwrap()], arguments].concat());
    assert!(output.status.success(), "{}", printed(&output));
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn the_page_shows_what_changed_and_gives_nothing_away() {
    let [old, new] = change();
    let folder = scratch();
    let places = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let page = review(&places, folder.path());
    for part in [
        "case-answer-changed",
        "snapshot-changed",
        "limit-widened",
        "cases/SystemBusy/once-more.json</code> is new",
        "page: &quot;IllegalParam.Bandwidth",
        "curl -X POST",
        "SignatureNonce=a-nonce",
        "cargo insta review",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["testsecret", "http://", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("Signature=***"), "{page}");
    let nothing = review(&[places[0], places[0]], folder.path());
    assert!(nothing.contains("Nothing changes."), "{nothing}");
    let history = review(&["history/2021"], folder.path());
    assert!(history.contains("limit-narrowed"), "{history}");
}

#[test]
fn it_is_driven_by_keys_in_a_browser_and_asks_nothing_of_a_network() {
    let [old, new] = change();
    let folder = scratch();
    review(&[old.path().to_str().unwrap(), new.path().to_str().unwrap()], folder.path());
    let needs = "chromium (Debian: apt-get install chromium)";
    let chromium = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
        .unwrap_or_else(|| panic!("there is no chromium; install {needs}"));
    let which = run(Command::new("sh").args(["-c", &format!("command -v {chromium}")]), needs);
    let chromium = String::from_utf8(which.stdout).unwrap();
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("review");
    let home = node("review-node", &driver);
    std::fs::copy(driver.join("drive.mjs"), home.join("drive.mjs")).unwrap();
    let mut drive = Command::new("node");
    drive.arg("drive.mjs").arg(chromium.trim());
    drive.arg(folder.path().join("review.html")).arg(folder.path()).current_dir(&home);
    let saw = run(&mut drive, needs);
    let saw: Value = serde_json::from_slice(&saw.stdout).unwrap();
    let bandwidth = format!("{ALLOCATE}/cases/IllegalParam.Bandwidth/letters.json");
    let expected = json!({
        "errors": [], "requests": ["file"],
        "cases": 3,
        "first": bandwidth, "second": format!("{ALLOCATE}/cases/SystemBusy/once-more.json"),
        "back": bandwidth,
        "opened": 1, "marked": ["param", "parameter"], "closed": 0, "all": 3,
        "breaking": 1, "cosmetic": 1, "found": 1, "afterwards": 3,
        "light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)",
        "keys": true, "overflow": 0
    });
    assert_eq!(saw, expected);
    for name in ["light.png", "dark.png", "narrow.png"] {
        assert!(folder.path().join(name).metadata().unwrap().len() > 10_000, "{name}");
    }
}
