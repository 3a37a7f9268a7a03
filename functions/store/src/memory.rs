//! A store that lives in memory and dies with it.

mod shelf;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::document::are_in_form;
use crate::gate::{Gate, elapsed_secs};
use crate::shards::Hasher;
use crate::{
    Admission, Admitted, Document, Error, Key, NonceBudget, Partition, Store, Version, Versioned,
    Write,
};
use shelf::Shelf;

/// How many documents of a list are taken while the lock is held.
const LISTED_AT_ONCE: usize = 1000;

/// Keeps documents in memory, under one lock, so that a read and a commit are each of one moment.
/// Nothing that is done under the lock takes longer the more documents there are.
#[derive(Debug, Default)]
pub struct MemoryStore {
    hasher: Hasher,
    /// The version that was given last. No version is given twice, so a document that was removed
    /// and made again does not look unchanged.
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

    /// The store with a budget of nonces that it may share with others.
    #[must_use]
    pub fn sharing(self, budget: &NonceBudget) -> Self {
        self.gate().draw_on(budget);
        self
    }

    /// Drops everything, what is remembered of calls too, and holds `documents` instead.
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
        // Freeing millions of documents takes a while, and nobody need wait for it.
        drop(dropped);
    }

    /// Every document, in no order. Of what is committed meanwhile, any part may be among them.
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

    /// Drops the documents and nonces whose time is up, so that memory stays bounded.
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
        // A thread that panicked held the lock between two whole writes: nothing is half done.
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
        // Hashed before the lock is taken.
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
        debug_assert!(writes.is_empty() || are_in_form(&writes), "{writes:?}");
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
        // Freed without the lock, as the keys are.
        drop(replaced);
        Ok(())
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.gate().admit(admission, elapsed_secs())
    }
}
