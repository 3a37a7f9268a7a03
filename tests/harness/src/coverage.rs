//! `contract coverage`: the proofs of each row of the contract.

mod html;
mod ratchet;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::CellAlignment;
use serde::Serialize;

use crate::case::Case;
use crate::command::{Outcome, print, print_document, print_error};
use crate::contract::Contract;
use crate::error::Result;
use crate::file::write_whole;
use crate::json;
use crate::operations::{COMMON, ErrorRow, Operation, Operations};
use crate::shown;
use crate::verify::snapshot_path;

pub use ratchet::Loss;

/// Shows the proofs of each row of the contract: cases, reviewed answers and schemas.
///
/// Rows are the codes of errors.json, the successes, the parameters of operation.json and the decisions of
/// decisions.md, for each operation and for the shared folder. The ratchet is the coverage.json of each
/// folder: the number of proofs of each row. A row with fewer proofs is a loss, even if other rows gained
/// some.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fail if a row has fewer proofs than coverage.json says
    #[arg(long)]
    ratchet: bool,
    /// Rewrite coverage.json with the current proofs; needs --contracts with a folder. Losses are refused
    /// unless --allow-loss names them
    #[arg(long)]
    update: bool,
    /// A row that may lose proofs, like common/error/MissingAction; may be repeated
    #[arg(long, value_name = "ROW", requires = "update")]
    allow_loss: Vec<String>,
}

const AFTER_HELP: &str = "\
Examples:
  contract coverage
  contract coverage --format html --output coverage.html
  contract coverage --ratchet
  contract coverage --contracts contracts --update

Exit codes: 0 every row is proved, 1 a row is not proved or lost a proof, 2 the command failed, 3 usage.";

/// The formats of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// JSON, described by contracts/common/schemas/proofs.json
    Json,
    /// An HTML page
    Html,
}

/// The kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A success.
    Success,
    /// An error code.
    Error,
    /// A parameter of the operation.
    Parameter,
    /// A decision.
    Decision,
}

impl Kind {
    /// The kinds of proof that a row of this kind needs.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Success | Self::Error => &["cases", "snapshots", "schemas"],
            Self::Parameter => &["cases"],
            Self::Decision => &[],
        }
    }
}

/// A row of the contract and its proofs.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The id: folder, kind and name, like `common/error/MissingAction`.
    pub id: String,
    /// The kind.
    pub kind: Kind,
    /// The file of the contract that has the row.
    pub file: String,
    /// The text of the row.
    pub says: String,
    /// The cases that demand the row.
    pub cases: Vec<String>,
    /// The reviewed answers.
    pub snapshots: Vec<String>,
    /// The schemas.
    pub schemas: Vec<String>,
}

impl Row {
    /// The number of proofs of each kind.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let lists =
            [("cases", &self.cases), ("snapshots", &self.snapshots), ("schemas", &self.schemas)];
        lists.into_iter().map(|(name, list)| (name, list.len())).collect()
    }

    /// The kinds of proof that are missing.
    #[must_use]
    pub fn lacks(&self) -> Vec<&'static str> {
        let counts = self.counts();
        self.kind.needs().iter().copied().filter(|name| counts[name] == 0).collect()
    }
}

/// Runs `contract coverage`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let rows = rows(contract)?;
    let losses = ratchet::losses(contract, &rows)?;
    let shown = match options.format {
        Format::Table => text(&rows),
        Format::Json => json::pretty(&rows)?,
        Format::Html => html::page(&rows, contract.origin()),
    };
    match &options.output {
        Some(file) => write_whole(file, shown.as_bytes())?,
        None => print_document(&shown)?,
    }
    let mut is_well = rows.iter().all(|row| row.lacks().is_empty());
    let mut notes = String::new();
    // Writing to a `String` cannot fail.
    for row in rows.iter().filter(|row| !row.lacks().is_empty()) {
        let _ = writeln!(notes, "{}: lacks {}", row.id, row.lacks().join(", "));
    }
    if options.update {
        ratchet::update(contract, &rows, &losses, &options.allow_loss)?;
        notes.push_str("coverage.json is rewritten\n");
    } else if options.ratchet {
        is_well &= losses.is_empty();
        for loss in &losses {
            let _ = writeln!(notes, "{loss}");
        }
    }
    // A document for programs must end standard output.
    if options.format == Format::Table || options.output.is_some() {
        print(&notes)?;
    } else if !notes.is_empty() {
        print_error(notes.trim_end());
    }
    Ok(if is_well { Outcome::Holds } else { Outcome::Fails })
}

