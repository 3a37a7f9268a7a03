//! The findings of a run by cause: what is wrong in one place, and how often.

use std::collections::BTreeMap;

use super::run::Run;
use super::trial::Trial;
use crate::judge::{Finding, Judged};

/// With more pairs of texts than these a place is one cause.
const PAIRS_MAX: usize = 3;

/// The same thing wrong with some answers.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// Where, with `*` for the index of each list.
    pub(crate) place: String,
    /// With how many answers.
    pub(crate) count: usize,
    /// How many pairs of what is expected and what came there are.
    pub(crate) pairs: usize,
    /// One of them.
    pub(crate) finding: &'a Finding,
    /// And the trial that it is of.
    pub(crate) example: &'a Trial,
}

impl Cause<'_> {
    /// Its heading: the place, and how many of all answers it is about.
    pub(crate) fn heading(&self, run: &Run) -> String {
        let Self { place, count, pairs, .. } = self;
        let all = run.trials.len();
        let texts =
            if *pairs > PAIRS_MAX { format!(", {pairs} differences, as") } else { String::new() };
        format!("{place}: {count} of {all} answers{texts}")
    }
}

/// The causes, worst first: no answer, a secret shown, and then by how many answers they are about.
pub(crate) fn causes(run: &Run) -> Vec<Cause<'_>> {
    type Pairs<'a> = BTreeMap<(&'a str, &'a str), Vec<(&'a Finding, &'a Trial)>>;
    let mut places: BTreeMap<(String, Judged), Pairs<'_>> = BTreeMap::new();
    for trial in &run.trials {
        for finding in &trial.findings {
            let place = places.entry((finding.place.without_indices(), finding.by)).or_default();
            let pair = (finding.expected.as_str(), finding.actual.as_str());
            place.entry(pair).or_default().push((finding, trial));
        }
    }
    let mut causes = Vec::new();
    for ((place, _), pairs) in places {
        let count = pairs.len();
        let alone = if count <= PAIRS_MAX {
            pairs.into_values().collect()
        } else {
            vec![pairs.into_values().flatten().collect::<Vec<_>>()]
        };
        for found in alone {
            let Some((finding, example)) = found.first().copied() else { continue };
            // An answer may have several findings in a place.
            let mut trials = found.iter().map(|(_, trial)| *trial).collect::<Vec<_>>();
            trials.dedup_by(|one, other| std::ptr::eq(*one, *other));
            let (place, pairs) = (place.clone(), if count <= PAIRS_MAX { 1 } else { count });
            causes.push(Cause { place, count: trials.len(), pairs, finding, example });
        }
    }
    causes.sort_by_key(|cause| {
        let rank = match (cause.place.as_str(), cause.finding.by) {
            ("answer", _) => 0,
            (_, Judged::Secrecy) => 1,
            _ => 2,
        };
        (rank, std::cmp::Reverse(cause.count))
    });
    causes
}
