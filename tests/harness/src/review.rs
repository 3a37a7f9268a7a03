//! `contract review`: an HTML page about a change to the contract.

mod changes;
mod page;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::diff::{compare, open, open_base};
use crate::error::Result;
use crate::file::write_whole;

/// Writes an HTML page about a change to the contract: the meaning of the change, and for each affected
/// case the call, the world, the source, and the old and new answers side by side.
///
/// The page is one file and needs no network. If the newer contract is a folder with answers that wait for
/// review (….snap.new), the page shows them as new answers; `cargo insta review` accepts or rejects them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  contract review main contracts --output review.html
  contract review v1.0.0 HEAD --output review.html

Keys in the page: j and k go to the next and the previous case, o or Enter opens or closes it, a
opens or closes all, / finds, 1 2 3 show only breaking, additive or cosmetic changes, 0 shows all, t
toggles light and dark, ? shows this help.

Exit codes: 0 written, 2 the command failed, 3 usage.")]
pub struct Options {
    /// The older contract: a folder, a git revision, or history/DATE
    old: String,
    /// The newer contract [default: that of --contracts, or the contract in this program]
    new: Option<String>,
    /// The file for the page
    #[arg(long, value_name = "FILE", default_value = "review.html")]
    output: PathBuf,
}

/// Runs `contract review`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let old = open_base(&options.old, contract)?;
    let new = match &options.new {
        Some(place) => open(place, contract)?.checked()?,
        None => contract.clone(),
    };
    let page = page(&old, &new)?;
    write_whole(&options.output, page.as_bytes())?;
    print(&format!("written: {}\n", options.output.display()))?;
    Ok(Outcome::Holds)
}

/// The page.
pub fn page(old: &Contract, new: &Contract) -> Result<String> {
    let new = with_pending(new);
    let comparison = compare(old, &new)?;
    let cases = changes::of(old, &new, &comparison)?;
    Ok(page::of(old, &new, &comparison, &cases))
}

/// The contract with the answers that wait for review in place of the reviewed ones.
fn with_pending(contract: &Contract) -> Contract {
    let mut files = contract.files().clone();
    // Only a folder should have such files.
    if !Path::new(contract.origin()).is_dir() {
        return contract.clone();
    }
    let pending: Vec<String> =
        files.keys().filter_map(|path| path.strip_suffix(".new").map(str::to_owned)).collect();
    for path in pending {
        if let Some(text) = files.remove(&format!("{path}.new")) {
            files.insert(path, text);
        }
    }
    Contract::of(contract.origin(), files)
}
