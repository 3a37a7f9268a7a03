//! `contract fuzz`: makes up calls and sequences of calls, and compares the answers of an endpoint
//! with those of a small model of the contract.
//!
//! The model takes orders, codes, statuses, messages and what each error applies to from the contract's
//! files, and knows nothing of the code under `functions/`. A sequence that fails is shrunk to the
//! smallest that still does.

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
use crate::target::ControlOptions;

pub use campaign::{Campaign, Caught, Report};
pub use model::{Expected, Found, Model, State};
pub use of_case::CASES_SECS;
pub use plan::{Call, Encoding, Plan, Step};
pub use play::Failure;

/// How many calls are made if nothing is said.
const CALLS: u64 = 20_000;

/// Makes up calls and sequences of calls (replays, mismatches, races, dry runs, other accounts, time
/// that passes), valid and nearly valid, and compares every answer, and the state after it, with a
/// model of the contract. The first sequence that fails is shrunk to the smallest that does.
///
/// The worlds that calls are made in are set by the control paths of `local-endpoint`, apart from any
/// other where the endpoint has worlds apart; an endpoint without control paths cannot be fuzzed.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Options {
    /// Where the operation is, as <http://127.0.0.1:8787>
    #[arg(long, value_name = "URL")]
    endpoint: String,
    #[command(flatten)]
    control: ControlOptions,
    /// The access key of the account that most calls are made for
    #[arg(long, value_name = "ID", default_value = "testid")]
    access_key_id: String,
    /// The secret of all keys of the worlds
    #[arg(long, value_name = "SECRET", default_value = "testsecret", hide_default_value = true)]
    access_key_secret: String,
    /// How many calls to make, about [default: 20000, if --seconds says nothing]
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// How long to go on
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// What the sequences are made from: the same seed, the same sequences [default: a new one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many sequences are tried at once, each in a world of its own
    #[arg(long, value_name = "N", default_value_t = 4)]
    jobs: usize,
    /// Try only the sequence in this file, or this one in JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["calls", "seconds", "seed"])]
    replay: Option<String>,
    /// Where to write the smallest sequence that fails
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  contract fuzz --endpoint http://127.0.0.1:8787
  contract fuzz --endpoint http://127.0.0.1:8787 --seconds 600 --save failing.json
  contract fuzz --endpoint http://127.0.0.1:8787 --replay failing.json

Exit codes: 0 every answer is right, 1 one is not, 2 it could not be run, 3 usage.";

/// The access key of the first account, and the secret of all keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key's id.
    pub id: String,
    /// The secret.
    pub secret: String,
}

/// Fuzzes an endpoint.
///
/// # Errors
///
/// It could not be done.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome, String> {
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
