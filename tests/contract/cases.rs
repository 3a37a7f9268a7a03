//! Every case file, three ways: in process, over a socket, and through the built `bootstrap`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::SystemTime;

use harness::case::Case;
use harness::contract::Contract;
use harness::judge::{Schemas, judge};
use harness::target::{Bootstrap, Endpoint, Target, built};

/// Seconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "the endpoints judge timestamps by the same clock")]
pub(crate) fn now_secs() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_secs()).unwrap()
}

/// The cases, or those whose path contains what `CASE` says.
#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
fn cases() -> Vec<Case> {
    let wanted = std::env::var("CASE").unwrap_or_default();
    let cases = Contract::embedded().cases().unwrap();
    cases.into_iter().filter(|case| case.path.contains(&wanted)).collect()
}

/// Where tests may write, apart from one another.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Tries every case in every variant and compares the answers with the snapshots.
async fn check(mut target: Target) {
    let schemas = Schemas::read(&Contract::embedded()).unwrap();
    let mut report = String::new();
    let (mut tried, mut failed) = (0, 0);
    for case in cases() {
        if case.fault.is_some() && !target.is_controlled() {
            continue;
        }
        let mut answers: BTreeMap<&str, String> = BTreeMap::new();
        let mut findings = String::new();
        for variant in case.variants() {
            tried += 1;
            match judge(&case, &variant, &mut target, &schemas, now_secs()).await {
                Err(error) => {
                    writeln!(findings, "    {variant:?}: could not be tried: {error}").unwrap();
                }
                Ok(verdict) => {
                    for finding in &verdict.findings {
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
            findings = compare(&case, &answers);
        }
        if !findings.is_empty() {
            failed += 1;
            let Case { path, description, .. } = &case;
            let rests_on = case.rests_on();
            writeln!(report, "contracts/{path}\n  {description}\n  {rests_on}\n{findings}")
                .unwrap();
        }
    }
    assert_eq!(target.leaks(), [""; 0], "what a target writes shows no secret");
    assert!(tried > 0, "no case was tried");
    assert!(failed == 0, "{failed} cases do not hold ({tried} answers judged)\n\n{report}");
}

/// Compares the answers with the case's snapshot.
fn compare(case: &Case, answers: &BTreeMap<&str, String>) -> String {
    let mut text = String::new();
    for (format, answer) in answers {
        writeln!(text, "== {format}\n{answer}").unwrap();
    }
    let mut settings = insta::Settings::clone_current();
    let folder = format!("../../contracts/{}/snapshots", case.folder());
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(format!("{} ({})", case.description, case.rests_on()));
    let name = format!("{}@{}", case.group(), case.name());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name.clone(), text.trim_end()));
    }));
    match outcome {
        Ok(()) => String::new(),
        Err(_) => {
            format!("    the answer is not that of the snapshot {name}; the difference is above\n")
        }
    }
}

#[tokio::test]
async fn every_case_holds_in_process() {
    check(Target::InProcess(Box::default())).await;
}

#[tokio::test]
async fn every_case_holds_over_a_socket_against_the_local_endpoint() {
    let binary = built("local-endpoint", "local-endpoint").unwrap();
    check(Target::Endpoint(Endpoint::start(&binary, &[]).await.unwrap())).await;
}

#[tokio::test]
async fn every_case_holds_through_the_built_bootstrap() {
    let binary = built("ipv6-gateway", "bootstrap").unwrap();
    check(Target::Bootstrap(Bootstrap::new(&binary, &scratch("bootstrap")))).await;
}
