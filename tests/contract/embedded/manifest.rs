//! The manifest of a directory: whether the store is new, which files it uses, and which must
//! exist.

use std::fs;
use std::path::Path;

use ::store::{EmbeddedStore, Store};
use serde_json::{Value, json};
use suites::conformance::{account, write};

use super::{copied, folder, refused};

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("format.json")).unwrap()).unwrap()
}

fn count(store: &EmbeddedStore) -> usize {
    store.documents().map(Result::unwrap).count()
}

#[tokio::test]
async fn a_store_is_new_until_something_is_written() {
    for replaces in [true, false] {
        let folder = folder();
        // A store to which nothing was written leaves no files.
        for _ in 0..2 {
            let store = EmbeddedStore::open(folder.path()).unwrap();
            assert!(store.is_new());
            assert_eq!(manifest(folder.path())["phase"], "Making");
            drop(store);
            assert!(!folder.path().join("engine").exists());
        }
        let store = EmbeddedStore::open(folder.path()).unwrap();
        if replaces {
            store.replace([]).await.unwrap();
        } else {
            store.commit(vec![write(1, None)]).await.unwrap();
        }
        assert!(!store.is_new());
        assert_eq!(manifest(folder.path())["phase"], "InUse");
        drop(store);
        let store = EmbeddedStore::open(folder.path()).unwrap();
        assert!(!store.is_new(), "a world without documents is one");
        assert_eq!(count(&store), usize::from(!replaces));
    }
}

#[tokio::test]
async fn an_unfinished_new_store_is_set_aside() {
    let made = folder();
    let store = EmbeddedStore::open(made.path()).unwrap();
    let killed = copied(made.path());
    drop(store);
    for number in 1..3 {
        let store = EmbeddedStore::open(killed.path()).unwrap();
        assert!(store.is_new());
        let aside = killed.path().join(format!("engine.unfinished-{number}"));
        assert!(aside.join("version").exists());
        store.replace([account(1)]).await.unwrap();
        // As if the process had been killed before that.
        let mut making = manifest(killed.path());
        making["phase"] = json!("Making");
        drop(store);
        fs::write(killed.path().join("format.json"), making.to_string()).unwrap();
    }
}

/// While it is undecided which of two generations is in use, the manifest names both.
#[tokio::test]
async fn the_manifest_names_the_keyspaces_in_use() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    for generation in 1..4 {
        store.replace([account(generation)]).await.unwrap();
        let manifest = manifest(folder.path());
        let keyspaces = manifest["keyspaces"].as_object().unwrap();
        let names: Vec<&str> = keyspaces.keys().map(String::as_str).collect();
        let numbered = |name| format!("{name}-{generation}");
        let all = ["documents", "expiries"].map(numbered).into_iter();
        let all: Vec<String> = all.chain(["meta".to_owned(), numbered("nonces")]).collect();
        assert_eq!(names, all);
        for number in keyspaces.values() {
            let current = format!("engine/keyspaces/{}/current", number.as_str().unwrap());
            assert!(folder.path().join(current).exists());
        }
    }
    let mut both = manifest(folder.path());
    drop(store);
    // An adoption was interrupted, and a power cut lost the next generation.
    both["keyspaces"]["documents-4"] = json!("99");
    fs::write(folder.path().join("format.json"), both.to_string()).unwrap();
    assert!(refused(folder.path()).contains("engine/keyspaces/99/current is missing"));
    fs::create_dir(folder.path().join("engine/keyspaces/99")).unwrap();
    fs::write(folder.path().join("engine/keyspaces/99/current"), "").unwrap();
    assert_eq!(count(&EmbeddedStore::open(folder.path()).unwrap()), 1);
    assert!(manifest(folder.path())["keyspaces"].get("documents-4").is_none());
}

#[tokio::test]
async fn a_missing_file_is_named_and_nothing_changes() {
    let sound = folder();
    let store = EmbeddedStore::open(sound.path()).unwrap();
    store.replace([account(1)]).await.unwrap();
    let killed = copied(sound.path());
    let documents = manifest(sound.path())["keyspaces"]["documents-1"].as_str().unwrap().to_owned();
    drop(store);
    for sound in [sound, killed] {
        for missing in [
            "format.json",
            "engine",
            "engine/version",
            "engine/keyspaces/0/current",
            &format!("engine/keyspaces/{documents}/current"),
        ] {
            let copy = copied(sound.path());
            let path = copy.path().join(missing);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
            let message = refused(copy.path());
            assert!(
                message.contains(&format!("{missing} is missing; restore a copy")),
                "{message}"
            );
        }
    }
}

/// An emptied directory looks like a volume that is not mounted.
#[tokio::test]
async fn a_directory_that_was_emptied_is_new() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.replace([account(1)]).await.unwrap();
    drop(store);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
    assert!(EmbeddedStore::open(folder.path()).unwrap().is_new());
}

/// Programs before this one wrote neither a phase nor keyspaces.
#[tokio::test]
async fn the_manifest_of_an_older_program_is_completed() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.replace([account(1)]).await.unwrap();
    let written = manifest(folder.path());
    drop(store);
    let older = r#"{"name":"ipv6-gateway store","version":2}"#;
    fs::write(folder.path().join("format.json"), older).unwrap();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert!(!store.is_new());
    assert_eq!(count(&store), 1);
    assert_eq!(manifest(folder.path()), written);
    drop(store);
    // A loss from before the completion is still refused.
    let documents = written["keyspaces"]["documents-1"].as_str().unwrap();
    fs::write(folder.path().join("format.json"), older).unwrap();
    fs::remove_dir_all(folder.path().join("engine/keyspaces").join(documents)).unwrap();
    let message = EmbeddedStore::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("the keyspace documents-1 is missing"), "{message}");
}
