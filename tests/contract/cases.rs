//! Every case file, in process and through the built `bootstrap`. `contract verify` runs them over a
//! socket: see `verify.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use harness::case::Case;
use harness::contract::Contract;
use harness::judge::{Rulebook, judge};
use harness::target::{Bootstrap, Target};
use harness::verify::{own_path, reviewed, shared_path};
use suites::endpoint::built;
use suites::{now_secs, scratch};

/// Part of the path of each case to try; empty for all cases.
#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
fn wanted() -> String {
    std::env::var("CASE").unwrap_or_default()
}

/// The answers of a target to a case, by format.
type Answers = BTreeMap<&'static str, String>;

/// Runs every case in every variant and compares the answers with the snapshots.
async fn check(mut target: Target) {
    let (contract, wanted) = (Contract::embedded(), wanted());
    let rules = Rulebook::read(&contract).unwrap();
    let mut report = String::new();
    let (mut tried, mut failed) = (0, 0);
    // Cases of one code may share a snapshot.
    let mut answered: BTreeMap<String, Vec<(Case, Answers)>> = BTreeMap::new();
    for case in contract.cases().unwrap() {
        if !case.path.contains(&wanted) {
            continue;
        }
        if case.fault.is_some() && !target.is_controlled() {
            continue;
        }
        let mut answers = Answers::new();
        let mut findings = String::new();
        for variant in case.variants() {
            tried += 1;
            match judge(&case, &variant, &mut target, &rules, now_secs(), &mut Vec::new()).await {
                Err(error) => {
                    writeln!(findings, "    {variant:?}: could not be tried: {error}").unwrap();
                }
                Ok(verdict) => {
                    for finding in verdict.findings.iter() {
                        writeln!(findings, "    {variant:?}: {finding}").unwrap();
                    }
                    let first =
                        answers.entry(verdict.format).or_insert_with(|| verdict.transcript.clone());
                    if *first != verdict.transcript {
                        let other = &verdict.transcript;
                        writeln!(
                            findings,
                            "    {variant:?}: not as signed otherwise:\n{first}\n{other}"
                        )
                        .unwrap();
                    }
                }
            }
        }
        if findings.is_empty() {
            answered.entry(shared_path(&case)).or_default().push((case, answers));
        } else {
            failed += 1;
            let Case { path, description, .. } = &case;
            let rests_on = case.rests_on();
            writeln!(report, "contracts/{path}\n  {description}\n  {rests_on}\n{findings}")
                .unwrap();
        }
    }
    for (path, cases) in &answered {
        let wrong = compare(&contract, path, cases);
        failed += wrong.len();
        report.extend(wrong);
    }
    assert_eq!(target.leaks(), [""; 0], "no secret is in what a target writes");
    assert!(tried > 0, "no case was tried");
    assert!(failed == 0, "{failed} cases do not hold ({tried} answers judged)\n\n{report}");
}

/// Compares the answers to the cases of one code with their snapshots, and reports the differences.
/// New answers are proposed for review: as the shared snapshot if all its cases have one answer,
/// else as a snapshot for each case.
fn compare(contract: &Contract, path: &str, cases: &[(Case, Answers)]) -> Vec<String> {
    let is_reviewed = |(case, answers): &&(Case, Answers)| {
        answers.iter().all(|(format, answer)| {
            reviewed(contract, case, format).is_ok_and(|reviewed| reviewed == answer.trim_end())
        })
    };
    let wrong: Vec<&(Case, Answers)> = cases.iter().filter(|case| !is_reviewed(case)).collect();
    let Some((first, _)) = wrong.first() else { return Vec::new() };
    let is_sharing = |case: &Case| contract.text(&own_path(&case.path)).is_none();
    let mut shared = Answers::new();
    let mut is_alike = wrong.iter().all(|(case, _)| is_sharing(case));
    for (_, answers) in cases.iter().filter(|(case, _)| is_sharing(case)) {
        for (format, answer) in answers {
            is_alike &= shared.entry(format).or_insert_with(|| answer.clone()) == answer;
        }
    }
    let is_whole = contract.cases().unwrap().iter().all(|case| {
        shared_path(case) != path || cases.iter().any(|(tried, _)| tried.path == case.path)
    });
    if is_alike && is_whole {
        let code = first.group();
        let said = format!("The answer of every case of {code} that has no snapshot of its own.");
        propose(first.folder(), code, said, &shared);
    } else {
        for (case, answers) in &wrong {
            let said = format!("{} ({})", case.description, case.rests_on());
            propose(case.folder(), &format!("{}@{}", case.group(), case.name()), said, answers);
        }
    }
    let told = |case: &Case| {
        format!("contracts/{}: the answer is not the reviewed one; see above\n", case.path)
    };
    wrong.iter().map(|(case, _)| told(case)).collect()
}

/// Shows how answers differ from a snapshot, and proposes them for review.
fn propose(folder: &str, name: &str, said: String, answers: &Answers) {
    let texts = answers.iter().map(|(format, answer)| format!("== {format}\n{answer}"));
    let text = texts.collect::<Vec<_>>().join("\n");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../../contracts/{folder}/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(said);
    // A difference panics here; the report names it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text.trim_end()));
    }));
}

#[tokio::test]
async fn every_case_holds_in_process() {
    check(Target::InProcess(Box::default())).await;
}

#[tokio::test]
async fn every_case_holds_through_the_built_bootstrap() {
    let folder = scratch();
    let bootstrap = Bootstrap::new(&built("bootstrap").unwrap(), folder.path());
    check(Target::Bootstrap(Box::new(bootstrap))).await;
}
