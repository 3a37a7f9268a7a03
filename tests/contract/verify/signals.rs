//! Runs that a signal ends.

use std::process::Stdio;
use std::sync::atomic::Ordering;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use suites::command::{command, printed};
use suites::scratch;

use super::given::{bandwidths, given_endpoint, options};
use super::no_answer::{Faulty, To};
use super::not_run;

#[tokio::test]
async fn a_signal_ends_a_run_at_once_and_leaves_no_world_behind() {
    for (signal, name) in
        [(Signal::SIGINT, "SIGINT"), (Signal::SIGTERM, "SIGTERM"), (Signal::SIGHUP, "SIGHUP")]
    {
        let faulty = Faulty::start(|call| if call < 20 { To::Answer } else { To::Hang }).await;
        let folder = scratch();
        let report = folder.path().join("verdict.json");
        let report_option = format!("json={}", report.display());
        // Only the signal ends a call in flight.
        let mut command = command(&["verify", "--endpoint", faulty.url(), "--timeout", "100000"]);
        let command = command.args(["--jobs", "4", "--report", &report_option]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while faulty.calls.load(Ordering::SeqCst) < 24 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        kill(Pid::from_raw(run.id().try_into().unwrap()), signal).unwrap();
        let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
        let text = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
        assert!(report["stopped"] == format!("{name} ended the run"), "{text}");
        assert!(report["trials"].as_array().unwrap().len() >= 10, "{text}");
        assert!(not_run(&report).contains_key(&format!("{name} ended the run")), "{text}");
        let worlds = faulty.endpoint.control(Method::GET, "worlds", "").await.unwrap();
        assert_eq!(worlds, json!({ "Worlds": [] }), "{name}: {text}");
    }
}

/// First the key is checked, then the case buys, and its next call gets no answer.
#[tokio::test]
async fn a_purchase_is_released_however_its_case_ends() {
    let plans: [fn(usize) -> To; 2] = [
        |call| if call == 2 { To::Break } else { To::Answer },
        |call| if call == 2 { To::Hang } else { To::Answer },
    ];
    for (plan, is_ended) in plans.into_iter().zip([false, true]) {
        let folder = scratch();
        let (endpoint, _) = given_endpoint(folder.path()).await;
        let faulty = Faulty::at(endpoint, plan).await;
        let mut command = command(&["verify", "--allow-purchases", "--timeout", "100000"]);
        let case =
            "AllocateIpv6InternetBandwidth/cases/Success/replay-default-charge-type-left-out.json";
        command.args(options(faulty.url())).args(["--case", case]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if is_ended {
            while faulty.calls.load(Ordering::SeqCst) < 3 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            kill(Pid::from_raw(run.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        }
        let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
        let text = printed(&output);
        // Whether the call without an answer bought something is not known.
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("bought and released: Ipv6InternetBandwidthId ipv6bw-"), "{text}");
        assert!(text.contains("BOUGHT AND NOT RELEASED: "), "{text}");
        assert!(text.contains("a call had no answer, so it is not known"), "{text}");
        let world = faulty.endpoint.control(Method::GET, "world", "").await.unwrap();
        assert_eq!(bandwidths(&world), 1, "only the one that was there: {text}");
    }
}

#[tokio::test]
async fn a_signal_ends_a_call_and_a_campaign_and_leaves_no_world_behind() {
    let case = "AllocateIpv6InternetBandwidth/cases/IllegalParam.Bandwidth/letters";
    for (options, calls) in
        [(&["call", "--case", case, "--timeout", "100000"][..], 1), (&["fuzz", "--jobs", "2"], 22)]
    {
        let faulty = match calls {
            1 => Faulty::start(|_| To::Hang).await,
            _ => Faulty::start(|call| if call < 20 { To::Answer } else { To::Hang }).await,
        };
        let mut command = command(options);
        command.args(["--endpoint", faulty.url()]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while faulty.calls.load(Ordering::SeqCst) < calls {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        kill(Pid::from_raw(run.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let output = tokio::task::spawn_blocking(|| run.wait_with_output().unwrap()).await.unwrap();
        let text = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {text}");
        assert!(text.contains("error: SIGTERM ended the "), "{options:?}: {text}");
        let worlds = faulty.endpoint.control(Method::GET, "worlds", "").await.unwrap();
        assert_eq!(worlds, json!({ "Worlds": [] }), "{options:?}: {text}");
    }
}
