//! Groups the findings of a run by cause.

use std::collections::BTreeMap;

use super::run::Run;
use super::trial::Trial;
use crate::judge::{Finding, Judged};

/// A place with more pairs of expected and actual values is one cause.
const PAIRS_MAX: usize = 3;

/// A cause: the same problem in some answers.
#[derive(Clone, Debug)]
pub(crate) struct Cause<'a> {
    /// The place, with `*` for each index.
    pub(crate) place: String,
    /// The number of answers.
    pub(crate) count: usize,
    /// The number of pairs of expected and actual values.
    pub(crate) pairs: usize,
    /// An example.
    pub(crate) finding: &'a Finding,
    /// The trial of the example.
    pub(crate) example: &'a Trial,
}

impl Cause<'_> {
    /// The heading: the place, and the share of answers.
    pub(crate) fn heading(&self, run: &Run) -> String {
        let Self { place, count, pairs, .. } = self;
        let all = run.trials.len();
        let texts = if *pairs > PAIRS_MAX {
            format!(", {pairs} differences, for example")
        } else {
            String::new()
        };
        format!("{place}: {count} of {all} answers{texts}")
    }
}

/// The causes: first missing answers, then leaked secrets, then by the number of answers.
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
