//! `contract coverage`: what proves each row of the contract.

mod html;
mod ratchet;
mod sources;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;

use crate::case::{Case, Pairs};
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::verify::snapshot_path;

pub use ratchet::Loss;
pub use sources::Rules;

/// Shows for each row of the contract what proves it: the cases that demand it, the reviewed answers, the
/// schema, and the place in the code that answers it.
///
/// Rows are the codes of errors.json, successes, the parameters of operation.json and the decisions of
/// decisions.md. The ratchet is contracts/coverage.json: how many proofs each row had. A row that has fewer
/// has lost something, whatever others have won.
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
    /// A row that may lose proofs, as error/IllegalParam.Bandwidth; may be given more than once
    #[arg(long, value_name = "ROW", requires = "update")]
    allow_loss: Vec<String>,
    /// The folder of the code whose places answer the codes; without it those that this program knows
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
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
            Self::Success => &["cases", "snapshots", "schemas"],
            Self::Error => &["cases", "snapshots", "schemas", "rules"],
            Self::Parameter => &["cases"],
            Self::Decision => &[],
        }
    }
}

/// A row of the contract, and what proves it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its id: `error/IllegalParam.Bandwidth`.
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
    /// The places in the code that answer it or cite it.
    pub rules: Vec<String>,
}

impl Row {
    /// How many proofs of each kind there are.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let lists = [
            ("cases", &self.cases),
            ("snapshots", &self.snapshots),
            ("schemas", &self.schemas),
            ("rules", &self.rules),
        ];
        lists.into_iter().map(|(name, list)| (name, list.len())).collect()
    }

    /// The kinds of proof that it lacks.
    #[must_use]
    pub fn lacks(&self) -> Vec<&'static str> {
        let counts = self.counts();
        if self.kind == Kind::Decision && self.cases.is_empty() && self.rules.is_empty() {
            return vec!["cases", "rules"];
        }
        self.kind.needs().iter().copied().filter(|name| counts[name] == 0).collect()
    }
}

/// Shows what proves the contract.
///
/// # Errors
///
/// A file cannot be read or written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let rules = match &options.sources {
        Some(folder) => Rules::scan(folder)?,
        None => Rules::known()?,
    };
    let rows = rows(contract, &rules)?;
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
        None => print(&shown)?,
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
        drop(std::io::Write::write_all(&mut anstream::stderr(), told.as_bytes()));
    }
    Ok(if is_well { Outcome::Holds } else { Outcome::Fails })
}

/// Every row of a contract, in order.
///
/// # Errors
///
/// A file of it cannot be read.
pub fn rows(contract: &Contract, rules: &Rules) -> Result<Vec<Row>, String> {
    let cases = contract.cases()?;
    let folders: Vec<&str> =
        contract.paths().filter_map(|path| path.strip_suffix("/errors.json")).collect();
    let mut rows = Vec::new();
    for folder in folders.into_iter().filter(|folder| !folder.contains('/')) {
        let operation = format!("{folder}/operation.json");
        if contract.text(&operation).is_some() {
            let operation_file = contract.json(&operation)?;
            rows.push(success(contract, folder, &cases));
            rows.extend(parameters(&operation, &operation_file, folder, &cases));
        }
        let file = format!("{folder}/errors.json");
        for error in contract.json(&file)?["errors"].as_array().into_iter().flatten() {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            let code = text("code");
            let demanding = |case: &&Case| {
                case.folder() == folder && case.demanded.code.as_deref() == Some(code)
            };
            let mut row = Row {
                id: format!("error/{code}"),
                kind: Kind::Error,
                file: file.clone(),
                says: format!("{} {} {}", error["status"], text("message"), text("description")),
                cases: Vec::new(),
                snapshots: Vec::new(),
                schemas: Vec::new(),
                rules: rules.of_code(code),
            };
            row.prove(contract, cases.iter().filter(demanding));
            let schema = format!("{folder}/schemas/errors/{code}.json");
            row.schemas.extend(contract.text(&schema).map(|_| schema));
            rows.push(row);
        }
    }
    rows.extend(decisions(contract, &cases, rules));
    rows.sort_by(|one, other| (one.kind, &one.id).cmp(&(other.kind, &other.id)));
    Ok(rows)
}

