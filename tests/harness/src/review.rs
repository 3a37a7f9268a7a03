//! `contract review`: one page that shows what a change to the contract means.

mod changes;
mod page;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::diff::{compare, open, open_base};
use crate::file::write_whole;

/// Writes one page for a change to the contract: what it means, and for each case that it touches the call,
/// the world, the old and the new answer side by side and the sentence that it rests on.
///
/// The page is one file and asks nothing of any network. Where the newer contract is a folder with answers
/// that wait for review (….snap.new), these are its new answers; `cargo insta review` takes or leaves them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  contract review main contracts --output review.html
  contract review v1.0.0 HEAD --output review.html

In the page: j and k go to the next and the previous case, o or Enter opens and closes it, a opens and closes
all, / finds, 1 2 3 show only what breaks, adds or rewords, 0 shows all, t changes between light and dark,
? tells this.

Exit codes: 0 written, 2 it could not be, 3 usage.")]
pub struct Options {
    /// The older contract: a folder, a git revision, or history/DATE
    old: String,
    /// The newer contract; without it that of --contracts, or the one that is part of this program
    new: Option<String>,
    /// Where to write the page
    #[arg(long, value_name = "FILE", default_value = "review.html")]
    output: PathBuf,
}

/// Writes the page.
///
/// # Errors
///
/// A contract cannot be read, or the page not be written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
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
///
/// # Errors
///
/// A contract cannot be read.
pub fn page(old: &Contract, new: &Contract) -> Result<String, String> {
    let new = with_pending(new);
    let comparison = compare(old, &new)?;
    let cases = changes::of(old, &new, &comparison)?;
    Ok(page::of(old, &new, &comparison, &cases))
}

/// The contract with what waits for review in place of what was reviewed.
fn with_pending(contract: &Contract) -> Contract {
    let mut files = contract.files().clone();
    // Only a folder has such files; a commit should have none.
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
