//! The report as `JUnit` XML: a suite for each code, a test case for each case and variant.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::super::{Run, Status};
use super::{short, some};
use crate::error::{Error, Result};
use crate::repository;

pub(super) fn of(run: &Run) -> Result<String> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for trial in &run.trials {
        let kind = match trial.status() {
            Status::Held => None,
            Status::Failed => Some(NonSuccessKind::Failure),
            Status::Error => Some(NonSuccessKind::Error),
        };
        let status = kind.map_or_else(TestCaseStatus::success, |kind| {
            let mut status = TestCaseStatus::non_success(kind);
            let what: Vec<&str> =
                trial.findings.iter().map(|finding| finding.place.path.as_str()).collect();
            let findings: Vec<String> =
                trial.findings.iter().map(|finding| short(finding).to_string()).collect();
            status.set_message(some(&what));
            status.set_description(format!(
                "{}\n{}\n{}\nagain: {}",
                trial.description,
                trial.rests_on,
                findings.join("\n"),
                trial.again
            ));
            status
        });
        let mut case = TestCase::new(trial.name(), status);
        case.set_time(Duration::from_secs_f64(trial.secs));
        add(&mut suites, run, &trial.case, case);
    }
    for not_run in &run.not_run {
        let mut status = TestCaseStatus::skipped();
        status.set_message(not_run.reason.clone());
        add(&mut suites, run, &not_run.case, TestCase::new(not_run.case.clone(), status));
    }
    for (path, what) in &run.unused {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(what.clone());
        add(&mut suites, run, path, TestCase::new(path.clone(), status));
    }
    let mut report = Report::new(format!("contract verify {}", run.place));
    report.set_time(run.time).add_test_suites(suites.into_values());
    report.to_string().map_err(Error::other)
}

/// Adds a test case to the suite of its folder, with its file, which pipelines link.
fn add<'a>(
    suites: &mut BTreeMap<&'a str, TestSuite>,
    run: &Run,
    path: &'a str,
    mut case: TestCase,
) {
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    case.set_classname(folder);
    if let Some(file) = repository::name(&run.contract, path) {
        case.extra.insert("file".into(), file.into());
    }
    suites.entry(folder).or_insert_with(|| TestSuite::new(folder)).add_test_case(case);
}
