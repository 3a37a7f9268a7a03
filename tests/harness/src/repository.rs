//! The names of a contract's files in its repository, for the annotations of pipelines.

use std::env::var_os;
use std::path::{Path, PathBuf};

/// The name of a file of the contract in the folder `origin`, relative to its repository. `None` if the
/// contract is not in a folder, or the top of the repository is unknown.
pub(crate) fn name(origin: &str, file: &str) -> Option<String> {
    let folder = Path::new(origin).canonicalize().ok().filter(|folder| folder.is_dir())?;
    let tops = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].map(var_os).into_iter().flatten();
    let mut tops = tops.filter_map(|top| PathBuf::from(top).canonicalize().ok());
    let top = tops
        .find(|top| folder.starts_with(top))
        .or_else(|| Some(folder.ancestors().find(|it| it.join(".git").exists())?.to_owned()))?;
    let name = folder.strip_prefix(top).ok()?.join(file);
    Some(name.to_str()?.to_owned())
}
