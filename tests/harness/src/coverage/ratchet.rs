//! How many proofs each row had: fewer are a loss, whatever other rows have won.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Row;
use crate::contract::Contract;
use crate::file::write_whole;

/// The file in each folder of a contract that says what its rows are held to.
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

/// What each folder holds its rows to.
fn read(contract: &Contract) -> Result<BTreeMap<String, Ratchet>, String> {
    let paths = contract.paths().filter_map(|path| {
        let folder = path.strip_suffix(FILE)?.strip_suffix('/')?;
        (!folder.contains('/')).then_some((folder, path))
    });
    let files = paths.map(|(folder, path)| {
        let ratchet = contract.parse(path, contract.existing(path)?)?;
        Ok((folder.to_owned(), ratchet))
    });
    files.collect()
}

/// What rows have lost.
///
/// # Errors
///
/// What is wrong with a file.
pub(super) fn losses(contract: &Contract, rows: &[Row]) -> Result<Vec<Loss>, String> {
    let now: BTreeMap<&str, BTreeMap<&str, usize>> =
        rows.iter().map(|row| (row.id.as_str(), row.counts())).collect();
    let mut losses = Vec::new();
    for (folder, ratchet) in read(contract)? {
        for (row, proofs) in ratchet.rows {
            let row = format!("{folder}/{row}");
            for (kind, had) in proofs {
                let has = now.get(row.as_str()).and_then(|counts| counts.get(kind.as_str()));
                let has = has.copied().unwrap_or_default();
                if has < had {
                    losses.push(Loss { row: row.clone(), kind, had, has });
                }
            }
        }
    }
    Ok(losses)
}

/// Writes the files anew.
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
    let mut folders: BTreeMap<&str, BTreeMap<String, BTreeMap<String, usize>>> = BTreeMap::new();
    for row in rows {
        let counts = row.counts().into_iter().filter(|(_, count)| *count > 0);
        let counts = counts.map(|(kind, count)| (kind.to_owned(), count)).collect();
        let Some((of, id)) = row.id.split_once('/') else { continue };
        folders.entry(of).or_default().insert(id.to_owned(), counts);
    }
    for (of, rows) in folders {
        let description = "How many proofs each row of the folder has at least; contract coverage --ratchet \
                           holds it to that, and --update raises it.";
        let ratchet = Ratchet { description: description.to_owned(), rows };
        let mut text = serde_json::to_string_pretty(&ratchet).map_err(|error| error.to_string())?;
        text.push('\n');
        write_whole(&folder.join(of).join(FILE), text.as_bytes())?;
    }
    Ok(())
}
