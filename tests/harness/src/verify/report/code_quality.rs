//! The report as GitLab reads it to mark the changes of a merge request: Code Quality JSON.

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
        // The same cause is the same issue in the next run, however many answers it is about.
        let texts = (cause.pairs == 1).then_some([expected, actual]);
        let file = repository::name(&run.contract, case);
        json!({
            "description": format!("{}: expected {expected}, came {actual}", cause.heading(run)),
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
