//! Tries sequence after sequence, and shrinks the first that fails.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Keys;
use super::generate;
use super::model::Model;
use super::offers::{Offer, offers};
use super::plan::Plan;
use super::play::{Failure, Met, Player};
use super::scene::Scene;
use crate::client;
use crate::contract::Contract;
use crate::judge::Rulebook;
use crate::signals::interrupted;
use crate::target::{ControlOptions, Remote, Target};
use crate::verify::end;

/// How long an answer is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How often a sequence with a race is tried again, for it may go well by chance.
const RACES: usize = 8;

/// What is fuzzed, and for how long.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The endpoint's URL.
    pub endpoint: String,
    /// What its control paths demand.
    pub control: ControlOptions,
    /// The keys of the worlds.
    pub keys: Keys,
    /// The seed of the first sequence; each that follows has the next.
    pub seed: u64,
    /// How many calls are made, about; `None` for any number.
    pub calls: Option<u64>,
    /// How long it goes on; `None` for as long as it takes.
    pub time: Option<Duration>,
    /// How many sequences are tried at once.
    pub jobs: usize,
}

/// What was tried, and what was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many sequences were tried, those that shrink one not counted.
    pub sequences: u64,
    /// How many calls were made, all told.
    pub calls: u64,
    /// How often each answer was given, by folder and code; a success is `Success`.
    pub met: BTreeMap<String, u64>,
    /// The errors of the contract that no call was answered.
    pub unmet: Vec<String>,
    /// How long it took.
    pub time: Duration,
    /// The first sequence that failed, shrunk.
    pub caught: Option<Caught>,
}

/// A sequence that fails.
#[derive(Clone, Debug)]
pub struct Caught {
    /// The seed that it was made from; `None` if it was given.
    pub seed: Option<u64>,
    /// The smallest sequence found that fails.
    pub plan: Plan,
    /// What is wrong.
    pub failure: Failure,
}

/// What the jobs of a campaign share.
struct Shared {
    campaign: Campaign,
    model: Model,
    offers: Arc<[Offer]>,
    /// What the worlds of sequences differ from.
    usual_world: Value,
    next: AtomicU64,
    begin: Instant,
    /// How many calls were made, those that shrink a sequence left out.
    calls: AtomicU64,
    /// Shows how much of the time is over, or else of the calls.
    progress: ProgressBar,
    met: Met,
    caught: OnceLock<Result<Caught, String>>,
    /// The signal that ends the campaign, once there is one.
    signal: watch::Sender<Option<&'static str>>,
}

impl Campaign {
    /// Tries sequences until one fails or it was enough.
    ///
    /// # Errors
    ///
    /// The endpoint cannot be fuzzed, or is gone.
    pub async fn run(&self, contract: &Contract) -> Result<Report, String> {
        let (remote, has_worlds) = self.remote().await?;
        let jobs = if has_worlds { self.jobs } else { 1 };
        let shared = Arc::new(self.shared(contract)?);
        let handle = Handle::current();
        // Proptest's engine waits for each answer, so each job has a thread.
        let jobs = (0..jobs).map(|job| {
            let (shared, handle) = (Arc::clone(&shared), handle.clone());
            let remote = if has_worlds { remote.apart(&world_name(job)) } else { remote.clone() };
            tokio::task::spawn_blocking(move || shared.work(&handle, remote))
        });
        let signalled = Arc::clone(&shared);
        let watch = tokio::spawn(async move {
            signalled.signal.send_replace(Some(interrupted().await));
        });
        let mut ended = Ok(());
        for job in jobs.collect::<Vec<_>>() {
            ended = ended.and(job.await.map_err(|error| error.to_string()));
        }
        watch.abort();
        // It may hold its part for a moment yet.
        drop(watch.await);
        ended?;
        Arc::try_unwrap(shared).map_err(|_| "a job goes on".to_owned())?.report()
    }

    /// Plays one sequence that is given.
    ///
    /// # Errors
    ///
    /// See [`Campaign::run`].
    pub async fn replay(&self, contract: &Contract, plan: Plan) -> Result<Report, String> {
        let (remote, has_worlds) = self.remote().await?;
        let shared = self.shared(contract)?;
        let remote = if has_worlds { remote.apart(&world_name(0)) } else { remote };
        let player = Player { remote, model: &shared.model, met: &shared.met };
        let failure = tokio::select! {
            failure = again(&player, &plan) => failure,
            signal = interrupted() => Err(format!("{signal} ended the campaign")),
        };
        end(&Target::Remote(player.remote), failure.is_err()).await;
        shared.next.fetch_add(1, Ordering::Relaxed);
        if let Some(failure) = failure? {
            drop(shared.caught.set(Ok(Caught { seed: None, plan, failure })));
        }
        shared.report()
    }

