//! The example server of the control protocol: `contract verify` treats it as a full endpoint.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use foreign::tools;
use harness::target::Remote;
use reqwest::Method;
use serde_json::json;
use suites::command::verify;
use suites::control::follows_the_protocol;
use suites::worlds::one_address;

/// The server, which ends with this value, and its URL.
struct Server(Child, String);

impl Server {
    fn start(lease_seconds: &str) -> Self {
        let contracts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts");
        let server = tools::folder("second-runner").join("server.py");
        let mut python = tools::command("python3");
        python.arg(server).args([contracts, lease_seconds]).stdout(Stdio::piped());
        let mut process = python.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self(process, url.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn the_example_server_follows_the_protocol() {
    let server = Server::start("600");
    follows_the_protocol(&Remote::new(&server.1, None).unwrap()).await;
}

#[tokio::test]
async fn a_world_of_the_example_server_ends_with_its_lease() {
    let server = Server::start("1");
    let remote = Remote::new(&server.1, None).unwrap();
    let made = remote.control(Method::PUT, "worlds/a", &one_address().to_string()).await.unwrap();
    assert_eq!(made, json!({ "LeaseSeconds": 1 }));
    while remote.control(Method::GET, "worlds", "").await.unwrap() != json!({ "Worlds": [] }) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The server answers three in five of all answers: errors of single calls, lists, and planned
/// faults. It has no answers that change the world, none of cases of several calls, and none that
/// depend on a signature or on the time.
#[test]
fn every_answer_of_the_example_server_holds() {
    let server = Server::start("600");
    let codes = [
        "IllegalParam.Bandwidth/*",
        "MissingRegionId/*",
        "InvalidDryRun/*",
        "OperationUnsupported.ULA/*",
        "InvalidPageSize/*",
        // With a fault of the store.
        "SystemBusy/*",
    ];
    let cases = codes.iter().flat_map(|code| ["--case", code]);
    let arguments: Vec<&str> = ["--endpoint", &server.1].into_iter().chain(cases).collect();
    let (code, text, report) = verify(&arguments);
    assert_eq!(code, Some(0), "{text}");
    assert!(report["readsState"] == true && report["notRun"] == json!([]), "{text}");
    assert!(report["trials"].as_array().unwrap().len() > 300, "{text}");
}
