//! The store in a directory: what persists, and which directories are refused.

mod damage;
mod format_1;
mod kills;
mod manifest;
mod newer;
mod power_cuts;
mod sync;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ::store::{
    Admission, Admitted, Document, EmbeddedStore, Error, Key, Partition, Store, Version, Versioned,
    Write,
};
use sha2::{Digest as _, Sha256};
use suites::conformance::{account, account_key, token, write};
use tempfile::TempDir;

const NOW_SECS: u64 = 1_767_323_045;

/// A store in a directory that is removed with it.
pub(crate) struct Scratch {
    store: EmbeddedStore,
    _folder: TempDir,
}

fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A new store.
pub(crate) fn scratch() -> Scratch {
    let folder = folder();
    Scratch { store: EmbeddedStore::open(folder.path()).unwrap(), _folder: folder }
}

impl Store for Scratch {
    fn has_snapshot_reads(&self) -> bool {
        self.store.has_snapshot_reads()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.store.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.store.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.store.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.store.admit(admission).await
    }
}

async fn version(store: &EmbeddedStore, number: usize) -> Option<Version> {
    Some(store.load(&[account_key(number)]).await.unwrap().remove(0)?.version)
}

fn admission(nonce: &str) -> Admission<'_> {
    Admission {
        access_key_id: "testid",
        account_id: "1234567890123456",
        nonce,
        nonce_expires_at_secs: NOW_SECS + 901,
        quota: None,
        now_secs: NOW_SECS,
    }
}

/// Every file below a folder, with a hash of its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), Sha256::digest(std::fs::read(path).unwrap()).to_vec());
        }
    }
    files
}

#[tokio::test]
async fn commits_and_nonces_survive_a_reopening() {
    let folder = folder();
    let mut versions = Vec::new();
    for round in 0..3 {
        let store = EmbeddedStore::open(folder.path()).unwrap();
        assert_eq!(store.is_empty().unwrap(), round == 0);
        for number in 0..round {
            assert!(version(&store, number).await.is_some());
        }
        let nonce = format!("n{round}");
        assert_eq!(store.admit(&admission(&nonce)).await.unwrap(), Admitted::Yes);
        store.commit(vec![write(round, None)]).await.unwrap();
        let read = version(&store, 0).await;
        store.commit(vec![write(0, read)]).await.unwrap();
        versions.extend(version(&store, 0).await);
        for earlier in 0..=round {
            let again = store.admit(&admission(&format!("n{earlier}"))).await.unwrap();
            assert_eq!(again, Admitted::NonceUsed, "n{earlier} in round {round}");
        }
    }
    let mut distinct = versions.clone();
    distinct.sort_by_key(|version| version.0);
    distinct.dedup();
    assert_eq!(distinct, versions, "a version came twice");
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let documents: Vec<Document> = store.documents().map(Result::unwrap).collect();
    assert_eq!(documents, (0..3).map(account).collect::<Vec<_>>());
}

/// A process that is being started holds a copy of every open file for a moment, the lock's
/// included.
#[test]
fn a_closed_store_can_be_opened_while_processes_start() {
    let folder = folder();
    let (is_running, runs) = std::sync::mpsc::channel();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let is_over = &is_over;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let mut command = std::process::Command::new("/bin/sh");
                let status = command.args(["-c", ":"]).status().unwrap();
                assert!(status.success());
                let _ = is_running.send(());
            }
        });
        runs.recv().unwrap();
        let opened = (0..300).try_for_each(|_| EmbeddedStore::open(folder.path()).map(drop));
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        opened.unwrap();
    });
}

#[tokio::test]
async fn a_version_is_never_reused_after_a_drop_or_a_replacement() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.commit(vec![write(1, None)]).await.unwrap();
    let before = version(&store, 1).await;
    store.replace([account(1), account(2)]).await.unwrap();
    assert_ne!(version(&store, 1).await, before);
    assert!(matches!(store.commit(vec![write(1, before)]).await, Err(Error::Conflict)));
    drop(store);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let reopened = version(&store, 1).await;
    store.commit(vec![write(1, reopened)]).await.unwrap();
    assert!(![before, reopened].contains(&version(&store, 1).await));
}

