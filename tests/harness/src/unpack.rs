//! `contract unpack`: writes the contract's files into a folder.

use std::path::PathBuf;

use clap::Args;

use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::error::{At as _, Result, bail};
use crate::file::{write_in_folders, write_whole};

/// Git keeps the files' line ends, regardless of `core.autocrlf`. `-text` would keep them too, but would
/// let an editor's CRLF into the repository, where every line would count as changed.
const ATTRIBUTES: &str = "* text eol=lf\n";

/// Writes the contract's files into a new folder, where you can change them and add cases.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder, which must be absent or empty
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Runs `contract unpack`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let Options { folder } = options;
    let place = folder.display();
    std::fs::create_dir_all(folder).at(&place)?;
    if std::fs::read_dir(folder).at(&place)?.next().is_some() {
        bail!("{place}: the folder is not empty; nothing was written");
    }
    write_whole(&folder.join(".gitattributes"), ATTRIBUTES.as_bytes())?;
    let mut written = 0;
    for (path, text) in contract.files() {
        // The files that make the folder a crate are not part of the contract.
        if ["Cargo.toml", "build.rs", "lib.rs"].contains(&path.as_str()) {
            continue;
        }
        write_in_folders(&folder.join(path), text.as_bytes())?;
        written += 1;
    }
    print(&format!("{written} files in {place}: use them with --contracts {place}\n"))?;
    Ok(Outcome::Holds)
}
