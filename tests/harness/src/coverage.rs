//! `contract coverage`: what proves each row of the contract.

mod html;
mod ratchet;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use crate::case::Case;
use crate::command::{Outcome, print, print_document, print_error};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::operations::{COMMON, ErrorRow, Operation, Operations};
use crate::verify::snapshot_path;

pub use ratchet::Loss;

/// Shows for each row of the contract what proves it: the cases that demand it, the reviewed answers and the
/// schema.
///
/// Rows are the codes of errors.json, successes, the parameters of operation.json and the decisions of
/// decisions.md, of each operation and of what all share. The ratchet is the coverage.json of each folder:
/// how many proofs each row had. A row that has fewer has lost something, whatever others have won.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where to write it, instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fail if a row has lost a proof that coverage.json holds it to
    #[arg(long)]
    ratchet: bool,
    /// Write coverage.json anew with what there is now; needs --contracts with a folder. Losses are
    /// refused unless --allow-loss names them
    #[arg(long)]
    update: bool,
    /// A row that may lose proofs, as common/error/MissingAction; may be given more than once
    #[arg(long, value_name = "ROW", requires = "update")]
    allow_loss: Vec<String>,
}

const AFTER_HELP: &str = "\
Examples:
  contract coverage
  contract coverage --format html --output coverage.html
  contract coverage --ratchet
  contract coverage --contracts contracts --update

Exit codes: 0 every row is proved, 1 one is not or has lost a proof, 2 it could not be told, 3 usage.";

/// How coverage is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Table,
    /// JSON, as contracts/common/schemas/proofs.json says
    Json,
    /// A page
    Html,
}

/// What a row is.
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
    /// The kinds of proof that such a row must have.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Success | Self::Error => &["cases", "snapshots", "schemas"],
            Self::Parameter => &["cases"],
            Self::Decision => &[],
        }
    }
}

/// A row of the contract, and what proves it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its id: the folder, the kind and the name, as `common/error/MissingAction`.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the contract.
    pub file: String,
    /// What the page says, or what it is about.
    pub says: String,
    /// The cases that demand it.
    pub cases: Vec<String>,
    /// The reviewed answers.
    pub snapshots: Vec<String>,
    /// The schemas.
    pub schemas: Vec<String>,
}

impl Row {
    /// How many proofs of each kind there are.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let lists =
            [("cases", &self.cases), ("snapshots", &self.snapshots), ("schemas", &self.schemas)];
        lists.into_iter().map(|(name, list)| (name, list.len())).collect()
    }

    /// The kinds of proof that it lacks.
    #[must_use]
    pub fn lacks(&self) -> Vec<&'static str> {
        let counts = self.counts();
        self.kind.needs().iter().copied().filter(|name| counts[name] == 0).collect()
    }
}

/// Shows what proves the contract.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let rows = rows(contract)?;
    let losses = ratchet::losses(contract, &rows)?;
    let shown = match options.format {
        Format::Table => text(&rows),
        Format::Json => {
            let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
            format!("{text}\n")
        }
        Format::Html => html::page(&rows, contract.origin()),
    };
    match &options.output {
        Some(file) => write_whole(file, shown.as_bytes())?,
        None => print_document(&shown)?,
    }
    let mut is_well = rows.iter().all(|row| row.lacks().is_empty());
    let mut told = String::new();
    // A text takes whatever is written to it.
    for row in rows.iter().filter(|row| !row.lacks().is_empty()) {
        let _ = writeln!(told, "{}: lacks {}", row.id, row.lacks().join(", "));
    }
    if options.update {
        ratchet::update(contract, &rows, &losses, &options.allow_loss)?;
        told.push_str("coverage.json is written anew\n");
    } else if options.ratchet {
        is_well &= losses.is_empty();
        for loss in &losses {
            let _ = writeln!(told, "{loss}");
        }
    }
    // Behind a document that a program reads nothing may follow.
    if options.format == Format::Table || options.output.is_some() {
        print(&told)?;
    } else if !told.is_empty() {
        print_error(told.trim_end());
    }
    Ok(if is_well { Outcome::Holds } else { Outcome::Fails })
}

/// Every row of a contract, in order.
///
/// # Errors
///
/// A file of it cannot be read.
pub fn rows(contract: &Contract) -> Result<Vec<Row>, String> {
    let (cases, operations) = (contract.cases()?, Operations::read(contract)?);
    let mut rows = Vec::new();
    for operation in operations.all() {
        rows.push(success(contract, operation, &cases));
        rows.extend(parameters(operation, &cases));
    }
    for (folder, error) in operations.errors() {
        let ErrorRow { code, status, message, description, not_applicable, .. } = error;
        // No state of the world leads to it, and the row says why.
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
    /// A row that nothing proves yet.
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

    /// Takes cases, and those of their reviewed answers that there are.
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

/// The parameters, each with the cases whose call sends it.
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

/// The decisions of a folder, each with the cases that rest on it. Those that all operations share are in
/// the ledger beside the folders.
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

/// The rows as a table.
fn text(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["row", "cases", "snapshots", "schema"]);
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
