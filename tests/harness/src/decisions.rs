//! The decisions of a contract: what was chosen where the page is silent.

use crate::contract::Contract;

/// A decision, as a `decisions.md` has it.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The file's path in the contract.
    pub path: &'a str,
    /// The line of its heading.
    pub line: usize,
    /// The heading; an id in backticks, if it is right.
    pub heading: &'a str,
    /// What follows the heading.
    pub text: &'a str,
}

impl<'a> Decision<'a> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.heading.strip_prefix('`')?.strip_suffix('`')
    }

    /// What a part of it says: `Choice` is what follows `**Choice.**`.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&'a str> {
        let (_, part) = self.text.split_once(&format!("**{name}.**"))?;
        part.trim_start().lines().next()
    }

    /// The places that it names as those that it is about; none if it names none.
    #[must_use]
    pub fn about(&self) -> Vec<&'a str> {
        let places = self.part("About").into_iter().flat_map(|part| part.split('`'));
        places.skip(1).step_by(2).collect()
    }
}

/// The decisions of a contract: those of an operation alone, and those of several.
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
