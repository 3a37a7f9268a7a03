//! `contract verify`: tries the cases on an endpoint, and judges its answers.

mod causes;
mod difference;
mod given;
mod place;
mod propose;

mod report;
mod roles;
mod run;
mod runner;
mod snapshot;
mod stop;
mod texts;
mod trial;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::case::{Style, Variant};
use crate::command::Outcome;
use crate::contract::Contract;
use crate::error::{At as _, Error, Result, bail};
use crate::judge::{Finding, Judged, expected_format};
use crate::lint::unused_snapshots;
use crate::list::Chosen;
use report::{Report, Reports};

pub(crate) use report::{annotation, notes};

pub use difference::Differences;
pub(crate) use difference::parts;
pub use place::{Place, Where};
pub use roles::{Bound, Caller, Roles};
pub use run::Run;
pub(crate) use runner::{Plan, end, run as run_cases};
pub use snapshot::{
    answer, judge_reviewed, own_path, path as snapshot_path, reviewed, shared_path,
};
pub use trial::{Answered, NotRun, Status, Trial};

/// Tries the cases on an endpoint and judges every answer: status, code, message, schema, headers, the
/// reviewed snapshot with ids matched by reference, and the state afterwards.
///
/// Everything is judged unless --lenient excludes it. If the endpoint has the control paths of
/// `local-endpoint`, each job sets separate worlds, so that simultaneous runs do not interfere. If it has
/// none (the cloud, a deployed function), cases that need no state are tried as they are, other cases need
/// real ids by --bind, and cases that cannot be tried are listed with the reason.
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
    #[arg(long, value_name = "N", default_value_t = 8)]
    jobs: usize,
    /// Stop after N answers that do not hold or could not be judged
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_failures: Option<usize>,
    /// Also try cases that change something. Purchases are released afterwards
    #[arg(long)]
    allow_purchases: bool,
    /// Write each answer that differs from the reviewed one as ….snap.new beside that, for `cargo insta
    /// review` or to be renamed to ….snap. Removes the proposals of cases that hold. Needs --contracts with
    /// a folder
    #[arg(long)]
    propose: bool,
    /// Exclude this from the judgement; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    lenient: Vec<Leniency>,
    /// Fail an answer that has the same meaning as the reviewed one but another spelling
    #[arg(long)]
    exact: bool,
    /// Write a report: junit=FILE, json=FILE, html=FILE, github=FILE for annotations, or codequality=FILE for
    /// GitLab; - is standard output
    #[arg(long, value_name = "KIND=FILE", value_delimiter = ',', value_parser = Report::parse)]
    report: Vec<Report>,
}

const AFTER_HELP: &str = "\
Roles for --bind: ipv6-free, ipv6-unattached, ipv6-taken, ipv6-single-isp, ipv6-pending, ipv6-ula,
ipv6-private-gua, ipv6-cloud-instance; with ipv6gw in place of ipv6, the gateway of the address's VPC.
The roles.json of an operation's folder defines each role.

Examples:
  contract verify --endpoint http://127.0.0.1:8787
  contract verify --endpoint http://127.0.0.1:8787 --case 'IllegalParam.*' --signature V3
  contract verify --endpoint https://vpc.cn-hangzhou.aliyuncs.com --region cn-hangzhou \\
    --bind ipv6-free=ipv6-bp1xxxx --bind ipv6gw-free=ipv6gw-bp1xxxx --report junit=verdict.xml

A broken connection or a late answer is an error, not a failure. A run gives up if its first 10
answers (with more than 5 jobs: twice the number of jobs) are errors, or after 50 errors in a row.
SIGINT, SIGTERM and SIGHUP end a run within seconds: purchases are released, worlds are dropped, and
reports of the judged answers are written.

Exit codes: 0 all cases hold, 1 some do not hold, 2 all judged cases hold but some could not be
judged or the run was interrupted, 3 usage.";

/// The variants of each case to try.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Variants {
    /// The signatures to try
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    signature: Signature,
    /// The formats to try
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    format: Format,
}

impl Variants {
    /// Whether this variant is to be tried.
    fn include(self, variant: &Variant) -> bool {
        self.signature.includes(variant.style) && self.format.includes(expected_format(variant))
    }
}

