//! How many proofs each row had: fewer are a loss, whatever other rows have won.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Row;
use crate::contract::Contract;
use crate::file::write_whole;

/// Where it stands in a contract.
const FILE: &str = "coverage.json";

/// The proofs that rows are held to, by their kinds.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    description: String,
    rows: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Proofs that a row has lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The row.
    pub row: String,
    /// The kind of proof.
    pub kind: String,
    /// How many there were.
    pub had: usize,
    /// How many there are.
    pub has: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, kind, had, has } = self;
        write!(formatter, "{row}: {kind} were {had} and are {has}")
    }
}

fn read(contract: &Contract) -> Result<Ratchet, String> {
    match contract.text(FILE) {
        Some(text) => contract.parse(FILE, text),
        None => Ok(Ratchet::default()),
    }
}

/// What rows have lost.
///
/// # Errors
///
/// What is wrong with the file.
pub(super) fn losses(contract: &Contract, rows: &[Row]) -> Result<Vec<Loss>, String> {
    let now: BTreeMap<&str, BTreeMap<&str, usize>> =
        rows.iter().map(|row| (row.id.as_str(), row.counts())).collect();
    let mut losses = Vec::new();
    for (row, proofs) in read(contract)?.rows {
        for (kind, had) in proofs {
            let has = now.get(row.as_str()).and_then(|counts| counts.get(kind.as_str()));
            let has = has.copied().unwrap_or_default();
            if has < had {
                losses.push(Loss { row: row.clone(), kind, had, has });
            }
        }
    }
    Ok(losses)
}

/// Writes the file anew.
///
/// # Errors
///
/// A loss is not allowed, or the contract is no folder.
pub(super) fn update(
    contract: &Contract,
    rows: &[Row],
    losses: &[Loss],
    allowed: &[String],
) -> Result<(), String> {
    if let Some(loss) = losses.iter().find(|loss| !allowed.contains(&loss.row)) {
        return Err(format!("{loss}; --allow-loss {} lets it be", loss.row));
    }
    let folder = Path::new(contract.origin());
    if !folder.is_dir() {
        return Err(format!("--update: {} is no folder to write to", contract.origin()));
    }
    let counts = |row: &Row| {
        let counts = row.counts().into_iter().filter(|(_, count)| *count > 0);
        counts.map(|(kind, count)| (kind.to_owned(), count)).collect()
    };
    let ratchet = Ratchet {
        description:
            "How many proofs each row of the contract has at least; contract coverage --ratchet \
                      holds it to that, and --update raises it."
                .to_owned(),
        rows: rows.iter().map(|row| (row.id.clone(), counts(row))).collect(),
    };
    let mut text = serde_json::to_string_pretty(&ratchet).map_err(|error| error.to_string())?;
    text.push('\n');
    write_whole(&folder.join(FILE), text.as_bytes())
}
