//! `contract fuzz`: generates sequences of calls, and compares an endpoint's answers with those of a small
//! model of the contract.
//!
//! The model reads the checking orders, codes, statuses, messages and conditions of errors from the
//! contract's files. It shares no code with `functions/`. A failing sequence is shrunk to the smallest that
//! still fails.

mod campaign;
mod check;
mod gate;
mod generate;
mod model;
mod of_case;
mod offers;
mod plan;
mod play;
mod report;
mod scene;

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::error::Result;
use crate::target::ControlOptions;

pub use campaign::{Campaign, Caught, Report};
pub use model::{Expected, Found, Model, State};
pub use of_case::CASES_SECS;
pub use plan::{Call, Encoding, Plan, Step};
pub use play::Failure;

/// The default number of calls.
const CALLS: u64 = 20_000;

/// Generates sequences of valid and nearly valid calls (replays, mismatches, races, dry runs, other accounts,
/// waits), and compares every answer and the state after it with a model of the contract. The first failing
/// sequence is shrunk to the smallest that still fails.
///
/// The control paths of `local-endpoint` set the worlds; where the endpoint has separate worlds, each job has
/// its own. An endpoint without control paths cannot be fuzzed.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// The endpoint's URL, like <http://127.0.0.1:8787>
    #[arg(long, value_name = "URL")]
    endpoint: String,
    #[command(flatten)]
    control: ControlOptions,
    /// The access key of the account that makes most calls
    #[arg(long, value_name = "ID", default_value = "testid")]
    access_key_id: String,
    /// The secret of every access key in the worlds
    #[arg(long, value_name = "SECRET", default_value = "testsecret", hide_default_value = true)]
    access_key_secret: String,
    /// The approximate number of calls [default: 20000, unless --seconds is given]
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// The duration, in seconds
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// The seed of the sequences: the same seed gives the same sequences [default: random]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The number of sequences at once, each in a separate world
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// Try one sequence only: a file, or JSON text
    #[arg(long, value_name = "FILE", conflicts_with_all = ["calls", "seconds", "seed"])]
    replay: Option<String>,
    /// The file for the smallest failing sequence
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  contract fuzz --endpoint http://127.0.0.1:8787
  contract fuzz --endpoint http://127.0.0.1:8787 --seconds 600 --save failing.json
  contract fuzz --endpoint http://127.0.0.1:8787 --replay failing.json

Exit codes: 0 every answer is right, 1 an answer is wrong, 2 the endpoint could not be fuzzed, 3 usage.";

/// The access key of the first account, and the secret of every key.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

/// Runs `contract fuzz`.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome> {
    let Options { endpoint, access_key_id, access_key_secret, calls, seconds, .. } = options;
    // The keys of the standard library's hash maps are random.
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let calls = if seconds.is_none() { calls.or(Some(CALLS)) } else { calls };
    let campaign = Campaign {
        endpoint,
        control: options.control,
        keys: Keys { id: access_key_id, secret: access_key_secret },
        seed,
        calls,
        time: seconds.map(Duration::from_secs),
        jobs: options.jobs.max(1),
    };
    let report = if let Some(place) = &options.replay {
        campaign.replay(&contract, Plan::open(place)?).await?
    } else {
        print(&format!("fuzzing {} with --seed {seed}\n", campaign.endpoint))?;
        campaign.run(&contract).await?
    };
    print(&report::text(&report, &campaign.endpoint))?;
    let Some(caught) = &report.caught else { return Ok(Outcome::Holds) };
    if let Some(path) = &options.save {
        report::save(&caught.plan, path)?;
        print(&format!("written to {}\n", path.display()))?;
    }
    Ok(Outcome::Fails)
}
