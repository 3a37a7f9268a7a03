//! A power cut: any part of the writes since the last sync may be on the disk.
//!
//! A directory is copied when all of it is synced, and again when more was written. The states
//! between the two copies have some of the bytes that differ: none, those up to a place, or sectors
//! in no order. Each state opens with all that was acknowledged before, or it is refused. Renames
//! are not reordered: the store renames only when it replaces a world, and syncs each rename.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use ::store::{Admitted, EmbeddedStore, Store};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use suites::conformance::write;
use tempfile::TempDir;

use super::damage::{Content, NONCES, content, paths, write_tables};
use super::{admission, copied, folder, used};

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// How many states there are of each kind.
const STATES: u64 = 40;

/// A part of a file that is not synced.
struct Unsynced {
    file: PathBuf,
    offset: usize,
    bytes: Vec<u8>,
}

/// The sectors in which the files of a directory differ from their synced content.
fn unsynced(synced: &Path, written: &Path) -> Vec<Unsynced> {
    let mut all = Vec::new();
    for path in paths(written).into_iter().filter(|path| path.is_file()) {
        let file = path.strip_prefix(written).unwrap().to_owned();
        let (mut before, after) = (fs::read(synced.join(&file)).unwrap(), fs::read(&path).unwrap());
        let end = used(&before).max(used(&after));
        // A journal grows unless it was preallocated.
        before.resize(before.len().max(end), 0);
        for (number, bytes) in after[..end].chunks(SECTOR).enumerate() {
            let offset = number * SECTOR;
            if before[offset..offset + bytes.len()] != *bytes {
                all.push(Unsynced { file: file.clone(), offset, bytes: bytes.to_owned() });
            }
        }
    }
    all
}

/// Which of the unsynced sectors are on the disk, and how much of each.
fn survivors(unsynced: &[Unsynced], kind: u64, rng: &mut StdRng) -> Vec<usize> {
    let cut = rng.random_range(0..=unsynced.len());
    let whole = unsynced.iter().map(|sector| sector.bytes.len());
    match kind {
        // All before one sector, and a part of this one.
        0 => {
            let torn = rng.random_range(0..SECTOR);
            whole
                .enumerate()
                .map(|(n, len)| if n < cut { len } else { torn * usize::from(n == cut) })
                .collect()
        }
        // All from one sector on: the first writes are missing.
        1 => whole.enumerate().map(|(n, len)| len * usize::from(n >= cut)).collect(),
        // Some, in no order.
        _ => whole.map(|len| len * usize::from(rng.random_bool(0.5))).collect(),
    }
}

/// Opens every state between the two, and asserts that it holds what was acknowledged.
async fn check(synced: &Path, written: &Path, acknowledged: &Content, seeds: std::ops::Range<u64>) {
    let unsynced = unsynced(synced, written);
    assert!(unsynced.len() > 10, "only {} sectors differ", unsynced.len());
    let (mut opened, mut refused) = (0, 0);
    for seed in seeds {
        let mut rng = StdRng::seed_from_u64(seed);
        let state = copied(synced);
        for (sector, len) in unsynced.iter().zip(survivors(&unsynced, seed % 3, &mut rng)) {
            let file = File::options().write(true).open(state.path().join(&sector.file)).unwrap();
            let len = len.min(sector.bytes.len());
            file.write_all_at(&sector.bytes[..len], sector.offset.try_into().unwrap()).unwrap();
        }
        // Some damage makes the engine panic.
        let Ok(Ok(store)) = catch_unwind(|| EmbeddedStore::open(state.path())) else {
            refused += 1;
            continue;
        };
        let Ok(found) = content(&store).await else {
            refused += 1;
            continue;
        };
        let lost = acknowledged.documents.iter().find(|kept| !found.documents.contains(kept));
        assert_eq!(lost, None, "seed {seed}");
        let freed =
            found.free_nonces.iter().find(|nonce| !acknowledged.free_nonces.contains(nonce));
        assert_eq!(freed, None, "seed {seed}");
        opened += 1;
    }
    assert!(opened > refused, "{opened} opened, {refused} refused");
}

/// A directory with some committed documents and half of the nonces used.
async fn filled(has_tables: bool) -> TempDir {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    for number in 0..10 {
        store.commit(vec![write(number, None)]).await.unwrap();
    }
    spend(&store, 0..NONCES / 2).await;
    store.settle().await.unwrap();
    drop(store);
    if has_tables {
        write_tables(folder.path());
    }
    folder
}

async fn spend(store: &EmbeddedStore, nonces: std::ops::Range<usize>) {
    for number in nonces {
        let nonce = format!("n{number}");
        assert_eq!(store.admit(&admission(&nonce)).await.unwrap(), Admitted::Yes);
    }
}

#[tokio::test]
async fn after_a_power_cut_the_acknowledged_state_is_complete_or_the_store_is_refused() {
    for (has_tables, first_seed) in [(false, 0), (true, 1000)] {
        let folder = filled(has_tables).await;
        let store = EmbeddedStore::open(folder.path()).unwrap();
        store.commit(vec![write(10, None)]).await.unwrap();
        let synced = copied(folder.path());
        let acknowledged = {
            let copy = copied(folder.path());
            let store = EmbeddedStore::open(copy.path()).unwrap();
            content(&store).await.unwrap()
        };
        assert_eq!(acknowledged.documents.len(), 11);
        assert_eq!(acknowledged.free_nonces.len(), NONCES - NONCES / 2);
        // Unfinished commits. The watermark is written after the sync, so it is the old one.
        for number in 11..80 {
            store.commit(vec![write(number, None)]).await.unwrap();
        }
        let written = copied(folder.path());
        fs::copy(synced.path().join("watermark"), written.path().join("watermark")).unwrap();
        check(synced.path(), written.path(), &acknowledged, first_seed..first_seed + 3 * STATES)
            .await;
        // Everything is synced and answered except the watermark, which is never synced.
        let whole = copied(folder.path());
        fs::copy(synced.path().join("watermark"), whole.path().join("watermark")).unwrap();
        let content = content(&EmbeddedStore::open(whole.path()).unwrap()).await.unwrap();
        assert_eq!(content.documents.len(), 80);
    }
}
