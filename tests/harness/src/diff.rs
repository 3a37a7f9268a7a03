//! `contract diff`: the meaning of a change to the contract.

mod approvals;
mod cases;
mod edits;
mod finding;
mod findings;
pub mod inclusion;
mod opened;
mod operation;
mod parameter;
mod parts;
mod patterns;
mod places;
mod renamed;
mod report;
mod schema;
mod snapshots;
mod values;

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::command::{Outcome, print, print_as_is, print_document};
use crate::contract::Contract;
use crate::error::Result;

pub(crate) use finding::digest;
pub use finding::{Finding, RULES, Rule, Severity};
use findings::Findings;
pub(crate) use places::{open, open_base};

/// Compares two contracts: shows each change with its rule, its severity and a fingerprint.
///
/// A contract is a folder, a git revision with a contract, or a dated version inside a contract, like
/// history/2021. The command fails if approved-changes.json of the newer contract does not approve a breaking
/// change. A kind of file that only one contract has (an older version has no cases) is not compared, and is
/// listed. If the older place has no contract at any path, the whole newer contract is additive.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The older contract
    #[arg(required_unless_present = "rules")]
    old: Option<String>,
    /// The newer contract [default: that of --contracts, or the contract in this program]
    new: Option<String>,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The lowest severity to show
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Cosmetic)]
    least: Severity,
    /// Approve every unapproved breaking change for this reason: adds them to approved-changes.json of the
    /// newer contract, which must be a folder
    #[arg(long, value_name = "REASON")]
    approve: Option<String>,
    /// List the rules and exit
    #[arg(long)]
    rules: bool,
}

const AFTER_HELP: &str = "\
Examples:
  contract diff main contracts
  contract diff v1.0.0 HEAD --format markdown
  contract diff history/2021
  contract diff main contracts --approve 'the limit was raised, see the page of 2026-06-26'

Exit codes: 0 every breaking change is approved, 1 a breaking change is not approved, 2 the contracts could
not be compared, 3 usage.";

/// The formats of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A text for people
    #[default]
    Text,
    /// JSON, described by contracts/common/schemas/changes.json
    Json,
    /// Markdown, for a comment on a pull request
    Markdown,
    /// Annotations of a GitHub workflow
    Github,
}

/// The result of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The changes, the most severe first.
    pub findings: Vec<Finding>,
    /// The kinds of files that only one of the two contracts has.
    pub not_compared: Vec<&'static str>,
    /// Approvals without a change.
    pub stale: Vec<String>,
}

impl Comparison {
    /// The number of changes of a severity, and of those that are approved.
    #[must_use]
    pub fn count(&self, severity: Severity) -> (usize, usize) {
        let of = self.findings.iter().filter(|finding| finding.severity == severity);
        let approved = of.clone().filter(|finding| finding.approved.is_some()).count();
        (of.count(), approved)
    }

    /// Whether every breaking change is approved.
    #[must_use]
    pub fn holds(&self) -> bool {
        let (all, approved) = self.count(Severity::Breaking);
        all == approved
    }
}

/// Runs `contract diff`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let Some(old) = options.old.as_deref().filter(|_| !options.rules) else {
        return print(&report::rules()).map(|()| Outcome::Holds);
    };
    let old = open_base(old, contract)?;
    let new = match &options.new {
        Some(place) => open(place, contract)?.checked()?,
        None => contract.clone(),
    };
    let mut comparison = compare(&old, &new)?;
    if let Some(reason) = &options.approve {
        let added = approvals::add(&comparison, &new, reason)?;
        print(&format!("{added} changes approved\n"))?;
        comparison = compare(&old, &open(new.origin(), contract)?)?;
    }
    let holds = comparison.holds();
    comparison.findings.retain(|finding| finding.severity >= options.least);
    match options.format {
        Format::Text => print(&report::text(&comparison, &old, &new)),
        Format::Json => print_document(&report::json(&comparison, &old, &new)?),
        Format::Markdown => print_document(&report::markdown(&comparison, &old, &new)),
        Format::Github => print_as_is(&report::github(&comparison, &new)),
    }?;
    Ok(if holds { Outcome::Holds } else { Outcome::Fails })
}

