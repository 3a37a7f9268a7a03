//! Breaking changes that are approved.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Comparison, Finding, Severity};
use crate::client::{now_secs, timestamp};
use crate::contract::Contract;
use crate::file::write_whole;

/// Their file in a contract.
const FILE: &str = "approved-changes.json";

/// The changes approved.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Approvals {
    description: String,
    approved: Vec<Approval>,
}

/// A change approved.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    fingerprint: String,
    rule: String,
    place: String,
    reason: String,
    date: String,
}

fn read(contract: &Contract) -> Result<Approvals, String> {
    match contract.text(FILE) {
        Some(text) => contract.parse(FILE, text),
        None => Ok(Approvals::default()),
    }
}

/// Marks the changes that the newer contract approves, and tells approvals that none needs.
///
/// # Errors
///
/// What is wrong with its file.
pub(super) fn apply(comparison: &mut Comparison, new: &Contract) -> Result<(), String> {
    let Approvals { approved, .. } = read(new)?;
    for finding in &mut comparison.findings {
        let fits = |approval: &&Approval| {
            approval.fingerprint == finding.fingerprint && approval.rule == finding.rule.id
        };
        finding.approved = approved.iter().find(fits).map(|approval| approval.reason.clone());
    }
    let needed: BTreeSet<&str> =
        comparison.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let stale = approved.iter().filter(|approval| !needed.contains(&*approval.fingerprint));
    comparison.stale = stale
        .map(|Approval { fingerprint, rule, place, .. }| format!("{fingerprint} {rule} {place}"))
        .collect();
    Ok(())
}

/// Adds approvals of all breaking changes that lack one to the newer contract's file, and says how many.
///
/// # Errors
///
/// The contract is no folder, or its file cannot be written.
pub(super) fn add(comparison: &Comparison, new: &Contract, reason: &str) -> Result<usize, String> {
    let folder = Path::new(new.origin());
    if !folder.is_dir() {
        return Err(format!("--approve: {} is no folder to write to", new.origin()));
    }
    if reason.trim().is_empty() {
        return Err("--approve: a reason is needed".to_owned());
    }
    let mut approvals = read(new)?;
    if approvals.description.is_empty() {
        "Breaking changes that were meant, by their fingerprints: contract diff says them."
            .clone_into(&mut approvals.description);
    }
    let date = timestamp(now_secs());
    let date = date.split('T').next().unwrap_or_default();
    let before = approvals.approved.len();
    for Finding { severity, approved, fingerprint, rule, place, .. } in &comparison.findings {
        if *severity == Severity::Breaking && approved.is_none() {
            approvals.approved.push(Approval {
                fingerprint: fingerprint.clone(),
                rule: rule.id.to_owned(),
                place: place.clone(),
                reason: reason.to_owned(),
                date: date.to_owned(),
            });
        }
    }
    let count = approvals.approved.len() - before;
    approvals.approved.sort_by(|one, other| {
        (&one.place, &one.fingerprint).cmp(&(&other.place, &other.fingerprint))
    });
    let mut text = serde_json::to_string_pretty(&approvals).map_err(|error| error.to_string())?;
    text.push('\n');
    write_whole(&folder.join(FILE), text.as_bytes())?;
    Ok(count)
}