#[tokio::test]
async fn a_replacement_of_all_documents_is_one_step() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.replace((0..5000).map(account)).await.unwrap();
    assert_eq!(store.admit(&admission("n")).await.unwrap(), Admitted::Yes);
    // The step fails where the last document should come.
    let broken = std::panic::AssertUnwindSafe(store.replace((0..4000).map(|number| {
        assert!(number < 3999, "planned");
        account(10_000 + number)
    })));
    assert!(futures_util::FutureExt::catch_unwind(broken).await.is_err());
    let numbers = |store: &EmbeddedStore| store.documents().map(Result::unwrap).count();
    assert_eq!(numbers(&store), 5000);
    assert!(version(&store, 10_000).await.is_none());
    drop(store);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(numbers(&store), 5000);
    store.replace((0..3).map(account)).await.unwrap();
    assert_eq!(numbers(&store), 3);
    // Remembered calls are dropped as well.
    assert_eq!(store.admit(&admission("n")).await.unwrap(), Admitted::Yes);
    drop(store);
    assert_eq!(numbers(&EmbeddedStore::open(folder.path()).unwrap()), 3);
}

#[tokio::test]
async fn expired_documents_and_nonces_leave_the_disk() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let tokens = (0..25_000).map(|number| token(number, NOW_SECS + number, ""));
    store.replace(tokens).await.unwrap();
    // One of them is written again with a later expiry.
    let renewed = token(3, NOW_SECS + 100_000, "");
    let read = store.load(&[renewed.key()]).await.unwrap().remove(0).unwrap().version;
    store.commit(vec![Write::put(renewed.clone(), Some(read))]).await.unwrap();
    assert_eq!(store.admit(&admission("n")).await.unwrap(), Admitted::Yes);
    store.drop_expired(NOW_SECS + 21_999).await.unwrap();
    drop(store);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(store.documents().count(), 3000 + 1);
    assert!(store.load(&[renewed.key()]).await.unwrap()[0].is_some());
    assert_eq!(store.admit(&admission("n")).await.unwrap(), Admitted::Yes, "it had expired");
    store.drop_expired(u64::MAX - 1).await.unwrap();
    assert!(store.is_empty().unwrap());
}

/// Opens a folder, which must be refused without a change, and returns the message.
fn refused(folder: &Path) -> String {
    let before = contents(folder);
    let message = EmbeddedStore::open(folder).unwrap_err().to_string();
    assert_eq!(contents(folder), before, "{message}");
    assert!(message.contains(folder.to_str().unwrap()), "{message}");
    message
}

