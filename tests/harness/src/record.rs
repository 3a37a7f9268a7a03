//! `contract record`: calls an endpoint, and records its answers beside the expected ones.

mod recording;
mod redaction;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::client::{now_secs, timestamp};
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::error::{At as _, Result, bail};
use crate::file::write_in_folders;
use crate::json;
use crate::list::Chosen;
use crate::shown;
use crate::verify::{Place, Plan, Roles, Trial, Variants, Where, notes, run_cases};
use recording::{Observation, Recording};
use redaction::Redaction;

/// Calls an endpoint with the chosen cases, and writes a file for each: the actual and the expected
/// answers, the date, the host, and whether the page or a decision is the source of the expectation.
///
/// A recording is evidence for decisions: the summary shows for each decision how many of its cases were
/// answered as expected. Keys, signatures, accounts, addresses and ids other than the cases' own are never
/// written; placeholders replace them.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    variants: Variants,
    /// The number of cases at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Also try cases that change something. Purchases are released afterwards
    #[arg(long)]
    allow_purchases: bool,
    /// The folder of the recordings, which has a subfolder for each host
    #[arg(long, value_name = "DIR", default_value = "recordings")]
    output: PathBuf,
}

const AFTER_HELP: &str = "\
The files fit contracts/common/schemas/recording.json. A later recording of a host replaces an
earlier one of the same cases only. The summary covers all recordings in the host's folder.

Example:
  contract record --endpoint https://vpc.cn-hangzhou.aliyuncs.com --region cn-hangzhou \\
    --case 'IllegalParam.*' --case 'Missing*'

Exit codes: 0 every answer is as expected, 1 an answer is not, 2 the command failed, 3 usage.";

/// Runs `contract record`.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome> {
    let cases = options.chosen.cases(&contract)?;
    let (place, caller) = options.place.find(&contract).await?;
    let host = host(&place);
    let folder = options.output.join(host.replace([':', '/'], "_"));
    std::fs::create_dir_all(&folder).at(folder.display())?;
    let roles = Roles::read(&contract)?;
    let plan = Plan {
        bindings: roles.bindings(&options.place.bindings)?,
        roles,
        caller: caller.clone(),
        variants: options.variants,
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
    text.push_str(&notes(&run));
    text.push_str(&settled(&folder)?);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{written} recordings written to {}", folder.display());
    print(&text)?;
    if written == 0 {
        bail!("no case could be tried");
    }
    Ok(match run.outcome() {
        Outcome::Unjudged => Outcome::Unjudged,
        Outcome::Holds | Outcome::Fails if is_expected => Outcome::Holds,
        Outcome::Holds | Outcome::Fails => Outcome::Fails,
    })
}

/// The name of the host.
fn host(place: &Place) -> String {
    match place {
        Place::Apart(remote) | Place::Given(remote) => remote.authority().to_owned(),
        Place::Function(_) => "function".to_owned(),
        Place::InProcess => "in-process".to_owned(),
    }
}

/// The file of a case's recording: `IllegalParam.Bandwidth/letters.json`, below the host's folder.
fn file(folder: &Path, case: &str) -> PathBuf {
    folder.join(case.replacen("/cases/", "/", 1))
}

fn write(file: &Path, recording: &Recording) -> Result<()> {
    let text = json::pretty(recording)?;
    Redaction::check(&text).at(file.display())?;
    write_in_folders(file, text.as_bytes())
}

/// The differences from the expected answers, without repetition.
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

/// The table of decisions by all recordings of a folder: how many cases were answered as expected.
fn settled(folder: &Path) -> Result<String> {
    let mut decisions: BTreeMap<String, ([usize; 2], String)> = BTreeMap::new();
    for file in files(folder)? {
        let recording = Recording::read(&file)?;
        let is_confirmed = recording.confirms();
        let Recording { expectation, observation, .. } = recording;
        let decision = expectation.decision.unwrap_or_else(|| "(the page)".to_owned());
        let (counts, last) = decisions.entry(decision).or_default();
        counts[usize::from(!is_confirmed)] += 1;
        *last = observation.date.max(std::mem::take(last));
    }
    let mut table =
        shown::table(["decision", "as expected", "otherwise", "so it is", "last recorded"]);
    for (decision, ([agreeing, differing], last)) in &decisions {
        let verdict = match (agreeing, differing) {
            (_, 0) => "confirmed",
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
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).at(folder.display())? {
        let path = entry.at(folder.display())?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
