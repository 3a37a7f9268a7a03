//! `contract list`: the cases, and what each rests on.

use std::fmt::Write as _;

use clap::Args;

use crate::case::Case;
use crate::command::{Outcome, print};
use crate::contract::Contract;

/// Lists the cases.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    chosen: Chosen,
}

/// Which cases.
#[derive(Debug, Args)]
pub struct Chosen {
    /// Only cases whose path fits this pattern, where * stands for any text; may be given more than once
    #[arg(long = "case", value_name = "GLOB")]
    patterns: Vec<String>,
}

impl Chosen {
    /// The cases chosen, in order.
    ///
    /// # Errors
    ///
    /// A case is malformed, or no case fits a pattern.
    pub fn cases(&self, contract: &Contract) -> Result<Vec<Case>, String> {
        let cases = contract.cases()?;
        for pattern in &self.patterns {
            if !cases.iter().any(|case| fits(&case.path, pattern)) {
                return Err(format!("--case {pattern}: no case of {} fits it", contract.origin()));
            }
        }
        let is_chosen = |case: &Case| {
            self.patterns.is_empty()
                || self.patterns.iter().any(|pattern| fits(&case.path, pattern))
        };
        Ok(cases.into_iter().filter(is_chosen).collect())
    }
}

/// Whether a path, or what follows one of its slashes, fits a pattern. Its ending need not be named.
fn fits(path: &str, pattern: &str) -> bool {
    let path = path.strip_suffix(".json").unwrap_or(path);
    let pattern = pattern.strip_suffix(".json").unwrap_or(pattern);
    let starts = path.match_indices('/').map(|(at, _)| at + 1);
    std::iter::once(0).chain(starts).any(|start| fits_whole(&path[start..], pattern))
}

fn fits_whole(text: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(before) else { return false };
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.any(|start| fits_whole(&text[start..], rest))
}

/// Lists the cases.
///
/// # Errors
///
/// See [`Chosen::cases`].
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let mut text = String::new();
    for case in options.chosen.cases(contract)? {
        let Case { path, description, .. } = &case;
        // A text takes whatever is written to it.
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
            assert!(fits(path, pattern), "{pattern}");
        }
        for pattern in ["", "parameters", "Forbidden", "cases", "*.xml", "no-parameters*x"] {
            assert!(!fits(path, pattern), "{pattern}");
        }
    }
}
