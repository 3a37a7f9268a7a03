//! `contract diff`: what a change to the contract means.

mod approvals;
mod cases;
mod finding;
mod operation;
mod report;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::command::{Outcome, print};
use crate::contract::Contract;

pub use finding::{Finding, RULES, Rule, Severity};

/// Compares two contracts: each change with the rule it falls under, what it means, and a fingerprint.
///
/// A contract is a folder, a git revision whose contracts/ is read, or a dated version that is kept in the
/// contract, as history/2021. A breaking change that contracts/approved-changes.json of the new contract
/// does not approve makes the command end with 1. What only one of the two has none of at all (an older
/// version has no cases) is not compared, and told.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The older contract
    #[arg(required_unless_present = "rules")]
    old: Option<String>,
    /// The newer contract; without it that of --contracts, or the one that is part of this program
    new: Option<String>,
    /// How the changes are told
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The least that is told
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Cosmetic)]
    least: Severity,
    /// Approve every breaking change that is not approved yet, for this reason: adds them to
    /// approved-changes.json of the newer contract, which must be a folder
    #[arg(long, value_name = "REASON")]
    approve: Option<String>,
    /// List the rules, and compare nothing
    #[arg(long)]
    rules: bool,
}

const AFTER_HELP: &str = "\
Examples:
  contract diff main contracts
  contract diff v1.0.0 HEAD --format markdown
  contract diff history/2021
  contract diff main contracts --approve 'the limit was raised, see the page of 2026-06-26'

Exit codes: 0 nothing breaking, or all of it approved; 1 something breaking; 2 it could not be compared,
3 usage.";

/// How changes are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A text for people
    #[default]
    Text,
    /// JSON, as contracts/common/schemas/changes.json says
    Json,
    /// Markdown, for a comment on a pull request
    Markdown,
    /// Annotations of a GitHub workflow
    Github,
}

/// What came of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The changes, what breaks most first.
    pub findings: Vec<Finding>,
    /// What only one of the two has at all.
    pub not_compared: Vec<&'static str>,
    /// Approvals that no change needs.
    pub stale: Vec<String>,
}

impl Comparison {
    /// How many changes are of a severity, and how many of those are approved.
    #[must_use]
    pub fn count(&self, severity: Severity) -> (usize, usize) {
        let of = self.findings.iter().filter(|finding| finding.severity == severity);
        let approved = of.clone().filter(|finding| finding.approved.is_some()).count();
        (of.count(), approved)
    }

    /// Whether nothing breaks that is not approved.
    #[must_use]
    pub fn holds(&self) -> bool {
        let (all, approved) = self.count(Severity::Breaking);
        all == approved
    }
}

/// Compares and tells.
///
/// # Errors
///
/// Why they cannot be compared.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let Some(old) = options.old.as_deref().filter(|_| !options.rules) else {
        return print(&report::rules()).map(|()| Outcome::Holds);
    };
    let old = open(old, contract)?;
    let new = match &options.new {
        Some(place) => open(place, contract)?,
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
    print(&match options.format {
        Format::Text => report::text(&comparison, &old, &new),
        Format::Json => report::json(&comparison, &old, &new)?,
        Format::Markdown => report::markdown(&comparison, &old, &new),
        Format::Github => report::github(&comparison),
    })?;
    Ok(if holds { Outcome::Holds } else { Outcome::Fails })
}

/// The contract at a place, which may be a dated version that `contract` keeps.
///
/// # Errors
///
/// There is none.
pub(crate) fn open(place: &str, contract: &Contract) -> Result<Contract, String> {
    let prefix = format!("{}/", place.trim_end_matches('/'));
    let files: BTreeMap<String, String> = contract
        .files()
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(&prefix)?.to_owned(), text.clone())))
        .collect();
    if !place.starts_with("history/") || Path::new(place).is_dir() || files.is_empty() {
        return Contract::open(place);
    }
    Ok(Contract::of(&format!("{}/{place}", contract.origin()), files))
}

/// Every change from one contract to another, with those approved marked.
///
/// # Errors
///
/// A file of either cannot be read, with its line and field.
pub fn compare(old: &Contract, new: &Contract) -> Result<Comparison, String> {
    let mut findings = Vec::new();
    for contract in [old, new] {
        contract.case_paths()?;
    }
    let operations = |contract: &Contract| -> BTreeSet<String> {
        let folders = contract.paths().filter_map(|path| path.strip_suffix("/operation.json"));
        folders.filter(|folder| !folder.contains('/')).map(str::to_owned).collect()
    };
    let (had, has) = (operations(old), operations(new));
    for (rule, folder) in (had.difference(&has).map(|folder| (&finding::OPERATION_REMOVED, folder)))
        .chain(has.difference(&had).map(|folder| (&finding::OPERATION_ADDED, folder)))
    {
        findings.push(Finding::new(rule, folder, Value::Null, Value::Null));
    }
    let is_alone = |path: &str| {
        let folder = path.split('/').next().unwrap_or_default();
        had.contains(folder) != has.contains(folder)
    };
    let kinds = |contract: &Contract| -> BTreeSet<&'static str> {
        contract.paths().filter_map(kind).map(Kind::name).collect()
    };
    let (old_kinds, new_kinds) = (kinds(old), kinds(new));
    let not_compared: Vec<&str> = old_kinds.symmetric_difference(&new_kinds).copied().collect();
    let paths: BTreeSet<&str> = old.paths().chain(new.paths()).collect();
    for path in paths.into_iter().filter(|path| !is_alone(path)) {
        let Some(kind) = kind(path).filter(|kind| !not_compared.contains(&kind.name())) else {
            continue;
        };
        // A case whose file is the same may have another world, as many share one.
        if kind == Kind::Case || old.text(path) != new.text(path) {
            findings.extend(file(kind, path, old, new)?);
        }
    }
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.place.clone());
        key(one).cmp(&key(other))
    });
    let mut comparison = Comparison { findings, not_compared, stale: Vec::new() };
    approvals::apply(&mut comparison, new)?;
    Ok(comparison)
}