/// Every change from one contract to another, with its approval.
pub fn compare(old: &Contract, new: &Contract) -> Result<Comparison> {
    let mut findings = Vec::new();
    for contract in [old, new] {
        contract.case_paths()?;
    }
    let operations = |contract: &Contract| -> BTreeSet<String> {
        let folders = contract.paths().filter_map(|path| path.strip_suffix("/operation.json"));
        folders.filter(|folder| !folder.contains('/')).map(str::to_owned).collect()
    };
    let (had, has) = (operations(old), operations(new));
    let removed = had.difference(&has).map(|folder| (&finding::OPERATION_REMOVED, folder));
    let added = has.difference(&had).map(|folder| (&finding::OPERATION_ADDED, folder));
    for (rule, folder) in removed.chain(added) {
        findings.push(Finding::new(rule, folder, Value::Null, Value::Null));
    }
    let is_alone = |path: &str| {
        let folder = path.split('/').next().unwrap_or_default();
        had.contains(folder) != has.contains(folder)
    };
    let kinds = |contract: &Contract| -> BTreeSet<&'static str> {
        contract.paths().filter_map(kind).map(|kind| kind.name).collect()
    };
    // In a first contract everything is new; the findings of its operations say so.
    let is_first = old.files().is_empty();
    let (old_kinds, new_kinds) = (kinds(old), kinds(new));
    let alone = old_kinds.symmetric_difference(&new_kinds).copied();
    let not_compared: Vec<&str> = alone.filter(|_| !is_first).collect();
    let paths: BTreeSet<&str> = old.paths().chain(new.paths()).filter(|_| !is_first).collect();
    for path in paths.into_iter().filter(|path| !is_alone(path)) {
        let Some(kind) = kind(path).filter(|kind| !not_compared.contains(&kind.name)) else {
            continue;
        };
        // A case whose file is unchanged may have another world: many cases share one.
        if kind.name == CASES || old.text(path) != new.text(path) {
            findings.extend(file(&kind, path, old, new)?);
        }
    }
    renamed::renamed(&mut findings, old, new)?;
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.place.clone());
        key(one).cmp(&key(other))
    });
    let mut comparison = Comparison { findings, not_compared, stale: Vec::new() };
    approvals::apply(&mut comparison, new)?;
    Ok(comparison)
}

/// A kind of file of a contract.
struct Kind {
    name: &'static str,
    /// The rules for a file that only one contract has; `None` if each of its rows is a change of its own.
    alone: Option<[&'static Rule; 2]>,
    compare: Compare,
}

/// The comparison of two files of a kind.
enum Compare {
    Json(fn(&mut Findings<'_>, &Value, &Value)),
    Text(fn(&mut Findings<'_>, &str, &str)),
}

const CASES: &str = "cases";
const SNAPSHOTS: &str = "reviewed answers";

/// The kind of a file; `None` if it is not part of the contract's demands.
fn kind(path: &str) -> Option<Kind> {
    use Compare::{Json, Text};
    let (folder, rest) = path.split_once('/').unwrap_or(("", path));
    if folder == "history" {
        return None;
    }
    let (name, compare) = match rest.split('/').next().unwrap_or_default() {
        "operation.json" => ("operations", Json(operation::operation)),
        "errors.json" if !folder.is_empty() => ("errors", Json(operation::errors)),
        "schemas" => ("schemas", Json(schema::schema)),
        CASES => (CASES, Json(cases::case)),
        "snapshots" => (SNAPSHOTS, Text(snapshots::snapshot)),
        "decisions.md" if folder.is_empty() => ("decisions", Text(cases::decisions)),
        "decision-table.json" => ("decision tables", Json(cases::decision_table)),
        "roles.json" => ("roles", Json(cases::roles)),
        "policies" => ("policies", Json(cases::policies)),
        "signatures" => ("signature vectors", Text(cases::signature)),
        _ => return None,
    };
    let alone = match name {
        CASES => Some([&finding::CASE_REMOVED, &finding::CASE_ADDED]),
        SNAPSHOTS => Some([&finding::SNAPSHOT_REMOVED, &finding::SNAPSHOT_ADDED]),
        "schemas" => Some([&finding::SCHEMA_REMOVED, &finding::SCHEMA_ADDED]),
        "signature vectors" => Some([&finding::ROW_REMOVED, &finding::ROW_ADDED]),
        _ => None,
    };
    Some(Kind { name, alone, compare })
}

/// The changes of one file.
fn file(kind: &Kind, path: &str, old: &Contract, new: &Contract) -> Result<Vec<Finding>> {
    let text = |contract| match kind.name {
        SNAPSHOTS => snapshots::text(contract, path),
        _ => Contract::text(contract, path),
    };
    if let (Some([removed, added]), (None, _) | (_, None)) = (kind.alone, (text(old), text(new))) {
        let rule = if text(old).is_none() { added } else { removed };
        return Ok(vec![Finding::new(rule, path, Value::Null, Value::Null)]);
    }
    let json = |contract: &Contract| match contract.text(path) {
        Some(_) if kind.name == CASES => cases::whole(contract, path),
        Some(_) => contract.json(path),
        None => Ok(json!({})),
    };
    let mut findings = Findings::of(path);
    match kind.compare {
        Compare::Json(compare) => compare(&mut findings, &json(old)?, &json(new)?),
        Compare::Text(compare) => {
            compare(&mut findings, text(old).unwrap_or_default(), text(new).unwrap_or_default());
        }
    }
    Ok(findings.all)
}