/// The signatures to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Signature {
    /// HMAC-SHA1 over all parameters
    #[value(name = "V1")]
    V1,
    /// ACS3-HMAC-SHA256, and ACS3-HMAC-SM3 where a case names it
    #[value(name = "V3")]
    V3,
    /// Both
    #[default]
    Both,
}

impl Signature {
    fn includes(self, style: Style) -> bool {
        match self {
            Self::V1 => !style.is_v3(),
            Self::V3 => style.is_v3(),
            Self::Both => true,
        }
    }
}

/// The formats to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON
    #[value(name = "JSON")]
    Json,
    /// XML
    #[value(name = "XML")]
    Xml,
    /// Both
    #[default]
    Both,
}

impl Format {
    fn includes(self, format: &str) -> bool {
        match self {
            Self::Json => format == "JSON",
            Self::Xml => format == "XML",
            Self::Both => true,
        }
    }
}

/// The parts that --lenient can exclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Leniency {
    /// The reviewed snapshot
    Snapshot,
    /// Every header but the content type
    Headers,
    /// The messages
    Message,
    /// The `Recommend` link of an error
    Recommend,
    /// The `HostId` of an error
    HostId,
    /// The state afterwards
    State,
}

impl Leniency {
    /// Whether a finding is excluded. A leaked secret never is.
    fn covers(self, finding: &Finding) -> bool {
        let place = &finding.place;
        let is_covered = match self {
            Self::Snapshot => [Judged::Snapshot, Judged::Bytes].contains(&finding.by),
            Self::Headers => place.is_in("header") && !place.is_in("header/content-type"),
            Self::Message => place.is_in("body/Message"),
            Self::Recommend => place.is_in("body/Recommend"),
            Self::HostId => place.is_in("body/HostId"),
            Self::State => place.is_in("state"),
        };
        is_covered && finding.by != Judged::Secrecy
    }

    fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Headers => "headers",
            Self::Message => "message",
            Self::Recommend => "recommend",
            Self::HostId => "host-id",
            Self::State => "state",
        }
    }
}

/// Reads a number of one or more.
fn at_least_one(text: &str) -> Result<usize> {
    let number = text.parse::<NonZeroUsize>().map_err(Error::other)?;
    Ok(number.get())
}

/// Runs `contract verify`.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome> {
    let cases = options.chosen.cases(&contract)?;
    let lenient: BTreeSet<Leniency> = options.lenient.iter().copied().collect();
    let (place, caller) = options.place.find(&contract).await?;
    let roles = Roles::read(&contract)?;
    let plan = Plan {
        bindings: roles.bindings(&options.place.bindings)?,
        roles,
        caller,
        variants: options.variants,
        lenient,
        is_exact: options.exact,
        jobs: options.jobs.max(1),
        failures_max: options.max_failures,
        allow_purchases: options.allow_purchases,
    };
    let folder = PathBuf::from(contract.origin());
    if options.propose && !folder.is_dir() {
        bail!("--propose: it needs a folder to write to; name one with --contracts");
    }
    let reports = Reports::open(&options.report, &folder)?;
    let contract = Arc::new(contract);
    let mut run = run_cases(Arc::clone(&contract), cases, place, plan).await?;
    run.unused = unused_snapshots(&contract);
    let settled = if options.propose { run.settled(&contract)? } else { Vec::new() };
    run.unused.retain(|(path, _)| !settled.contains(path));
    report::print(&run, &reports)?;
    let proposed = if options.propose {
        propose(&mut run, &settled, &folder, &contract, &reports)
    } else {
        Ok(())
    };
    // Reports are written even if the folder cannot be written to.
    reports.write(&run)?;
    proposed?;
    if run.trials.is_empty() && run.stopped.is_none() {
        bail!("no case could be tried");
    }
    Ok(run.outcome())
}

/// Writes the proposals, and removes those that are no longer needed.
fn propose(
    run: &mut Run,
    settled: &[String],
    folder: &Path,
    contract: &Contract,
    reports: &Reports,
) -> Result<()> {
    for path in settled {
        let file = folder.join(path);
        std::fs::remove_file(&file).at(file.display())?;
        reports.say(&format!("removed: {}/{path}\n", contract.origin()))?;
    }
    for file in std::mem::take(&mut run.proposed).write(folder, contract)? {
        reports.say(&format!("proposed: {file}\n"))?;
    }
    Ok(())
}
