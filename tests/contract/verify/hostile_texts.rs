//! The output of `contract` about an endpoint that answers hostile texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::http::Server;
use harness::secrets::TOKEN;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use suites::command::{command, endpoint, printed};
use suites::endpoint::Endpoint;
use suites::scratch;

use super::before::{Behind, before, is_control};

/// The outputs of one run, by name.
pub(super) type Sinks = BTreeMap<&'static str, String>;

/// A case of one call.
const CASE: &str = "MissingAction/absent-v1";

const KINDS: [&str; 4] = ["json", "junit", "html", "github"];

/// A local endpoint whose answer to each call is made from the request.
pub(super) struct Answering {
    server: Server,
    _endpoint: Endpoint,
}

impl Answering {
    pub(super) async fn with(body: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let (endpoint, _) = endpoint(&[]).await;
        let body = Arc::new(body);
        let answer = move |behind: Behind, request: Request<Bytes>| {
            let body = Arc::clone(&body);
            async move {
                if is_control(&request) {
                    return behind.pass(request).await;
                }
                let sent = String::from_utf8_lossy(request.body());
                let sent = format!("{}\n{:?}\n{sent}", request.uri(), request.headers());
                let answer = Response::builder().status(400).header("x-text", "::error::##[x]");
                let answer = answer.header("content-type", "application/json;charset=utf-8");
                Ok(answer.body(Full::new(Bytes::from(body(&sent)))).unwrap())
            }
        };
        let server = before(endpoint.address(), answer).await;
        Self { server, _endpoint: endpoint }
    }
}

