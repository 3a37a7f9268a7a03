//! Tries cases, many at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use super::given::{Left, take_back};
use super::place::Place;
use super::propose::Proposed;
use super::roles::{Bound, Caller, Roles};
use super::snapshot::reviewed;
use super::trial::{Answered, NotRun, Trial, again};
use super::{Format, Leniency, Signature};
use crate::case::{Case, Request, Variant};
use crate::client::now_secs;
use crate::contract::Contract;
use crate::judge::{Finding, Rulebook, expected_format, judge};
use crate::operations::Operation;
use crate::target::{PLANNED_PANIC, Target};

/// How cases are tried.
pub(crate) struct Plan {
    pub(crate) roles: Roles,
    pub(crate) bindings: BTreeMap<String, String>,
    /// Who calls where worlds cannot be set.
    pub(crate) caller: Option<Caller>,
    pub(crate) signature: Signature,
    pub(crate) format: Format,
    pub(crate) lenient: BTreeSet<Leniency>,
    pub(crate) jobs: usize,
    pub(crate) allow_purchases: bool,
}

/// What came of all cases.
#[derive(Debug)]
pub struct Run {
    /// Where they were tried, as an option.
    pub place: String,
    /// Which contract.
    pub contract: String,
    /// What was not judged, by name.
    pub lenient: Vec<&'static str>,
    /// Whether the state was read.
    pub reads_state: bool,
    /// The cases tried, in order.
    pub trials: Vec<Trial>,
    /// The cases not tried, in order.
    pub not_run: Vec<NotRun>,
    /// What cases left behind.
    pub left: Vec<Left>,
    /// The answers that are not the reviewed ones.
    pub(super) proposed: Proposed,
    /// How long all of it took.
    pub time: Duration,
}

impl Run {
    /// Whether every case that was tried holds, and nothing that was made is kept.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.trials.iter().all(Trial::holds) && self.left.iter().all(|left| left.kept.is_none())
    }
}

/// A case to be tried.
struct Item {
    bound: Bound,
    variants: Vec<Variant>,
}

/// What all workers share.
struct Shared {
    contract: Arc<Contract>,
    place: Place,
    plan: Plan,
    rules: Rulebook,
    items: Vec<Item>,
    next: AtomicUsize,
    is_interrupted: AtomicBool,
    progress: ProgressBar,
    found: Mutex<(Vec<Trial>, Vec<NotRun>, Vec<Left>)>,
    proposed: Mutex<Proposed>,
}

/// Tries the cases.
///
/// # Errors
///
/// They cannot be tried at all.
pub(crate) async fn run(
    contract: Arc<Contract>,
    cases: Vec<Case>,
    place: Place,
    plan: Plan,
) -> Result<Run, String> {
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
            Err(reason) => not_run.push(NotRun { case: path, reason }),
        }
    }
    let variants = |items: &[Item]| items.iter().map(|item| item.variants.len()).sum::<usize>();
    let progress = ProgressBar::new((variants(&items) + variants(&writing)) as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} answers, {msg}");
    progress.set_style(style.map_err(|error| error.to_string())?);
    let reads_state = !matches!(place, Place::Given(_) | Place::Function(_));
    let mut shared = Shared {
        contract,
        place,
        plan,
        rules,
        items,
        next: AtomicUsize::new(0),
        is_interrupted: AtomicBool::new(false),
        progress,
        found: Mutex::new((Vec::new(), not_run, Vec::new())),
        proposed: Mutex::default(),
    };
    let jobs = shared.plan.jobs;
    shared = work(shared, jobs).await?;
    // One after another: what one makes is taken back before the next.
    shared.items = writing;
    shared = work(shared, 1).await?;
    shared.progress.finish_and_clear();
    let Shared { contract, place, plan, found, proposed, is_interrupted, .. } = shared;
    if is_interrupted.into_inner() {
        return Err("interrupted".to_owned());
    }
    let (mut trials, mut not_run, left) =
        found.into_inner().unwrap_or_else(PoisonError::into_inner);
    trials.sort_by_cached_key(|trial| (trial.case.clone(), trial.variant.style, trial.format));
    not_run.sort_by(|one, other| one.case.cmp(&other.case));
    Ok(Run {
        place: place.option(),
        contract: contract.origin().to_owned(),
        lenient: plan.lenient.iter().map(|leniency| leniency.name()).collect(),
        reads_state,
        trials,
        not_run,
        left,
        proposed: proposed.into_inner().unwrap_or_else(PoisonError::into_inner),
        time: start.elapsed(),
    })
}

/// Some cases have the store panic, and what that prints is nobody's news.
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

