//! The names that a repository has for the files of a contract, by which pipelines mark changes.

use std::env::var_os;
use std::path::{Path, PathBuf};

/// The name of a file of the contract in the folder `origin`, in the repository around it. `None` if the
/// contract is part of the program or of a revision, or if nothing says where the repository begins.
pub(crate) fn name(origin: &str, file: &str) -> Option<String> {
    let folder = Path::new(origin).canonicalize().ok().filter(|folder| folder.is_dir())?;
    let told = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].map(var_os).into_iter().flatten();
    let told = told.filter_map(|top| PathBuf::from(top).canonicalize().ok());
    let top = told
        .into_iter()
        .find(|top| folder.starts_with(top))
        .or_else(|| Some(folder.ancestors().find(|it| it.join(".git").exists())?.to_owned()))?;
    let name = folder.strip_prefix(top).ok()?.join(file);
    Some(name.to_str()?.to_owned())
}
