//! The ratchet: no row may lose proofs, even if other rows gain some.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Row;
use crate::contract::Contract;
use crate::error::{Result, bail};
use crate::file::write_whole;
use crate::json;

/// The file in each folder of a contract that holds the numbers of proofs.
const FILE: &str = "coverage.json";

/// The numbers of proofs that the rows of a folder must have, by kind.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    description: String,
    rows: BTreeMap<String, BTreeMap<String, usize>>,
}

/// A loss of proofs of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The row.
    pub row: String,
    /// The kind of proof.
    pub kind: String,
    /// The earlier number.
    pub had: usize,
    /// The current number.
    pub has: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, kind, had, has } = self;
        write!(formatter, "{row}: it had {had} {kind} and has {has}")
    }
}

/// The ratchet of each folder.
fn read(contract: &Contract) -> Result<BTreeMap<String, Ratchet>> {
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

/// The losses of all rows.
pub(super) fn losses(contract: &Contract, rows: &[Row]) -> Result<Vec<Loss>> {
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

/// Rewrites the files with the current numbers.
///
/// # Errors
///
/// A loss is not allowed, or the contract is not a folder.
pub(super) fn update(
    contract: &Contract,
    rows: &[Row],
    losses: &[Loss],
    allowed: &[String],
) -> Result<()> {
    if let Some(loss) = losses.iter().find(|loss| !allowed.contains(&loss.row)) {
        bail!("{loss}; --allow-loss {} allows it", loss.row);
    }
    let folder = Path::new(contract.origin());
    if !folder.is_dir() {
        bail!("--update: {} is not a folder", contract.origin());
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
        write_whole(&folder.join(of).join(FILE), json::pretty(&ratchet)?.as_bytes())?;
    }
    Ok(())
}
