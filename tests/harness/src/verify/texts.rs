//! Prepares the texts of a run for output.

use super::difference::parts;
use super::run::Run;
use crate::judge::Finding;
use crate::secrets::Blot;
use crate::shown::{both_visible, visible};

/// The greatest length of a text in a report for people, in characters.
const TEXT_MAX: usize = 4_000;

impl Run {
    /// Removes the secrets of this process from every text of the run.
    pub(super) fn blot(&mut self) {
        let came = self.trials.iter().any(|trial| !trial.holds() || trial.is_cosmetic);
        if came || !self.purchases.is_empty() || self.stopped.is_some() {
            let blot = Blot::of_known();
            self.each_text(|text| *text = blot.apply(text));
        }
    }

    /// The run with visible characters in every text.
    pub(super) fn shown(&self) -> Self {
        let mut shown = self.clone();
        for Finding { expected, actual, .. } in shown.findings() {
            (*expected, *actual) = both_visible(expected, actual);
        }
        shown.each_text(|text| *text = visible(text));
        shown
    }

    fn findings(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.trials.iter_mut().flat_map(|trial| &mut trial.findings)
    }

    fn each_text(&mut self, change: impl Fn(&mut String)) {
        for finding in self.findings() {
            let Finding { place, expected, actual, .. } = finding;
            [&mut place.path, expected, actual].into_iter().for_each(&change);
        }
        for trial in &mut self.trials {
            let texts = [&mut trial.case, &mut trial.description, &mut trial.rests_on];
            texts.into_iter().chain([&mut trial.again]).for_each(&change);
            if let Some(answered) = &mut trial.answered {
                change(&mut answered.transcript);
            }
        }
        for not_run in &mut self.not_run {
            change(&mut not_run.case);
            change(&mut not_run.reason);
        }
        for purchase in &mut self.purchases {
            purchase.undo.parameters.values_mut().chain(&mut purchase.kept).for_each(&change);
        }
        self.proposed.answers().for_each(&change);
        let places = [&mut self.place, &mut self.contract];
        places.into_iter().chain(&mut self.proxy).chain(&mut self.stopped).for_each(&change);
    }
}

/// A finding with long texts cut for people.
pub(super) fn short(finding: &Finding) -> Finding {
    let mut short = finding.clone();
    (short.expected, short.actual) = parts(&finding.expected, &finding.actual, TEXT_MAX);
    short
}
