//! The reviewed answers.
//!
//! Most cases of a code have the same answer and share a file. A case with another answer has its own file.

use crate::case::Case;
use crate::contract::Contract;
use crate::error::Result;
use crate::judge::{Findings, Judged, Rulebook, judge_snapshot};

/// Judges the answers of a case in a format by the reviewed ones.
pub fn judge_reviewed(
    findings: &mut Findings,
    contract: &Contract,
    rules: &Rulebook,
    case: &Case,
    format: &str,
    transcript: &str,
) {
    match reviewed(contract, case, format) {
        Ok(reviewed) => judge_snapshot(findings, case, rules, reviewed, transcript),
        Err(error) => findings.add_by(Judged::Snapshot, "snapshot", "a reviewed answer", error),
    }
}

/// The reviewed answer to a case in a format (`JSON` or `XML`), with placeholders.
pub fn reviewed<'a>(contract: &'a Contract, case: &Case, format: &str) -> Result<&'a str> {
    let path = path(contract, case);
    let none = || format!("{}/{path}: no answer in {format}", contract.origin());
    Ok(answer(contract.existing(&path)?, format).ok_or_else(none)?)
}

/// The answer of a snapshot in a format.
#[must_use]
pub fn answer<'a>(snapshot: &'a str, format: &str) -> Option<&'a str> {
    // The answers follow the header, each below the name of its format.
    let (_, answers) = snapshot.split_once("\n---\n")?;
    let heading = format!("== {format}\n");
    let answer = match answers.strip_prefix(&heading) {
        Some(answer) => answer,
        None => answers.split_once(&format!("\n{heading}"))?.1,
    };
    let end = answer.find("\n== ").unwrap_or(answer.len());
    Some(answer[..end].trim_end())
}

/// The file of the reviewed answer to a case: its own or the shared one.
#[must_use]
pub fn path(contract: &Contract, case: &Case) -> String {
    let (own, shared) = (own_path(&case.path), shared_path(case));
    if contract.text(&own).is_none() && contract.text(&shared).is_some() { shared } else { own }
}

/// The own file of the case at `path`.
#[must_use]
pub fn own_path(path: &str) -> String {
    let stem = path.strip_suffix(".json").unwrap_or(path).replacen("/cases/", "/snapshots/", 1);
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", &stem));
    format!("{folder}@{name}.snap")
}

/// The file that the cases of a code share.
#[must_use]
pub fn shared_path(case: &Case) -> String {
    format!("{}/snapshots/{}.snap", case.folder(), case.group())
}
