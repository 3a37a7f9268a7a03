//! A damaged directory: each file and folder is removed, emptied and halved. The store then opens
//! with all documents, versions and nonces, or it is refused.

use std::fs::{self, File};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use ::store::{Admitted, Document, EmbeddedStore, Store, Version};
use fjall::{Database, KeyspaceCreateOptions};
use suites::conformance::{account, write};
use tempfile::TempDir;

use super::{admission, copied, folder, used};

const DOCUMENTS: usize = 20;
pub(super) const NONCES: usize = 12;

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Closed,
    Killed,
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Removed,
    Emptied,
    Halved,
}

/// The expected content of a store.
#[derive(Debug, PartialEq)]
pub(super) struct Content {
    pub(super) documents: Vec<(Document, Version)>,
    /// The nonces that may be used once more.
    pub(super) free_nonces: Vec<String>,
}

pub(super) async fn content(store: &EmbeddedStore) -> Result<Content, ::store::Error> {
    let mut documents = Vec::new();
    for document in store.documents() {
        let read = store.load(&[document?.key()]).await?.remove(0).unwrap();
        documents.push((read.document, read.version));
    }
    let mut free_nonces = Vec::new();
    for number in 0..NONCES {
        let nonce = format!("n{number}");
        if store.admit(&admission(&nonce)).await? != Admitted::NonceUsed {
            free_nonces.push(nonce);
        }
    }
    Ok(Content { documents, free_nonces })
}

/// Commits some documents, and uses nonces with and without a commit.
async fn fill(store: &EmbeddedStore, part: usize) {
    let half = |all: usize| (part * all / 2)..((part + 1) * all / 2);
    for number in half(DOCUMENTS) {
        store.commit(vec![write(number, None)]).await.unwrap();
    }
    for number in half(NONCES) {
        let nonce = format!("n{number}");
        assert_eq!(store.admit(&admission(&nonce)).await.unwrap(), Admitted::Yes);
        store.settle().await.unwrap();
    }
}

/// Makes the engine write its rows into tables, as it does when there are many.
pub(super) fn write_tables(folder: &Path) {
    fs::remove_file(folder.join("closed.json")).unwrap();
    let database = Database::builder(folder.join("engine")).open().unwrap();
    for name in database.list_keyspace_names() {
        let keyspace = database.keyspace(&name, KeyspaceCreateOptions::default).unwrap();
        keyspace.rotate_memtable_and_wait().unwrap();
    }
}

/// A directory with all documents and nonces, and its content.
async fn left(end: End, has_tables: bool) -> (TempDir, Content) {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.replace((100..103).map(account)).await.unwrap();
    store.replace((200..203).map(account)).await.unwrap();
    fill(&store, 0).await;
    drop(store);
    if has_tables {
        write_tables(folder.path());
    }
    let store = EmbeddedStore::open(folder.path()).unwrap();
    fill(&store, 1).await;
    let content = content(&store).await.unwrap();
    assert_eq!(content.documents.len(), DOCUMENTS + 3);
    assert!(content.free_nonces.is_empty());
    if end == End::Killed {
        return (copied(folder.path()), content);
    }
    drop(store);
    (folder, content)
}

/// Every file and folder below a folder.
pub(super) fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(self::paths(&path));
        }
        paths.push(path);
    }
    paths.sort();
    paths
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
}

/// Damages a file or a folder.
fn damage(path: &Path, damage: Damage) {
    if matches!(damage, Damage::Removed) {
        return remove(path);
    }
    let is_halved = matches!(damage, Damage::Halved);
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        let removed = if is_halved { entries.len().div_ceil(2) } else { entries.len() };
        entries[..removed].iter().for_each(|path| remove(path));
        return;
    }
    let bytes = fs::read(path).unwrap();
    let used = &bytes[..used(&bytes)];
    let used = used.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let kept = if is_halved { used / 2 } else { 0 };
    File::options().write(true).open(path).unwrap().set_len(kept.try_into().unwrap()).unwrap();
}

/// Opens a damaged directory, and returns whether it was refused.
///
/// # Errors
///
/// The store shows another content than `expected`.
fn check(folder: &Path, expected: &Content) -> Result<bool, Content> {
    // Some damage makes the engine panic.
    let Ok(Ok(store)) = catch_unwind(|| EmbeddedStore::open(folder)) else { return Ok(true) };
    match futures_util::FutureExt::now_or_never(content(&store)) {
        Some(Ok(content)) if content == *expected => Ok(false),
        Some(Ok(content)) => Err(content),
        Some(Err(_)) => Ok(true),
        None => panic!("a read waits"),
    }
}

#[tokio::test]
async fn a_damaged_directory_is_complete_or_refused() {
    let (mut whole, mut refused, mut less) = (0, 0, Vec::new());
    for (end, has_tables) in
        [(End::Closed, false), (End::Killed, false), (End::Closed, true), (End::Killed, true)]
    {
        let (sound, content) = left(end, has_tables).await;
        assert_eq!(check(copied(sound.path()).path(), &content), Ok(false));
        for path in paths(sound.path()) {
            let path = path.strip_prefix(sound.path()).unwrap();
            for how in [Damage::Removed, Damage::Emptied, Damage::Halved] {
                let copy = copied(sound.path());
                damage(&copy.path().join(path), how);
                match check(copy.path(), &content) {
                    Ok(true) => refused += 1,
                    Ok(false) => whole += 1,
                    Err(found) => less.push(format!(
                        "{end:?}, tables: {has_tables}, {} {how:?}: {} documents, {} nonces free",
                        path.display(),
                        found.documents.len(),
                        found.free_nonces.len()
                    )),
                }
            }
        }
    }
    assert!(less.is_empty(), "{} of {}:\n{}", less.len(), whole + refused, less.join("\n"));
    assert!(whole > 20 && refused > 100, "{whole} whole, {refused} refused");
}
