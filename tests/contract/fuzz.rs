//! The fuzzer finds nothing wrong with the local endpoint, finds the defects of faulty endpoints,
//! and its model agrees with the case files.

mod defects;

use std::fmt::Write as _;

use harness::answer::Body;
use harness::case::{Case, Setting, Style};
use harness::contract::Contract;
use harness::fuzz::{
    CASES_SECS, Call, Campaign, Caught, Expected, Keys, Model, Plan, Report, State,
};
use harness::judge::Rulebook;
use harness::operations::{Operation, Operations};
use harness::target::ControlOptions;
use serde_json::{Value, json};
use suites::endpoint::{Endpoint, built};

use defects::{DEFECTS, Defect, NO_CONTROL, STATUS_OF_REGION};

/// A local endpoint that logs little, because it gets many calls.
async fn endpoint() -> Endpoint {
    let binary = built("local-endpoint").unwrap();
    Endpoint::start_logging(&binary, &[], "warn").await.unwrap()
}

/// A failing sequence as `--replay` reads it, and why it failed.
fn printed(caught: &Caught) -> String {
    let plan = serde_json::to_string(&caught.plan).unwrap();
    // Some values are as long as a parameter may be.
    let plan: String = plan.chars().take(4000).collect();
    format!("{plan}\n{:?}", caught.failure)
}

