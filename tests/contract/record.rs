//! `contract record`: an endpoint's answers, beside the expected ones.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use harness::contract::Contract;
use harness::http::Server;
use harness::judge::validator;
use http_body_util::Full;
use hyper::Response;
use serde_json::{Value, json};
use suites::command::{contract, copy, endpoint, printed};
use suites::scratch;

/// Texts that no file may hold: a key and its secret, a token, an account, a user, ids, a
/// signature, addresses.
const CANARIES: [&str; 10] = [
    "LTAI5tCanaryKey00000001",
    "CANARYrecordedSecretNobodyMaySee",
    "CANARYrecordedTokenNobody+MaySee/=",
    "CANARYrecordedTokenNobody%2BMaySee%2F%3D",
    "1987654321098765",
    "canary-user:canary-session",
    "ipv6gw-canary000000001",
    "LtVZq5xCcS7+xkKNiHNPHIzLaXw=",
    "198.51.100.77",
    "2408:4004:77::7",
];

/// Every file below a folder, with its content.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    all
}

/// The recordings below a folder, each of which fits its schema.
fn recordings(folder: &Path) -> Vec<Value> {
    let schema = validator(&Contract::embedded(), "common/schemas/recording.json").unwrap();
    let read = |(file, text): (String, String)| {
        let recording = serde_json::from_str(&text).unwrap();
        schema.validate(&recording).unwrap_or_else(|error| panic!("{file}: {error}"));
        recording
    };
    files(folder).into_iter().map(read).collect()
}

