//! `contract record`: asks an endpoint, and writes what it answered beside what was expected.

mod recording;
mod redaction;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

use crate::client::{now_secs, timestamp};
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::list::Chosen;
use crate::verify::{Format, Place, Plan, Roles, Signature, Trial, Where, aside, run_cases};
use recording::{Observation, Recording};
use redaction::Redaction;

/// Asks an endpoint the chosen cases, and writes what it answered beside what is expected: a file for each
/// case, with the day, who answered, and whether the page or a decision says what is expected.
///
/// So that a decision can be settled by evidence: the summary tells for each decision what of it was
/// answered as expected and what was not. Keys, signatures, accounts, addresses and ids that are not the
/// cases' own are never written; a placeholder stands for each.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    chosen: Chosen,
    /// The kinds of signature to try
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    signature: Signature,
    /// The formats to ask for
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    format: Format,
    /// How many cases are asked at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Ask cases that change something, too. What they buy is released afterwards
    #[arg(long)]
    allow_purchases: bool,
    /// Where the files are written, below a folder of the host's name
    #[arg(long, value_name = "DIR", default_value = "recordings")]
    output: PathBuf,
}

const AFTER_HELP: &str = "\
The files fit contracts/common/schemas/recording.json. A later recording of the same host replaces an
earlier one of the same cases only; the summary is of all that lie in the host's folder.

Example:
  contract record --endpoint https://vpc.cn-hangzhou.aliyuncs.com --region cn-hangzhou \\
    --case 'IllegalParam.*' --case 'Missing*'

Exit codes: 0 all is as expected, 1 something is not, 2 it could not be asked, 3 usage.";

/// Asks and writes.
///
/// # Errors
///
/// Why nothing could be asked or written.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome, String> {
    let cases = options.chosen.cases(&contract)?;
    let (place, caller) = options.place.find(&contract).await?;
    let host = host(&place);
    let folder = options.output.join(host.replace([':', '/'], "_"));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let roles = Roles::read(&contract)?;
    let plan = Plan {
        bindings: roles.bindings(&options.place.bindings)?,
        roles,
        caller: caller.clone(),
        signature: options.signature,
        format: options.format,
        lenient: BTreeSet::new(),
        is_exact: false,
        jobs: options.jobs.max(1),
        failures_max: None,
        allow_purchases: options.allow_purchases,
    };
    let contract = Arc::new(contract);
    let run = run_cases(Arc::clone(&contract), cases.clone(), place, plan).await?;
    let mut trials: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    for trial in &run.trials {
        trials.entry(&trial.case).or_default().push(trial);
    }
    let now = timestamp(now_secs());
    let date = now.split('T').next().unwrap_or_default();
    let mut text = String::new();
    let mut is_expected = true;
    for case in &cases {
        let Some(trials) = trials.get(&*case.path) else { continue };
        let known = contract.existing(&case.path)?;
        let mut redaction = Redaction::new(known, caller.as_ref());
        let observation = Observation::new(date, &host);
        let recording = Recording::new(&contract, case, trials, &mut redaction, observation);
        is_expected &= recording.agrees;
        text.push_str(&differences(&recording));
        let file = file(&folder, &case.path);
        write(&file, &recording)?;
    }
    let written = trials.len();
    text.push_str(&aside(&run));
    text.push_str(&settled(&folder)?);
    // A text takes whatever is written to it.
    let _ = writeln!(text, "{written} recordings written to {}", folder.display());
    print(&text)?;
    if written == 0 {
        return Err("no case could be asked".to_owned());
    }
    Ok(match run.outcome() {
        Outcome::Unjudged => Outcome::Unjudged,
        Outcome::Holds | Outcome::Fails if is_expected => Outcome::Holds,
        Outcome::Holds | Outcome::Fails => Outcome::Fails,
    })
}

/// Who answers.
fn host(place: &Place) -> String {
    match place {
        Place::Apart(remote) | Place::Given(remote) => remote.authority().to_owned(),
        Place::Function(_) => "function".to_owned(),
        Place::InProcess => "in-process".to_owned(),
    }
}

/// Where the recording of a case lies: `IllegalParam.Bandwidth/letters.json`, below the host's folder.
fn file(folder: &Path, case: &str) -> PathBuf {
    folder.join(case.replacen("/cases/", "/", 1))
}

fn write(file: &Path, recording: &Recording) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut text = serde_json::to_string_pretty(recording).map_err(|error| fail(&error))?;
    text.push('\n');
    Redaction::check(&text).map_err(|error| fail(&error))?;
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(|error| fail(&error))?;
    }
    write_whole(file, text.as_bytes())
}

/// What was answered otherwise, each thing once.
fn differences(recording: &Recording) -> String {
    let fields = recording.answers.iter().flat_map(|answer| &answer.fields);
    let fields = fields.filter(|field| !field.agrees && !field.expected.contains('\n'));
    let lines: BTreeSet<String> = fields
        .map(|field| format!("  {}: {} expected, {}", field.field, field.expected, field.observed))
        .collect();
    if lines.is_empty() && recording.agrees {
        return String::new();
    }
    let lines: Vec<String> = lines.into_iter().collect();
    format!("{}\n{}\n", recording.case, lines.join("\n"))
}

/// For each decision how many of its cases were answered as it says, by all recordings of a folder.
fn settled(folder: &Path) -> Result<String, String> {
    let mut decisions: BTreeMap<String, ([usize; 2], String)> = BTreeMap::new();
    for file in files(folder)? {
        let recording = Recording::read(&file)?;
        let is_borne_out = recording.bears_out();
        let Recording { expectation, observation, .. } = recording;
        let decision = expectation.decision.unwrap_or_else(|| "(the page)".to_owned());
        let (counts, last) = decisions.entry(decision).or_default();
        counts[usize::from(!is_borne_out)] += 1;
        *last = observation.date.max(std::mem::take(last));
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["decision", "as expected", "otherwise", "so it is", "last asked"]);
    for (decision, ([agreeing, differing], last)) in &decisions {
        let verdict = match (agreeing, differing) {
            (_, 0) => "borne out",
            (0, _) => "contradicted",
            _ => "contradicted in part",
        };
        let counts = [agreeing.to_string(), differing.to_string()];
        let [agreeing, differing] = counts;
        table.add_row([decision.clone(), agreeing, differing, verdict.to_owned(), last.clone()]);
    }
    Ok(format!("\n{table}\n"))
}

/// The recordings below a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
