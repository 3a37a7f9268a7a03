//! Tries cases in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::given::{Purchase, undo_all};
use super::place::Place;
use super::propose::Proposed;
use super::roles::{Bound, Caller, Roles};
use super::run::Run;
use super::snapshot::judge_reviewed;
use super::stop::{Reason, Stop};
use super::trial::{Answered, NotRun, Trial, again};
use super::{Leniency, Variants};
use crate::case::{Case, Request, Variant};
use crate::client::now_secs;
use crate::command::print_error;
use crate::contract::Contract;
use crate::error::{Error, Result, bail};
use crate::judge::{Findings, Judged, Rulebook, expected_format, judge};
use crate::operations::Operation;
use crate::signals::interrupted;
use crate::target::{PLANNED_PANIC, Target};

/// The time limit for dropping the worlds of an interrupted run.
const END_TIME_MAX: Duration = Duration::from_secs(2);

/// The settings of a run.
pub(crate) struct Plan {
    pub(crate) roles: Roles,
    pub(crate) bindings: BTreeMap<String, String>,
    /// The caller, where worlds cannot be set.
    pub(crate) caller: Option<Caller>,
    pub(crate) variants: Variants,
    pub(crate) lenient: BTreeSet<Leniency>,
    /// Whether an answer fails for its spelling alone.
    pub(crate) is_exact: bool,
    pub(crate) jobs: usize,
    /// The number of trials that do not hold after which the run stops.
    pub(crate) failures_max: Option<usize>,
    pub(crate) allow_purchases: bool,
}

/// A case to try.
struct Item {
    bound: Bound,
    variants: Vec<Variant>,
}

/// The state that all workers share.
struct Shared {
    contract: Arc<Contract>,
    place: Place,
    plan: Plan,
    rules: Rulebook,
    stop: Stop,
    progress: ProgressBar,
    found: Mutex<(Vec<Trial>, Vec<NotRun>, Vec<Purchase>)>,
    proposed: Mutex<Proposed>,
}

/// Tries the cases.
pub(crate) async fn run(
    contract: Arc<Contract>,
    cases: Vec<Case>,
    place: Place,
    plan: Plan,
) -> Result<Run> {
    let start = now();
    if matches!(place, Place::InProcess) {
        keep_planned_panics_quiet();
    }
    let rules = Rulebook::read(&contract)?;
    let (mut items, mut writing, mut not_run) = (Vec::new(), Vec::new(), Vec::new());
    for case in cases {
        let path = case.path.clone();
        match item(case, &place, &plan, &rules) {
            Ok(item) if plan.caller.is_some() && writes(&item.bound.case, &rules) => {
                writing.push(item);
            }
            Ok(item) => items.push(item),
            Err(reason) => not_run.push(NotRun { case: path, reason: reason.into() }),
        }
    }
    let reads_state = !matches!(place, Place::Given(_) | Place::Function(_));
    let jobs = plan.jobs;
    // Cases that write run one at a time: each is undone before the next.
    let phases = [(Arc::new(items), jobs), (Arc::new(writing), 1)];
    let all = || phases.iter().flat_map(|(items, _)| items.iter());
    let progress = ProgressBar::new(all().map(|item| item.variants.len() as u64).sum());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} answers, {msg}");
    progress.set_style(style.map_err(Error::other)?);
    let shared = Arc::new(Shared {
        contract,
        place,
        stop: Stop::new(plan.failures_max, jobs),
        plan,
        rules,
        progress,
        found: Mutex::new((Vec::new(), not_run, Vec::new())),
        proposed: Mutex::default(),
    });
    let watched = Arc::clone(&shared);
    let watch = tokio::spawn(async move { watched.stop.now(Reason::Signal(interrupted().await)) });
    for (items, jobs) in &phases {
        work(&shared, items, *jobs).await?;
    }
    watch.abort();
    // Wait until the task has dropped its reference.
    drop(watch.await);
    let shared = Arc::into_inner(shared).ok_or("a worker is still running")?;
    shared.progress.finish_and_clear();
    let Shared { contract, place, plan, stop, found, proposed, .. } = shared;
    let (mut trials, mut not_run, purchases) =
        found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stopped = stop.reason().map(|reason| reason.to_string());
    if let Some(reason) = &stopped {
        let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
        for trial in &trials {
            *tried.entry(&trial.case).or_default() += 1;
        }
        let rest = all().filter(|Item { bound, variants }| {
            tried.get(&*bound.case.path).is_none_or(|tried| *tried < variants.len())
        });
        not_run.extend(
            rest.map(|item| NotRun { case: item.bound.case.path.clone(), reason: reason.clone() }),
        );
    }
    trials.sort_by_cached_key(|trial| (trial.case.clone(), trial.variant.style, trial.format));
    not_run.sort_by(|one, other| one.case.cmp(&other.case));
    let mut run = Run {
        place: place.option(),
        proxy: place.proxy().map(str::to_owned),
        contract: contract.origin().to_owned(),
        version: contract.version(),
        lenient: plan.lenient.iter().map(|leniency| leniency.name()).collect(),
        is_exact: plan.is_exact,
        reads_state,
        trials,
        not_run,
        stopped,
        purchases,
        unused: Vec::new(),
        proposed: proposed.into_inner().unwrap_or_else(PoisonError::into_inner),
        time: start.elapsed(),
    };
    run.blot();
    Ok(run)
}