/// What a file of a contract is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Operation,
    Errors,
    Schema,
    Case,
    Snapshot,
    Decisions,
    DecisionTable,
    Roles,
    Policies,
    Signature,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Operation => "operations",
            Self::Errors => "errors",
            Self::Schema => "schemas",
            Self::Case => "cases",
            Self::Snapshot => "reviewed answers",
            Self::Decisions => "decisions",
            Self::DecisionTable => "decision tables",
            Self::Roles => "roles",
            Self::Policies => "policies",
            Self::Signature => "signature vectors",
        }
    }
}

/// What a file is; `None` if it says nothing of the contract itself.
fn kind(path: &str) -> Option<Kind> {
    let (folder, rest) = path.split_once('/').unwrap_or(("", path));
    if folder == "history" {
        return None;
    }
    Some(match rest.split('/').next().unwrap_or_default() {
        "operation.json" => Kind::Operation,
        "errors.json" if !folder.is_empty() => Kind::Errors,
        "schemas" => Kind::Schema,
        "cases" => Kind::Case,
        "snapshots" => Kind::Snapshot,
        "decisions.md" if folder.is_empty() => Kind::Decisions,
        "decision-table.json" => Kind::DecisionTable,
        "roles.json" => Kind::Roles,
        "policies" => Kind::Policies,
        "signatures" => Kind::Signature,
        _ => return None,
    })
}

/// The changes of one file.
fn file(kind: Kind, path: &str, old: &Contract, new: &Contract) -> Result<Vec<Finding>, String> {
    let text_of = |contract| match kind {
        Kind::Snapshot => cases::snapshot_text(contract, path),
        _ => Contract::text(contract, path),
    };
    let whole = |added: &'static Rule, removed: &'static Rule| {
        let rule = match (text_of(old), text_of(new)) {
            (Some(_), Some(_)) => return None,
            (None, _) => added,
            (_, None) => removed,
        };
        Some(vec![Finding::new(rule, path, Value::Null, Value::Null)])
    };
    // Of what has rows each row is told, of the others the file.
    let alone = match kind {
        Kind::Case => whole(&finding::CASE_ADDED, &finding::CASE_REMOVED),
        Kind::Snapshot => whole(&finding::SNAPSHOT_ADDED, &finding::SNAPSHOT_REMOVED),
        Kind::Schema => whole(&finding::SCHEMA_ADDED, &finding::SCHEMA_REMOVED),
        Kind::Signature => whole(&finding::ROW_ADDED, &finding::ROW_REMOVED),
        Kind::Operation
        | Kind::Errors
        | Kind::Decisions
        | Kind::DecisionTable
        | Kind::Roles
        | Kind::Policies => None,
    };
    if let Some(findings) = alone {
        return Ok(findings);
    }
    let text = |contract| text_of(contract).unwrap_or_default().to_owned();
    let json = |contract: &Contract| {
        let mut file = match contract.text(path) {
            Some(_) => contract.json(path)?,
            None => json!({}),
        };
        if kind == Kind::Case {
            file["world"] = contract.world(&file["world"])?;
        }
        Ok::<_, String>(file)
    };
    Ok(match kind {
        Kind::Operation => operation::operation(path, &json(old)?, &json(new)?),
        Kind::Errors => operation::errors(path, &json(old)?, &json(new)?),
        Kind::Schema => schema::schema(path, &json(old)?, &json(new)?),
        Kind::Case => cases::case(path, &json(old)?, &json(new)?),
        Kind::Snapshot => cases::snapshot(path, &text(old), &text(new)),
        Kind::Decisions => cases::decisions(path, &text(old), &text(new)),
        Kind::DecisionTable => cases::decision_table(path, &json(old)?, &json(new)?),
        Kind::Roles => cases::roles(path, &json(old)?, &json(new)?),
        Kind::Policies => cases::rows(path, "rows", "name", &json(old)?, &json(new)?),
        Kind::Signature => {
            vec![Finding::new(&finding::ROW_CHANGED, path, text(old).into(), text(new).into())]
        }
    })
}

/// Pairs the members of two lists by a name that each has.
fn named<'a>(
    old: &'a Value,
    new: &'a Value,
    key: &str,
) -> BTreeMap<String, (Option<&'a Value>, Option<&'a Value>)> {
    let mut pairs: BTreeMap<String, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
    let name = |row: &Value| row[key].as_str().unwrap_or_default().to_owned();
    for row in old.as_array().into_iter().flatten() {
        pairs.entry(name(row)).or_default().0 = Some(row);
    }
    for row in new.as_array().into_iter().flatten() {
        pairs.entry(name(row)).or_default().1 = Some(row);
    }
    pairs
}

/// Words that changed, if they did.
fn changed_text(place: &str, old: &Value, new: &Value) -> Option<Finding> {
    (old != new).then(|| Finding::new(&finding::TEXT_CHANGED, place, old.clone(), new.clone()))
}
