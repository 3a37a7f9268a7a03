//! Reports a run to people and programs.

mod code_quality;
mod github;
mod html;
mod json;
mod junit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table};

use super::causes::causes;
use super::texts::short;
use super::{Differences, Run, Status, Trial};
use crate::command::{print_document, print_document_error, print_error};
use crate::error::{Result, bail};
use crate::file::Output;
use crate::judge::Finding;
use crate::shown::{self, without_commands};
pub(crate) use github::annotation;

/// The greatest number of shown causes.
const TOLD_MAX: usize = 20;
/// The number of columns without a terminal.
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
    /// `JUnit` XML.
    Junit,
    /// JSON.
    Json,
    /// An HTML page.
    Html,
    /// Annotations of a GitHub workflow.
    Github,
    /// Code Quality of a GitLab merge request.
    #[value(name = "codequality")]
    CodeQuality,
}

impl Report {
    /// Reads a `--report` option.
    pub(super) fn parse(option: &str) -> Result<Self> {
        let (kind, file) = option.split_once('=').unwrap_or((option, ""));
        match Kind::from_str(kind, false) {
            Ok(kind) if !file.is_empty() => Ok(Self { kind, file: file.into() }),
            Ok(Kind::Github) => Err("github=FILE: annotations need a separate file, as text \
                                     of an answer may be on standard output; a later step \
                                     prints them by cat FILE"
                .into()),
            Ok(_) => Err(format!("{kind}=FILE: the name of the file is missing").into()),
            Err(_) => {
                Err("not junit=FILE, json=FILE, html=FILE, github=FILE or codequality=FILE".into())
            }
        }
    }

    /// The text: with exact values for programs, with visible characters for people.
    fn text(&self, run: &Run, shown: &Run) -> Result<String> {
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

/// The reports of a run. They are opened before the run, so that errors appear early.
#[derive(Debug)]
pub(super) struct Reports {
    opened: Vec<(Report, Output)>,
    /// The number of reports that could not be opened.
    lost: usize,
}

impl Reports {
    /// Opens all reports. Prints an error for one that cannot be opened, and keeps the others.
    ///
    /// # Errors
    ///
    /// Two reports have the same file, or a report is in the contract's folder.
    pub(super) fn open(reports: &[Report], contract: &Path) -> Result<Self> {
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
                bail!("--report {file}: it is in the folder of the contract");
            }
            if all.opened.iter().any(|(_, other)| other.is_same(&output)) {
                bail!("--report {file}: another report has this file");
            }
            all.opened.push((report.clone(), output));
        }
        Ok(all)
    }

    /// Prints a text for people: on standard error if a report has standard output.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        if self.opened.iter().any(|(_, output)| output.is_stdout()) {
            print_document_error(text);
            return Ok(());
        }
        print_document(text)
    }

    /// Writes all reports.
    ///
    /// # Errors
    ///
    /// A report cannot be written. The others are.
    pub(super) fn write(self, run: &Run) -> Result<()> {
        let shown = run.shown();
        let written = self.opened.into_iter().map(|(report, output)| {
            report.text(run, &shown).and_then(|text| output.write(text.as_bytes()))
        });
        let mut lost = self.lost;
        for error in written.filter_map(Result::err) {
            print_error(&format!("--report {error}"));
            lost += 1;
        }
        if lost == 0 { Ok(()) } else { Err(format!("{lost} reports could not be written").into()) }
    }
}

/// Prints the result of the cases for people.
pub(super) fn print(run: &Run, reports: &Reports) -> Result<()> {
    let columns = Table::new().width().map_or(COLUMNS, usize::from);
    reports.say(&text(&run.shown(), columns))
}

fn text(run: &Run, columns: usize) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
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
    text.push_str(&notes(run));
    let _ = writeln!(text, "{}", summary(run));
    text
}

/// The notes of a run: the cases not run, the purchases, and the parts that were not judged.
pub(crate) fn notes(run: &Run) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for not_run in &run.not_run {
        reasons.entry(&not_run.reason).or_default().push(&not_run.case);
    }
    for (reason, cases) in reasons {
        let _ = writeln!(text, "not run, as {reason}: {}", cases.len());
        let _ = writeln!(text, "    {}", some(&cases));
    }
    for purchase in &run.purchases {
        let (what, case) = (purchase.what(), &purchase.case);
        let _ = match &purchase.kept {
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
            "{cosmetic} answers have the meaning of the reviewed ones in another spelling; --exact fails \
             them"
        );
    }
    if run.is_exact {
        text.push_str("the spelling was judged, as --exact demands\n");
    }
    if !run.lenient.is_empty() {
        let _ = writeln!(text, "not judged, as --lenient says: {}", run.lenient.join(", "));
    }
    if !run.reads_state {
        let _ = writeln!(text, "the state afterwards was not judged, as it cannot be read");
    }
    text
}

/// The first few, and the number of the others.
fn some(cases: &[&str]) -> String {
    const SHOWN: usize = 3;
    let more = cases.len().saturating_sub(SHOWN);
    let shown = cases.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The verdict as one line.
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
    let mut table = shown::table(["of", "answer", "hold", "do not", "not run"]);
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
