//! Where the local endpoint keeps documents that outlive it, and moving worlds in and out.

use std::path::{Path, PathBuf};
use std::process::Output;

use harness::client;
use harness::target::{Endpoint, built};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::cases::scratch;
use crate::endpoint::{allocate, call, code, start};
use crate::worlds::one_address;

/// A place of its own where nothing is kept yet, as the options that name it.
pub(crate) struct Place {
    options: Vec<String>,
    /// What a first import needs beyond these.
    options_to_make: Vec<&'static str>,
    _folder: Option<TempDir>,
}

impl Place {
    fn table() -> Self {
        let name = format!("place-{}", client::fresh_nonce());
        let options = ["--dynamodb-endpoint", crate::dynamodb::local(), "--dynamodb-table", &name];
        Self {
            options: options.map(str::to_owned).to_vec(),
            options_to_make: vec!["--create-table"],
            _folder: None,
        }
    }

    pub(crate) fn directory() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let data = folder.path().join("kept").to_str().unwrap().to_owned();
        let options = vec!["--data".to_owned(), data];
        Self { options, options_to_make: Vec::new(), _folder: Some(folder) }
    }

    /// A table that has been made.
    pub(crate) async fn made_table() -> Self {
        let name = crate::dynamodb::new_table().await;
        let options = ["--dynamodb-endpoint", crate::dynamodb::local(), "--dynamodb-table", &name];
        Self { options: options.map(str::to_owned).to_vec(), ..Self::table() }
    }

    /// The options of an endpoint that serves from it and may replace what is kept.
    pub(crate) fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).chain(["--allow-replace"]).collect()
    }

    async fn endpoint(&self, more: &[&str]) -> Endpoint {
        start(&[&self.options()[..], more].concat()).await
    }

    /// Runs `import` or `export` on it.
    async fn run(&self, subcommand: &str, more: &[&str]) -> Output {
        let binary = built("local-endpoint", "local-endpoint").unwrap();
        let mut command = Command::new(binary);
        command.arg(subcommand).args(&self.options).args(more).output().await.unwrap()
    }

    async fn import(&self, world: &Path, more: &[&str]) -> Result<String, String> {
        let output = self.run("import", &[&[world.to_str().unwrap()], more].concat()).await;
        let told = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(told) } else { Err(told) }
    }

    async fn export(&self) -> Value {
        let output = self.run("export", &[]).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A file that holds `world`.
fn file(world: &str) -> PathBuf {
    let file = scratch("places").join(format!("{}.json", client::fresh_nonce()));
    std::fs::write(&file, world).unwrap();
    file
}

async fn what_was_answered_outlives_the_endpoint(place: Place) {
    let told = place.import(&file(&one_address().to_string()), &place.options_to_make).await;
    assert!(told.as_ref().is_ok_and(|told| told.contains("documents imported into")), "{told:?}");
    let mut query = allocate("ipv6-1");
    query["ClientToken"] = json!("t-1");
    let mut bandwidths = Vec::new();
    for _ in 0..2 {
        let endpoint = place.endpoint(&[]).await;
        for _ in 0..2 {
            let answer = call(&endpoint, &query).await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            let body = answer.read().unwrap();
            bandwidths.push(body.text("InternetBandwidthId").unwrap().to_owned());
        }
        assert_eq!(endpoint.leaks(), Vec::<String>::new());
    }
    bandwidths.dedup();
    let [bandwidth] = &bandwidths[..] else { panic!("{bandwidths:?}") };
    let exported = place.export().await.to_string();
    assert!(exported.contains(bandwidth), "{exported}");
    // What was exported can be imported, and is the same then.
    let told = place.import(&file(&exported), &["--replace"]).await;
    assert!(told.is_ok(), "{told:?}");
    assert_eq!(place.export().await.to_string(), exported);
}

async fn nothing_is_lost_by_an_import_that_cannot_be(place: Place) {
    let world = one_address();
    place.import(&file(&world.to_string()), &place.options_to_make).await.unwrap();
    let kept = place.export().await;
    let other = world.to_string().replace("ipv6-1", "ipv6-2");
    let told = place.import(&file(&other), &[]).await.unwrap_err();
    assert!(told.contains("is not empty; --replace"), "{told}");
    assert_eq!(place.export().await, kept);
    let broken = file(&other.replace("2408:4004:1::1", "2408:4004:1::x"));
    let told = place.import(&broken, &["--replace"]).await.unwrap_err();
    assert!(told.contains(broken.to_str().unwrap()) && told.contains("Ipv6Address"), "{told}");
    assert_eq!(place.export().await, kept);
    place.import(&file(&other), &["--replace"]).await.unwrap();
    assert!(place.export().await.to_string().contains("ipv6-2"));
    let nowhere = scratch("places").join("no/such/folder/world.json");
    let output = place.run("export", &[nowhere.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(2));
    let exported = file("what was there");
    assert!(place.run("export", &[exported.to_str().unwrap()]).await.status.success());
    let exported = std::fs::read_to_string(exported).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&exported).unwrap(), place.export().await);
}

