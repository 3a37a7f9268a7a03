//! `contract list`: lists the cases.

use std::fmt::Write as _;

use clap::Args;
use regex::Regex;

use crate::case::Case;
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::error::{Error, Result, bail};

/// Lists the cases, each with its description and its source
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    chosen: Chosen,
}

/// The choice of cases.
#[derive(Debug, Args)]
pub struct Chosen {
    /// Only cases whose path fits this pattern, where * is any text; may be repeated
    #[arg(long = "case", value_name = "GLOB")]
    patterns: Vec<String>,
}

impl Chosen {
    /// The chosen cases, in order.
    ///
    /// # Errors
    ///
    /// A case is malformed, or a pattern fits no case.
    pub fn cases(&self, contract: &Contract) -> Result<Vec<Case>> {
        let cases = contract.cases()?;
        let mut globs = Vec::new();
        for pattern in &self.patterns {
            let glob = glob(pattern)?;
            if !cases.iter().any(|case| glob.is_match(&case.path)) {
                bail!("--case {pattern}: no case of {} fits it", contract.origin());
            }
            globs.push(glob);
        }
        let is_chosen =
            |case: &Case| globs.is_empty() || globs.iter().any(|glob| glob.is_match(&case.path));
        Ok(cases.into_iter().filter(is_chosen).collect())
    }
}

/// The expression of a pattern. It fits a whole path, or the part after any slash, with or without `.json`.
fn glob(pattern: &str) -> Result<Regex> {
    let pattern = pattern.strip_suffix(".json").unwrap_or(pattern);
    let pattern = regex::escape(pattern).replace(r"\*", ".*");
    Regex::new(&format!(r"(?:^|/){pattern}(?:\.json)?$")).map_err(Error::other)
}

/// Runs `contract list`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let mut text = String::new();
    for case in options.chosen.cases(contract)? {
        let Case { path, description, .. } = &case;
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{path}\n    {description}\n    {}", case.rests_on());
    }
    print(&text).map(|()| Outcome::Holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_a_path_or_the_end_of_one() {
        let path = "common/cases/Forbidden.RAM/no-parameters.json";
        for pattern in [
            "*",
            "Forbidden.RAM/*",
            "no-parameters",
            "no-parameters.json",
            "common/*",
            "*RAM*no*",
            "common/cases/Forbidden.RAM/no-parameters",
        ] {
            assert!(glob(pattern).unwrap().is_match(path), "{pattern}");
        }
        for pattern in ["", "parameters", "Forbidden", "cases", "*.xml", "no-parameters*x"] {
            assert!(!glob(pattern).unwrap().is_match(path), "{pattern}");
        }
    }
}
