//! Contracts that differ, and the page about their differences.

use std::path::Path;

use harness::contract::Contract;
use tempfile::TempDir;

use crate::command::{contract, copy, printed};
use crate::scratch;
use crate::support::ALLOCATE;

/// Two contracts to compare: another message with a proposed answer, a new case, another
/// description, a wider limit.
pub fn change() -> [TempDir; 2] {
    let right = |path: &str| Contract::embedded().text(path).unwrap().to_owned();
    let of = |path: &str| format!("{ALLOCATE}/{path}");
    let case = of("cases/IllegalParam.Bandwidth/letters.json");
    // The case has no snapshot of its own yet.
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

/// The page that `contract review` writes into a folder.
pub fn review(arguments: &[&str], folder: &Path) -> String {
    let file = folder.join("review.html");
    let output = contract(&[&["review", "--output", file.to_str().unwrap()], arguments].concat());
    assert!(output.status.success(), "{}", printed(&output));
    std::fs::read_to_string(file).unwrap()
}