#[test]
fn a_folder_of_no_store_or_a_newer_one_is_refused_unchanged() {
    for (name, text, expected) in [
        ("letter.txt", "Dear Sir", "not a store and not empty: it contains letter.txt"),
        ("engine", "none of ours", "not a store and not empty: it contains engine"),
        ("format.json", r#"{"name":"another","version":1}"#, "not a store"),
        ("format.json", r#"{"name":"ipv6-gateway store","version":3}"#, "the store has format 3"),
        ("format.json", "{", "the store is damaged: format.json cannot be read"),
    ] {
        let folder = folder();
        std::fs::write(folder.path().join(name), text).unwrap();
        let message = refused(folder.path());
        assert!(message.contains(expected), "{message}");
        assert!(!folder.path().join("lock").exists(), "{expected}");
    }
    let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let message = EmbeddedStore::open(file.path()).unwrap_err().to_string();
    assert!(message.contains(file.path().to_str().unwrap()), "{message}");
}

/// A replacement whose caller no longer waits may still be running.
#[tokio::test]
async fn a_replacement_waits_for_the_one_before() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    for round in 0..8 {
        let abandoned = store.replace([account(1)]);
        assert!(futures_util::FutureExt::now_or_never(abandoned).is_none());
        store.replace((0..3).map(account)).await.unwrap();
        store.commit(vec![write(100, None)]).await.unwrap();
        assert_eq!(store.documents().map(Result::unwrap).count(), 4, "round {round}");
    }
    drop(store);
    assert_eq!(EmbeddedStore::open(folder.path()).unwrap().documents().count(), 4);
}

async fn filled() -> TempDir {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    for number in 0..200 {
        store.commit(vec![write(number, None)]).await.unwrap();
    }
    drop(store);
    folder
}

#[tokio::test]
async fn a_journal_changed_after_closing_is_refused_unchanged() {
    let sound = filled().await;
    let journal = "engine/0.jnl";
    let bytes = std::fs::read(sound.path().join(journal)).unwrap();
    let changes: [(&str, Vec<u8>); 3] = [
        ("a bit", bytes.iter().enumerate().map(|(at, b)| b ^ u8::from(at == 5000)).collect()),
        ("its end", bytes[..bytes.len() / 2].to_vec()),
        ("more", [&bytes[..], b"more"].concat()),
    ];
    for (what, changed) in changes {
        std::fs::write(sound.path().join(journal), changed).unwrap();
        let message = refused(sound.path());
        assert!(message.contains("engine/0.jnl has changed"), "{what}: {message}");
    }
    std::fs::remove_dir_all(sound.path().join("engine")).unwrap();
    assert!(refused(sound.path()).contains("engine is missing"));
}

/// One byte is changed at each of many places, as after a crash. Then the store refuses to open,
/// fails to read, or shows exactly what was written.
#[tokio::test]
async fn damage_after_a_crash_never_shows_as_other_documents() {
    let sound = filled().await;
    std::fs::remove_file(sound.path().join("closed.json")).unwrap();
    // The engine allocates a larger journal than it needs; a short one is copied faster.
    let journal = sound.path().join("engine/0.jnl");
    let bytes = std::fs::read(&journal).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    std::fs::write(&journal, &bytes[..used]).unwrap();
    let (mut refused, mut shown) = (0, 0);
    for file in contents(sound.path()).into_keys() {
        let bytes = std::fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by((bytes.len() / 12).max(1)) {
            let copy = copied(sound.path());
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let relative = file.strip_prefix(sound.path()).unwrap();
            std::fs::write(copy.path().join(relative), changed).unwrap();
            let opened = std::panic::catch_unwind(|| EmbeddedStore::open(copy.path()));
            let Ok(Ok(store)) = opened else {
                refused += 1;
                continue;
            };
            let Ok(documents) = store.documents().collect::<Result<Vec<_>, _>>() else {
                refused += 1;
                continue;
            };
            let expected = (0..200).map(account).collect::<Vec<_>>();
            assert!(documents == expected, "{} at {at}", relative.display());
            shown += documents.len();
        }
    }
    assert!(refused > 5 && shown > 1000, "{refused} refused, {shown} shown");
}

/// A copy of a folder, with links and empty folders.
fn copied(from: &Path) -> TempDir {
    let copy = folder();
    copy_into(from, copy.path());
    copy
}

fn unless_gone<T>(result: std::io::Result<T>) -> Option<T> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        result => Some(result.unwrap()),
    }
}

/// Copies a folder. Files that an open store removes meanwhile, as those of an old generation, are
/// skipped.
fn copy_into(from: &Path, to: &Path) {
    let Some(entries) = unless_gone(std::fs::read_dir(from)) else { return };
    for entry in entries.map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_into(&from, &to);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&from).unwrap(), &to).unwrap();
        } else {
            // A journal ends in a long hole, which takes no space on the disk.
            let Some(bytes) = unless_gone(std::fs::read(&from)) else { continue };
            std::fs::write(&to, &bytes[..used(&bytes)]).unwrap();
            let copy = std::fs::File::options().write(true).open(&to).unwrap();
            copy.set_len(bytes.len().try_into().unwrap()).unwrap();
        }
    }
}

/// The number of bytes before an empty end, which consists of whole pages.
fn used(bytes: &[u8]) -> usize {
    const EMPTY: [u8; 4096] = [0; 4096];
    let empty = bytes.rchunks(EMPTY.len()).take_while(|page| *page == &EMPTY[..page.len()]);
    bytes.len() - empty.map(<[u8]>::len).sum::<usize>()
}
