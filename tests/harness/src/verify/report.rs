//! What is told of a run.

mod code_quality;
mod github;
mod html;
mod json;
mod junit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::causes::causes;
use super::texts::short;
use super::{Differences, Run, Status, Trial};
use crate::command::{print_document, print_document_error, print_error};
use crate::file::Output;
use crate::judge::Finding;
use crate::shown::without_commands;
pub(crate) use github::annotation;

/// How many causes are shown.
const TOLD_MAX: usize = 20;
/// How many columns are taken where there is no terminal.
const COLUMNS: usize = 120;

/// A report to write.
#[derive(Clone, Debug)]
pub(super) struct Report {
    kind: Kind,
    file: PathBuf,
}

/// The kinds of report.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// As `JUnit` reads it.
    Junit,
    /// As JSON.
    Json,
    /// As a page.
    Html,
    /// As annotations of a GitHub workflow.
    Github,
    /// As GitLab marks the changes of a merge request.
    #[value(name = "codequality")]
    CodeQuality,
}

impl Report {
    /// Reads a `--report` option.
    ///
    /// # Errors
    ///
    /// It is not a kind with a file.
    pub(super) fn parse(option: &str) -> Result<Self, String> {
        let (kind, file) = option.split_once('=').unwrap_or((option, ""));
        match Kind::from_str(kind, false) {
            Ok(kind) if !file.is_empty() => Ok(Self { kind, file: file.into() }),
            Ok(Kind::Github) => Err("github=FILE: annotations go to a file of their own, as text \
                                     of an answer may stand on standard output; a later step \
                                     prints them by cat FILE"
                .to_owned()),
            Ok(_) => Err(format!("{kind}=FILE: the name of the file is missing")),
            Err(_) => {
                Err("not junit=FILE, json=FILE, html=FILE, github=FILE or codequality=FILE"
                    .to_owned())
            }
        }
    }

    /// Its text: for programs the values as they are, for people as they are shown.
    fn text(&self, run: &Run, shown: &Run) -> Result<String, String> {
        let text = match self.kind {
            Kind::Github => return Ok(github::of(shown)),
            Kind::Junit => junit::of(shown),
            Kind::Json => json::of(run),
            Kind::Html => Ok(html::of(shown)),
            Kind::CodeQuality => Ok(code_quality::of(shown)),
        };
        text.map(|text| without_commands(&text))
    }
}

/// The reports of a run, each opened before it, so that what cannot be written is known early.
#[derive(Debug)]
pub(super) struct Reports {
    opened: Vec<(Report, Output)>,
    /// How many could not be opened.
    lost: usize,
}

impl Reports {
    /// Opens all reports. Reports one that cannot be opened, and keeps the others.
    ///
    /// # Errors
    ///
    /// Two reports have one file, or one is in the folder of the contract.
    pub(super) fn open(reports: &[Report], contract: &Path) -> Result<Self, String> {
        let mut all = Self { opened: Vec::new(), lost: 0 };
        for report in reports {
            let file = report.file.display();
            let output = match Output::open(&report.file) {
                Ok(output) => output,
                Err(error) => {
                    all.lost += 1;
                    print_error(&format!("--report {error}"));
                    continue;
                }
            };
            if output.is_in(contract) {
                return Err(format!("--report {file}: it is in the folder of the contract"));
            }
            if all.opened.iter().any(|(_, other)| other.is_same(&output)) {
                return Err(format!("--report {file}: another report has this file"));
            }
            all.opened.push((report.clone(), output));
        }
        Ok(all)
    }

    /// Tells people something, on standard error if a report has standard output.
    ///
    /// # Errors
    ///
    /// It cannot be written to.
    pub(super) fn say(&self, text: &str) -> Result<(), String> {
        if self.opened.iter().any(|(_, output)| output.is_stdout()) {
            print_document_error(text);
            return Ok(());
        }
        print_document(text)
    }

    /// Writes all of them.
    ///
    /// # Errors
    ///
    /// Which could not be written; the others are.
    pub(super) fn write(self, run: &Run) -> Result<(), String> {
        let shown = run.shown();
        let written = self.opened.into_iter().map(|(report, output)| {
            report.text(run, &shown).and_then(|text| output.write(text.as_bytes()))
        });
        let mut lost = self.lost;
        for error in written.filter_map(Result::err) {
            print_error(&format!("--report {error}"));
            lost += 1;
        }
        if lost == 0 { Ok(()) } else { Err(format!("{lost} reports could not be written")) }
    }
}

/// Tells people what came of the cases.
///
/// # Errors
///
/// It cannot be written.
pub(super) fn print(run: &Run, reports: &Reports) -> Result<(), String> {
    let columns = Table::new().width().map_or(COLUMNS, usize::from);
    reports.say(&text(&run.shown(), columns))
}

fn text(run: &Run, columns: usize) -> String {
    let mut text = String::new();
    // A text takes whatever is written to it.
    let causes = causes(run);
    let differences = Differences::of_width(columns);
    for cause in causes.iter().take(TOLD_MAX) {
        let Finding { expected, actual, .. } = cause.finding;
        let sides = differences.side_by_side(expected, actual);
        let _ = writeln!(text, "\n{}\n{}", cause.heading(run), sides.trim_end());
        let Trial { description, rests_on, again, .. } = cause.example;
        let _ = writeln!(text, "  as in {}\n  {description}\n  {rests_on}", cause.example.name());
        let _ = writeln!(text, "  again: {again}\n  curl:  {again} --curl | sh");
    }
    if causes.len() > TOLD_MAX {
        let more = causes.len() - TOLD_MAX;
        let _ = writeln!(text, "\n… and {more} more causes; --report json=FILE has all findings");
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
    for (path, what) in &run.unused {
        let _ = writeln!(text, "{}/{path}: {what}", run.contract);
    }
    let cosmetic = run.trials.iter().filter(|trial| trial.is_cosmetic).count();
    if cosmetic > 0 {
        let _ = writeln!(
            text,
            "written otherwise than reviewed, and the same in meaning: {cosmetic} answers; --exact \
             lets them not hold"
        );
    }
    if run.is_exact {
        text.push_str("judged to the byte, as --exact says\n");
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
    let (contract, version, place) = (&run.contract, &run.version, &run.place);
    let proxy =
        run.proxy.as_ref().map_or(String::new(), |proxy| format!(" through the proxy {proxy}"));
    format!(
        "{tried} answers judged by {contract} {version} ({place}{proxy}) in {:.1} s: {verdict}; {not_run} cases not run",
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