impl Row {
    /// Takes cases, and those of their reviewed answers that there are.
    fn prove<'a>(&mut self, contract: &Contract, cases: impl Iterator<Item = &'a Case>) {
        for case in cases {
            let snapshot = snapshot_path(contract, case);
            self.snapshots.extend(contract.text(&snapshot).map(|_| snapshot));
            self.cases.push(case.path.clone());
        }
    }
}

fn success(contract: &Contract, folder: &str, cases: &[Case]) -> Row {
    let schema = format!("{folder}/schemas/success.json");
    let mut row = Row {
        id: format!("success/{folder}"),
        kind: Kind::Success,
        file: format!("{folder}/operation.json"),
        says: "200, a purchase or a replay of one".to_owned(),
        cases: Vec::new(),
        snapshots: Vec::new(),
        schemas: contract.text(&schema).map(|_| schema).into_iter().collect(),
        rules: Vec::new(),
    };
    let succeeds = |case: &&Case| case.folder() == folder && case.demanded.status == 200;
    row.prove(contract, cases.iter().filter(succeeds));
    row
}

/// The parameters, each with the cases whose call sends it.
fn parameters(file: &str, operation: &Value, folder: &str, cases: &[Case]) -> Vec<Row> {
    let lists = ["parameters", "acceptedBeyondThePage"].map(|name| operation[name].as_array());
    let row = |parameter: &Value| {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default();
        let name = text("name");
        let sends = |case: &&Case| {
            let pairs = [&case.request.query, &case.request.body].map(Pairs::list);
            case.folder() == folder && pairs.iter().flatten().any(|(sent, _)| sent == name)
        };
        Row {
            id: format!("parameter/{name}"),
            kind: Kind::Parameter,
            file: file.to_owned(),
            says: text("description").to_owned(),
            cases: cases.iter().filter(sends).map(|case| case.path.clone()).collect(),
            snapshots: Vec::new(),
            schemas: Vec::new(),
            rules: Vec::new(),
        }
    };
    lists.into_iter().flatten().flatten().map(row).collect()
}

/// The decisions, each with the cases that rest on it and the code that cites it.
fn decisions(contract: &Contract, cases: &[Case], rules: &Rules) -> Vec<Row> {
    let file = "decisions.md";
    let text = contract.text(file).unwrap_or_default();
    let sections = text.split("\n## `").skip(1).filter_map(|section| section.split_once('`'));
    let row = |(id, rest): (&str, &str)| {
        let question = rest.split_once("**Question.**").map_or("", |(_, rest)| rest);
        let rests_on = |case: &&Case| case.decision.as_deref() == Some(id);
        Row {
            id: format!("decision/{id}"),
            kind: Kind::Decision,
            file: file.to_owned(),
            says: question.lines().next().unwrap_or_default().trim().to_owned(),
            cases: cases.iter().filter(rests_on).map(|case| case.path.clone()).collect(),
            snapshots: Vec::new(),
            schemas: Vec::new(),
            rules: rules.of_decision(id),
        }
    };
    sections.map(row).collect()
}

/// The rows as a table.
fn text(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["row", "cases", "snapshots", "schema", "answered or cited in"]);
    for row in rows {
        let counts = row.counts();
        let count = |name: &str| match counts[name] {
            0 if row.kind.needs().contains(&name) => "none".to_owned(),
            0 => String::new(),
            count => count.to_string(),
        };
        let rules = row.rules.first().map_or_else(
            || count("rules"),
            |first| match row.rules.len() {
                1 => first.clone(),
                more => format!("{first} and {} more", more - 1),
            },
        );
        let counted = [count("cases"), count("snapshots"), count("schemas")];
        table.add_row([row.id.clone()].into_iter().chain(counted).chain([rules]));
    }
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let proved = rows.iter().filter(|row| row.lacks().is_empty()).count();
    format!("{table}\n{proved} of {} rows are proved\n", rows.len())
}