#[tokio::test]
async fn expected_answers_bear_their_decisions_out() {
    let (_endpoint, url) = endpoint(&[]).await;
    let folder = scratch();
    let output = folder.path().to_str().unwrap();
    let cases = ["--case", "IllegalParam.Bandwidth/*", "--case", "Forbidden.RAM/*"];
    let place = ["record", "--endpoint", &url, "--output", output];
    let asked = contract(&[&place[..], &cases].concat());
    let got = printed(&asked);
    assert_eq!(asked.status.code(), Some(0), "{got}");
    let recordings = recordings(folder.path());
    let fitting = Contract::embedded().cases().unwrap();
    let fitting = fitting
        .iter()
        .filter(|case| ["IllegalParam.Bandwidth", "Forbidden.RAM"].contains(&case.group()));
    assert_eq!(recordings.len(), fitting.count());
    assert!(got.contains(&format!("{} recordings written to {output}", recordings.len())));
    for recording in &recordings {
        assert_eq!(recording["agrees"], true, "{recording}");
        let decision = recording["expectation"]["decision"].as_str();
        let provenance = if decision.is_some() { "chosen" } else { "documented" };
        assert_eq!(recording["expectation"]["provenance"], provenance);
        let line = decision.map(|id| got.lines().find(|line| line.contains(&format!(" {id} "))));
        assert!(line.is_none_or(|line| line.unwrap().contains("confirmed")), "{got}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_judged_by_the_places_that_it_is_about() {
    let (_endpoint, url) = endpoint(&[]).await;
    let folder = scratch();
    let output = folder.path().to_str().unwrap();
    // The message differs from the endpoint's, which concerns only the decision about messages.
    let contracts = scratch();
    let path = "AllocateIpv6InternetBandwidth/cases/IllegalParam.Bandwidth/letters.json";
    let right = Contract::embedded().text(path).unwrap().to_owned();
    let about_code = right.replace("The param of", "A param of");
    let about_text = about_code.replace("bandwidth-form", "fills");
    let other = path.replace("letters", "letters-too");
    copy(contracts.path(), &[(path, &about_code), (&other, &about_text)]);
    let place = ["record", "--endpoint", &url, "--output", output, "--contracts"];
    let place =
        [&place[..], &[contracts.path().to_str().unwrap(), "--case", "*/letters*"]].concat();
    let got = printed(&contract(&place));
    let line = |id: &str| got.lines().find(|line| line.contains(&format!(" {id} "))).unwrap();
    assert!(line("bandwidth-form").contains("confirmed"), "{got}");
    assert!(line("fills").contains("contradicted"), "{got}");
}

/// A fake endpoint that answers its first call, by which it is recognised, and every later call
/// with a page.
async fn failing() -> Server {
    let calls = Arc::new(AtomicUsize::new(0));
    let known = json!({ "RequestId": "R", "Code": "MissingRegionId" }).to_string();
    let answer = move |request: hyper::Request<_>| {
        let is_control = request.uri().path().starts_with("/_control");
        let is_first = !is_control && calls.fetch_add(1, Ordering::SeqCst) == 0;
        let body = if is_first { known.clone() } else { "<html>".to_owned() };
        let answer = Response::builder()
            .status(if is_control { 404 } else { 400 })
            .header("content-type", "text/xml;charset=utf-8")
            .body(Full::new(body.into()));
        async move { Ok(answer?) }
    };
    Server::start(answer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_bears_no_decision_out() {
    let server = failing().await;
    let (folder, contracts) = (scratch(), scratch());
    let case = "common/cases/MissingAction/absent-v1.json";
    let mut about_format = Contract::embedded().json(case).unwrap();
    about_format["decision"] = "format-default".into();
    copy(contracts.path(), &[(case, &about_format.to_string())]);
    let contracts = contracts.path().to_str().unwrap();
    let place = ["record", "--endpoint", server.url(), "--contracts", contracts, "--case", case];
    let key = [
        "--format",
        "XML",
        "--access-key-id",
        "LTAIcanary",
        "--access-key-secret",
        "secret",
        "--output",
    ];
    let output = folder.path().to_str().unwrap();
    let got = printed(&contract(&[&place[..], &key, &[output]].concat()));
    let line = got.lines().find(|line| line.contains(" format-default ")).unwrap_or(&got);
    assert!(line.contains("contradicted"), "{got}");
}

/// A fake endpoint that answers every call with one code and with everything secret.
async fn telltale() -> Server {
    let body = json!({
        "RequestId": "6972A26E-99B1-4367-9890-FBDEBB0F5E7D",
        "Message": format!("all of it: {}.", CANARIES.join(" ")),
        "HostId": "127.0.0.1", "Code": "MissingRegionId", "Recommend": "https://api.aliyun.com",
        "AccessDeniedDetail": {
            "AuthPrincipalOwnerId": CANARIES[4], "AuthPrincipalDisplayName": CANARIES[5]
        }
    });
    let body = Bytes::from(body.to_string());
    let answer = move |request: hyper::Request<_>| {
        let is_control = request.uri().path().starts_with("/_control");
        let answer = Response::builder()
            .status(if is_control { 404 } else { 400 })
            .header("content-type", "application/json;charset=utf-8")
            .header("x-acs-request-id", "6972A26E-99B1-4367-9890-FBDEBB0F5E7D")
            .body(Full::new(body.clone()));
        async move { Ok(answer?) }
    };
    Server::start(answer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_answer_is_reported_and_no_secret_is_written() {
    let server = telltale().await;
    let url = server.url();
    let folder = scratch();
    let output = folder.path().to_str().unwrap();
    let arguments = [
        &["record", "--endpoint", url, "--output", output, "--format", "json"][..],
        &["--access-key-id", CANARIES[0], "--access-key-secret", CANARIES[1]],
        &[
            "--security-token",
            CANARIES[2],
            "--case",
            "MissingRegionId/*",
            "--case",
            "MissingAction/*",
        ],
    ]
    .concat();
    let asked = contract(&arguments);
    let got = printed(&asked);
    assert_eq!(asked.status.code(), Some(1), "{got}");
    let recordings = recordings(folder.path());
    assert!(recordings.len() > 2, "{got}");
    for (file, text) in files(folder.path()).into_iter().chain([("output".to_owned(), got.clone())])
    {
        for canary in CANARIES {
            assert!(!text.contains(canary), "{file}: {canary}\n{text}");
        }
    }
    // One value has one placeholder, and the vendor's own texts stay.
    for recording in &recordings {
        let answer = recording["answers"][0].to_string();
        assert!(answer.contains("all of it: [AccessKeyId] [secret] [secret]"));
        assert!(answer.contains("[AuthPrincipalOwnerId] [AuthPrincipalDisplayName] [ResourceId]"));
        assert!(answer.contains("[IpAddress] [IpAddress 2]"), "{answer}");
        assert!(answer.contains("AuthPrincipalDisplayName\\\":\\\"[AuthPrincipalDisplayName]"));
    }
    let action =
        recordings.iter().find(|it| it["case"].as_str().unwrap().contains("MissingAction"));
    let fields = action.unwrap()["answers"][0]["fields"].as_array().unwrap();
    let code = fields.iter().find(|field| field["field"] == "body/Code").unwrap();
    assert_eq!(
        (&code["expected"], &code["observed"], &code["agrees"]),
        (&json!("MissingAction"), &json!("MissingRegionId"), &json!(false))
    );
    assert!(got.contains("contradicted"), "{got}");
    assert!(got.contains("Code: MissingAction expected, MissingRegionId"), "{got}");
}

#[tokio::test]
async fn a_recording_replaces_an_older_one_and_no_other_file() {
    let folder = scratch();
    let output = folder.path().to_str().unwrap();
    let arguments =
        ["record", "--in-process", "--output", output, "--case", "MissingAction/absent-v1"];
    let asked = contract(&arguments);
    assert_eq!(asked.status.code(), Some(0), "{}", printed(&asked));
    let (file, written) = files(folder.path()).pop().unwrap();
    std::fs::write(&file, "older").unwrap();
    assert_eq!(contract(&arguments).status.code(), Some(0));
    assert_eq!(files(folder.path()), [(file.clone(), written)]);
    let other = Path::new(&file).with_file_name("other.json");
    std::fs::write(&other, "{\n  \"case\": 7\n}").unwrap();
    let asked = contract(&arguments);
    assert_eq!(asked.status.code(), Some(2));
    let got = printed(&asked);
    assert!(got.contains(&format!("{}:2:", other.display())), "{got}");
}
