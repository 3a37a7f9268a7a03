//! The judge is proved: wrong answers, served by a proxy before a right endpoint, each of which it must
//! catch and name, and odd ones that are right, which it must let pass.

mod proxy;
mod table;

use std::collections::BTreeMap;

use harness::case::{Case, Variant};
use harness::client::now_secs;
use harness::contract::Contract;
use harness::judge::{Rulebook, expected_format, judge};
use harness::operations::COMMON;
use harness::target::{Endpoint, Remote, Target, built};
use harness::verify::reviewed;

use proxy::{Change, Proxy};
use suites::support::ALLOCATE;
use table::Wrong;

/// What the proxy is before.
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
        // Other operations have cases of the same names.
        let cases = contract.cases().unwrap().into_iter();
        let cases = cases.filter(|case| [ALLOCATE, COMMON].contains(&case.folder()));
        let cases = cases.map(|case| (format!("{}/{}", case.group(), case.name()), case)).collect();
        let proxy = Proxy::start(endpoint.address()).await;
        Self { contract, rules, cases, proxy, _endpoint: endpoint }
    }

    /// What the judge finds of a case whose last answer is changed on its way; the snapshot last.
    async fn found(&self, case: &str, format: &str, change: Change) -> Vec<String> {
        let case = self.cases.get(case).unwrap_or_else(|| panic!("there is no case {case}"));
        let mut variants = case.variants().into_iter();
        let variant: Variant = variants.find(|variant| expected_format(variant) == format).unwrap();
        let remote = Remote::new(self.proxy.url(), None).unwrap().apart("wrong");
        let mut target = Target::Remote(remote);
        self.proxy.plan(case.before.len(), change);
        match judge(case, &variant, &mut target, &self.rules, now_secs()).await {
            // There is no answer that could be judged, and that is what is told.
            Err(_) => vec!["answer".to_owned()],
            Ok(verdict) => {
                let mut found: Vec<String> =
                    verdict.findings.into_iter().map(|finding| finding.what).collect();
                let reviewed = reviewed(&self.contract, case, format).unwrap();
                if verdict.transcript.trim_end() != reviewed {
                    found.push("snapshot".to_owned());
                }
                found
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_answer_is_caught_and_what_is_wrong_named() {
    let bench = Bench::new().await;
    let (mut missed, mut names) = (Vec::new(), std::collections::BTreeSet::new());
    for Wrong { name, case, format, names: named, change } in table::wrong() {
        assert!(names.insert(format!("{name}, {format}")), "{name}, {format} stands twice");
        let found = bench.found(case, format, change).await;
        // The snapshot tells that something differs. It is not enough.
        let is_named = found.iter().any(|what| named.iter().any(|named| what.contains(named)));
        if !is_named {
            missed.push(format!("{name}, {format} ({case}): {named:?} not among {found:?}"));
        }
    }
    assert!(names.len() >= 60, "{}", names.len());
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), names.len(), missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_and_right_is_let_pass() {
    let bench = Bench::new().await;
    for (name, change) in table::right() {
        for case in ["Success/client-token", "IllegalParam.Bandwidth/letters"] {
            for format in ["JSON", "XML"] {
                let found = bench.found(case, format, change.clone()).await;
                assert!(found.is_empty(), "{name}, {format} ({case}): {found:?}");
            }
        }
    }
}
