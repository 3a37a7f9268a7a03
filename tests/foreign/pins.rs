//! The versions that a build may use: actions by the hash of a commit, and a Dependabot entry for
//! every lock.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::path::Path;

use foreign::tools::{self, run};
use regex::Regex;
use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The files of the repository, by their paths from its top.
fn files() -> Vec<String> {
    let output = run(tools::command("git").args(["-C", ROOT, "ls-files"]));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_action_is_pinned_by_the_hash_of_a_commit_and_names_its_version() {
    let pinned = Regex::new(r"^(\./\S+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$").unwrap();
    let files = files().into_iter().filter(|file| file.starts_with(".github/"));
    let texts = files.map(|file| (read_to_string(Path::new(ROOT).join(&file)).unwrap(), file));
    let mut uses = 0;
    for (text, file) in texts {
        for line in text
            .lines()
            .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "))
        {
            uses += 1;
            assert!(pinned.is_match(line), "{file}: {line}");
        }
    }
    assert!(uses > 0);
}

#[test]
fn dependabot_knows_every_folder_with_a_manifest() {
    let dependabot = read_to_string(Path::new(ROOT).join(".github/dependabot.yml")).unwrap();
    let dependabot = tools::yaml(&dependabot);
    let mut known = BTreeSet::new();
    for update in dependabot["updates"].as_array().unwrap() {
        let folders = update["directories"]
            .as_array()
            .map_or_else(|| std::slice::from_ref(&update["directory"]), Vec::as_slice);
        let ecosystem = update["package-ecosystem"].as_str().unwrap();
        known.extend(
            folders
                .iter()
                .map(|folder: &Value| (ecosystem.to_owned(), folder.as_str().unwrap().to_owned())),
        );
    }
    let ecosystem_of = |name: &str| match name {
        "Cargo.lock" => Some("cargo"),
        "package-lock.json" => Some("npm"),
        "requirements.txt" => Some("pip"),
        "go.mod" => Some("gomod"),
        "pom.xml" => Some("maven"),
        "action.yml" => Some("github-actions"),
        "Dockerfile" => Some("docker"),
        _ => None,
    };
    let mut needed = BTreeSet::from([("github-actions".to_owned(), "/".to_owned())]);
    for file in files() {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", &file));
        needed.extend(
            ecosystem_of(name).map(|ecosystem| (ecosystem.to_owned(), format!("/{folder}"))),
        );
    }
    assert_eq!(known, needed);
}
