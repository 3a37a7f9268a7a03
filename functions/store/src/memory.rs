//! A store that lives in memory and dies with it.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::gate::Gate;
use crate::{
    Admission, Admitted, Change, Document, Error, Key, Partition, Store, Version, Versioned, Write,
};

/// Keeps documents in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shelf: Mutex<Shelf>,
    gate: Mutex<Gate>,
}

#[derive(Debug, Default)]
struct Shelf {
    documents: HashMap<Key, Versioned>,
    /// When which document may be dropped, soonest first.
    expiries: BTreeSet<(u64, Key)>,
    /// The version last given out; never given twice, so a document that was removed and made
    /// again does not look unchanged.
    version: u64,
}

impl MemoryStore {
    /// A store that holds `documents`.
    #[must_use]
    pub fn holding(documents: impl IntoIterator<Item = Document>) -> Self {
        let store = Self::default();
        store.replace(documents);
        store
    }

    /// Drops everything, what is remembered of calls too, and holds `documents` instead.
    pub fn replace(&self, documents: impl IntoIterator<Item = Document>) {
        *self.gate() = Gate::default();
        let mut held = self.lock();
        held.documents.clear();
        held.expiries.clear();
        for document in documents {
            held.put(document.key(), document);
        }
    }

    /// Every document, in no order.
    #[must_use]
    pub fn documents(&self) -> Vec<Document> {
        self.lock().documents.values().map(|versioned| versioned.document.clone()).collect()
    }

    /// Drops the documents and nonces whose time is up, so that memory stays bounded.
    pub fn drop_expired(&self, now_secs: u64) {
        self.gate().drop_expired(now_secs);
        let mut held = self.lock();
        while let Some((expires_at_secs, _)) = held.expiries.first()
            && *expires_at_secs <= now_secs
        {
            if let Some((_, key)) = held.expiries.pop_first() {
                held.documents.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Whoever panicked held the lock between two whole writes or none: nothing is half done.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn put(&mut self, key: Key, document: Document) {
        self.version += 1;
        let earlier_secs = self.documents.get(&key).and_then(|d| d.document.expires_at_secs());
        if let Some(earlier_secs) = earlier_secs {
            self.expiries.remove(&(earlier_secs, key.clone()));
        }
        if let Some(expires_at_secs) = document.expires_at_secs() {
            self.expiries.insert((expires_at_secs, key.clone()));
        }
        self.documents.insert(key, Versioned { document, version: Version(self.version) });
    }
}

impl Shelf {
    fn remove(&mut self, key: &Key) {
        if let Some(removed) = self.documents.remove(key)
            && let Some(expires_at_secs) = removed.document.expires_at_secs()
        {
            self.expiries.remove(&(expires_at_secs, key.clone()));
        }
    }
}

impl Store for MemoryStore {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let held = self.lock();
        Ok(keys.iter().map(|key| held.documents.get(key).cloned()).collect())
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let mut listed: Vec<(Key, Versioned)> = {
            let held = self.lock();
            let of_partition =
                held.documents.iter().filter(|(key, _)| key.id().is_some() && key.partition() == partition.text());
            of_partition.map(|(key, read)| (key.clone(), read.clone())).collect()
        };
        listed.sort_by(|(one, _), (two, _)| one.cmp(two));
        for (_, read) in listed {
            if each(read).is_break() {
                break;
            }
        }
        Ok(())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        let mut held = self.lock();
        let unchanged = writes
            .iter()
            .all(|write| held.documents.get(&write.key).map(|read| read.version) == write.rests_on);
        if !unchanged {
            return Err(Error::Conflict);
        }
        for write in writes {
            match write.change {
                Change::Put(document) => held.put(write.key, document),
                Change::Delete => held.remove(&write.key),
                Change::Check => {}
            }
        }
        Ok(())
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.gate().admit(admission)
    }
}
