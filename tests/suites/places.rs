//! Where the local endpoint keeps documents, and the import and export of worlds.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::endpoint::{Endpoint, built};
use harness::answer::Answer;
use harness::client;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{allocate, allocate_under, code, endpoint, sign};
use crate::worlds::one_address;
use crate::{now_secs, scratch, tmp};

/// A new place without documents, as the options that name it.
pub struct Place {
    options: Vec<String>,
    /// The options that the first import needs in addition.
    pub options_to_make: Vec<&'static str>,
    _folder: Option<TempDir>,
}

impl Place {
    /// A place that these options name.
    pub fn of(options: &[&str], options_to_make: &[&'static str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self { options, options_to_make: options_to_make.to_vec(), _folder: None }
    }

    /// A directory that is removed with the place.
    pub fn directory() -> Self {
        let folder = scratch();
        let data = folder.path().join("kept").to_str().unwrap().to_owned();
        let options = vec!["--data".to_owned(), data];
        Self { options, options_to_make: Vec::new(), _folder: Some(folder) }
    }

    /// The options of an endpoint that serves from it and may replace its documents.
    pub fn options(&self) -> Vec<&str> {
        self.options.iter().map(String::as_str).chain(["--allow-replace"]).collect()
    }

    pub async fn endpoint(&self, more: &[&str]) -> Endpoint {
        endpoint(&[&self.options()[..], more].concat()).await
    }

    /// Runs `import` or `export` on it.
    pub async fn run(&self, subcommand: &str, more: &[&str]) -> Output {
        let binary = built("local-endpoint").unwrap();
        let mut command = Command::new(binary);
        command.arg(subcommand).args(&self.options).args(more).output().await.unwrap()
    }

    pub async fn import(&self, world: &Path, more: &[&str]) -> Result<String, String> {
        let output = self.run("import", &[&[world.to_str().unwrap()], more].concat()).await;
        let message = String::from_utf8(output.stderr).unwrap();
        if output.status.success() { Ok(message) } else { Err(message) }
    }

    pub async fn export(&self) -> Value {
        let output = self.run("export", &[]).await;
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Signs a call now and sends it.
pub async fn call(endpoint: &Endpoint, request: &Value) -> Result<Answer, String> {
    endpoint.send(&sign(request, now_secs().try_into().unwrap()), None).await
}

/// A file that holds `world`.
pub fn file(world: &str) -> PathBuf {
    let folder = tmp().join("places");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{}.json", client::fresh_nonce()));
    std::fs::write(&file, world).unwrap();
    file
}

pub async fn answered_changes_outlive_the_endpoint(place: Place) {
    let message = place.import(&file(&one_address().to_string()), &place.options_to_make).await;
    assert!(
        message.as_ref().is_ok_and(|message| message.contains("documents imported into")),
        "{message:?}"
    );
    let request = allocate_under("t-1", "ipv6-1");
    let mut bandwidths = Vec::new();
    for _ in 0..2 {
        let endpoint = place.endpoint(&[]).await;
        for _ in 0..2 {
            let answer = call(&endpoint, &request).await.unwrap();
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
    // An export can be imported, and the next export is the same.
    let message = place.import(&file(&exported), &["--replace"]).await;
    assert!(message.is_ok(), "{message:?}");
    assert_eq!(place.export().await.to_string(), exported);
}

pub async fn a_failed_import_loses_nothing(place: Place) {
    let world = one_address();
    place.import(&file(&world.to_string()), &place.options_to_make).await.unwrap();
    let kept = place.export().await;
    let other = world.to_string().replace("ipv6-1", "ipv6-2");
    let message = place.import(&file(&other), &[]).await.unwrap_err();
    assert!(message.contains("is not empty; --replace"), "{message}");
    assert_eq!(place.export().await, kept);
    let broken = file(&other.replace("2408:4004:1::1", "2408:4004:1::x"));
    let message = place.import(&broken, &["--replace"]).await.unwrap_err();
    assert!(
        message.contains(broken.to_str().unwrap()) && message.contains("Ipv6Address"),
        "{message}"
    );
    assert_eq!(place.export().await, kept);
    place.import(&file(&other), &["--replace"]).await.unwrap();
    assert!(place.export().await.to_string().contains("ipv6-2"));
    let nowhere = tmp().join("no/such/folder/world.json");
    let output = place.run("export", &[nowhere.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(2));
    let exported = file("what was there");
    assert!(place.run("export", &[exported.to_str().unwrap()]).await.status.success());
    let exported = std::fs::read_to_string(exported).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&exported).unwrap(), place.export().await);
}

pub async fn a_world_fills_an_empty_place_and_one_that_is_reset(place: Place) {
    // A table exists before its documents. An endpoint begins the directory that it makes, which is
    // then in use even without documents.
    if !place.options_to_make.is_empty() {
        let empty = json!({ "Accounts": {} }).to_string();
        place.import(&file(&empty), &place.options_to_make).await.unwrap();
    }
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

/// Tests a place. `$place` is an expression that yields a [`Place`].
#[macro_export]
macro_rules! tests_of_place {
    ($place:expr) => {
        #[tokio::test]
        async fn answered_changes_outlive_the_endpoint() {
            $crate::places::answered_changes_outlive_the_endpoint($place).await;
        }

        #[tokio::test]
        async fn a_failed_import_loses_nothing() {
            $crate::places::a_failed_import_loses_nothing($place).await;
        }

        #[tokio::test]
        async fn a_world_fills_an_empty_place_and_one_that_is_reset() {
            $crate::places::a_world_fills_an_empty_place_and_one_that_is_reset($place).await;
        }
    };
}
