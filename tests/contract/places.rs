//! Where the local endpoint keeps documents on this machine.

use reqwest::Method;
use suites::endpoint::built;
use suites::places::{Place, call};
use suites::support::allocate;
use tokio::process::Command;

suites::tests_of_place! { Place::directory() }

#[tokio::test]
async fn a_new_directory_begins_with_the_demo_world_and_serves_one_process() {
    let place = Place::directory();
    let endpoint = place.endpoint(&[]).await;
    assert_eq!(call(&endpoint, &allocate("ipv6-demo01")).await.unwrap().status, 200);
    let output = place.run("export", &[]).await;
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains(place.options()[1]) && message.contains("another process"),
        "{message}"
    );
    endpoint.control(Method::POST, "reset", "").await.unwrap();
    assert_eq!(call(&endpoint, &allocate("ipv6-demo01")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_is_an_error() {
    let binary = built("local-endpoint").unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        let output = command.env_clear().args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let message = run(&["--dynamodb-table", "t"]).await;
    assert!(message.contains("needs AWS_REGION in the environment"), "{message}");
    let message = run(&["--dynamodb-table", "t", "--data", "d"]).await;
    assert!(message.contains("cannot be used with"), "{message}");
    let message = run(&["--data", "d", "--seed", "1"]).await;
    assert!(message.contains("cannot be used with"), "{message}");
    let message = run(&["export"]).await;
    assert!(
        message.contains("--data <DIR>") && message.contains("--dynamodb-table <NAME>"),
        "{message}"
    );
}
