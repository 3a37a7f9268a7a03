//! The report as JSON, described by `contracts/common/schemas/verdict.json`.

use serde_json::json;

use super::super::Run;
use crate::error::Result;
use crate::json::pretty;

pub(super) fn of(run: &Run) -> Result<String> {
    let trials = run.trials.iter().map(|trial| {
        let findings = trial.findings.iter().map(|finding| {
            json!({
                "place": finding.place.to_string(), "by": finding.by.name(),
                "also": finding.also.iter().map(|by| by.name()).collect::<Vec<_>>(),
                "expected": finding.expected, "actual": finding.actual
            })
        });
        json!({
            "case": trial.case,
            "description": trial.description,
            "restsOn": trial.rests_on,
            "signature": trial.variant.style,
            "format": trial.format,
            "outcome": trial.status().name(),
            "holds": trial.holds(),
            "cosmetic": trial.is_cosmetic,
            "findings": findings.collect::<Vec<_>>(),
            "again": trial.again,
            "seconds": trial.secs,
        })
    });
    let not_run =
        run.not_run.iter().map(|not_run| json!({ "case": not_run.case, "reason": not_run.reason }));
    let purchases = run.purchases.iter().map(|purchase| {
        json!({
            "case": purchase.case,
            "what": purchase.what(),
            "released": purchase.kept.is_none(),
            "keptBecause": purchase.kept,
        })
    });
    pretty(&json!({
        "place": run.place,
        "proxy": run.proxy,
        "contract": run.contract,
        "contractVersion": run.version,
        "holds": run.holds(),
        "stopped": run.stopped,
        "lenient": run.lenient,
        "exact": run.is_exact,
        "readsState": run.reads_state,
        "seconds": run.time.as_secs_f64(),
        "trials": trials.collect::<Vec<_>>(),
        "notRun": not_run.collect::<Vec<_>>(),
        "purchases": purchases.collect::<Vec<_>>(),
    }))
}
