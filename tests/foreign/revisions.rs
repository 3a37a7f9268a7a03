//! A contract is read from a revision of a git repository.

use std::path::Path;

use foreign::tools::{self, run};
use suites::command::{command, copy, printed};
use suites::scratch;

/// Makes a folder a repository, and commits all of it.
pub(crate) fn commit_all(folder: &Path) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    for arguments in [
        &["-c", "init.defaultBranch=main", "init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "--message", "The contract"],
    ] {
        run(tools::command("git").args(identity).args(arguments).current_dir(folder));
    }
}

#[test]
fn a_revision_holds_the_contract_that_was_committed() {
    let folder = scratch();
    copy(&folder.path().join("contracts"), &[]);
    commit_all(folder.path());
    let list = |more: &[&str]| {
        let output = command(&[&["list"], more].concat()).current_dir(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        printed(&output)
    };
    assert_eq!(list(&["--contracts", "HEAD"]), list(&[]));
    // Only the committed files can be listed.
    std::fs::remove_dir_all(folder.path().join("contracts")).unwrap();
    assert_eq!(list(&["--contracts", "HEAD"]), list(&[]));
}
