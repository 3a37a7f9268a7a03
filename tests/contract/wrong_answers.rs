//! The judge's proof: a proxy in front of a right endpoint serves wrong answers, each of which the
//! judge must catch and name, and answers with the same meaning in other bytes, which it must
//! accept.

mod proxy;
mod same;
mod table;

use std::collections::BTreeMap;

use harness::case::{Case, Variant};
use harness::client::now_secs;
use harness::contract::Contract;
use harness::judge::{Rulebook, expected_format, judge};
use harness::operations::COMMON;
use harness::target::{Remote, Target};
use harness::verify::judge_reviewed;
use suites::endpoint::{Endpoint, built};

use proxy::{Change, Proxy};
use same::Same;
use suites::support::ALLOCATE;
use table::Wrong;

/// The endpoint behind the proxy.
struct Bench {
    contract: Contract,
    rules: Rulebook,
    cases: BTreeMap<String, Case>,
    proxy: Proxy,
    _endpoint: Endpoint,
}

impl Bench {
    async fn new() -> Self {
        let binary = built("local-endpoint").unwrap();
        let endpoint = Endpoint::start_logging(&binary, &[], "warn").await.unwrap();
        let contract = Contract::embedded();
        let rules = Rulebook::read(&contract).unwrap();
        // Other operations have cases with the same names.
        let cases = contract.cases().unwrap().into_iter();
        let cases = cases.map(|case| {
            let name = format!("{}/{}", case.group(), case.name());
            let is_usual = [ALLOCATE, COMMON].contains(&case.folder());
            (if is_usual { name } else { format!("{}/{name}", case.folder()) }, case)
        });
        let cases = cases.collect();
        let proxy = Proxy::start(endpoint.address()).await;
        Self { contract, rules, cases, proxy, _endpoint: endpoint }
    }

    /// The findings about a case whose last answer is changed: each place with its basis.
    async fn found(&self, case: &str, format: &str, change: Change) -> Vec<String> {
        let calls = self.cases.get(case).map_or(0, |case| case.before.len());
        self.found_at(calls, case, format, change).await
    }

    /// The same for a case whose answer after so many others is changed.
    async fn found_at(
        &self,
        passed: usize,
        case: &str,
        format: &str,
        change: Change,
    ) -> Vec<String> {
        let case = self.cases.get(case).unwrap_or_else(|| panic!("there is no case {case}"));
        let mut variants = case.variants().into_iter();
        let variant: Variant = variants.find(|variant| expected_format(variant) == format).unwrap();
        let remote = Remote::new(self.proxy.url(), None).unwrap().apart("wrong");
        let mut target = Target::Remote(remote);
        self.proxy.plan(passed, change);
        match judge(case, &variant, &mut target, &self.rules, now_secs(), &mut Vec::new()).await {
            // No answer that can be judged came, and that is the finding.
            Err(_) => vec!["answer".to_owned()],
            Ok(verdict) => {
                let (mut findings, transcript) = (verdict.findings, verdict.transcript);
                let (contract, rules) = (&self.contract, &self.rules);
                judge_reviewed(&mut findings, contract, rules, case, format, &transcript);
                let message = findings.reported(|_| true).into_iter();
                message
                    .map(|finding| format!("{} ({})", finding.place, finding.by.name()))
                    .collect()
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_answer_is_caught_and_its_fault_named() {
    let bench = Bench::new().await;
    let (mut missed, mut names) = (Vec::new(), std::collections::BTreeSet::new());
    for Wrong { name, case, format, names: named, change } in table::wrong() {
        assert!(
            names.insert(format!("{name}, {format}")),
            "{name}, {format} is in the table twice"
        );
        let found = bench.found(case, format, change).await;
        // The snapshot finds every difference, which is not enough.
        let is_named = found.iter().any(|what| named.iter().any(|named| what.contains(named)));
        if !is_named {
            missed.push(format!("{name}, {format} ({case}): {named:?} not among {found:?}"));
        }
    }
    assert!(names.len() >= 60, "{}", names.len());
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), names.len(), missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_case_is_judged_and_the_whole_world_after_it() {
    let bench = Bench::new().await;
    for (name, change, place) in table::of_the_first_call() {
        let found = bench.found_at(0, table::REPLAY, "JSON", change).await;
        let place = format!("call 1: {place}");
        assert!(found.iter().all(|it| it.starts_with("call 1: ")), "{name}: {found:?}");
        assert!(found.iter().any(|it| it.starts_with(&place)), "{name}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_the_same_meaning_passes_in_any_spelling() {
    let bench = Bench::new().await;
    let (mut refused, mut count) = (Vec::new(), 0);
    for Same { name, case, format, change } in same::all() {
        count += 1;
        let found = bench.found(case, format, change).await;
        // Other bytes are no finding about the meaning.
        if found.iter().any(|found| found != "bytes (bytes)") {
            refused.push(format!("{name}, {format} ({case}): {found:?}"));
        }
    }
    assert!(count >= 100, "{count}");
    assert!(refused.is_empty(), "{} of {count}:\n{}", refused.len(), refused.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_meaning_are_judged_separately() {
    let bench = Bench::new().await;
    let case = "Success/client-token";
    for (name, change) in same::untouched() {
        let found = bench.found(case, "JSON", change).await;
        assert!(found.is_empty(), "{name}: {found:?}");
    }
    for (name, change) in same::written_otherwise() {
        let found = bench.found(case, "JSON", change).await;
        assert_eq!(found, ["bytes (bytes)"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_answers_of_a_run_share_a_request_id() {
    let bench = Bench::new().await;
    let message = ["IllegalParam.Bandwidth/letters", "MissingAction/absent-v1"];
    for (position, case) in message.into_iter().enumerate() {
        let found = bench.found(case, "JSON", table::with_ids_of_its_own()).await;
        let expected: &[&str] = match position {
            0 => &[],
            _ => &["body/RequestId (demand)", "header/x-acs-trace-id (demand)"],
        };
        assert_eq!(found, expected, "{case}");
    }
}
