//! The approvals of breaking changes.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Comparison, Finding, Severity};
use crate::client::{now_secs, timestamp};
use crate::contract::Contract;
use crate::error::{Result, bail};
use crate::file::write_whole;
use crate::json;

/// The file of a contract that holds the approvals.
const FILE: &str = "approved-changes.json";

/// The file's content.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Approvals {
    description: String,
    approved: Vec<Approval>,
}

/// An approval of a change.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    fingerprint: String,
    rule: String,
    place: String,
    reason: String,
    date: String,
}

fn read(contract: &Contract) -> Result<Approvals> {
    match contract.text(FILE) {
        Some(text) => contract.parse(FILE, text),
        None => Ok(Approvals::default()),
    }
}

/// Marks the changes that the newer contract approves, and collects the approvals without a change.
pub(super) fn apply(comparison: &mut Comparison, new: &Contract) -> Result<()> {
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

/// Adds the missing approvals of breaking changes to the newer contract's file, and returns their number.
///
/// # Errors
///
/// The contract is not a folder, or its file cannot be written.
pub(super) fn add(comparison: &Comparison, new: &Contract, reason: &str) -> Result<usize> {
    let folder = Path::new(new.origin());
    if !folder.is_dir() {
        bail!("--approve: {} is not a folder", new.origin());
    }
    if reason.trim().is_empty() {
        bail!("--approve: the reason is empty");
    }
    let mut approvals = read(new)?;
    if approvals.description.is_empty() {
        "Intended breaking changes, by the fingerprints that contract diff shows."
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
    write_whole(&folder.join(FILE), json::pretty(&approvals)?.as_bytes())?;
    Ok(count)
}
