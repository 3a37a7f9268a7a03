//! A store in memory.

mod shelf;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::document::are_valid;
use crate::gate::{Gate, elapsed_secs};
use crate::shards::Hasher;
use crate::{
    Admission, Admitted, Document, Error, Key, NonceBudget, Partition, Store, Version, Versioned,
    Write,
};
use shelf::Shelf;

/// The most documents of a list that are read under one lock.
const LISTED_AT_ONCE: usize = 1000;

/// A store in memory. Each read and each commit holds one lock, so both are atomic. The time under
/// the lock does not grow with the number of documents.
#[derive(Debug, Default)]
pub struct MemoryStore {
    hasher: Hasher,
    /// The last version. Versions are never reused, so a document that was deleted and written again
    /// does not look unchanged.
    version: AtomicU64,
    shelf: Mutex<Shelf>,
    gate: Mutex<Gate>,
}

impl MemoryStore {
    /// A store that holds `documents`.
    #[must_use]
    pub fn holding(documents: impl IntoIterator<Item = Document>) -> Self {
        let store = Self::default();
        store.replace(documents);
        store
    }

    /// Sets the store's budget of nonces, which other stores may share.
    #[must_use]
    pub fn sharing(self, budget: &NonceBudget) -> Self {
        self.gate().draw_on(budget);
        self
    }

    /// Replaces all documents, and drops nonces and counters of calls.
    pub fn replace(&self, documents: impl IntoIterator<Item = Document>) {
        let (mut filled, version) = (Shelf::default(), self.next_version());
        for document in documents {
            let key = document.key();
            let hash = self.hasher.hash(key.text());
            filled.put(hash, &key, Versioned { document, version });
        }
        let (mut documents, mut calls) = (self.lock(), self.gate());
        let emptied = calls.emptied();
        let dropped =
            (std::mem::replace(&mut *documents, filled), std::mem::replace(&mut *calls, emptied));
        drop((documents, calls));
        // Outside the locks: freeing millions of documents takes a while.
        drop(dropped);
    }

    /// Every document, in no order. This is no snapshot: any part of a concurrent commit may be
    /// visible.
    #[must_use]
    pub fn documents(&self) -> Vec<Document> {
        let mut documents = Vec::new();
        for part in 0.. {
            match self.lock().part(part) {
                Some(part) => documents.extend(part),
                None => break,
            }
        }
        documents
    }

    /// Drops expired documents and nonces, so that memory stays bounded.
    pub fn drop_expired(&self, now_secs: u64) {
        while self.gate().forget(elapsed_secs()) {}
        loop {
            let Some(dropped) = self.lock().drop_expired(now_secs) else { break };
            drop(dropped);
        }
    }

    fn next_version(&self) -> Version {
        Version(self.version.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // A thread cannot panic within a write, so a poisoned lock holds no half write.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        // Hashed outside the lock.
        let hashes: Vec<u64> = keys.iter().map(|key| self.hasher.hash(key.text())).collect();
        let held = self.lock();
        Ok(keys.iter().zip(hashes).map(|(key, hash)| held.get(key, hash).cloned()).collect())
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let listed = self.lock().list(partition, after.as_deref(), LISTED_AT_ONCE);
            let Some((listed, last)) = listed else { return Ok(()) };
            after = Some(last);
            for document in listed {
                if each(document).is_break() {
                    return Ok(());
                }
            }
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        debug_assert!(writes.is_empty() || are_valid(&writes), "{writes:?}");
        let mut hashed: Vec<(u64, Write)> =
            writes.into_iter().map(|write| (self.hasher.hash(write.key.text()), write)).collect();
        let replaced = {
            let mut held = self.lock();
            let is_as_read = |(hash, write): &(u64, Write)| {
                held.get(&write.key, *hash).map(|read| read.version) == write.rests_on
            };
            if !hashed.iter().all(is_as_read) {
                return Err(Error::Conflict);
            }
            held.write(&mut hashed, self.next_version())
        };
        // Freed outside the lock.
        drop(replaced);
        Ok(())
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.gate().admit(admission, elapsed_secs())
    }
}
