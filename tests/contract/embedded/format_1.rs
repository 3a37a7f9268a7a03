//! `golden/format-1.directory.json` is a directory that an older version wrote in format 1, with
//! calls that had allocated and a world that had been put. `golden/format-1.json` is the world that
//! the older version exported, in today's form. Neither is ever generated again.

use std::collections::BTreeMap;
use std::path::Path;

use ::store::{Admission, Admitted, Document, EmbeddedStore, Key, Store, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::folder;

/// The time of the calls.
const CALLED_AT_SECS: u64 = 1_795_772_115;

/// The calls to the older version, by access key and nonce.
const CALLS: [(&str, &str); 5] = [
    ("testid", "nonce-1"),
    ("allowed", "nonce-2"),
    ("STS.demo", "nonce-3"),
    ("testid", "nonce-4"),
    ("testid", "nonce-5"),
];

fn golden(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/embedded/golden").join(file)
}

/// A copy of the directory. The golden file maps each path to its content in Base64, or to null for
/// a folder.
pub(super) fn unpacked() -> TempDir {
    let copy = folder();
    let text = std::fs::read_to_string(golden("format-1.directory.json")).unwrap();
    let content: BTreeMap<String, Option<String>> = serde_json::from_str(&text).unwrap();
    // A folder comes before its content.
    for (path, content) in content {
        let path = copy.path().join(path);
        match content {
            None => std::fs::create_dir(path).unwrap(),
            Some(content) => std::fs::write(path, STANDARD.decode(content).unwrap()).unwrap(),
        }
    }
    copy
}

/// The documents of the directory, by key.
fn expected() -> Vec<(Key, Document)> {
    let text = std::fs::read_to_string(golden("format-1.json")).unwrap();
    by_key(World::parse(&text).unwrap().into_documents())
}

fn by_key(documents: impl IntoIterator<Item = Document>) -> Vec<(Key, Document)> {
    let mut all: Vec<_> =
        documents.into_iter().map(|document| (document.key(), document)).collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

fn format_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("format.json")).unwrap()
}

/// Opens a directory, and asserts that it holds all that the older version wrote.
pub(super) async fn check(folder: &Path) {
    let store = EmbeddedStore::open(folder).unwrap();
    assert_eq!(by_key(store.documents().map(Result::unwrap)), expected());
    assert!(format_of(folder).contains("\"version\":2"));
    for (access_key_id, nonce) in CALLS {
        let admission = Admission {
            access_key_id,
            account_id: "1234567890123456",
            nonce,
            nonce_expires_at_secs: CALLED_AT_SECS + 901,
            quota: None,
            now_secs: CALLED_AT_SECS,
        };
        assert_eq!(store.admit(&admission).await.unwrap(), Admitted::NonceUsed, "{nonce}");
    }
}

#[tokio::test]
async fn a_directory_of_format_1_holds_the_same_world_and_nonces() {
    let copy = unpacked();
    assert!(format_of(copy.path()).contains("\"version\":1"));
    for _ in 0..3 {
        check(copy.path()).await;
    }
    // Documents still expire; the last token does in 2099.
    let store = EmbeddedStore::open(copy.path()).unwrap();
    store.drop_expired(4_070_908_800).await.unwrap();
    let is_token = |document: &Document| document.key().kind() == "client-token";
    assert!(!store.documents().map(Result::unwrap).any(|document| is_token(&document)));
}
