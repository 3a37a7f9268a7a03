//! The report as a self-contained HTML page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::causes::{Cause, causes};
use super::super::{NotRun, Run, Trial};
use super::{short, summary};
use crate::judge::Finding;

const STYLE: &str = "
:root { color-scheme: light dark; --line: light-dark(#ccc, #444); --bad: light-dark(#b00020, #ff8a80);
  --good: light-dark(#0a6b2d, #7bd88f); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; }
.bad { color: var(--bad); } .good { color: var(--good); }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
@media (max-width: 45rem) { .sides { grid-template-columns: 1fr; } }
pre { border: 1px solid var(--line); margin: .2rem 0; overflow-x: auto; padding: .5rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
";

pub(super) fn of(run: &Run) -> String {
    let failed: Vec<&Trial> = run.trials.iter().filter(|trial| !trial.holds()).collect();
    let held: Vec<&Trial> = run.trials.iter().filter(|trial| trial.holds()).collect();
    let causes = causes(run);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "contract verify" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "contract verify " code { (run.place) } }
                    p class=(if run.holds() { "good" } else { "bad" }) { (summary(run)) }
                    @if !run.lenient.is_empty() {
                        p { "Not judged, as --lenient says: " (run.lenient.join(", ")) }
                    }
                    @if !run.reads_state {
                        p { "The state afterwards was not judged, as it cannot be read." }
                    }
                    @for purchase in &run.purchases {
                        @match &purchase.kept {
                            None => p { "Bought and released: " (purchase.what()) },
                            Some(why) => p class="bad" {
                                "Bought and not released: " (purchase.what()) ": " (why)
                            },
                        }
                    }
                }
                main {
                    @if !failed.is_empty() {
                        h2 { (failed.len()) " do not hold" }
                        @for cause in &causes { (shown(run, cause)) }
                        details {
                            summary { "which" }
                            ul { @for trial in &failed { li { (trial.name()) ": " (trial.description) } } }
                        }
                    }
                    @if !run.not_run.is_empty() {
                        h2 { (run.not_run.len()) " cases not run" }
                        (not_run(&run.not_run))
                    }
                    h2 { (held.len()) " hold" }
                    details {
                        summary { "which" }
                        ul { @for trial in &held { li { (trial.name()) ": " (trial.description) } } }
                    }
                }
            }
        }
    };
    page.into_string()
}

fn shown(run: &Run, cause: &Cause<'_>) -> Markup {
    let Trial { description, rests_on, again, .. } = cause.example;
    html! {
        details open {
            summary { b class="bad" { (cause.heading(run)) } }
            @let Finding { expected, actual, .. } = short(cause.finding);
            div class="sides" {
                div { "expected" pre { (expected) } }
                div { "actual" pre { (actual) } }
            }
            p { "As in " (cause.example.name()) }
            p { (description) }
            p { (rests_on) }
            p { "Again: " code { (again) } }
        }
    }
}

fn not_run(all: &[NotRun]) -> Markup {
    html! {
        details {
            summary { "which, and why" }
            ul { @for not_run in all { li { (not_run.case) ": " (not_run.reason) } } }
        }
    }
}
