//! A campaign: plays sequences until one fails, and shrinks that one.

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
use crate::error::{Error, Result};
use crate::judge::Rulebook;
use crate::signals::interrupted;
use crate::target::{ControlOptions, Remote, Target};
use crate::verify::end;

/// The time limit of an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How often a sequence with a race is played: it may pass by chance.
const RACES: usize = 8;

/// The endpoint to fuzz, and for how long.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The endpoint's URL.
    pub endpoint: String,
    /// The options for its control paths.
    pub control: ControlOptions,
    /// The keys of the worlds.
    pub keys: Keys,
    /// The seed of the first sequence. Each next sequence has the next seed.
    pub seed: u64,
    /// The approximate number of calls; `None` for no limit.
    pub calls: Option<u64>,
    /// The duration; `None` for no limit.
    pub time: Option<Duration>,
    /// The number of sequences at once.
    pub jobs: usize,
}

/// The result of a campaign.
#[derive(Clone, Debug)]
pub struct Report {
    /// The number of sequences, without those that shrink one.
    pub sequences: u64,
    /// The total number of calls.
    pub calls: u64,
    /// The number of each answer, by folder and code. A success is `Success`.
    pub met: BTreeMap<String, u64>,
    /// The errors of the contract that no call received.
    pub unmet: Vec<String>,
    /// The duration.
    pub time: Duration,
    /// The first failing sequence, shrunk.
    pub caught: Option<Caught>,
}

/// A failing sequence.
#[derive(Clone, Debug)]
pub struct Caught {
    /// The seed; `None` for a replayed sequence.
    pub seed: Option<u64>,
    /// The smallest failing sequence.
    pub plan: Plan,
    /// The failure.
    pub failure: Failure,
}

/// The state that the jobs of a campaign share.
struct Shared {
    campaign: Campaign,
    model: Model,
    offers: Arc<[Offer]>,
    /// The usual world, which the worlds of sequences vary.
    usual_world: Value,
    next: AtomicU64,
    begin: Instant,
    /// The number of calls, without those that shrink a sequence.
    calls: AtomicU64,
    /// The progress by time, or else by calls.
    progress: ProgressBar,
    met: Met,
    caught: OnceLock<Result<Caught>>,
    /// The signal that ends the campaign.
    signal: watch::Sender<Option<&'static str>>,
}

