//! Opens the contracts to compare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::contract::Contract;
use crate::error::Result;

/// The contract at a place, which may be a dated version inside `contract`.
pub(crate) fn open(place: &str, contract: &Contract) -> Result<Contract> {
    dated(place, contract).map_or_else(|| Contract::open(place), Ok)
}

/// The older contract at a place; an empty one if no path of the place has a contract.
///
/// # Errors
///
/// The contract cannot be read, or is at another path: if it moved, the change must be compared.
pub(crate) fn open_base(place: &str, contract: &Contract) -> Result<Contract> {
    if let Some(dated) = dated(place, contract) {
        return Ok(dated);
    }
    if let Some(found) = Contract::open_if_any(place)? {
        return Ok(found.as_base());
    }
    match first_operation(Path::new(place)) {
        Some(path) => {
            Err(format!("{place}: no contract; a folder below has one: {}", path.display()).into())
        }
        None => Ok(Contract::of(&format!("{place} (no contract there yet)"), BTreeMap::new())),
    }
}

fn dated(place: &str, contract: &Contract) -> Option<Contract> {
    let prefix = format!("{}/", place.trim_end_matches('/'));
    let files: BTreeMap<String, String> = contract
        .files()
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(&prefix)?.to_owned(), text.clone())))
        .collect();
    let is_one = place.starts_with("history/") && !Path::new(place).is_dir() && !files.is_empty();
    is_one.then(|| Contract::of(&format!("{}/{place}", contract.origin()), files))
}

/// An `operation.json` in a folder, at any depth. Links are not followed: they may form a loop.
fn first_operation(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries.filter(|entry| entry.file_name() != ".git").find_map(|entry| {
        let path = entry.path();
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            first_operation(&path)
        } else {
            path.ends_with("operation.json").then_some(path)
        }
    })
}
