//! The documents of a store in memory.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::expiries::Expiries;
use crate::shards::Shards;
use crate::{Change, Document, Key, Partition, Version, Versioned, Write};

/// Documents by key, by partition and by expiry.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    documents: Shards<Entry>,
    /// The ids of each partition of a listed kind, in order, with the hash of each key.
    partitions: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    /// The hashes of the keys of expiring documents, once for each write.
    expiries: Expiries<u64>,
}

/// A document and the hash of its key. The key is not kept: the document has its parts.
#[derive(Debug)]
pub(super) struct Entry {
    hash: u64,
    read: Versioned,
}

impl Entry {
    fn is_of(&self, key: &Key, hash: u64) -> bool {
        // A table compares only a part of the hash.
        self.hash == hash && self.read.document.parts().are_of(key)
    }

    fn is_over(&self, now_secs: u64) -> bool {
        self.read.document.expires_at_secs().is_some_and(|secs| secs <= now_secs)
    }
}

impl Shelf {
    /// The document with this key, whose hash is `hash`.
    pub(super) fn get(&self, key: &Key, hash: u64) -> Option<&Versioned> {
        self.documents.get(hash, |entry| entry.is_of(key, hash)).map(|entry| &entry.read)
    }

    /// Makes all changes, each with the hash of its key. Returns the replaced entries, to be freed.
    pub(super) fn write(&mut self, changes: &mut [(u64, Write)], version: Version) -> Vec<Entry> {
        let mut left = Vec::with_capacity(changes.len());
        for (hash, Write { key, change, .. }) in changes {
            left.extend(match std::mem::replace(change, Change::Check) {
                Change::Put(document) => self.put(*hash, key, Versioned { document, version }),
                Change::Delete => self.remove(*hash, |entry| entry.is_of(key, *hash)),
                Change::Check => None,
            });
        }
        left
    }

    /// Inserts a document. Returns the one that it replaces.
    pub(super) fn put(&mut self, hash: u64, key: &Key, read: Versioned) -> Option<Entry> {
        if let Some(expires_at_secs) = read.document.expires_at_secs() {
            self.expiries.add(expires_at_secs, hash);
        }
        if let Some(id) = key.id()
            && self.get(key, hash).is_none()
        {
            match self.partitions.get_mut(key.partition()) {
                Some(ids) => ids.insert(id.into(), hash),
                None => self
                    .partitions
                    .entry(key.partition().into())
                    .or_default()
                    .insert(id.into(), hash),
            };
        }
        let is_former = |former: &Entry| former.is_of(key, hash);
        self.documents.put(hash, Entry { hash, read }, is_former, |entry| entry.hash)
    }

    fn remove(&mut self, hash: u64, is_it: impl FnMut(&Entry) -> bool) -> Option<Entry> {
        let removed = self.documents.remove(hash, is_it)?;
        let key = removed.read.document.key();
        if let Some(id) = key.id()
            && let Some(ids) = self.partitions.get_mut(key.partition())
        {
            ids.remove(id);
            if ids.is_empty() {
                self.partitions.remove(key.partition());
            }
        }
        Some(removed)
    }

    /// At most `documents_max` documents of a partition with ids after `after`, in the order of ids,
    /// and the last of these ids; `None` if there are no more.
    pub(super) fn list(
        &self,
        partition: &Partition,
        after: Option<&str>,
        documents_max: usize,
    ) -> Option<(Vec<Versioned>, Box<str>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.partitions.get(partition.text())?;
        let some: Vec<_> =
            ids.range::<str, _>((from, Bound::Unbounded)).take(documents_max).collect();
        let (last, _) = some.last()?;
        let last = (*last).clone();
        let documents = some.into_iter().filter_map(|(id, hash)| {
            let is_it = |entry: &Entry| {
                entry.hash == *hash && entry.read.document.parts().are_at(partition, id)
            };
            self.documents.get(*hash, is_it).map(|entry| entry.read.clone())
        });
        Some((documents.collect(), last))
    }

    /// The documents of the table with this number; `None` if there is no such table.
    pub(super) fn part(&self, number: usize) -> Option<Vec<Document>> {
        let table = self.documents.tables().get(number)?;
        Some(table.iter().map(|entry| entry.read.document.clone()).collect())
    }

    /// Removes and returns some expired documents, to be freed; `None` if there are no more.
    pub(super) fn drop_expired(&mut self, now_secs: u64) -> Option<Vec<Entry>> {
        let (_, expired) = self.expiries.take(now_secs)?;
        let removed =
            |hash| self.remove(hash, |entry| entry.hash == hash && entry.is_over(now_secs));
        Some(expired.into_iter().filter_map(removed).collect())
    }
}
