//! The official clients, unmodified and pinned, against the local endpoint.
//!
//! They are installed into `target/` from the lock files in `tests/clients/` on first use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use foreign::tools::{self, command, run};
use regex::Regex;
use reqwest::Method;
use serde_json::Value;
use suites::endpoint::{Endpoint, built};

use self::replay::Replayer;

mod replay;

fn clients() -> PathBuf {
    tools::folder("clients")
}

/// The Python with the clients.
fn python() -> PathBuf {
    tools::python("python", &clients().join("python"))
}

/// The folder of Node scripts with the clients.
fn node() -> PathBuf {
    let folder = clients().join("node");
    let home = tools::node("node", &folder);
    // The script looks for its clients in its own folder.
    std::fs::copy(folder.join("drive.mjs"), home.join("drive.mjs")).unwrap();
    home
}

/// The output expected from each client: see `tests/clients/expected.json`.
struct Expected(Value);

impl Expected {
    fn read() -> Self {
        let text = std::fs::read_to_string(clients().join("expected.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// The clients of a language.
    fn clients(&self, language: &str) -> Vec<&str> {
        let clients = self.0["clients"].as_object().unwrap().iter();
        let of_language = clients.filter(|(_, client)| client["language"] == language);
        of_language.map(|(name, _)| name.as_str()).collect()
    }

    /// Matches the output for a scenario, and returns the text of each placeholder.
    fn check(&self, client: &str, scenario: &str, printed: &Value) -> BTreeMap<String, String> {
        let expected = &self.0["expected"][client][scenario];
        let fields = expected.as_object().unwrap_or_else(|| panic!("{client} has no {scenario}"));
        let mut stood = BTreeMap::new();
        let context = format!("{client}, {scenario}: {printed}");
        let names: BTreeSet<&String> = printed.as_object().unwrap().keys().collect();
        let known = ["client".to_owned(), "scenario".to_owned()];
        assert_eq!(names, fields.keys().chain(&known).collect(), "{context}");
        for (name, expected) in fields {
            let actual = &printed[name];
            match (expected, actual) {
                (Value::String(expected), Value::String(actual)) => {
                    let pattern = self.pattern(expected);
                    let Some(captures) = pattern.captures(actual) else {
                        panic!("{context}\n{name} is not {expected}");
                    };
                    for placeholder in pattern.capture_names().flatten() {
                        let text = captures[placeholder].to_owned();
                        let earlier = stood.entry(placeholder.to_owned()).or_insert(text.clone());
                        assert_eq!(*earlier, text, "{context}\n{placeholder} differs in {name}");
                    }
                }
                (Value::Object(range), Value::Number(actual)) => {
                    let [from, to] = ["from", "to"].map(|bound| range[bound].as_i64().unwrap());
                    let is_between = actual.as_i64().is_some_and(|n| (from..=to).contains(&n));
                    assert!(is_between, "{context}\n{name} is not from {from} to {to}");
                }
                _ => assert_eq!(actual, expected, "{context}\n{name}"),
            }
        }
        stood
    }

    /// The text as a pattern with one named group for each placeholder.
    fn pattern(&self, text: &str) -> Regex {
        let mut pattern = regex::escape(text);
        for (name, expression) in self.0["placeholders"].as_object().unwrap() {
            let expression = expression.as_str().unwrap();
            let placeholder = regex::escape(&format!("{{{name}}}"));
            pattern = pattern.replacen(&placeholder, &format!("(?P<{name}>{expression})"), 1);
            pattern = pattern.replace(&placeholder, &format!("(?:{expression})"));
        }
        Regex::new(&format!("^{pattern}$")).unwrap()
    }
}

/// How many calls an endpoint has received.
async fn calls(endpoint: &Endpoint) -> usize {
    let calls = endpoint.control(Method::GET, "calls", "").await.unwrap();
    calls["Calls"].as_array().unwrap().len()
}

/// Runs a driver and checks every line of its output.
async fn drive(language: &str, mut driver: Command) {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    let replayer = Replayer::start(endpoint.address()).await;
    let throttling = Endpoint::start(&binary, &["--throttle", "0/60"]).await.unwrap();
    driver.args(["--endpoint", endpoint.address()]);
    driver.args(["--replaying-endpoint", &replayer.address()]);
    driver.args(["--throttling-endpoint", throttling.address()]);
    // The proxy needs this thread while the driver runs.
    let running = move || run(&mut driver);
    let output = tokio::task::spawn_blocking(running).await.unwrap();
    let expected = Expected::read();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut tried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bandwidths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut request_ids = BTreeSet::new();
    for line in printed.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let (client, scenario) = (text("client"), text("scenario"));
        let stood = expected.check(&client, &scenario, &line);
        if let Some(id) = stood.get("requestId") {
            assert!(request_ids.insert(id.clone()), "{client}, {scenario}: {id} came twice");
        }
        bandwidths
            .entry(client.clone())
            .or_default()
            .extend(stood.get("internetBandwidthId").cloned());
        tried.entry(client).or_default().insert(scenario);
    }
    let scenarios: BTreeSet<String> =
        expected.0["scenarios"].as_object().unwrap().keys().cloned().collect();
    let clients = expected.clients(language);
    for &client in &clients {
        assert_eq!(tried.get(client), Some(&scenarios), "what {client} tried");
        assert_eq!(bandwidths[client].len(), 1, "{client}: a replay gives the first bandwidth");
    }
    assert_eq!(tried.len(), clients.len(), "{:?}", tried.keys());

    // The first answer to each replayed call was a success, and no client repeated a call itself.
    assert_eq!(replayer.withheld(), vec!["HTTP/1.1 200 OK"; clients.len()]);
    assert_eq!(calls(&throttling).await, clients.len(), "a client repeats a throttled call");
    // The throttled calls went to another endpoint, and as many calls were sent twice.
    assert_eq!(calls(&endpoint).await, printed.lines().count(), "a client repeats a call");
}

#[tokio::test]
async fn the_python_clients_understand_every_answer() {
    let mut driver = Command::new(python());
    driver.arg(clients().join("python/drive.py"));
    drive("python", driver).await;
}

#[tokio::test]
async fn the_node_clients_understand_every_answer() {
    let home = node();
    let mut driver = command("node");
    driver.arg(home.join("drive.mjs"));
    drive("node", driver).await;
}

/// The snippet that the endpoint prints under a heading.
fn snippet(banner: &str, heading: &str) -> String {
    let (_, rest) =
        banner.split_once(heading).unwrap_or_else(|| panic!("no {heading} in\n{banner}"));
    let rest = rest.split_once("\n\n").unwrap().1;
    // The next heading ends the snippet.
    let end =
        ["\n\nNode:", "\n\naliyun CLI", "\n\nTerraform"].iter().filter_map(|h| rest.find(h)).min();
    rest[..end.unwrap()].to_owned()
}

#[tokio::test]
async fn the_snippets_of_the_banner_work_when_pasted() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    let banner = endpoint.banner().await;

    let folder = suites::scratch();
    let script = folder.path().join("snippet.py");
    std::fs::write(&script, snippet(&banner, "Python:")).unwrap();
    let mut python = Command::new(python());
    let output = run(python.arg(&script).env_remove("HTTP_PROXY").env_remove("http_proxy"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("ipv6bw-") && printed.contains("ipv6-demo01"), "{printed}");

    let home = node();
    let script = home.join("snippet.mjs");
    std::fs::write(&script, snippet(&banner, "Node:")).unwrap();
    let mut node = command("node");
    let output = run(node.arg(&script).env_remove("HTTP_PROXY").env_remove("http_proxy"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("ipv6bw-") && printed.contains("ipv6-demo02"), "{printed}");
}