fn campaign(url: &str, seed: u64, calls: u64) -> Campaign {
    let keys = Keys { id: "testid".to_owned(), secret: "testsecret".to_owned() };
    let (endpoint, control) = (url.to_owned(), ControlOptions::default());
    Campaign { endpoint, control, keys, seed, calls: Some(calls), time: None, jobs: 2 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_sequences_find_nothing_wrong_with_the_local_endpoint() {
    let endpoint = endpoint().await;
    let operations = Operations::read(&Contract::embedded()).unwrap();
    let campaign = campaign(endpoint.remote().url(), 100_000, 2500);
    let Report { sequences, met, unmet, caught, .. } =
        campaign.run(&Contract::embedded()).await.unwrap();
    assert!(caught.is_none(), "{}", caught.map(|caught| printed(&caught)).unwrap_or_default());
    assert!(sequences >= 300, "{sequences}");
    // An error that was never answered was not checked.
    let of_trouble = ["InternalError", "RequestHeadersTooLarge", "RequestTooLarge", "SystemBusy"];
    let out_of_reach = |answer: &String| {
        let (_, code) = answer.split_once('/').unwrap();
        of_trouble.contains(&code) || code == "Throttling.User"
    };
    let left: Vec<&String> = unmet.iter().filter(|answer| !out_of_reach(answer)).collect();
    assert!(left.len() <= 3 * operations.all().len(), "never answered: {left:?}");
    let successes = operations.all().iter().map(|operation| {
        let met = met.get(&format!("{}/Success", operation.action));
        met.copied().unwrap_or_default()
    });
    let successes: Vec<u64> = successes.collect();
    assert!(successes.iter().all(|met| *met >= 25), "{successes:?}");
    assert!(successes.iter().sum::<u64>() >= 200, "{successes:?}");
    // The campaign removed the worlds that it made.
    let worlds = endpoint.control(reqwest::Method::GET, "worlds", "").await.unwrap();
    assert_eq!(worlds, json!({ "Worlds": [] }));
}

/// Plants each of some defects, and asserts that it is found and shrunk to three calls at most.
async fn find(defects: &[Defect]) {
    let endpoint = endpoint().await;
    for defect in defects {
        let (name, proxy) = (defect.name, defect.planted(endpoint.address()).await);
        let report = campaign(proxy.url(), 1, 20_000).run(&Contract::embedded()).await.unwrap();
        let caught = report.caught.unwrap_or_else(|| panic!("{name}: not found"));
        let calls = caught.plan.calls();
        assert!(calls <= 3, "{name}: {}", printed(&caught));
        let findings = &caught.failure.findings;
        let what: Vec<&str> = findings.iter().map(|it| it.place.path.as_str()).collect();
        assert!(defect.shows(&what), "{name}: {}", printed(&caught));
        // The sequence alone reproduces the defect.
        let again = campaign(proxy.url(), 0, 0);
        let replayed = again.replay(&Contract::embedded(), caught.plan).await.unwrap();
        assert!(replayed.caught.is_some(), "{name}: does not show again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_defect_of_rules_and_tokens_is_found_and_shrunk() {
    find(&DEFECTS[..DEFECTS.len() / 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_defect_of_limits_answers_and_purchases_is_found_and_shrunk() {
    find(&DEFECTS[DEFECTS.len() / 2..]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_leads_to_the_same_sequences_in_every_run() {
    let endpoint = endpoint().await;
    let proxy = STATUS_OF_REGION.planted(endpoint.address()).await;
    let mut plans: Vec<Plan> = Vec::new();
    for _ in 0..2 {
        let campaign = Campaign { jobs: 1, ..campaign(proxy.url(), 77, 20_000) };
        plans.push(campaign.run(&Contract::embedded()).await.unwrap().caught.unwrap().plan);
    }
    assert_eq!(plans[0], plans[1]);
}

#[tokio::test]
async fn an_endpoint_without_control_paths_is_refused_with_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let fuzz = async |url: &str| {
        campaign(url, 1, 1).run(&Contract::embedded()).await.unwrap_err().to_string()
    };
    let error = fuzz(&format!("http://{address}")).await;
    assert!(error.contains("no HTTP server answers"), "{error}");
    let endpoint = endpoint().await;
    let proxy = NO_CONTROL.planted(endpoint.address()).await;
    let error = fuzz(proxy.url()).await;
    assert!(error.contains("it cannot be fuzzed, for it has no control paths"), "{error}");
}

#[test]
fn a_malformed_sequence_is_reported_with_line_and_field() {
    let error = Plan::open("{\n\"world\": {},\n\"steps\": [{\"call\": {\"method\": 1}}]}")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("--replay:3:") && error.contains("steps[0]"), "{error}");
    let error = Plan::open("no-such-file.json").unwrap_err().to_string();
    assert!(error.starts_with("no-such-file.json: "), "{error}");
}

/// The model's answer to a case, and the answer that the case demands.
fn compared(model: &Model, case: &Case, style: Style) -> (String, String) {
    let mut state = State::of(model, case.world.clone(), CASES_SECS);
    let mut before = Value::Null;
    for (position, request) in case.before.iter().enumerate() {
        let earlier = Call::of(request, style, "JSON");
        let found = state.find(&earlier);
        let mut elements = json!({});
        if let Expected::Replay(_, known) = &found.expected {
            elements = known.clone();
        } else if let Some(operation) = model.rules.operations.get(&request.action) {
            for name in operation.fresh() {
                elements[name] = format!("fresh-{position}").into();
            }
        }
        elements["RequestId"] = position.to_string().into();
        let elements = elements.as_object().unwrap().clone();
        state.take(&earlier, &found, &Body { elements: elements.clone(), ..Body::default() });
        before = elements.into();
    }
    let demanded = &case.demanded;
    let operation = model.rules.operations.get(&case.request.action);
    // New ids distinguish one success from another.
    let replay = |elements: &Value| {
        let fresh = operation.into_iter().flat_map(Operation::fresh);
        let fresh: Vec<String> = fresh.map(|name| elements[name].to_string()).collect();
        format!("a replay: {}", fresh.join(", "))
    };
    let found = state.find(&Call::of(&case.request, style, "JSON"));
    let (shown, is_replay) = match &found.expected {
        Expected::Refused { code, .. } if code == "SignatureDoesNotMatch" => (code.clone(), false),
        Expected::Refused { code, message } => (format!("{code}: {message}"), false),
        Expected::Success(_) => ("a success".to_owned(), false),
        Expected::Replay(_, known) => (replay(known), true),
    };
    let mut fresh = operation.into_iter().flat_map(Operation::fresh);
    let is_said = fresh.any(|name| demanded.elements.contains_key(name));
    let demanded = match (&demanded.code, &demanded.message) {
        // The model does not compute the string to sign.
        (Some(code), _) if code == "SignatureDoesNotMatch" => code.clone(),
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ if demanded.same_as_before => replay(&before),
        _ if is_replay && is_said => replay(&json!(demanded.elements)),
        _ if is_replay => shown.clone(),
        _ => "a success".to_owned(),
    };
    (shown, demanded)
}

/// Whether the model cannot express a case: it knows no policies but "everything" and "nothing", no
/// store faults, no throttling, no size of a request, and no headers as such.
fn is_beyond_the_model(case: &Case) -> bool {
    let known = |(name, setting): (&String, &Setting)| match name.as_str() {
        "x-acs-action" | "x-acs-version" | "x-acs-date" | "x-acs-signature-nonce" => true,
        // Their size counts as well, and the model knows the size of other parameters only.
        "authorization" | "SignatureNonce" => matches!(setting, Setting::Absent(())),
        name => name.starts_with(|c: char| c.is_uppercase()) || name == "body" || name == "method",
    };
    let request = &case.request;
    let groups =
        ["Forbidden.RAM", "IncompleteSignature", "RequestTooLarge", "RequestHeadersTooLarge"];
    !request.common.iter().chain(&request.after_signing).all(known)
        || case.fault.is_some()
        || case.throttling.is_some()
        || groups.contains(&case.group())
        // No file of the contract lists the actions that are not built.
        || case.demanded.message.as_ref().is_some_and(|text| text.contains(" is an action of "))
        || case.world.to_string().contains("\"Statement\"")
}

#[test]
fn the_answers_of_the_model_are_those_of_the_cases() {
    let contract = Contract::embedded();
    let model = Model::of(Rulebook::read(&contract).unwrap()).unwrap();
    let (mut tried, mut wrong) = (0, String::new());
    for case in contract.cases().unwrap().iter().filter(|case| !is_beyond_the_model(case)) {
        for style in [Style::V1, Style::V3] {
            tried += 1;
            let (found, demanded) = compared(&model, case, case.request.signature.unwrap_or(style));
            if found != demanded {
                writeln!(wrong, "{}, {style:?}: {found}, not {demanded}", case.path).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(tried > 900, "{tried}");
}
