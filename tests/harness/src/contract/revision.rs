//! Reads a contract at a revision of the git repository of the current folder.
//!
//! Git writes the files into a temporary folder through a temporary index, and they are read by the same
//! rules as any folder. `git archive` would omit files marked `export-ignore`.

use std::path::Path;
use std::process::Command;

use super::load::{self, Files};
use super::{Found, only_root, roots};
use crate::error::{At as _, Result, bail};

/// The contract at `place`: `REVISION`, `REVISION:path` or `REVISION:./path`.
///
/// # Errors
///
/// The revision does not exist, has several contracts or has its contract at another path; or git fails.
pub(super) fn read(place: &str) -> Result<Found> {
    let Some(object) = resolved(place) else {
        return match split(place) {
            Some((revision, commit)) => nothing_at(place, revision, &commit),
            None => Err(missing(place).into()),
        };
    };
    if git(&["cat-file", "-t", &object], None).is_ok_and(|kind| kind.trim() == "blob") {
        bail!("{place}: a file, not a folder");
    }
    let paths = listed(&object).at(place)?;
    let Some(root) = only_root(&roots(paths.iter().map(String::as_str)), place, ":")? else {
        return match split(place) {
            Some((revision, commit)) => nothing_at(place, revision, &commit),
            None => Ok(None),
        };
    };
    let origin = match (root.is_empty(), place.contains(':')) {
        (true, true) => place.trim_end_matches('/').to_owned(),
        (true, false) => format!("{place}:"),
        (false, true) => format!("{}/{root}", place.trim_end_matches('/')),
        (false, false) => format!("{place}:{root}"),
    };
    let tree = if root.is_empty() { object } else { format!("{object}:{root}") };
    let files = checked_out(&tree, &origin)?;
    Ok(Some((origin, files)))
}

/// Writes the files of a tree into a temporary folder and reads them.
fn checked_out(tree: &str, origin: &str) -> Result<Files> {
    let scratch = tempfile::tempdir().at("a temporary folder")?;
    let (index, files) = (scratch.path().join("index"), scratch.path().join("files"));
    std::fs::create_dir(&files).at(files.display())?;
    let prefix = format!("--prefix={}/", files.display());
    for arguments in [&["read-tree", tree][..], &["checkout-index", "--all", &prefix]] {
        git(arguments, Some(&index)).at(origin)?;
    }
    load::folder(&files, origin)
}

/// The outcome for a path without a contract: `None` if no path of the revision has one, else an error.
fn nothing_at(place: &str, revision: &str, commit: &str) -> Result<Found> {
    let paths = listed(commit).at(revision)?;
    let roots = roots(paths.iter().map(String::as_str));
    if roots.is_empty() {
        return Ok(None);
    }
    let places = roots.iter().map(|root| format!("{revision}:{root}")).collect::<Vec<_>>();
    Err(format!("{place}: no contract; that revision has one at {}", places.join(", ")).into())
}

/// The revision before a path, and its commit.
fn split(place: &str) -> Option<(&str, String)> {
    let mut parts = place.char_indices().rev().filter(|(_, letter)| *letter == ':');
    parts.find_map(|(at, _)| {
        Some((&place[..at], resolved(&format!("{}^{{commit}}", &place[..at]))?))
    })
}

/// The hash of an object, if the repository has it. `rev-parse` alone accepts any whole hash.
fn resolved(name: &str) -> Option<String> {
    let hash = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", name], None).ok()?;
    let hash = hash.trim();
    git(&["cat-file", "-e", hash], None).ok().map(|_| hash.to_owned())
}

/// The paths of all files of a commit or a folder of it.
fn listed(object: &str) -> Result<Vec<String>> {
    let listed = git(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", object], None)?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}

/// Why the revision does not exist, and the command that fetches it.
fn missing(place: &str) -> String {
    let revision = place.split(':').next().unwrap_or(place);
    let problem = format!("{place}: neither a folder nor a git revision");
    if let Err(error) = git(&["rev-parse", "--git-dir"], None) {
        return format!("{problem}: {error}");
    }
    let is_shallow = git(&["rev-parse", "--is-shallow-repository"], None)
        .is_ok_and(|answer| answer.trim() == "true");
    let remotes = git(&["remote"], None).unwrap_or_default();
    let mut remotes = remotes.lines();
    let name = revision.split(['~', '^', '@']).next().unwrap_or(revision);
    let is_hash = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fetch = if name.is_empty() {
        String::new()
    } else if name != revision && resolved(name).is_some() {
        if !is_shallow {
            return format!("{problem}: {name} has no such ancestor");
        }
        "git fetch --unshallow".to_owned()
    } else if let Some((remote, branch)) = remotes
        .clone()
        .find_map(|remote| Some((remote, name.strip_prefix(remote)?.strip_prefix('/')?)))
    {
        format!("git fetch {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}")
    } else if let Some(remote) =
        remotes.clone().find(|remote| resolved(&format!("{remote}/{name}")).is_some())
    {
        return format!("{problem}: in this clone the branch is {remote}/{name}");
    } else if let Some(remote) = remotes.next() {
        match (is_hash, name.len()) {
            (true, 40 | 64) => format!("git fetch {remote} {name}"),
            (true, _) if is_shallow => "git fetch --unshallow".to_owned(),
            _ => format!(
                "git fetch {remote} +refs/heads/{name}:refs/remotes/{remote}/{name}, \
                          and then name it {remote}/{name}"
            ),
        }
    } else {
        String::new()
    };
    let depth = if is_shallow {
        ". This clone is shallow; `fetch-depth: 0` of GitHub's checkout or `GIT_DEPTH: 0` of GitLab \
         fetches the whole history"
    } else {
        ""
    };
    if fetch.is_empty() {
        format!("{problem}{depth}")
    } else {
        format!("{problem}; if the remote has it, fetch it: {fetch}{depth}")
    }
}

/// The output of git.
fn git(arguments: &[&str], index: Option<&Path>) -> Result<String> {
    let mut git = Command::new("git");
    // The environment of a hook must not lead git to another repository or index. User settings are kept.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let is_kept = name.starts_with("GIT_CONFIG_") || name == "GIT_CEILING_DIRECTORIES";
        if name.starts_with("GIT_") && !is_kept {
            git.env_remove(&*name);
        }
    }
    if let Some(index) = index {
        git.env("GIT_INDEX_FILE", index);
    }
    // The repository must not run a program or hide a file.
    for setting in ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.sparseCheckout=false"]
    {
        git.args(["-c", setting]);
    }
    let output = git.args(arguments).output().at("git")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let not_text = || format!("git {}: the output is not UTF-8", arguments.join(" "));
    Ok(String::from_utf8(output.stdout).map_err(|_| not_text())?)
}
