//! Answers proposed for review, where insta and `cargo insta review` look for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::snapshot::own_path;
use crate::case::Case;
use crate::contract::Contract;
use crate::file::write_whole;

/// Answers to cases that are not the reviewed ones, by case and format.
#[derive(Debug, Default)]
pub(super) struct Proposed(BTreeMap<String, (Case, BTreeMap<&'static str, String>)>);

impl Proposed {
    /// Adds an answer, unless there is one of the same format.
    pub(super) fn add(&mut self, case: &Case, format: &'static str, transcript: String) {
        let (_, answers) =
            self.0.entry(case.path.clone()).or_insert_with(|| (case.clone(), BTreeMap::new()));
        answers.entry(format).or_insert(transcript);
    }

    /// Writes a file `….snap.new` for each case beside where its reviewed answers stand, with those of
    /// the formats that were tried anew and the reviewed ones of others. Says where they are.
    ///
    /// # Errors
    ///
    /// One cannot be written.
    pub(super) fn write(self, folder: &Path, contract: &Contract) -> Result<Vec<String>, String> {
        let mut written = Vec::new();
        for (case, mut answers) in self.0.into_values() {
            for format in ["JSON", "XML"] {
                if let Ok(reviewed) = super::reviewed(contract, &case, format) {
                    answers.entry(format).or_insert_with(|| reviewed.to_owned());
                }
            }
            let said = format!("{} ({})", case.description, case.rests_on());
            let said = serde_json::to_string(&said).map_err(|error| error.to_string())?;
            let mut text =
                format!("---\nsource: tests/contract/cases.rs\ndescription: {said}\n---\n");
            let answers = answers.iter().map(|(format, answer)| format!("== {format}\n{answer}"));
            // A text takes whatever is written to it.
            let _ = writeln!(text, "{}", answers.collect::<Vec<_>>().join("\n\n"));
            let file = folder.join(format!("{}.new", own_path(&case)));
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)
                    .map_err(|error| format!("{}: {error}", parent.display()))?;
            }
            write_whole(&file, text.as_bytes())?;
            written.push(file.display().to_string());
        }
        Ok(written)
    }
}
