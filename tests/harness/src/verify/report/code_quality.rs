//! The report as GitLab's Code Quality JSON.

use serde_json::{Value, json};

use super::super::Run;
use super::super::causes::{Cause, causes};
use super::short;
use crate::diff::digest;
use crate::judge::Finding;
use crate::repository;

pub(super) fn of(run: &Run) -> String {
    let issue = |cause: &Cause<'_>| {
        let case = &cause.example.case;
        let Finding { expected, actual, .. } = &short(cause.finding);
        // A cause is the same issue in the next run, even if it concerns more or fewer answers.
        let texts = (cause.pairs == 1).then_some([expected, actual]);
        let file = repository::name(&run.contract, case);
        json!({
            "description": format!("{}: expected {expected}, got {actual}", cause.heading(run)),
            "check_name": "contract verify",
            "fingerprint": digest(&json!([cause.place, texts])),
            "severity": "major",
            "location": {
                "path": file.unwrap_or_else(|| format!("{}/{case}", run.contract)),
                "lines": { "begin": 1 },
            },
        })
    };
    causes(run).iter().map(issue).collect::<Value>().to_string() + "\n"
}
