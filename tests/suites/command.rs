//! Runs the command `contract`.

use std::path::Path;
use std::process::{Command, Output};

use crate::endpoint::{Endpoint, built};
use harness::contract::Contract;
use harness::judge::validator;
use serde_json::Value;

use crate::scratch;

/// Runs the command, without the keys of the environment.
pub fn contract(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// The command, without the keys of the environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(built("contract").unwrap());
    for name in ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "PROFILE"] {
        command.env_remove(format!("ALIBABA_CLOUD_{name}"));
    }
    command.env("HOME", "/nowhere").env("RUST_BACKTRACE", "0").args(arguments);
    command
}

/// The standard output and the standard error of a command.
pub fn printed(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap()
}

/// Runs `contract verify` and reads its report.
pub fn verify(arguments: &[&str]) -> (Option<i32>, String, Value) {
    let folder = scratch();
    let file = folder.path().join("verdict.json");
    let report = format!("json={}", file.display());
    let output = contract(&[&["verify", "--report", &report], arguments].concat());
    let text = printed(&output);
    let report = std::fs::read_to_string(file).unwrap_or_else(|_| panic!("no report: {text}"));
    let report = serde_json::from_str(&report).unwrap();
    let schema = validator(&Contract::embedded(), "common/schemas/verdict.json").unwrap();
    schema.validate(&report).unwrap();
    (output.status.code(), text, report)
}

/// Starts a local endpoint that logs warnings only, and returns it with its URL.
pub async fn endpoint(arguments: &[&str]) -> (Endpoint, String) {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start_logging(&binary, arguments, "warn").await.unwrap();
    let url = format!("http://{}", endpoint.address());
    (endpoint, url)
}

/// Writes the files of the contract, with other texts for those in `changed`.
pub fn copy(folder: &Path, changed: &[(&str, &str)]) {
    let mut files = Contract::embedded().files().clone();
    files.extend(changed.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
