//! The document of `contract openapi` is valid, and tools that know only this document can use it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use foreign::tools::{self, run};
use harness::contract::Contract;
use harness::http::local_client;
use harness::openapi::document;
use harness::operations::Operations;
use reqwest::Method;
use serde_json::{Value, json};
use suites::command::{contract, endpoint, printed};
use suites::scratch;
use suites::support::ALLOCATE;

fn folder() -> PathBuf {
    tools::folder("openapi")
}

fn python() -> PathBuf {
    tools::python("openapi-python", &folder())
}

/// The tools that check a document, by name. The file of each tool in `tests/openapi` lists what it
/// ignores, with the reason.
fn checks(file: &Path) -> [(&'static str, Command); 4] {
    let folder = folder();
    let programs = tools::node("openapi-node", &folder).join("node_modules/.bin");
    let command = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg(file).current_dir(file.parent().unwrap());
        command
    };
    let rules = folder.join(".spectral.yaml");
    let rules = rules.to_str().unwrap();
    let spectral = ["lint", "--ruleset", rules, "--fail-severity", "hint"];
    let mut redocly = command(&programs.join("redocly"), &["lint", "--format", "json"]);
    redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    let mut types = command(&programs.join("openapi-typescript"), &[]);
    types.args(["--output", "types.ts"]);
    [
        ("openapi-spec-validator", command(&python(), &["-m", "openapi_spec_validator"])),
        ("Spectral", command(&programs.join("spectral"), &spectral)),
        ("Redocly CLI", redocly),
        ("openapi-typescript", types),
    ]
}

/// Runs a tool, and returns its findings as an error; its warnings are no findings.
fn found(name: &str, command: &mut Command) -> Result<(), String> {
    let output = command.output().unwrap();
    let warns = name == "Redocly CLI" && {
        let message: Value = serde_json::from_slice(&output.stdout).unwrap();
        message["totals"] != json!({ "errors": 0, "warnings": 0, "ignored": 0 })
    };
    if output.status.success() && !warns { Ok(()) } else { Err(printed(&output)) }
}

#[test]
fn validators_linters_and_a_maker_of_types_find_nothing_in_the_document() {
    let scratch = scratch();
    let file = scratch.path().join("openapi.json");
    let operations = Operations::read(&Contract::embedded()).unwrap();
    let actions = operations.all().iter().map(|operation| operation.action.as_str());
    for action in std::iter::once(None).chain(actions.map(Some)) {
        let mut arguments = vec!["openapi", "--output", file.to_str().unwrap()];
        arguments.extend(action.iter().flat_map(|action| ["--action", action]));
        let output = contract(&arguments);
        assert!(output.status.success(), "{}", printed(&output));
        for (name, mut command) in checks(&file) {
            found(name, &mut command).unwrap_or_else(|message| panic!("{name}: {message}"));
        }
        let compiler = tools::node("openapi-node", &folder()).join("node_modules/.bin/tsc");
        let strictly = ["--noEmit", "--strict", "types.ts"];
        run(Command::new(compiler).args(strictly).current_dir(scratch.path()));
    }
}

#[test]
fn each_of_these_tools_finds_faults() {
    let right = document(&Contract::embedded(), &[ALLOCATE.to_owned()]).unwrap();
    let success = "/paths/~1/get/responses/200";
    let lost = json!({ "$ref": "#/components/schemas/Lost" });
    let wrong: [(&str, &str, Value); 4] = [
        ("openapi-spec-validator", "/info", json!({ "title": "It has no version." })),
        ("Spectral", "/examples/AllocateIpv6InternetBandwidthResponse/value", json!("<a/>")),
        ("Redocly CLI", "/examples/AllocateIpv6InternetBandwidthResponse/value", json!("<a/>")),
        ("openapi-typescript", "/schema", lost),
    ];
    for (name, place, value) in wrong {
        let place = match place {
            "/info" => place.to_owned(),
            place => format!("{success}/content/text~1xml{place}"),
        };
        let mut document = right.clone();
        *document.pointer_mut(&place).unwrap() = value;
        let scratch = scratch();
        let file = scratch.path().join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let mut checks = checks(&file);
        let (_, command) = checks.iter_mut().find(|(tool, _)| *tool == name).unwrap();
        assert!(found(name, command).is_err(), "{name} finds nothing at {place}");
    }
}

/// Each error that a purchase may be answered with, and its status.
fn of_purchase() -> BTreeMap<String, u16> {
    let operations = Operations::read(&Contract::embedded()).unwrap();
    let own = &operations.get(ALLOCATE).unwrap().errors;
    let rows = own.iter().chain(operations.gate());
    rows.map(|row| (row.code.clone(), row.status)).collect()
}

