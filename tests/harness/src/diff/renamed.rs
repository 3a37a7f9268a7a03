//! Finds renamed cases.

use serde_json::Value;

use super::cases::{CASE_WORDS, whole};
use super::finding::{CASE_ADDED, CASE_REMOVED, CASE_RENAMED, Finding};
use super::findings::without;
use super::snapshots;
use crate::contract::Contract;
use crate::error::Result;
use crate::verify::own_path;

/// Replaces the removal and the addition of equal cases, with equal reviewed answers, by one cosmetic change.
pub(super) fn renamed(findings: &mut Vec<Finding>, old: &Contract, new: &Contract) -> Result<()> {
    let paths = |rule| -> Vec<String> {
        let of = findings.iter().filter(|finding| finding.rule == rule);
        of.map(|finding| finding.place.clone()).collect()
    };
    let (removed, mut added) = (paths(&CASE_REMOVED), paths(&CASE_ADDED));
    for before in removed {
        let case = Case::of(old, &before)?;
        let mut same = None;
        for (position, now) in added.iter().enumerate() {
            if case.is_same(&Case::of(new, now)?) {
                same = Some(position);
                break;
            }
        }
        let Some(now) = same.map(|position| added.remove(position)) else { continue };
        let gone = [&before, &now, &own_path(&before), &own_path(&now)];
        findings.retain(|finding| !gone.contains(&&finding.place));
        findings.push(Finding::new(&CASE_RENAMED, &now, before.into(), now.clone().into()));
    }
    Ok(())
}

/// A case and its reviewed answers.
struct Case<'c> {
    operation: String,
    meant: Value,
    snapshot: Option<&'c str>,
}

impl<'c> Case<'c> {
    fn of(contract: &'c Contract, path: &str) -> Result<Self> {
        Ok(Self {
            operation: path.split('/').next().unwrap_or_default().to_owned(),
            meant: without(&whole(contract, path)?, &CASE_WORDS),
            snapshot: snapshots::text(contract, &own_path(path)),
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        let is_reviewed_same = match (self.snapshot, other.snapshot) {
            (Some(one), Some(other)) => snapshots::is_same(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.operation == other.operation && self.meant == other.meant && is_reviewed_same
    }
}
