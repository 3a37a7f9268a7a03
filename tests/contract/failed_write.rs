//! A directory on a full disk: what the endpoint reports, and that it loses nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::Value;
use suites::endpoint::{Endpoint, built};
use suites::support::{ALLOCATE, code};
use tempfile::TempDir;

use crate::connections::exchange;
use crate::endpoint::{allocate, call};

/// A script that runs `local-endpoint` with a limit of a few kilobytes for each file.
fn with_a_full_disk(folder: &Path) -> std::path::PathBuf {
    let script = folder.join("with-a-full-disk");
    let binary = built("local-endpoint").unwrap();
    let text =
        format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f 8\nexec '{}' \"$@\"\n", binary.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

async fn ended(endpoint: Endpoint) -> Option<i32> {
    let id = endpoint.id().unwrap().try_into().unwrap();
    kill(Pid::from_raw(id), Signal::SIGINT).unwrap();
    endpoint.ended().await.unwrap()
}

async fn health(endpoint: &Endpoint) -> (u16, Value) {
    // A probe may use a host name that only it knows.
    let request =
        "GET /_control/health HTTP/1.1\r\nHost: probe.example\r\nConnection: close\r\n\r\n";
    let answer = exchange(endpoint, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_failed_write_shows_in_health_log_and_exit_code() {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let kept = folder.path().join("kept");
    let arguments = ["--data", kept.to_str().unwrap()];
    let endpoint = Endpoint::start(&built("local-endpoint").unwrap(), &arguments).await.unwrap();
    assert_eq!(code(&call(&endpoint, &allocate("ipv6-demo01")).await.unwrap()), "Success");
    assert_eq!(health(&endpoint).await.0, 200);
    assert_eq!(ended(endpoint).await, Some(0));

    let full = with_a_full_disk(folder.path());
    let endpoint = Endpoint::start_logging(&full, &arguments, "info").await.unwrap();
    assert_eq!(health(&endpoint).await.0, 200);
    for id in ["ipv6-demo02", "ipv6-demo03"] {
        let answer = call(&endpoint, &allocate(id)).await.unwrap();
        assert_eq!(code(&answer), "SystemBusy");
        // Each answer gives the cause of the first failure, not only that it failed.
        let line = endpoint.logged(answer.header("x-acs-request-id").unwrap()).await;
        assert!(line.contains("File too large") && line.contains(ALLOCATE), "{line}");
    }
    let (status, body) = health(&endpoint).await;
    assert_eq!(status, 503);
    assert!(body["Error"].as_str().unwrap().contains("File too large"), "{body}");
    // Earlier documents can still be read.
    let world = endpoint.control(Method::GET, "world", "").await.unwrap();
    let account = &world["Accounts"]["1234567890123456"];
    assert!(account["Ipv6Addresses"]["ipv6-demo01"]["Ipv6InternetBandwidth"].is_object());
    assert_eq!(ended(endpoint).await, Some(1));

    // With space again, exactly the acknowledged documents are there.
    let endpoint = Endpoint::start(&built("local-endpoint").unwrap(), &arguments).await.unwrap();
    let again = call(&endpoint, &allocate("ipv6-demo01")).await.unwrap();
    assert_eq!(code(&again), "OperationFailed.InternetBandwidthAlreadyExisted");
    assert_eq!(code(&call(&endpoint, &allocate("ipv6-demo02")).await.unwrap()), "Success");
}
