//! `contract unpack`: writes the contract's files, to be changed or added to.

use std::path::PathBuf;

use clap::Args;

use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::file::write_whole;

/// Git keeps the files' line ends as they are written, whatever `core.autocrlf` says. `-text` would do
/// so, too, but let an editor's CRLF into the repository, where every line then counts as changed.
const ATTRIBUTES: &str = "* text eol=lf\n";

/// Writes the contract's files into a new folder, to change them or to add cases of one's own.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder, which must not be there or be empty
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes the files.
///
/// # Errors
///
/// There is something in the folder already, or it cannot be written to.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let Options { folder } = options;
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(fail)?;
    if std::fs::read_dir(folder).map_err(fail)?.next().is_some() {
        return Err(format!("{}: there is something in it; nothing was written", folder.display()));
    }
    write_whole(&folder.join(".gitattributes"), ATTRIBUTES.as_bytes())?;
    let mut written = 0;
    for (path, text) in contract.files() {
        // What makes it a crate is no part of the contract.
        if ["Cargo.toml", "build.rs", "lib.rs"].contains(&path.as_str()) {
            continue;
        }
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(fail)?;
        }
        write_whole(&path, text.as_bytes())?;
        written += 1;
    }
    let place = folder.display();
    print(&format!("{written} files in {place}: use them with --contracts {place}\n"))?;
    Ok(Outcome::Holds)
}