/// Verifies one case at an endpoint, with reports of every kind.
pub(super) async fn shown(at: &Answering, case: &str) -> Sinks {
    let folder = scratch();
    let file = |kind: &str| folder.path().join(kind);
    let reports = KINDS.map(|kind| format!("{kind}={}", file(kind).display())).join(",");
    let mut command = command(&["verify", "--endpoint", at.server.url()]);
    command.args(["--case", case, "--signature", "v1"]);
    command.args(["--report", &reports]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let mut sinks = Sinks::new();
    for kind in KINDS {
        let text = std::fs::read_to_string(file(kind));
        sinks.insert(kind, text.unwrap_or_else(|_| panic!("{kind}: {}", printed(&output))));
    }
    sinks.insert("stdout", String::from_utf8(output.stdout).unwrap());
    sinks.insert("stderr", String::from_utf8(output.stderr).unwrap());
    sinks
}

/// Whether the runner of GitHub's workflows takes a line as a command.
fn is_command(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("::") || line.find("##[").is_some_and(|at| line[at..].contains(']'))
}

const TEXTS: [(&str, &str); 14] = [
    ("a command", "::error file=a::injected]"),
    ("a command in a line of its own", "a\n::stop-commands::injected"),
    ("a command behind blanks", "a\n \t ::add-mask::injected"),
    ("a command behind other blanks", "a\r\n\u{b}\u{c}\u{a0}\u{2003}\u{3000}::warning::injected"),
    (
        "a command behind other ends of line",
        "a\u{85}::error::b\u{2028}::error::c\r::error::injected",
    ),
    ("an old command", "injected ##[error]injected ####[group]"),
    ("an old command that is split", "#\u{1b}[0m#[error]injected ##\u{200b}[error]"),
    ("colours", "\u{1b}[31m::error::injected\u{1b}[0m \u{9b}31m"),
    ("controls", "injected \u{0}\u{7}\u{8}\u{7f}\u{80}\u{9f}"),
    ("formats", "injected \u{ad}\u{200b}\u{200d}\u{2060}\u{202e}\u{2066}\u{feff}\u{e0041}"),
    ("fillers", "injected \u{115f}\u{1160}\u{3164}\u{ffa0}\u{2800}"),
    ("noncharacters", "injected \u{fffe}\u{ffff}\u{1ffff}\u{fdd0}"),
    ("markup", "injected ]]> <script>alert(1)</script> &lt; &#0; \"'"),
    ("an end of a group", "injected\n::endgroup::\n::group::x"),
];

fn is_invisible(character: char) -> bool {
    let is_blank = character.is_whitespace() && character != ' ' && character != '\n';
    let listed = "\u{ad}\u{115f}\u{1160}\u{200b}\u{200d}\u{202e}\u{2060}\u{2066}\u{2800}\u{3164}\
                  \u{fdd0}\u{feff}\u{ffa0}\u{fffe}\u{ffff}\u{1ffff}\u{e0041}";
    is_blank || character.is_control() && character != '\n' || listed.contains(character)
}

#[tokio::test]
async fn no_text_of_an_answer_is_invisible_or_a_command_anywhere() {
    for (name, text) in TEXTS {
        let body = json!({ "Message": text, "Code": text, text: text }).to_string();
        let server = Answering::with(move |sent| {
            if sent.contains("Format=XML") { text.to_owned() } else { body.clone() }
        });
        let sinks = shown(&server.await, CASE).await;
        for (sink, shown) in &sinks {
            assert!(*sink == "stderr" || shown.contains("injected"), "{name} in {sink}: {shown}");
            for line in shown.lines() {
                let own = ["::error ", "::notice "].iter().find_map(|it| line.strip_prefix(it));
                let line = own.filter(|_| *sink == "github").unwrap_or(line);
                assert!(!is_command(line), "{name} in {sink}: {line}");
            }
            if *sink != "json" {
                let found = shown.chars().find(|character| is_invisible(*character));
                assert_eq!(found, None, "{name} in {sink}: {shown}");
            }
        }
        let report: Value = serde_json::from_str(&sinks["json"]).unwrap();
        let trials = report["trials"].as_array().unwrap();
        assert_eq!(trials.len(), 2, "{report}");
        let mut findings = trials.iter().flat_map(|trial| trial["findings"].as_array().unwrap());
        let is_whole = |finding: &Value| finding["actual"].as_str().unwrap().contains(text);
        assert!(findings.any(is_whole), "{name}: {report}");
        let mut reader = quick_xml::Reader::from_str(&sinks["junit"]);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        assert!(!sinks["html"].contains("<script>alert"), "{name}");
    }
}

/// Without bounds such comparisons take minutes.
#[tokio::test]
async fn long_answers_are_cut_where_they_differ() {
    let lines: Vec<_> = (0..100_000).map(|at| format!("line {}", at * 7919 % 100_000)).collect();
    let start = "Action is mandatory for ".to_owned();
    for (text, message) in [
        (start.clone() + &"injected".repeat(50_000), "…on is mandatory for injected"),
        (lines.join("\n"), "… and 9"),
        (format!("<br>{}</html>", "<p>x</p>".repeat(50_000)), "(400011 characters)"),
    ] {
        let body = json!({ "Message": text }).to_string();
        for (body, message) in [(body, message), (text, "do not hold")] {
            let server = Answering::with(move |_| body.clone()).await;
            let sinks = shown(&server, CASE).await;
            for sink in ["stdout", "junit", "html", "github"] {
                assert!(sinks[sink].len() < 40_000, "{message} {sink}: {}", sinks[sink].len());
            }
            assert!(sinks["stdout"].contains(message), "{message}: {}", sinks["stdout"]);
        }
    }
}

fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

/// The output about an endpoint that echoes its caller's token and signature in many forms.
#[tokio::test]
async fn no_secret_of_an_answer_is_shown_anywhere() {
    let value = |sent: &str, name: &str| {
        let value = sent.split_once(name).map_or("", |(_, rest)| rest);
        value.split(['&', '"', ' ', '\n', ',']).next().unwrap_or_default().to_owned()
    };
    let echo = move |sent: &str| {
        let (token, signature) = (value(sent, "SecurityToken="), value(sent, "Signature="));
        let hex = in_hex(&token);
        let [plain, shifted] = [token.clone(), format!("a{token}b")].map(|it| STANDARD.encode(it));
        let twice = signature.replace('%', "%25");
        let far = "x".repeat(90) + &token;
        let text = format!("injected {token} {hex} {plain} {shifted} {signature} {twice} {far}");
        json!({ "Message": text, "Code": token, token: signature }).to_string()
    };
    let server = Answering::with(echo).await;
    let sinks = shown(&server, "DryRunOperation/session").await;
    let [plain, shifted] = ["", "a"].map(|before| STANDARD.encode(format!("{before}{TOKEN}")));
    for (sink, text) in sinks {
        assert!(sink == "stderr" || text.contains("[secret]"), "{sink}: {text}");
        for form in [TOKEN, &in_hex(TOKEN), &plain[..12], &shifted[4..16], "%3D", "%253D"] {
            assert!(!text.contains(form), "{form} in {sink}: {text}");
        }
    }
}
