//! What is told of a run.

mod github;
mod html;
mod json;
mod junit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::{Run, Status, side_by_side};
use crate::command::print as print_text;
use crate::file::write_whole;
use crate::judge::Finding;
pub(crate) use github::annotation;

/// How many cases that do not hold are told in full.
const TOLD_MAX: usize = 20;
/// How many columns are taken where there is no terminal.
const COLUMNS: usize = 120;

/// A report to write.
#[derive(Clone, Debug)]
pub(super) enum Report {
    /// As `JUnit` reads it.
    Junit(PathBuf),
    /// As JSON.
    Json(PathBuf),
    /// As a page.
    Html(PathBuf),
    /// As annotations of a GitHub workflow, on standard output.
    Github,
}

impl Report {
    /// Reads a `--report` option.
    ///
    /// # Errors
    ///
    /// It is none.
    pub(super) fn parse(option: &str) -> Result<Self, String> {
        let report = match option.split_once('=') {
            None if option == "github" => Self::Github,
            Some(("junit", file)) if !file.is_empty() => Self::Junit(file.into()),
            Some(("json", file)) if !file.is_empty() => Self::Json(file.into()),
            Some(("html", file)) if !file.is_empty() => Self::Html(file.into()),
            Some(_) | None => {
                return Err("not junit=FILE, json=FILE, html=FILE or github".to_owned());
            }
        };
        match &report {
            Self::Junit(file) | Self::Json(file) | Self::Html(file) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                if folder.is_some_and(|folder| !folder.is_dir()) {
                    return Err("there is no such folder".to_owned());
                }
            }
            Self::Github => {}
        }
        Ok(report)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// It could not be written.
    pub(super) fn write(&self, run: &Run) -> Result<(), String> {
        match self {
            Self::Junit(file) => write_whole(file, junit::of(run)?.as_bytes()),
            Self::Json(file) => write_whole(file, json::of(run)?.as_bytes()),
            Self::Html(file) => write_whole(file, html::of(run).as_bytes()),
            Self::Github => print_text(&github::of(run)),
        }
    }
}

/// Tells on standard output what came of the cases.
///
/// # Errors
///
/// It cannot be written to.
pub(super) fn print(run: &Run) -> Result<(), String> {
    let columns = Table::new().width().map_or(COLUMNS, usize::from);
    print_text(&text(run, columns))
}

fn text(run: &Run, columns: usize) -> String {
    let mut text = String::new();
    // A text takes whatever is written to it.
    let failed: Vec<_> = run.trials.iter().filter(|trial| !trial.holds()).collect();
    for trial in failed.iter().take(TOLD_MAX) {
        let _ = writeln!(text, "\n{}", trial.name());
        let _ = writeln!(text, "  {}\n  {}", trial.description, trial.rests_on);
        for Finding { what, expected, actual } in &trial.findings {
            let _ =
                writeln!(text, "  {what}\n{}", side_by_side(expected, actual, columns).trim_end());
        }
        let again = &trial.again;
        let _ = writeln!(text, "  again: {again}\n  curl:  {again} --curl | sh");
    }
    if failed.len() > TOLD_MAX {
        let more = failed.len() - TOLD_MAX;
        let _ = writeln!(text, "\n… and {more} more; --report json=FILE has all of them");
    }
    let _ = writeln!(text, "\n{}\n", table(run));
    text.push_str(&aside(run));
    let _ = writeln!(text, "{}", summary(run));
    text
}

/// What else there is to tell: what was not run, bought, or left unjudged.
pub(crate) fn aside(run: &Run) -> String {
    let mut text = String::new();
    // A text takes whatever is written to it.
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for not_run in &run.not_run {
        reasons.entry(&not_run.reason).or_default().push(&not_run.case);
    }
    for (reason, cases) in reasons {
        let _ = writeln!(text, "not run, as {reason}: {}", cases.len());
        let _ = writeln!(text, "    {}", some(&cases));
    }
    for left in &run.left {
        let (what, case) = (left.what(), &left.case);
        let _ = match &left.kept {
            None => writeln!(text, "bought and released: {what} ({case})"),
            Some(why) => writeln!(text, "BOUGHT AND NOT RELEASED: {what} ({case}): {why}"),
        };
    }
    if !run.lenient.is_empty() {
        let _ = writeln!(text, "not judged, as --lenient says: {}", run.lenient.join(", "));
    }
    if !run.reads_state {
        let _ = writeln!(text, "the state afterwards was not judged: it cannot be read there");
    }
    text
}

/// The first of some, and how many more there are.
fn some(cases: &[&str]) -> String {
    const SHOWN: usize = 3;
    let more = cases.len().saturating_sub(SHOWN);
    let shown = cases.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The verdict in a line.
fn summary(run: &Run) -> String {
    let (failed, errors) = (run.count(Status::Failed), run.count(Status::Error));
    let tried = run.trials.len() - errors;
    let mut verdict = match (tried, failed) {
        (0, _) => "none judged".to_owned(),
        (_, 0) => "all hold".to_owned(),
        (_, failed) => format!("{failed} do not hold"),
    };
    if errors > 0 {
        // Writing to a `String` cannot fail.
        let _ = write!(verdict, "; {errors} had no answer that can be judged");
    }
    let not_run = run.not_run.len();
    let (contract, place) = (&run.contract, &run.place);
    format!(
        "{tried} answers judged by {contract} ({place}) in {:.1} s: {verdict}; {not_run} cases not run",
        run.time.as_secs_f64()
    )
}

/// A row for each code.
fn table(run: &Run) -> Table {
    let mut rows: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    let group = |path: &str, at: usize| -> Option<usize> {
        path.match_indices('/').nth(at).map(|(position, _)| position)
    };
    let key = |path| {
        let (first, second, third) = (group(path, 0), group(path, 1), group(path, 2));
        let folder = first.map_or("", |end| &path[..end]);
        (folder, second.zip(third).map_or("", |(start, end)| &path[start + 1..end]))
    };
    for trial in &run.trials {
        rows.entry(key(&trial.case)).or_default()[usize::from(!trial.holds())] += 1;
    }
    for not_run in &run.not_run {
        rows.entry(key(&not_run.case)).or_default()[2] += 1;
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["of", "answer", "hold", "do not", "not run"]);
    let shown = |count: &usize| if *count == 0 { String::new() } else { count.to_string() };
    for ((folder, code), counts) in &rows {
        let counts = counts.iter().map(shown);
        table.add_row([(*folder).to_owned(), (*code).to_owned()].into_iter().chain(counts));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