impl Campaign {
    /// Plays sequences until one fails or the limit is reached.
    ///
    /// # Errors
    ///
    /// The endpoint has no control paths, or does not answer.
    pub async fn run(&self, contract: &Contract) -> Result<Report> {
        let (remote, has_worlds) = self.remote().await?;
        let jobs = if has_worlds { self.jobs } else { 1 };
        let shared = Arc::new(self.shared(contract)?);
        let handle = Handle::current();
        // Each job blocks on its answers, so it has a thread.
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
            ended = ended.and(job.await);
        }
        watch.abort();
        // Wait until the task has dropped its reference.
        drop(watch.await);
        ended?;
        Arc::try_unwrap(shared).map_err(|_| "a job is still running")?.report()
    }

    /// Plays one sequence.
    pub async fn replay(&self, contract: &Contract, plan: Plan) -> Result<Report> {
        let (remote, has_worlds) = self.remote().await?;
        let shared = self.shared(contract)?;
        let remote = if has_worlds { remote.apart(&world_name(0)) } else { remote };
        let player = Player { remote, model: &shared.model, met: &shared.met };
        let failure = tokio::select! {
            failure = play(&player, &plan) => failure,
            signal = interrupted() => Err(format!("{signal} ended the campaign").into()),
        };
        end(&Target::Remote(player.remote), failure.is_err()).await;
        shared.next.fetch_add(1, Ordering::Relaxed);
        if let Some(failure) = failure? {
            drop(shared.caught.set(Ok(Caught { seed: None, plan, failure })));
        }
        shared.report()
    }

    async fn remote(&self) -> Result<(Remote, bool)> {
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

    #[expect(clippy::disallowed_methods, reason = "the duration of a campaign decides no verdict")]
    fn shared(&self, contract: &Contract) -> Result<Shared> {
        let (length, template) = match (self.time, self.calls) {
            (Some(time), _) => (Some(time.as_secs()), "{wide_bar} {pos} of {len} s, {msg}"),
            (None, Some(calls)) => {
                (Some(calls), "{wide_bar} {pos} of {len} calls in {elapsed}, {msg}")
            }
            (None, None) => (None, "{elapsed}, {msg}"),
        };
        let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).map_err(Error::other)?;
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

/// Plays a sequence, or a sequence with a race several times.
async fn play(player: &Player<'_>, plan: &Plan) -> Result<Option<Failure>> {
    let times = if plan.has_race() { RACES } else { 1 };
    for _ in 0..times {
        if let Some(failure) = player.play(plan).await? {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}

/// Shrinks a failing sequence until no simpler one fails.
async fn shrunk(player: &Player<'_>, mut caught: Caught, usual: &Value) -> Result<Caught> {
    loop {
        let mut is_simpler = false;
        let mut position = 0;
        // A simpler plan shifts the next candidate to the same position.
        while let Some(plan) = caught.plan.simpler(usual).into_iter().nth(position) {
            // An endpoint may refuse a simplified world.
            match play(player, &plan).await {
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
fn sequence(strategy: &BoxedStrategy<Plan>, seed: u64) -> Result<Plan> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tree = strategy.new_tree(&mut TestRunner::new_with_rng(Config::default(), rng));
    let tree = tree.map_err(|reason| format!("no sequence of seed {seed}: {reason}"))?;
    Ok(tree.current())
}

impl Shared {
    /// Plays sequences in one world until the campaign ends.
    fn work(&self, handle: &Handle, remote: Remote) {
        let player = Player { remote, model: &self.model, met: &self.met };
        let strategy = generate::plan(&self.offers, &self.campaign.keys);
        while !self.is_over() {
            let seed = self.campaign.seed.wrapping_add(self.next.fetch_add(1, Ordering::Relaxed));
            let caught = handle.block_on(async {
                tokio::select! {
                    biased;
                    signal = self.signalled() => Err(format!("{signal} ended the campaign").into()),
                    caught = self.one(&player, &strategy, seed) => caught,
                }
            });
            if let Some(caught) = caught.transpose() {
                // Only the first result counts.
                drop(self.caught.set(caught));
            }
        }
        let is_hurried = self.signal.borrow().is_some();
        handle.block_on(end(&Target::Remote(player.remote), is_hurried));
    }

    /// Resolves with the signal that ends the campaign.
    async fn signalled(&self) -> &'static str {
        let mut signal = self.signal.subscribe();
        // `self` holds the sender, so the wait ends with a signal.
        signal.wait_for(Option::is_some).await.ok().and_then(|signal| *signal).unwrap_or_default()
    }

    /// Plays the sequence of a seed, and shrinks it if it fails.
    async fn one(
        &self,
        player: &Player<'_>,
        strategy: &BoxedStrategy<Plan>,
        seed: u64,
    ) -> Result<Option<Caught>> {
        let plan = sequence(strategy, seed)?;
        self.calls.fetch_add(plan.calls() as u64, Ordering::Relaxed);
        self.show("no answer is wrong");
        let Some(failure) = player.play(&plan).await? else { return Ok(None) };
        self.show("an answer is wrong; shrinking the sequence");
        let caught = Caught { seed: Some(seed), plan, failure };
        shrunk(player, caught, &self.usual_world).await.map(Some)
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

    fn is_over(&self) -> bool {
        self.caught.get().is_some()
            || self.campaign.calls.is_some_and(|calls| self.calls() >= calls)
            || self.campaign.time.is_some_and(|time| self.begin.elapsed() >= time)
    }

    fn report(self) -> Result<Report> {
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