/// Hides the messages of panics that cases plan.
fn keep_planned_panics_quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(PLANNED_PANIC) {
            usual(panic);
        }
    }));
}

/// Whether trying a case changes something.
fn writes(case: &Case, rules: &Rulebook) -> bool {
    let of = |request: &Request| {
        let operation = rules.operations.get(&request.action);
        operation.is_some_and(Operation::writes) && !request.is_dry_run()
    };
    case.demanded.status == 200 && of(&case.request) || case.before.iter().any(of)
}

/// The case as it is tried at a place, or the reason why it is not tried.
fn item(case: Case, place: &Place, plan: &Plan, rules: &Rulebook) -> Result<Item> {
    let mut variants = case.variants();
    variants.retain(|variant| plan.variants.include(variant));
    if variants.is_empty() {
        bail!("it has no variant with the requested signature and format");
    }
    if case.fault.is_some() && matches!(place, Place::Function(_)) {
        bail!("its store must fail, which needs control paths");
    }
    let bound = match &plan.caller {
        None => Bound { case, real: Vec::new() },
        Some(caller) => {
            if writes(&case, rules) && !plan.allow_purchases {
                bail!("it changes something, which needs --allow-purchases");
            }
            let requests = case.before.iter().chain([&case.request]);
            let mut operations =
                requests.filter_map(|request| rules.operations.get(&request.action));
            if writes(&case, rules) && operations.any(|it| it.writes() && it.undo.is_none()) {
                bail!("it changes something that no call can undo");
            }
            let operation = rules.operations.get(&case.request.action);
            if case.demanded.status == 200 && operation.is_some_and(|it| it.lists.is_some()) {
                bail!("it lists everything in its account");
            }
            plan.roles.bind(&case, caller, &plan.bindings)?
        }
    };
    Ok(Item { bound, variants })
}

/// Tries items with `jobs` workers.
async fn work(shared: &Arc<Shared>, items: &Arc<Vec<Item>>, jobs: usize) -> Result<()> {
    let folder = Arc::new(TempDir::new()?);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..jobs.min(items.len()) {
        let (shared, items) = (Arc::clone(shared), Arc::clone(items));
        let (folder, next) = (Arc::clone(&folder), Arc::clone(&next));
        workers.spawn(async move {
            let mut target = shared.place.target(worker, &folder)?;
            while shared.stop.reason().is_none()
                && let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed))
            {
                shared.try_item(item, &mut target).await;
            }
            Ok::<_, String>(target)
        });
    }
    let mut targets = Vec::new();
    while let Some(target) = workers.join_next().await {
        targets.push(target??);
    }
    let is_hurried = shared.stop.reason().is_some();
    let ends = targets.iter().map(|target| end(target, is_hurried));
    join_all(ends).await;
    Ok(())
}

