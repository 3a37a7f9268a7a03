//! The cases that a change affects.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::case::{Case, Request};
use crate::client;
use crate::contract::Contract;
use crate::diff::{Comparison, Finding};
use crate::error::Result;
use crate::verify::{own_path, reviewed};

/// A case that a change affects.
pub(super) struct Changed<'a> {
    pub(super) path: String,
    pub(super) old: Option<Side>,
    pub(super) new: Option<Side>,
    pub(super) findings: Vec<&'a Finding>,
}

/// A case in one of the contracts.
#[derive(PartialEq, Eq)]
pub(super) struct Side {
    pub(super) description: String,
    pub(super) rests_on: String,
    /// The calls, without their signing values.
    pub(super) call: String,
    /// The curl commands of the calls.
    pub(super) curl: String,
    pub(super) world: String,
    /// The reviewed answers, by format.
    pub(super) answers: Vec<(&'static str, String)>,
}

/// The time of the shown calls.
const NOW_SECS: i64 = 1_767_323_045;

/// The cases that findings concern, in order.
pub(super) fn of<'a>(
    old: &Contract,
    new: &Contract,
    comparison: &'a Comparison,
) -> Result<Vec<Changed<'a>>> {
    let (old_cases, new_cases) = (old.cases()?, new.cases()?);
    let paths: BTreeSet<&str> =
        old_cases.iter().chain(&new_cases).map(|case| case.path.as_str()).collect();
    let mut all = Vec::new();
    for path in paths {
        let findings: Vec<&Finding> =
            comparison.findings.iter().filter(|finding| concerns(finding, path)).collect();
        // A case is shown only if the case or its answer changes.
        if findings.iter().any(|finding| is_of(finding, path)) {
            let side = |contract, cases: &[Case]| {
                cases.iter().find(|case| case.path == path).map(|case| side(contract, case))
            };
            let (old, new) = (side(old, &old_cases), side(new, &new_cases));
            all.push(Changed { path: path.to_owned(), old, new, findings });
        }
    }
    Ok(all)
}

/// Whether a finding is in a case, or in its reviewed answers.
fn is_of(finding: &Finding, path: &str) -> bool {
    finding.file() == path || finding.file() == own_path(path)
}

/// Whether a finding concerns a case, its answers, or the code that it demands.
fn concerns(finding: &Finding, path: &str) -> bool {
    let code = path.split('/').nth(2).unwrap_or_default();
    let what = finding.place.split_once('#').map_or("", |(_, what)| what);
    let is_of_code = finding.file().ends_with("/errors.json")
        && what.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_of(finding, path)
        || is_of_code
        || finding.file().ends_with(&format!("/snapshots/{code}.snap"))
        || finding.file().ends_with(&format!("/schemas/errors/{code}.json"))
}

fn side(contract: &Contract, case: &Case) -> Side {
    let requests = case.before.iter().chain([&case.request]);
    let (mut calls, mut curls) = (String::new(), String::new());
    for (position, request) in requests.enumerate() {
        if !case.before.is_empty() {
            // Writing to a `String` cannot fail.
            let _ = writeln!(calls, "# call {}", position + 1);
        }
        let (call, curl) = call(case, request);
        calls.push_str(&call);
        curls.push_str(&curl);
    }
    let answers = ["JSON", "XML"].into_iter().filter_map(|format| {
        reviewed(contract, case, format).ok().map(|answer| (format, answer.to_owned()))
    });
    Side {
        description: case.description.clone(),
        rests_on: case.rests_on(),
        call: calls,
        curl: curls,
        world: serde_json::to_string_pretty(&case.world).unwrap_or_default(),
        answers: answers.collect(),
    }
}

/// A call and its curl command, both without signing values.
fn call(case: &Case, request: &Request) -> (String, String) {
    /// Some values have the greatest length that a limit allows.
    const CHARS_MAX: usize = 200;
    let variants = case.variants();
    let Some(variant) = variants.first() else { return Default::default() };
    let wire = client::sign(request, variant, NOW_SECS, "a-nonce").shown(CHARS_MAX);
    (wire.text(), wire.curl(&format!("https://{}", request.host)) + "\n")
}
