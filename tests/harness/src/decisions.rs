//! The decisions of a contract, where the vendor's page is silent.

use crate::contract::Contract;

/// A decision in a `decisions.md`.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The file's path in the contract.
    pub path: &'a str,
    /// The line of its heading.
    pub line: usize,
    /// The heading: an id in backticks.
    pub heading: &'a str,
    /// The text after the heading.
    pub text: &'a str,
}

impl<'a> Decision<'a> {
    /// The id.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.heading.strip_prefix('`')?.strip_suffix('`')
    }

    /// The text of a part: `Choice` is the line after `**Choice.**`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&'a str> {
        let (_, part) = self.text.split_once(&format!("**{name}.**"))?;
        part.trim_start().lines().next()
    }

    /// The places in answers that the part `About` names.
    #[must_use]
    pub fn about(&self) -> Vec<&'a str> {
        let places = self.part("About").into_iter().flat_map(|part| part.split('`'));
        places.skip(1).step_by(2).collect()
    }
}

/// All decisions of a contract: those of one operation and the shared ones.
pub fn decisions(contract: &Contract) -> impl Iterator<Item = Decision<'_>> {
    let ledgers = contract.files().iter().filter(|(path, _)| {
        let names: Vec<&str> = path.split('/').collect();
        names.last() == Some(&"decisions.md") && names.len() <= 2
    });
    ledgers.flat_map(|(path, text)| {
        let mut line = 1;
        let sections = text.split("\n## ").map(move |section| {
            let at = line;
            line += section.lines().count() + usize::from(section.ends_with('\n'));
            let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
            Decision { path, line: at, heading, text }
        });
        sections.skip(1)
    })
}