/// Drops the world of a target. A world that stays is not a verdict, so standard error reports it.
pub(crate) async fn end(target: &Target, is_hurried: bool) {
    let Target::Remote(remote) = target else { return };
    let time_max = if is_hurried { END_TIME_MAX } else { Duration::MAX };
    let ended = timeout(time_max, remote.end()).await;
    if let Err(why) = ended.unwrap_or_else(|_| Err("no answer in time".into())) {
        let name = remote.world_name();
        print_error(&format!("left at the endpoint: the world {name}: {why}"));
    }
}

impl Shared {
    async fn try_item(&self, item: &Item, target: &mut Target) {
        let Item { bound, variants } = item;
        for variant in variants {
            if self.stop.reason().is_some() {
                break;
            }
            let start = now();
            let format = expected_format(variant);
            let (mut undo, mut answered) = (Vec::new(), None);
            let verdict = tokio::select! {
                biased;
                () = self.stop.signalled() => None,
                verdict =
                    judge(&bound.case, variant, target, &self.rules, now_secs(), &mut undo) =>
                    Some(verdict),
            };
            let is_unanswered = verdict.as_ref().is_none_or(Result::is_err);
            let purchases = match &self.plan.caller {
                None => Vec::new(),
                Some(caller) => {
                    let mut purchases =
                        undo_all(target, caller, &bound.case.path, undo, &self.stop).await;
                    if is_unanswered && writes(&bound.case, &self.rules) {
                        purchases.push(Purchase::unknown(&bound.case));
                    }
                    purchases
                }
            };
            if purchases.iter().any(|purchase| purchase.kept.is_some()) {
                self.stop.now(Reason::Kept);
            }
            self.found.lock().unwrap_or_else(PoisonError::into_inner).2.extend(purchases);
            let Some(verdict) = verdict else { break };
            let findings = match verdict {
                Ok(verdict) => {
                    let mut findings = verdict.findings;
                    // With the case's names in place of the real ones.
                    let transcript = bound.case_names(verdict.transcript.trim_end());
                    self.snapshot(bound, format, &transcript, &mut findings);
                    answered = Some(Answered { answer: verdict.last.1, transcript });
                    findings
                }
                Err(error) => {
                    let mut findings = Findings::default();
                    findings.add("answer", "an answer that can be judged", error);
                    findings
                }
            };
            let lenient = &self.plan.lenient;
            let reported =
                findings.reported(|finding| !lenient.iter().any(|it| it.covers(finding)));
            let (cosmetic, findings): (Vec<_>, Vec<_>) = reported
                .into_iter()
                .partition(|finding| finding.by == Judged::Bytes && !self.plan.is_exact);
            let trial = Trial {
                case: bound.case.path.clone(),
                description: bound.case.description.clone(),
                rests_on: bound.case.rests_on(),
                variant: variant.clone(),
                format,
                findings,
                is_cosmetic: !cosmetic.is_empty(),
                answered,
                again: again(&bound.case, variant, &self.place.option(), format),
                secs: start.elapsed().as_secs_f64(),
            };
            let failed = self.stop.count(trial.status());
            self.found.lock().unwrap_or_else(PoisonError::into_inner).0.push(trial);
            self.progress.set_message(format!("{failed} do not hold"));
            self.progress.inc(1);
        }
    }

    /// Judges the answers by the reviewed ones, and proposes them if they differ.
    fn snapshot(
        &self,
        bound: &Bound,
        format: &'static str,
        transcript: &str,
        findings: &mut Findings,
    ) {
        let found = findings.len();
        judge_reviewed(findings, &self.contract, &self.rules, &bound.case, format, transcript);
        let mut new = findings.iter().skip(found);
        if new.any(|finding| self.plan.is_exact || finding.by != Judged::Bytes) {
            let mut proposed = self.proposed.lock().unwrap_or_else(PoisonError::into_inner);
            proposed.add(&bound.case, format, transcript.to_owned());
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a trial is reported, and decides nothing"
)]
fn now() -> Instant {
    Instant::now()
}
