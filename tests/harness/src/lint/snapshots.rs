//! Finds snapshots without a case, and snapshots that wait for review.

use super::has_ending;
use crate::contract::Contract;

/// The snapshots that no answer is compared with, each with the reason.
#[must_use]
pub fn unused(contract: &Contract) -> Vec<(String, String)> {
    let has_case = |path: &str| {
        let names: Vec<&str> = path.split('/').collect();
        let [folder, "snapshots", file] = names[..] else { return false };
        let stem = file.strip_suffix(".snap").unwrap_or(file);
        match stem.split_once('@') {
            Some((group, name)) => {
                contract.text(&format!("{folder}/cases/{group}/{name}.json")).is_some()
            }
            None => contract.paths().any(|case| {
                let names: Vec<&str> = case.split('/').collect();
                let [of, "cases", group, file] = names[..] else { return false };
                let Some(name) = file.strip_suffix(".json") else { return false };
                let own = format!("{folder}/snapshots/{group}@{name}.snap");
                of == folder && group == stem && contract.text(&own).is_none()
            }),
        }
    };
    let snapshots = contract.paths().filter(|path| path.split('/').nth(1) == Some("snapshots"));
    let unused = snapshots.filter_map(|path| {
        let what = if has_ending(path, "new") {
            "an answer that waits for review"
        } else if has_case(path) {
            return None;
        } else if has_ending(path, "snap") {
            "a snapshot without a case"
        } else {
            return None;
        };
        Some((path.to_owned(), what.to_owned()))
    });
    unused.collect()
}
