//! The documents that were read for a call, and their versions.

use std::sync::Arc;

use allocation::{Listed, Seen, Write};
use store::{AccessKey, Change, Document, Identity, Key, Version, Versioned};

/// The documents of a call, with the versions that its commit expects.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The access key, if it was read and exists.
    pub(crate) access_key: Option<Arc<AccessKey>>,
    /// The RAM user or role that has the access key, if it was read and exists.
    pub(crate) identity: Option<Arc<Identity>>,
    /// The documents for the operation's decision.
    pub(crate) seen: Seen,
    /// The version of each document in `seen`; `None`: it does not exist.
    versions: Vec<Option<Version>>,
    /// The number of reads of the store. A single read of a store with snapshot reads is a snapshot.
    pub(crate) rounds: usize,
}

impl Reading {
    /// Adds the documents that the store returned for `keys`. An expired document counts as absent,
    /// even if the store still has it.
    pub(crate) fn add(&mut self, keys: Vec<Key>, read: Vec<Option<Versioned>>, now_secs: u64) {
        self.rounds += 1;
        for (key, read) in keys.into_iter().zip(read) {
            let version = read.as_ref().map(|read| read.version);
            let document = read.map(|read| read.document);
            let resource = match document {
                Some(Document::AccessKey(access_key)) => {
                    self.access_key = Some(access_key);
                    continue;
                }
                Some(Document::Identity(identity)) => {
                    self.identity = Some(identity);
                    continue;
                }
                Some(Document::Resource(resource)) => Some(resource),
                None => None,
            };
            let is_live = |until_secs: Option<u64>| until_secs.is_none_or(|until| now_secs < until);
            let live = resource.filter(|resource| is_live(resource.expires_at_secs()));
            self.seen.add(key, live);
            self.versions.push(version);
        }
    }

    /// Adds the result of a listing.
    pub(crate) fn add_listed(&mut self, listed: Listed) {
        self.rounds += 1;
        self.seen.add_listed(listed);
    }

    /// Whether a listing was read.
    pub(crate) fn has_listed(&self) -> bool {
        self.seen.listed().is_ok()
    }

    /// The keys of all documents in `seen`.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.seen.keys().cloned().collect()
    }

    /// Whether an `earlier` reading has the same documents. If so, both are a snapshot of some moment
    /// between the two.
    pub(crate) fn is_as(&self, earlier: &Self) -> bool {
        self.versions == earlier.versions
            && self.seen.keys().eq(earlier.seen.keys())
            && self.seen.listed() == earlier.seen.listed()
    }

    /// The keys that `changes` delete or check and that were not read yet.
    pub(crate) fn unread(&self, changes: &[Write]) -> Vec<Key> {
        let keys = changes.iter().filter_map(|change| match change {
            Write::Delete(key) | Write::Check(key) => Some(key),
            // A document to be written that was not read must not exist.
            Write::Put(_) => None,
        });
        keys.filter(|key| self.seen.keys().all(|read| read != *key)).cloned().collect()
    }

    /// The change, with the version of its document that was read.
    pub(crate) fn resting(&self, change: Write) -> store::Write {
        let (key, change) = match change {
            Write::Put(resource) => (resource.key(), Change::Put(resource.into())),
            Write::Delete(key) => (key, Change::Delete),
            Write::Check(key) => (key, Change::Check),
        };
        let read = self.seen.keys().zip(&self.versions).find(|(read, _)| **read == key);
        let rests_on = read.and_then(|(_, version)| *version);
        store::Write { key, change, rests_on }
    }
}