    async fn remote(&self) -> Result<(Remote, bool), String> {
        let remote =
            Remote::new(&self.endpoint, Some(ANSWER_TIME_MAX))?.controlled_by(&self.control);
        let has_worlds = remote.has_worlds().await?;
        if !has_worlds {
            let read = remote.control(reqwest::Method::GET, "world", "").await;
            let fail = |error| {
                format!(
                    "{}: it cannot be fuzzed, for it has no control paths like local-endpoint's \
                     to set and read its world: {error}",
                    self.endpoint
                )
            };
            read.map_err(fail)?;
        }
        Ok((remote, has_worlds))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long to go on is the command's own question"
    )]
    fn shared(&self, contract: &Contract) -> Result<Shared, String> {
        let (length, template) = match (self.time, self.calls) {
            (Some(time), _) => (Some(time.as_secs()), "{wide_bar} {pos} of {len} s, {msg}"),
            (None, Some(calls)) => {
                (Some(calls), "{wide_bar} {pos} of {len} calls in {elapsed}, {msg}")
            }
            (None, None) => (None, "{elapsed}, {msg}"),
        };
        let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).map_err(|error| error.to_string())?;
        progress.set_style(style);
        let rules = Rulebook::read(contract)?;
        Ok(Shared {
            campaign: self.clone(),
            offers: offers(&rules.operations, &contract.cases()?),
            model: Model::of(rules)?,
            usual_world: Scene::of(&self.keys).world,
            next: AtomicU64::new(0),
            begin: Instant::now(),
            calls: AtomicU64::new(0),
            progress,
            met: Met::default(),
            caught: OnceLock::new(),
            signal: watch::Sender::new(None),
        })
    }
}

fn world_name(job: usize) -> String {
    format!("fuzz-{}-{job}", client::fresh_nonce())
}

/// Plays a sequence; one with a race several times.
async fn again(player: &Player<'_>, plan: &Plan) -> Result<Option<Failure>, String> {
    let times = if plan.has_race() { RACES } else { 1 };
    for _ in 0..times {
        if let Some(failure) = player.play(plan).await? {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}

/// Leaves out of a failing sequence all that it fails without, so that nothing more can be left out.
async fn simplest(
    player: &Player<'_>,
    mut caught: Caught,
    usual: &Value,
) -> Result<Caught, String> {
    loop {
        let mut is_simpler = false;
        let mut position = 0;
        // What follows what was left out comes to the same position.
        while let Some(plan) = caught.plan.simpler(usual).into_iter().nth(position) {
            // A world may be none without something.
            match again(player, &plan).await {
                Ok(Some(failure)) => {
                    caught = Caught { plan, failure, ..caught };
                    is_simpler = true;
                }
                Ok(None) | Err(_) => position += 1,
            }
        }
        if !is_simpler {
            return Ok(caught);
        }
    }
}

/// The sequence of a seed.
fn sequence(strategy: &BoxedStrategy<Plan>, seed: u64) -> Result<Plan, String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tree = strategy.new_tree(&mut TestRunner::new_with_rng(Config::default(), rng));
    let tree = tree.map_err(|reason| format!("no sequence of seed {seed}: {reason}"))?;
    Ok(tree.current())
}

impl Shared {
    /// Tries sequences in a world until it is over.
    fn work(&self, handle: &Handle, remote: Remote) {
        let player = Player { remote, model: &self.model, met: &self.met };
        let strategy = generate::plan(&self.offers, &self.campaign.keys);
        while !self.is_enough() {
            let seed = self.campaign.seed.wrapping_add(self.next.fetch_add(1, Ordering::Relaxed));
            let caught = handle.block_on(async {
                tokio::select! {
                    biased;
                    signal = self.signalled() => Err(format!("{signal} ended the campaign")),
                    caught = self.one(&player, &strategy, seed) => caught,
                }
            });
            if let Some(caught) = caught.transpose() {
                // Only the first counts.
                drop(self.caught.set(caught));
            }
        }
        let is_hurried = self.signal.borrow().is_some();
        handle.block_on(end(&Target::Remote(player.remote), is_hurried));
    }

    /// Resolves with the signal that ends the campaign.
    async fn signalled(&self) -> &'static str {
        let mut signal = self.signal.subscribe();
        // The sender is here, so there is one at last.
        signal.wait_for(Option::is_some).await.ok().and_then(|signal| *signal).unwrap_or_default()
    }

    /// Tries the sequence of a seed, and shrinks it if it fails.
    async fn one(
        &self,
        player: &Player<'_>,
        strategy: &BoxedStrategy<Plan>,
        seed: u64,
    ) -> Result<Option<Caught>, String> {
        let plan = sequence(strategy, seed)?;
        self.calls.fetch_add(plan.calls() as u64, Ordering::Relaxed);
        self.show("none is wrong");
        let Some(failure) = player.play(&plan).await? else { return Ok(None) };
        self.show("one is wrong, and is made smaller");
        let caught = Caught { seed: Some(seed), plan, failure };
        simplest(player, caught, &self.usual_world).await.map(Some)
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn show(&self, found: &str) {
        let calls = self.calls();
        if self.campaign.time.is_some() {
            self.progress.set_position(self.begin.elapsed().as_secs());
            self.progress.set_message(format!("{calls} calls, {found}"));
        } else {
            self.progress.set_position(calls);
            self.progress.set_message(found.to_owned());
        }
    }

    fn is_enough(&self) -> bool {
        self.caught.get().is_some()
            || self.campaign.calls.is_some_and(|calls| self.calls() >= calls)
            || self.campaign.time.is_some_and(|time| self.begin.elapsed() >= time)
    }

    fn report(self) -> Result<Report, String> {
        self.progress.finish_and_clear();
        let caught = self.caught.into_inner().transpose()?;
        let met = self.met.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all =
            self.model.rules.operations.errors().filter(|(_, row)| row.not_applicable.is_none());
        let all = all.map(|(folder, row)| format!("{folder}/{}", row.code));
        let unmet = all.filter(|answer| !met.contains_key(answer)).collect();
        Ok(Report {
            sequences: self.next.into_inner(),
            calls: met.values().sum(),
            unmet,
            met,
            time: self.begin.elapsed(),
            caught,
        })
    }
}
