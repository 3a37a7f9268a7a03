//! `contract verify` and `contract call`: verdicts, targets and messages.

mod altered;
mod before;
mod given;
mod hostile_texts;
mod keys;
mod no_answer;
mod reached;
mod reports;
mod signals;
mod tls;
mod unused;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use harness::contract::Contract;
use serde_json::{Value, json};
use suites::command::{contract, copy, endpoint, printed, verify};
use suites::endpoint::{Endpoint, built};
use suites::scratch;
use tempfile::TempDir;

/// How many cases were not run, by reason.
pub(crate) fn not_run(report: &Value) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for not_run in report["notRun"].as_array().unwrap() {
        *reasons.entry(not_run["reason"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    reasons
}

pub(crate) fn count(report: &Value, name: &str) -> usize {
    report[name].as_array().unwrap().len()
}

#[test]
fn every_case_holds_in_process() {
    let (code, text, report) = verify(&["--in-process"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(count(&report, "trials") > 2000 && count(&report, "notRun") == 0, "{text}");
    let version = report["contractVersion"].as_str().unwrap();
    assert!(text.contains(&format!("judged by contracts {version} (")), "{text}");
    assert_eq!((&report["readsState"], &report["holds"]), (&json!(true), &json!(true)));
    assert!(!text.contains("panicked"), "{text}");
}

// A second thread reads the log, or the endpoint waits for that.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_at_an_endpoint_for_two_who_verify_at_once() {
    // It logs all it can, so that all of it is searched for secrets.
    let endpoint = Endpoint::start(&built("local-endpoint").unwrap(), &[]).await.unwrap();
    let url = format!("http://{}", endpoint.address());
    let before = endpoint.control(reqwest::Method::GET, "world", "").await.unwrap();
    let verdicts = std::thread::scope(|scope| {
        let run = || verify(&["--exact", "--endpoint", &url]);
        let (one, other) = (scope.spawn(run), scope.spawn(run));
        [one.join().unwrap(), other.join().unwrap()]
    });
    for (code, text, report) in verdicts {
        assert_eq!(code, Some(0), "{text}");
        assert!(count(&report, "trials") > 2000 && count(&report, "notRun") == 0, "{text}");
        assert!(report["readsState"] == json!(true), "{text}");
    }
    // The runs removed their worlds.
    let worlds = endpoint.control(reqwest::Method::GET, "worlds", "").await.unwrap();
    assert_eq!(worlds, json!({ "Worlds": [] }));
    assert_eq!(endpoint.control(reqwest::Method::GET, "world", "").await.unwrap(), before);
    assert_eq!(endpoint.leaks(), [""; 0], "no secret is in what an endpoint writes");
}

/// `cases.rs` runs every case through it.
#[test]
fn a_built_bootstrap_is_tried_with_all_cases_but_those_whose_store_must_fail() {
    let binary = built("bootstrap").unwrap();
    let chosen = ["--case", "AllocateIpv6InternetBandwidth/cases/S*/*"];
    let (code, text, report) =
        verify(&[&["--function", binary.to_str().unwrap()], &chosen[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    let cases = Contract::embedded().cases().unwrap();
    let cases =
        cases.iter().filter(|case| case.path.starts_with("AllocateIpv6InternetBandwidth/cases/S"));
    let (failing, tried): (Vec<_>, Vec<_>) = cases.partition(|case| case.fault.is_some());
    let reason = "its store must fail, which needs control paths";
    assert_eq!(not_run(&report), BTreeMap::from([(reason.to_owned(), failing.len())]));
    assert!(count(&report, "trials") >= tried.len(), "{text}");
}

/// A contract with one wrong message, and the path of that case.
fn wrong() -> (TempDir, &'static str) {
    let path = "AllocateIpv6InternetBandwidth/cases/IllegalParam.Bandwidth/letters.json";
    let right = Contract::embedded().text(path).unwrap().to_owned();
    let wrong = right.replace("param of Bandwidth is", "param of Bandwith is");
    assert_ne!(wrong, right);
    let folder = scratch();
    copy(folder.path(), &[(path, &wrong)]);
    (folder, path)
}

#[test]
fn a_failure_is_reported_with_its_sentence_its_difference_and_a_command() {
    let (folder, path) = wrong();
    let contracts = folder.path().to_str().unwrap();
    let reports = scratch();
    let file = |name: &str| reports.path().join(name).display().to_string();
    let reports = format!(
        "junit={},html={},github={},codequality={}",
        file("verdict.xml"),
        file("verdict.html"),
        file("github"),
        file("quality.json")
    );
    // The reports name a file by its path in the repository around it.
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let arguments =
        ["--contracts", contracts, "--case", "IllegalParam.Bandwidth/l*", "--in-process"];
    let (code, text, report) = verify(&[&arguments[..], &["--report", &reports]].concat());
    assert_eq!(code, Some(1), "{text}");
    for part in [
        "body/Message: 4 of 24 answers",
        &format!("as in {path} (V1, JSON)"),
        "page: \"IllegalParam.Bandwidth The param of %s is illegal.",
        "decision bandwidth-form",
        "    The param of Bandwith is illegal.                        | The param of Bandwidth is illegal.",
        "                                                                                  ^",
        "again: contract call --in-process --case 'AllocateIpv6InternetBandwidth/cases/\
         IllegalParam.Bandwidth/letters' --signature V1 --format JSON",
        "4 do not hold",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let failed =
        report["trials"].as_array().unwrap().iter().filter(|trial| trial["holds"] == false);
    for trial in failed {
        assert_eq!(trial["case"], path);
        assert_eq!(trial["findings"][0]["place"], "body/Message");
    }
    let junit = std::fs::read_to_string(file("verdict.xml")).unwrap();
    let tried = count(&report, "trials");
    assert!(junit.contains(&format!("tests=\"{tried}\" skipped=\"0\" failures=\"4\"")), "{junit}");
    assert!(junit.contains("<failure message=\"body/Message\""), "{junit}");
    let annotations = std::fs::read_to_string(file("github")).unwrap();
    assert!(junit.contains(&format!(" file=\"{path}\"")), "{junit}");
    let quality = std::fs::read_to_string(file("quality.json")).unwrap();
    let quality: Value = serde_json::from_str(&quality).unwrap();
    let location = json!({ "path": path, "lines": { "begin": 1 } });
    for issue in quality.as_array().unwrap() {
        assert!(issue["description"].as_str().unwrap().contains("answers: expected"), "{quality}");
        assert_eq!(
            (&issue["check_name"], &issue["severity"]),
            (&json!("contract verify"), &json!("major"))
        );
        assert_eq!(issue["location"], location);
    }
    let fingerprints =
        quality.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap());
    let fingerprints: BTreeSet<&str> = fingerprints.collect();
    assert!(
        fingerprints.len() == quality.as_array().unwrap().len() && !fingerprints.is_empty(),
        "{quality}"
    );
    let annotation = format!("::error file={path}");
    assert!(annotations.contains(&annotation) && !text.contains("::error"), "{annotations}");
    let html = std::fs::read_to_string(file("verdict.html")).unwrap();
    assert!(html.contains("The param of Bandwith is illegal."), "{html}");

    // The command in the report reproduces the failure.
    let again = ["call", "--contracts", contracts, "--in-process", "--signature", "v1"];
    let output = contract(&[&again[..], &["--format", "xml", "--case", path]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("it does not hold"), "{}", printed(&output));

    // The output names what was not checked.
    let lenient = ["--lenient", "message", "--lenient", "snapshot"];
    let (code, text, _) = verify(&[&arguments[..], &lenient].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("not judged, as --lenient says: snapshot, message"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_reported_with_its_place() {
    use tokio::io::AsyncWriteExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"SSH-2.0-nothing\r\n").await);
        }
    });
    let folder = scratch();
    let case = "common/cases/MissingAction/absent-v1.json";
    copy(folder.path(), &[(case, "{\n  \"description\": 1\n}")]);
    let contracts = folder.path().to_str().unwrap();
    for (arguments, code, message) in [
        (&["--endpoint", "http://127.0.0.1:1"][..], 2, "no HTTP server answers"),
        (&["--endpoint", &silent], 2, "no HTTP server answers"),
        (&["--endpoint", "nothing"], 2, "--endpoint nothing: relative URL without a base"),
        (&["--endpoint", "http://127.0.0.1:1/a"], 2, "the URL must not have a path"),
        (&["--endpoint", "http://127.0.0.1:1/#a"], 2, "the URL must not have a path"),
        (&["--endpoint", "http://127.0.0.1:1", "--wait", "1"], 2, "answers: within 1 s: "),
        (&["--endpoint", &silent, "--wait", "100000"], 2, "no HTTP server answers"),
        (&["--in-process", "--wait", "1"], 3, "cannot be used with"),
        (&["--in-process", "--cacert", "a"], 3, "cannot be used with"),
        (&["--endpoint", "http://127.0.0.1:1", "--wait", "1.5"], 3, "--wait"),
        (&["--function", "/no/bootstrap"], 2, "--function /no/bootstrap: no such file"),
        (&["--in-process", "--case", "none"], 2, "--case none: no case of contracts fits it"),
        (&["--in-process", "--bind", "a=b"], 2, "--bind a=b: unknown role a"),
        (
            &["--in-process", "--contracts", contracts],
            2,
            "absent-v1.json:2:18: description: invalid",
        ),
        (&["--in-process", "--report", "xml=a"], 3, "not junit=FILE, json=FILE"),
        (
            &["--in-process", "--report", "github"],
            3,
            "github=FILE: annotations need a separate file",
        ),
        (&["--in-process", "--endpoint", "http://127.0.0.1:1"], 3, "cannot be used with"),
        (&[], 3, "required arguments were not provided"),
    ] {
        let output = contract(&[&["verify"], arguments].concat());
        let text = printed(&output);
        assert!(
            output.status.code() == Some(code) && text.contains(message),
            "{arguments:?}\n{text}"
        );
    }
}

#[test]
fn a_password_in_a_url_is_refused_and_not_shown() {
    for url in [
        "http://user:CANARY@127.0.0.1:1",
        "https://CANARY@example.com",
        "user:CANARY@127.0.0.1:1",
        "http://user:CANARY@127.0.0.1:99999",
        "ftp://user:CANARY@127.0.0.1",
        "http://user:CANARY@127.0.0.1/a",
    ] {
        let output = contract(&["verify", "--endpoint", url]);
        let text = printed(&output);
        assert!(!text.contains("CANARY") && text.contains("--endpoint the URL: "), "{url}: {text}");
        assert_eq!(output.status.code(), Some(2), "{url}: {text}");
    }
}

/// The steps that the README gives to an outsider.
#[tokio::test]
async fn an_outsider_can_add_a_case_review_its_answer_and_check_an_endpoint() {
    let (_endpoint, url) = endpoint(&[]).await;
    let folder = scratch();
    let own = folder.path().join("own");
    let own = own.to_str().unwrap();
    let output = contract(&["unpack", own]);
    assert!(output.status.success(), "{}", printed(&output));
    let output = contract(&["unpack", own]);
    assert!(printed(&output).contains("the folder is not empty; nothing was written"));
    // A case whose answer differs from the other cases of its code.
    let cases = format!("{own}/AllocateIpv6InternetBandwidth/cases/Success");
    let case = std::fs::read_to_string(format!("{cases}/replay-address-released.json")).unwrap();
    std::fs::write(format!("{cases}/mine.json"), case).unwrap();
    let arguments = ["--contracts", own, "--endpoint", &url, "--case", "mine"];
    let (code, text, _) = verify(&[&arguments[..], &["--propose"]].concat());
    assert_eq!(code, Some(1), "{text}");
    let reviewed = format!("{own}/AllocateIpv6InternetBandwidth/snapshots/Success@mine.snap");
    assert!(text.contains(&format!("proposed: {reviewed}.new")), "{text}");
    std::fs::rename(format!("{reviewed}.new"), &reviewed).unwrap();
    let (code, text, _) = verify(&arguments);
    assert_eq!(code, Some(0), "{text}");
    // The file is insta's, except for its name.
    let copied = reviewed.replace("mine", "replay-address-released");
    assert_eq!(
        std::fs::read_to_string(reviewed).unwrap(),
        std::fs::read_to_string(copied).unwrap()
    );
    let output = contract(&["verify", "--in-process", "--case", "letters", "--propose"]);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
}
