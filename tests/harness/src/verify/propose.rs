//! Proposes answers for review, in files for `cargo insta review`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::snapshot::{answer, own_path, reviewed, shared_path};
use super::{Run, Trial};
use crate::case::Case;
use crate::contract::Contract;
use crate::error::Result;
use crate::file::write_in_folders;

/// Answers that differ from the reviewed ones, by case and format.
#[derive(Clone, Debug, Default)]
pub(super) struct Proposed(BTreeMap<String, (Case, BTreeMap<&'static str, String>)>);

impl Proposed {
    /// Adds an answer, unless the format has one.
    pub(super) fn add(&mut self, case: &Case, format: &'static str, transcript: String) {
        let (_, answers) =
            self.0.entry(case.path.clone()).or_insert_with(|| (case.clone(), BTreeMap::new()));
        answers.entry(format).or_insert(transcript);
    }

    /// The answers.
    pub(super) fn answers(&mut self) -> impl Iterator<Item = &mut String> {
        self.0.values_mut().flat_map(|(_, answers)| answers.values_mut())
    }

    /// Writes a file `….snap.new` for each case beside its reviewed answers: the new answers, and the
    /// reviewed ones of other formats. Returns the paths.
    pub(super) fn write(self, folder: &Path, contract: &Contract) -> Result<Vec<String>> {
        let mut written = Vec::new();
        for (case, mut answers) in self.0.into_values() {
            for format in ["JSON", "XML"] {
                if let Ok(reviewed) = reviewed(contract, &case, format) {
                    answers.entry(format).or_insert_with(|| reviewed.to_owned());
                }
            }
            let said = format!("{} ({})", case.description, case.rests_on());
            let said = serde_json::to_string(&said)?;
            let mut text =
                format!("---\nsource: tests/contract/cases.rs\ndescription: {said}\n---\n");
            let answers = answers.iter().map(|(format, answer)| format!("== {format}\n{answer}"));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{}", answers.collect::<Vec<_>>().join("\n\n"));
            let file = folder.join(format!("{}.new", own_path(&case.path)));
            write_in_folders(&file, text.as_bytes())?;
            written.push(file.display().to_string());
        }
        Ok(written)
    }
}

impl Run {
    /// The files that wait for review but are no longer needed: the cases hold without them.
    pub(super) fn settled(&self, contract: &Contract) -> Result<Vec<String>> {
        let cases = contract.cases()?;
        let holds = |case: &Case, pending: &str| {
            let mut trials = self.trials.iter().filter(|trial| trial.case == case.path).peekable();
            trials.peek().is_some()
                && trials.clone().all(Trial::holds)
                // In a format that was not tried, the pending answer may still be needed.
                && ["JSON", "XML"].into_iter().all(|format| {
                    let proposed = answer(pending, format);
                    trials.clone().any(|trial| trial.format == format)
                        || proposed.is_none()
                        || proposed == reviewed(contract, case, format).ok()
                })
        };
        let pending = contract.files().iter().filter_map(|(path, text)| {
            let snapshot = path.strip_suffix(".new")?;
            let mut of = cases
                .iter()
                .filter(|case| {
                    [own_path(&case.path), shared_path(case)].iter().any(|it| it == snapshot)
                })
                .peekable();
            of.peek()?;
            of.all(|case| holds(case, text)).then(|| path.clone())
        });
        Ok(pending.collect())
    }
}
