//! `contract lint`: the problems in a contract's files.
//!
//! A problem makes a file *ambiguous* if the file may not mean what its author believes: an unknown member
//! or keyword, or a repeated member. Every command refuses such a contract. All other problems make it
//! *inconsistent*: files contradict each other, or lack something. They fail `lint` only, so that an
//! unfinished case can be tried; other commands print a note.

mod consistency;
mod files;
mod fit;
mod order;
mod parameters;
mod schemas;
mod snapshots;

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;

use crate::command::{Outcome, print, print_error};
use crate::contract::{Contract, has_ending};
use crate::error::{Error, Result};
use crate::json;

pub use snapshots::unused as unused_snapshots;

/// Checks the contract's files: each against the schema of its kind, and all against each other.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {}

const AFTER_HELP: &str = "\
The schemas are those in common/schemas/ of the contract in this program. The other checks find:
unknown names and keywords, with a suggestion; codes, decisions, worlds and schemas that a file
names and no file has; errors without a case, a schema or a place in the checking order; cases that
demand a code other than the one that the checking order leads to, or a success although a parameter
breaks its limits; schemas that no value fits; snapshots without a case, and snapshots that wait for
review.

Exit codes: 0 no problem, 1 problems, 2 a file cannot be read, 3 usage.";

/// The classes of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The file may not mean what its author believes.
    Ambiguous,
    /// The file is clear, but contradicts another one or lacks something.
    Inconsistent,
}

/// A problem in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The class.
    pub class: Class,
    /// The file's path in the contract.
    pub path: String,
    /// The place in the file: a line and column, or a JSON pointer; empty for the whole file.
    pub place: String,
    /// The problem.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, place, what, .. } = self;
        let colon = if place.is_empty() { "" } else { ":" };
        write!(formatter, "{path}{colon}{place}: {what}")
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn ambiguous(&mut self, path: &str, place: &str, what: String) {
        self.add(Class::Ambiguous, path, place, what);
    }

    fn inconsistent(&mut self, path: &str, place: &str, what: String) {
        self.add(Class::Inconsistent, path, place, what);
    }

    fn add(&mut self, class: Class, path: &str, place: &str, what: String) {
        self.0.push(Problem { class, path: path.to_owned(), place: place.to_owned(), what });
    }
}

/// Runs `contract lint`.
pub fn run(_: &Options, contract: &Contract) -> Result<Outcome> {
    let problems = problems(contract);
    let files = contract.files().len();
    if problems.is_empty() {
        print(&format!("{files} files, no problems\n"))?;
        return Ok(Outcome::Holds);
    }
    for problem in &problems {
        print(&format!("{}/{problem}\n", contract.origin()))?;
    }
    let ambiguous = problems.iter().filter(|problem| problem.class == Class::Ambiguous).count();
    let count = problems.len();
    print(&format!("{files} files, {count} problems, {ambiguous} of which stop every command\n"))?;
    Ok(Outcome::Fails)
}

/// The problems in a contract, by file.
#[must_use]
pub fn problems(contract: &Contract) -> Vec<Problem> {
    let mut problems = Problems::default();
    let mut values = BTreeMap::new();
    for (path, text) in contract.files() {
        if !has_ending(path, "json") {
            continue;
        }
        match json::read(text) {
            Ok(value) => drop(values.insert(path.as_str(), value)),
            Err(fault) => {
                let place = format!("{}:{}", fault.line, fault.column);
                let colon = if fault.field.is_empty() { "" } else { ": " };
                let what = format!("{}{colon}{}", fault.field, fault.what);
                problems.ambiguous(path, &place, what);
            }
        }
    }
    files::check(contract, &values, &mut problems);
    schemas::check(&values, &mut problems);
    // An ambiguous file may be misread, so files are not compared with it.
    if problems.0.iter().all(|problem| problem.class != Class::Ambiguous) {
        consistency::check(contract, &values, &mut problems);
    }
    for (path, what) in snapshots::unused(contract) {
        problems.inconsistent(&path, "", what);
    }
    for path in contract.marked() {
        problems.inconsistent(path, "", "it begins with a byte order mark".to_owned());
    }
    let Problems(mut problems) = problems;
    problems.sort_by(|one, other| {
        (&one.path, &one.place, &one.what).cmp(&(&other.path, &other.place, &other.what))
    });
    problems.dedup();
    problems
}

/// Refuses an ambiguous contract. Prints a note with the first of other problems to standard error.
///
/// # Errors
///
/// [`Error::Ambiguous`], with each problem.
pub fn refuse_ambiguous(contract: &Contract) -> Result<()> {
    let problems = problems(contract);
    let origin = contract.origin();
    let ambiguous: Vec<String> = problems
        .iter()
        .filter(|problem| problem.class == Class::Ambiguous)
        .map(|problem| format!("{origin}/{problem}"))
        .collect();
    if !ambiguous.is_empty() {
        return Err(Error::Ambiguous(ambiguous));
    }
    if let Some(first) = problems.first() {
        let more = match problems.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more are listed by `contract lint`"),
        };
        print_error(&format!("note: {origin}/{first}{more}"));
    }
    Ok(())
}

/// A suggestion for an unknown name, or nothing.
fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let distance =
        |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    let near = known.into_iter().map(|known| (distance(known), known)).min();
    match near {
        Some((distance, near)) if distance <= 2 && distance * 3 <= name.chars().count() => {
            format!("; is {near} meant?")
        }
        Some(_) | None => String::new(),
    }
}
