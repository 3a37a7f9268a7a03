//! The answers that were reviewed.

use crate::case::Case;
use crate::contract::Contract;

/// The reviewed answer to a case in a format (`JSON` or `XML`), what is unstable replaced.
///
/// # Errors
///
/// There is none, and the file that should hold it.
pub fn reviewed<'a>(contract: &'a Contract, case: &Case, format: &str) -> Result<&'a str, String> {
    let path = path(case);
    let text = contract.existing(&path)?;
    let none = || format!("{}/{path}: no answer in {format}", contract.origin());
    // Behind the header are the formats' answers, each below its name.
    let (_, answers) = text.split_once("\n---\n").ok_or_else(none)?;
    let heading = format!("== {format}\n");
    let answer = match answers.strip_prefix(&heading) {
        Some(answer) => answer,
        None => answers.split_once(&format!("\n{heading}")).ok_or_else(none)?.1,
    };
    let end = answer.find("\n== ").unwrap_or(answer.len());
    Ok(answer[..end].trim_end())
}

/// Where a case's snapshot stands in a contract.
#[must_use]
pub fn path(case: &Case) -> String {
    format!("{}/snapshots/{}@{}.snap", case.folder(), case.group(), case.name())
}