async fn a_world_begins_an_empty_place_and_a_reset_only(place: Place) {
    let empty = json!({ "Accounts": {} }).to_string();
    place.import(&file(&empty), &place.options_to_make).await.unwrap();
    let world = file(&one_address().to_string());
    let with_world = ["--world", world.to_str().unwrap()];
    let endpoint = place.endpoint(&with_world).await;
    assert_eq!(call(&endpoint, &allocate("ipv6-1")).await.unwrap().status, 200);
    drop(endpoint);
    let endpoint = place.endpoint(&with_world).await;
    let again = call(&endpoint, &allocate("ipv6-1")).await.unwrap();
    assert_eq!(code(&again), "OperationFailed.InternetBandwidthAlreadyExisted");
    endpoint.control(Method::POST, "reset", "").await.unwrap();
    assert_eq!(call(&endpoint, &allocate("ipv6-1")).await.unwrap().status, 200);
}

macro_rules! on {
    ($place:ident: $($check:ident)*) => {
        mod $place {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(super::Place::$place()).await;
                }
            )*
        }
    };
}

on! { directory:
    what_was_answered_outlives_the_endpoint
    nothing_is_lost_by_an_import_that_cannot_be
    a_world_begins_an_empty_place_and_a_reset_only
}

on! { table:
    what_was_answered_outlives_the_endpoint
    nothing_is_lost_by_an_import_that_cannot_be
    a_world_begins_an_empty_place_and_a_reset_only
}

#[tokio::test]
async fn the_demo_world_is_never_put_into_a_table() {
    let place = Place::table();
    let empty = json!({ "Accounts": {} }).to_string();
    place.import(&file(&empty), &place.options_to_make).await.unwrap();
    let endpoint = place.endpoint(&[]).await;
    let answer = call(&endpoint, &allocate("ipv6-demo01")).await.unwrap();
    assert_eq!(code(&answer), "InvalidAccessKeyId.NotFound");
    let told = endpoint.control(Method::POST, "reset", "").await.unwrap_err();
    assert!(told.contains("--world was not given"), "{told}");
}

#[tokio::test]
async fn a_new_directory_begins_with_the_demo_world_and_serves_one_process() {
    let place = Place::directory();
    let endpoint = place.endpoint(&[]).await;
    assert_eq!(call(&endpoint, &allocate("ipv6-demo01")).await.unwrap().status, 200);
    let output = place.run("export", &[]).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(&place.options[1]) && told.contains("another process"), "{told}");
    endpoint.control(Method::POST, "reset", "").await.unwrap();
    assert_eq!(call(&endpoint, &allocate("ipv6-demo01")).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_cannot_be_opened_is_told() {
    let binary = built("local-endpoint", "local-endpoint").unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(&binary);
        let output = command.env_clear().args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = run(&["--dynamodb-table", "t"]).await;
    assert!(told.contains("AWS_REGION is not set"), "{told}");
    let told = run(&["--dynamodb-table", "t", "--data", "d"]).await;
    assert!(told.contains("cannot be used with"), "{told}");
    let told = run(&["--data", "d", "--seed", "1"]).await;
    assert!(told.contains("cannot be used with"), "{told}");
    let told = run(&["export"]).await;
    assert!(told.contains("--data <DIR>") && told.contains("--dynamodb-table <NAME>"), "{told}");
    let local = ["--dynamodb-endpoint", crate::dynamodb::local(), "--dynamodb-table", "no-table"];
    let told = run(&[&["export"], &local[..]].concat()).await;
    assert!(told.contains("table no-table") && told.contains("ResourceNotFound"), "{told}");
    let told = run(&local).await;
    assert!(told.contains("table no-table") && told.contains("ResourceNotFound"), "{told}");
}