/// Runs Schemathesis on an endpoint, with plain or signed calls generated from a document.
fn schemathesis(document: &Value, url: &str, is_signed: bool) -> Output {
    let scratch = scratch();
    let file = scratch.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let mut command = Command::new(python().with_file_name("schemathesis"));
    command
        .arg("--config-file")
        .arg(folder().join("schemathesis.toml"))
        .arg("run")
        .arg(&file)
        .args(["--url", url, "--seed", "1", "--max-examples", "30", "--no-color"])
        .current_dir(scratch.path());
    if is_signed {
        command
            .env("SCHEMATHESIS_HOOKS", "signing")
            .env("PYTHONPATH", folder())
            .env("PYTHONDONTWRITEBYTECODE", "1");
    }
    command.output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_without_signatures_finds_nothing() {
    let (_endpoint, url) = endpoint(&[]).await;
    let document = document(&Contract::embedded(), &[]).unwrap();
    let output = schemathesis(&document, &url, false);
    assert!(output.status.success(), "{}", printed(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_passes_the_document_and_finds_its_faults() {
    let (endpoint, url) = endpoint(&[]).await;
    let mut document = document(&Contract::embedded(), &[ALLOCATE.to_owned()]).unwrap();
    let output = schemathesis(&document, &url, true);
    assert!(output.status.success(), "{}", printed(&output));
    // The calls were admitted, and reached the rules.
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    let calls = calls["Calls"].as_array().unwrap();
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        let answer = call["Answer"].as_str().unwrap();
        let code = ["<Code>", "\"Code\":\""].iter().find_map(|start| answer.split(start).nth(1));
        let code = code.and_then(|rest| rest.split(['<', '"']).next());
        *codes.entry(code.unwrap_or("a success")).or_default() += 1;
    }
    for code in [
        "InvalidRegionId.NotFound",
        "IllegalParam.Bandwidth",
        "OperationFailed.InternetBandwidthAlreadyExisted",
        "a success",
    ] {
        assert!(codes.contains_key(code), "{codes:?}");
    }
    // A body that is no form cannot be signed as it is sent.
    let unsigned = codes.get("SignatureDoesNotMatch").copied().unwrap_or_default();
    assert!(unsigned * 2 < calls.len(), "{codes:?}");

    document["components"]["schemas"]["MissingRegionId"]["properties"]["Message"]["const"] =
        json!("RegionId is missing.");
    let output = schemathesis(&document, &url, true);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(printed(&output).contains("Response violates schema"), "{}", printed(&output));
}

/// A Prism that mocks the document.
struct Prism {
    process: Child,
    url: String,
}

impl Prism {
    fn start(document: &Value) -> Self {
        let home = tools::node("openapi-node", &folder());
        let scratch = scratch();
        let file = scratch.path().join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let log = scratch.path().join("log");
        let process = Command::new(home.join("node_modules/.bin/prism"))
            .args(["mock", "--port", "0"])
            .arg(&file)
            .stdout(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut prism = Self { process, url: String::new() };
        loop {
            let said = std::fs::read_to_string(&log).unwrap();
            let line = said.lines().find_map(|line| line.split_once("Prism is listening on "));
            if let Some((_, url)) = line {
                url.trim().clone_into(&mut prism.url);
                return prism;
            }
            assert!(prism.process.try_wait().unwrap().is_none(), "Prism does not listen: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prism_mocks_every_code_by_its_name_and_decides_none() {
    let prism = Prism::start(&document(&Contract::embedded(), &[ALLOCATE.to_owned()]).unwrap());
    let client = local_client().unwrap();
    let ask = async |parameters: &str, prefer: &str| {
        let action = "Action=AllocateIpv6InternetBandwidth&Version=2016-04-28";
        let url = format!("{}/?{action}&{parameters}", prism.url);
        let answer = client.get(url).header("prefer", prefer).send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let right = "RegionId=cn-huhehaote&Ipv6AddressId=ipv6-demo01&Bandwidth=200&Signature=x";
    let (status, success) = ask(right, "").await;
    assert_eq!(status, 200);
    let names: Vec<&String> = success.as_object().unwrap().keys().collect();
    assert_eq!(names, ["InternetBandwidthId", "Ipv6AddressId", "RequestId"]);
    // A form may hold the parameters that a GET has in its query.
    let form = format!("Action=AllocateIpv6InternetBandwidth&Version=2016-04-28&{right}");
    let post = client.post(format!("{}/?Signature=x", prism.url)).body(form);
    let form_type = "application/x-www-form-urlencoded";
    let posted = post.header("content-type", form_type).send().await.unwrap();
    assert_eq!(posted.status(), 200, "{}", posted.text().await.unwrap());
    // Prism writes no XML of an object in text/xml.
    let xml = client.get(format!(
        "{}/?Action=AllocateIpv6InternetBandwidth&Version=2016-04-28&{right}",
        prism.url
    ));
    let xml = xml.header("accept", "text/xml").send().await.unwrap();
    let status = xml.status();
    let message = xml.text().await.unwrap();
    assert!(status == 500 && message.contains("NO_COMPLEX_OBJECT_TEXT"), "{status} {message}");
    // Asked for by name, any code has our answer.
    for (code, status) in of_purchase() {
        let (answered, body) = ask(right, &format!("code={status}, example={code}")).await;
        assert_eq!((answered, &body["Code"]), (status, &json!(code)));
    }
    // Prism cannot know which code applies: it answers any wrong call with the first code of a 400.
    let (status, body) = ask(&right.replace("=200", "=0"), "").await;
    assert_eq!((status, &body["Code"]), (400, &json!("DryRunOperation")));
    let (status, body) = ask(&right.replace("&Signature=x", ""), "").await;
    assert_eq!((status, &body["title"]), (401, &json!("Invalid security scheme used")));
}
