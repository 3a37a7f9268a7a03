//! Endpoints that do not answer every call: what counts as an error instead of a failure, and when
//! a run gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use harness::http::{Failure, Server};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use suites::command::{contract, copy, endpoint, printed, verify};
use suites::endpoint::Endpoint;
use suites::scratch;

use super::before::{Behind, before, is_control};
use super::{count, not_run};

/// How an endpoint handles a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Answer,
    AnswerWrong,
    Hang,
    Break,
    CutOff,
}

/// How it handles the call of each number, from 0.
type Plan = fn(usize) -> To;

/// A local endpoint behind a proxy that handles each call by a plan. Requests to control paths are
/// always answered.
pub(super) struct Faulty {
    pub(super) endpoint: Endpoint,
    pub(super) calls: Arc<AtomicUsize>,
    server: Server,
}

impl Faulty {
    pub(super) async fn start(what: Plan) -> Self {
        Self::at(endpoint(&[]).await.0, what).await
    }

    pub(super) async fn at(endpoint: Endpoint, what: Plan) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let answer = move |behind: Behind, request: Request<Bytes>| {
            let calls = Arc::clone(&counted);
            async move {
                if is_control(&request) {
                    return behind.pass(request).await;
                }
                match what(calls.fetch_add(1, Ordering::SeqCst)) {
                    To::Answer => behind.pass(request).await,
                    To::AnswerWrong => Ok(Response::new(Full::new(Bytes::from("wrong")))),
                    To::Hang => std::future::pending().await,
                    To::Break => Err(Failure::from("broken")),
                    To::CutOff => {
                        let response = Response::builder().header("content-length", 1000);
                        Ok(response.body(Full::new(Bytes::from("{")))?)
                    }
                }
            }
        };
        let server = before(endpoint.address(), answer).await;
        Self { endpoint, calls, server }
    }

    pub(super) fn url(&self) -> &str {
        self.server.url()
    }

    async fn verify(&self, arguments: &[&str]) -> (Option<i32>, String, Value) {
        let place = ["--endpoint", self.url()];
        let arguments: Vec<String> =
            place.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            verify(&arguments)
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

/// The numbers of trials that held, failed and ended in an error.
fn outcomes(report: &Value) -> [usize; 3] {
    let trials = report["trials"].as_array().unwrap();
    ["held", "failed", "error"]
        .map(|outcome| trials.iter().filter(|trial| trial["outcome"] == outcome).count())
}

/// Cases of one call each.
const SELECTION: [&str; 2] = ["--case", "IllegalParam.Bandwidth/*"];

#[tokio::test]
async fn no_answer_is_an_error_and_a_failure_outweighs_it() {
    use To::{Answer, AnswerWrong, Break, CutOff, Hang};
    let table: [(Plan, i32, [usize; 2]); 5] = [
        (|call| if call == 3 { Break } else { Answer }, 2, [0, 1]),
        (|call| if call == 3 { CutOff } else { Answer }, 2, [0, 1]),
        (|call| if call == 3 { Hang } else { Answer }, 2, [0, 1]),
        (|call| if call == 3 { AnswerWrong } else { Answer }, 1, [1, 0]),
        (|call| [Break, AnswerWrong, Hang].get(call).copied().unwrap_or(Answer), 1, [1, 2]),
    ];
    for (position, (what, code, [failed, errors])) in table.into_iter().enumerate() {
        let faulty = Faulty::start(what).await;
        let folder = scratch();
        let junit = folder.path().join("verdict.xml");
        let junit_option = format!("junit={}", junit.display());
        let more = ["--timeout", "1", "--jobs", "1", "--report", &junit_option];
        let (status, text, report) = faulty.verify(&[&SELECTION[..], &more].concat()).await;
        assert_eq!(status, Some(code), "{position}: {text}");
        let [_, told_failed, told_errors] = outcomes(&report);
        assert_eq!([told_failed, told_errors], [failed, errors], "{position}: {text}");
        assert_eq!((&report["stopped"], count(&report, "notRun")), (&Value::Null, 0), "{text}");
        let junit = std::fs::read_to_string(junit).unwrap();
        assert_eq!(junit.matches("<failure ").count(), failed, "{position}: {junit}");
        assert_eq!(junit.matches("<error ").count(), errors, "{position}: {junit}");
        let message = format!("; {errors} had no answer that can be judged");
        assert_eq!(text.contains(&message), errors > 0, "{position}: {text}");
    }
}

#[tokio::test]
async fn a_run_gives_up_where_nothing_answers() {
    use To::{Answer, Break, Hang};
    let table: [(Plan, &str, usize, usize); 4] = [
        (|_| Break, "1", 10, 10),
        (|_| Hang, "8", 16, 23),
        (|call| if call < 9 { Break } else { Answer }, "1", 9, 9),
        (|call| if call < 5 { Answer } else { Break }, "1", 50, 50),
    ];
    for (position, (what, jobs, least, most)) in table.into_iter().enumerate() {
        let faulty = Faulty::start(what).await;
        let options = ["--timeout", "1", "--jobs", jobs];
        let (code, text, report) = faulty.verify(&[&SELECTION[..], &options].concat()).await;
        assert_eq!(code, Some(2), "{position}: {text}");
        let [_, failed, errors] = outcomes(&report);
        assert_eq!(failed, 0, "{position}: {text}");
        assert!((least..=most).contains(&errors), "{position}: {errors}: {text}");
        let gave_up = position != 2;
        let reason = format!("{least} in a row had no answer");
        assert_eq!(report["stopped"], if gave_up { json!(reason) } else { Value::Null });
        assert_eq!(not_run(&report).contains_key(&reason), gave_up, "{text}");
    }
}

#[tokio::test]
async fn a_run_stops_at_the_allowed_number_of_failures() {
    let faulty = Faulty::start(|call| if call < 2 { To::Answer } else { To::AnswerWrong }).await;
    let folder = scratch();
    copy(folder.path(), &[]);
    let contracts = folder.path().to_str().unwrap();
    let options = ["--contracts", contracts, "--propose", "--jobs", "1", "--max-failures", "3"];
    let (code, text, report) = faulty.verify(&[&SELECTION[..], &options].concat()).await;
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(outcomes(&report), [2, 3, 0], "{text}");
    let rest = not_run(&report);
    assert!(rest["--max-failures 3 was reached"] > 5 && rest.len() == 1, "{rest:?}");
    // Only the cases that ran are proposed.
    assert!((1..=3).contains(&text.matches("proposed: ").count()), "{text}");

    let output = contract(&["verify", "--in-process", "--max-failures", "0"]);
    assert_eq!(output.status.code(), Some(3), "{}", printed(&output));
}
