//! `contract lint`: what is wrong with a contract's own files.
//!
//! A fault makes a file *ambiguous* if it may not mean what its author believes: a member or keyword that
//! has no meaning, a member that is given twice. Every command refuses such a contract. All else is *at
//! odds*: files contradict each other, or miss something. That fails `lint` alone, or nobody could try a
//! case while writing it; other commands say that there is something.

mod files;
mod fit;
mod odds;
mod order;
mod parameters;
mod schemas;
mod snapshots;

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;

use crate::command::{Outcome, print, print_error};
use crate::contract::Contract;
use crate::json;

pub use snapshots::unused as unused_snapshots;

/// Checks the contract's own files: each against the schema of its kind, and all against each other.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {}

const AFTER_HELP: &str = "\
The schemas are those of common/schemas/ that are part of this program. Besides what does not fit them
it finds: names and keywords that are unknown, with the one that is meant; codes, decisions, worlds and
schemas that a file names and no file has; errors without a case, a schema or a place in the checking
order; cases that demand another code than the checking order leads to, or a success although a
parameter breaks its limits; schemas that nothing fits; snapshots of no case, and those that wait for
review.

Exit codes: 0 nothing is wrong, 1 something is, 2 a file cannot be read, 3 usage.";

/// Whether what is wrong leaves a file's meaning open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It may not mean what its author believes.
    Ambiguous,
    /// It is clear, and contradicts something or lacks something.
    AtOdds,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Its class.
    pub class: Class,
    /// The file's path in the contract.
    pub path: String,
    /// Where in the file: a line and column, or a JSON pointer; empty for the whole.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, place, what, .. } = self;
        let colon = if place.is_empty() { "" } else { ":" };
        write!(formatter, "{path}{colon}{place}: {what}")
    }
}

/// Finds problems.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn ambiguous(&mut self, path: &str, place: &str, what: String) {
        self.add(Class::Ambiguous, path, place, what);
    }

    fn at_odds(&mut self, path: &str, place: &str, what: String) {
        self.add(Class::AtOdds, path, place, what);
    }

    fn add(&mut self, class: Class, path: &str, place: &str, what: String) {
        self.0.push(Problem { class, path: path.to_owned(), place: place.to_owned(), what });
    }
}

/// Prints what is wrong.
///
/// # Errors
///
/// It cannot be printed.
pub fn run(_: &Options, contract: &Contract) -> Result<Outcome, String> {
    let problems = problems(contract);
    let files = contract.files().len();
    if problems.is_empty() {
        print(&format!("{files} files, nothing is wrong\n"))?;
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

/// Everything that is wrong with a contract, by file.
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
    // What a file that cannot be read says of others is not known.
    if problems.0.iter().all(|problem| problem.class != Class::Ambiguous) {
        odds::check(contract, &values, &mut problems);
    }
    for (path, what) in snapshots::unused(contract) {
        problems.at_odds(&path, "", what);
    }
    for path in contract.marked() {
        problems.at_odds(path, "", "it begins with a byte order mark".to_owned());
    }
    let Problems(mut problems) = problems;
    problems.sort_by(|one, other| {
        (&one.path, &one.place, &one.what).cmp(&(&other.path, &other.place, &other.what))
    });
    problems.dedup();
    problems
}

/// Refuses a contract with a file that is ambiguous. Otherwise says on the standard error how many
/// things are at odds.
///
/// # Errors
///
/// What is ambiguous.
pub fn refuse_ambiguous(contract: &Contract) -> Result<(), String> {
    let problems = problems(contract);
    let origin = contract.origin();
    let ambiguous: Vec<String> = problems
        .iter()
        .filter(|problem| problem.class == Class::Ambiguous)
        .map(|problem| format!("{origin}/{problem}"))
        .collect();
    if !ambiguous.is_empty() {
        return Err(ambiguous.join("\nerror: "));
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

/// What may be meant by a name that is not known.
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

fn has_ending(path: &str, ending: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|extension| extension == ending)
}
