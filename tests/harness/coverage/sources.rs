//! Which places of the code answer a code or cite a decision.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::{Deserialize, Serialize};

/// What the program knows of the code that it was built with. A test compares it with the code.
const KNOWN: &str = include_str!("rules.json");

/// The places of a code's functions, as `functions/rpc/src/call.rs route`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    codes: BTreeMap<String, BTreeSet<String>>,
    decisions: BTreeMap<String, BTreeSet<String>>,
}

impl Rules {
    /// Those of the code that this program was built with.
    ///
    /// # Errors
    ///
    /// The file that holds them is broken.
    pub fn known() -> Result<Self, String> {
        serde_json::from_str(KNOWN).map_err(|error| format!("rules.json: {error}"))
    }

    /// Those of the code in a folder: where an `error.rs` gives codes names, and other files use these
    /// names; and where a comment cites a decision.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn scan(folder: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        find(folder, &mut files)?;
        files.sort();
        let read = |file: &PathBuf| {
            std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let pattern = |text| Regex::new(text).map_err(|error| error.to_string());
        let rows = [
            pattern(r#"\(\d{3},\s*(?<name>\w+),\s*"(?<code>[\w.]+)","#)?,
            pattern(r#"(?<name>[A-Z_0-9]+)\s*=\s*\d{3},\s*"(?<code>[\w.]+)""#)?,
        ];
        // Names are of a crate: two may use the same.
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for file in files.iter().filter(|file| is_table(file)) {
            let text = read(file)?;
            for row in rows.iter().flat_map(|row| row.captures_iter(&text)) {
                names.insert(row["name"].to_owned(), row["code"].to_owned());
            }
        }
        let used = pattern(r"::(?<name>\w+)")?;
        let function =
            pattern(r"^\s*(?:pub(?:\([a-z]+\))? )?(?:const )?(?:async )?fn (?<name>\w+)")?;
        let cited = pattern(r"`(?<id>[a-z][a-z0-9-]*)`")?;
        let root = folder.parent().unwrap_or(folder);
        let mut rules = Self::default();
        for file in &files {
            let shown = file.strip_prefix(root).unwrap_or(file).display().to_string();
            let text = read(file)?;
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let mut inside = "";
            let mut is_citing = false;
            for line in text.lines() {
                if let Some(found) = function.captures(line).and_then(|found| found.name("name")) {
                    inside = found.as_str();
                }
                let comment = line.trim_start().strip_prefix("//");
                if let Some(comment) = comment {
                    // A list of ids may go on in the next line.
                    is_citing |= comment.contains("decision");
                    if is_citing {
                        for id in cited.captures_iter(comment) {
                            let places = rules.decisions.entry(id["id"].to_owned()).or_default();
                            places.insert(shown.clone());
                        }
                    }
                } else {
                    is_citing = false;
                }
                if is_table(file) || comment.is_some() {
                    continue;
                }
                for name in used.captures_iter(line) {
                    if let Some(code) = names.get(&name["name"]) {
                        let places = rules.codes.entry(code.clone()).or_default();
                        places.insert(format!("{shown} {inside}"));
                    }
                }
            }
        }
        Ok(rules)
    }

    /// The places that answer a code.
    pub(super) fn of_code(&self, code: &str) -> Vec<String> {
        self.codes.get(code).into_iter().flatten().cloned().collect()
    }

    /// The files that cite a decision.
    pub(super) fn of_decision(&self, id: &str) -> Vec<String> {
        self.decisions.get(id).into_iter().flatten().cloned().collect()
    }

    /// Only what is of ids that there are.
    #[must_use]
    pub fn limited(mut self, decisions: &[String]) -> Self {
        self.decisions.retain(|id, _| decisions.contains(id));
        self
    }
}

/// Whether a file gives codes their names.
fn is_table(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "error.rs")
}

/// The sources below a folder that are built into what runs.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        if path.is_dir() && !["tests", "target", "benches"].contains(&name) {
            find(&path, files)?;
        } else if is_source && name != "tests.rs" {
            files.push(path);
        }
    }
    Ok(())
}