/// The case as it is tried at a place, or why it is not.
fn item(case: Case, place: &Place, plan: &Plan, rules: &Rulebook) -> Result<Item, String> {
    let mut variants = case.variants();
    variants.retain(|variant| {
        plan.signature.includes(variant.style) && plan.format.includes(expected_format(variant))
    });
    if variants.is_empty() {
        return Err("it has no variant of the kinds of signature and format asked for".to_owned());
    }
    if case.fault.is_some() && matches!(place, Place::Function(_)) {
        return Err("its store must fail, which only control paths bring about".to_owned());
    }
    let bound = match &plan.caller {
        None => Bound { case, real: Vec::new() },
        Some(caller) => {
            if writes(&case, rules) && !plan.allow_purchases {
                return Err("it changes something, which needs --allow-purchases".to_owned());
            }
            let requests = case.before.iter().chain([&case.request]);
            let mut operations =
                requests.filter_map(|request| rules.operations.get(&request.action));
            if writes(&case, rules) && operations.any(|it| it.writes() && it.undo.is_none()) {
                return Err("it changes what no call can put back".to_owned());
            }
            let operation = rules.operations.get(&case.request.action);
            if case.demanded.status == 200 && operation.is_some_and(|it| it.lists.is_some()) {
                return Err("it lists all that its account has".to_owned());
            }
            plan.roles.bind(&case, caller, &plan.bindings)?
        }
    };
    Ok(Item { bound, variants })
}

/// Tries all items, so many at once.
async fn work(mut shared: Shared, jobs: usize) -> Result<Shared, String> {
    shared.next = AtomicUsize::new(0);
    let shared = Arc::new(shared);
    let folder = Arc::new(TempDir::new().map_err(|error| error.to_string())?);
    let interrupted = Arc::clone(&shared);
    let watch = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.is_interrupted.store(true, Ordering::Relaxed);
        }
    });
    let workers: Vec<_> = (0..jobs.min(shared.items.len()))
        .map(|worker| {
            let (shared, folder) = (Arc::clone(&shared), Arc::clone(&folder));
            tokio::spawn(async move {
                let mut target = shared.place.target(worker, &folder)?;
                while let Some(item) = shared.items.get(shared.next.fetch_add(1, Ordering::Relaxed))
                {
                    if shared.is_interrupted.load(Ordering::Relaxed) {
                        break;
                    }
                    shared.try_item(item, &mut target).await;
                }
                match &target {
                    Target::Remote(remote) => remote.end().await,
                    Target::InProcess(_) | Target::Endpoint(_) | Target::Bootstrap(_) => Ok(()),
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.map_err(|error| error.to_string())??;
    }
    watch.abort();
    // It may hold its part for a moment yet.
    drop(watch.await);
    Arc::into_inner(shared).ok_or_else(|| "a worker is still at work".to_owned())
}

impl Shared {
    async fn try_item(&self, item: &Item, target: &mut Target) {
        let Item { bound, variants } = item;
        for variant in variants {
            let start = now();
            let format = expected_format(variant);
            let verdict = judge(&bound.case, variant, target, &self.rules, now_secs()).await;
            let (mut undo, mut answered) = (Vec::new(), None);
            let mut findings = match verdict {
                Ok(verdict) => {
                    undo = verdict.undo;
                    let mut findings = verdict.findings;
                    // What was put for what cases name stands for it again.
                    let transcript = bound.case_names(verdict.transcript.trim_end());
                    findings.extend(self.snapshot(bound, format, &transcript));
                    answered = Some(Answered { answer: verdict.last.1, transcript });
                    findings
                }
                Err(error) => vec![Finding {
                    what: "answer".to_owned(),
                    expected: "one that can be judged".to_owned(),
                    actual: error,
                }],
            };
            let lenient = &self.plan.lenient;
            findings
                .retain(|finding| !lenient.iter().any(|let_pass| let_pass.covers(&finding.what)));
            let mut left = Vec::new();
            if let Some(caller) = &self.plan.caller {
                left = take_back(target, caller, &bound.case.path, undo).await;
            }
            let trial = Trial {
                case: bound.case.path.clone(),
                description: bound.case.description.clone(),
                rests_on: bound.case.rests_on(),
                variant: variant.clone(),
                format,
                findings,
                answered,
                again: again(&bound.case, variant, &self.place.option(), format),
                secs: start.elapsed().as_secs_f64(),
            };
            let is_kept = left.iter().any(|left| left.kept.is_some());
            let failed = {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.0.push(trial);
                found.2.extend(left);
                found.0.iter().filter(|trial| !trial.holds()).count()
            };
            self.progress.set_message(format!("{failed} do not hold"));
            self.progress.inc(1);
            if is_kept {
                // What comes next would meet another state, and leave more behind.
                self.leave_the_rest();
                break;
            }
        }
    }

    /// Leaves what is still to be tried.
    fn leave_the_rest(&self) {
        let next = self.next.swap(self.items.len(), Ordering::Relaxed);
        let rest = self.items.iter().skip(next).map(|item| NotRun {
            case: item.bound.case.path.clone(),
            reason: "what a case before did could not be taken back".to_owned(),
        });
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.1.extend(rest);
    }

    /// Whether the answer is the reviewed one.
    fn snapshot(&self, bound: &Bound, format: &'static str, transcript: &str) -> Option<Finding> {
        let reviewed = reviewed(&self.contract, &bound.case, format);
        let expected = match reviewed {
            Ok(expected) if expected == transcript => return None,
            Ok(expected) => expected.to_owned(),
            Err(error) => format!("a reviewed answer, and {error}"),
        };
        let mut proposed = self.proposed.lock().unwrap_or_else(PoisonError::into_inner);
        proposed.add(&bound.case, format, transcript.to_owned());
        Some(Finding { what: "snapshot".to_owned(), expected, actual: transcript.to_owned() })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a trial takes is told, nothing depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