/// Every row of a contract, in order.
pub fn rows(contract: &Contract) -> Result<Vec<Row>> {
    let (cases, operations) = (contract.cases()?, Operations::read(contract)?);
    let mut rows = Vec::new();
    for operation in operations.all() {
        rows.push(success(contract, operation, &cases));
        rows.extend(parameters(operation, &cases));
    }
    for (folder, error) in operations.errors() {
        let ErrorRow { code, status, message, description, not_applicable, .. } = error;
        // The row explains why no state leads to this error.
        if not_applicable.is_some() {
            continue;
        }
        let mut row = Row::new(folder, Kind::Error, code, "errors.json");
        row.says = format!("{status} {message} {description}");
        let demanding =
            |case: &&Case| case.folder() == folder && case.demanded.code.as_deref() == Some(code);
        row.prove(contract, cases.iter().filter(demanding));
        let schemas = [folder, COMMON].map(|of| format!("{of}/schemas/errors/{code}.json"));
        row.schemas.extend(schemas.into_iter().find(|path| contract.text(path).is_some()));
        rows.push(row);
    }
    let folders = operations.all().iter().map(|operation| operation.action.as_str());
    for folder in folders.chain([COMMON]) {
        rows.extend(decisions(contract, folder, &cases));
    }
    rows.sort_by(|one, other| (one.kind, &one.id).cmp(&(other.kind, &other.id)));
    Ok(rows)
}

impl Row {
    /// A row without proofs.
    fn new(folder: &str, kind: Kind, name: &str, file: &str) -> Self {
        let kind_name = match kind {
            Kind::Success => "success",
            Kind::Error => "error",
            Kind::Parameter => "parameter",
            Kind::Decision => "decision",
        };
        Self {
            id: format!("{folder}/{kind_name}/{name}"),
            kind,
            file: format!("{folder}/{file}"),
            says: String::new(),
            cases: Vec::new(),
            snapshots: Vec::new(),
            schemas: Vec::new(),
        }
    }

    /// Adds cases and their reviewed answers as proofs.
    fn prove<'a>(&mut self, contract: &Contract, cases: impl Iterator<Item = &'a Case>) {
        for case in cases {
            let snapshot = snapshot_path(contract, case);
            self.snapshots.extend(contract.text(&snapshot).map(|_| snapshot));
            self.cases.push(case.path.clone());
        }
    }
}

fn success(contract: &Contract, operation: &Operation, cases: &[Case]) -> Row {
    let folder = operation.action.as_str();
    let schema = format!("{folder}/schemas/success.json");
    let mut row = Row::new(folder, Kind::Success, "200", "operation.json");
    row.says.clone_from(&operation.summary);
    row.schemas.extend(contract.text(&schema).map(|_| schema));
    let succeeds = |case: &&Case| case.folder() == folder && case.demanded.status == 200;
    row.prove(contract, cases.iter().filter(succeeds));
    row
}

/// The rows of the parameters. The proof of a parameter is a case that sends it.
fn parameters(operation: &Operation, cases: &[Case]) -> Vec<Row> {
    let folder = operation.action.as_str();
    let of = |parameter: &crate::operations::Parameter| {
        let mut row = Row::new(folder, Kind::Parameter, &parameter.name, "operation.json");
        row.says.clone_from(&parameter.description);
        let sends = |case: &&Case| {
            let sent = case.request.parameters();
            case.folder() == folder && sent.keys().any(|name| parameter.is_named(name))
        };
        row.cases = cases.iter().filter(sends).map(|case| case.path.clone()).collect();
        row
    };
    operation.accepted().map(of).collect()
}

/// The rows of the decisions of a folder, each with the cases that name it. The ledger beside the folders
/// has the shared decisions.
fn decisions(contract: &Contract, folder: &str, cases: &[Case]) -> Vec<Row> {
    let file = match folder {
        COMMON => "decisions.md".to_owned(),
        folder => format!("{folder}/decisions.md"),
    };
    let text = contract.text(&file).unwrap_or_default();
    let sections = text.split("\n## `").skip(1).filter_map(|section| section.split_once('`'));
    let row = |(id, rest): (&str, &str)| {
        let question = rest.split_once("**Question.**").map_or("", |(_, rest)| rest);
        let rests_on = |case: &&Case| case.decision.as_deref() == Some(id);
        let mut row = Row::new(folder, Kind::Decision, id, "decisions.md");
        row.file.clone_from(&file);
        question.lines().next().unwrap_or_default().trim().clone_into(&mut row.says);
        row.cases = cases.iter().filter(rests_on).map(|case| case.path.clone()).collect();
        row
    };
    sections.map(row).collect()
}

/// The table of the rows.
fn text(rows: &[Row]) -> String {
    let mut table = shown::table(["row", "cases", "snapshots", "schema"]);
    for row in rows {
        let counts = row.counts();
        let count = |name: &str| match counts[name] {
            0 if row.kind.needs().contains(&name) => "none".to_owned(),
            0 => String::new(),
            count => count.to_string(),
        };
        let counted = [count("cases"), count("snapshots"), count("schemas")];
        table.add_row([row.id.clone()].into_iter().chain(counted));
    }
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let proved = rows.iter().filter(|row| row.lacks().is_empty()).count();
    format!("{table}\n{proved} of {} rows are proved\n", rows.len())
}
