//! The answers that were reviewed.
//!
//! Most cases of a code have the same answer, so they share one file. A case whose answer differs
//! from that has a file of its own.

use crate::case::Case;
use crate::contract::Contract;
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

/// The reviewed answer to a case in a format (`JSON` or `XML`), what is unstable replaced.
///
/// # Errors
///
/// There is none, and the file that should hold it.
pub fn reviewed<'a>(contract: &'a Contract, case: &Case, format: &str) -> Result<&'a str, String> {
    let path = path(contract, case);
    let none = || format!("{}/{path}: no answer in {format}", contract.origin());
    answer(contract.existing(&path)?, format).ok_or_else(none)
}

/// The answer in a format that a snapshot holds.
#[must_use]
pub fn answer<'a>(snapshot: &'a str, format: &str) -> Option<&'a str> {
    // After the header come the formats' answers, each below its name.
    let (_, answers) = snapshot.split_once("\n---\n")?;
    let heading = format!("== {format}\n");
    let answer = match answers.strip_prefix(&heading) {
        Some(answer) => answer,
        None => answers.split_once(&format!("\n{heading}"))?.1,
    };
    let end = answer.find("\n== ").unwrap_or(answer.len());
    Some(answer[..end].trim_end())
}

/// The file of the reviewed answer to a case: its own, or else the one that it shares.
#[must_use]
pub fn path(contract: &Contract, case: &Case) -> String {
    let (own, shared) = (own_path(case), shared_path(case));
    if contract.text(&own).is_none() && contract.text(&shared).is_some() { shared } else { own }
}

/// The file of the answer that is this case's alone.
#[must_use]
pub fn own_path(case: &Case) -> String {
    format!("{}/snapshots/{}@{}.snap", case.folder(), case.group(), case.name())
}

/// The file of the answer that the cases of a code share.
#[must_use]
pub fn shared_path(case: &Case) -> String {
    format!("{}/snapshots/{}.snap", case.folder(), case.group())
}
