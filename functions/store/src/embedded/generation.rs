//! Where rows stand in the engine.

use std::ops::Bound;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch as Batch};

use super::row::{Head, NewRow};
use super::unavailable;
use crate::gate::Fingerprint;
use crate::{Error, Version};

/// How much is gathered in memory before it is written sorted, in bytes.
const GATHERED_BYTES: u64 = 16 * 1024 * 1024;

/// What tells which generation is in use, and the number of the last batch.
const META: &str = "meta";
const GENERATION: &str = "generation";
const BATCH: &str = "batch";

/// The rows of one world. When all are replaced the next generation is filled and adopted in one
/// step.
pub(super) struct Generation {
    number: u64,
    meta: Keyspace,
    pub(super) documents: Keyspace,
    /// What may be dropped, by when: the time and the document's key.
    expiries: Keyspace,
    /// Nonces that were spent, by when they expire.
    nonces: Keyspace,
}

impl Generation {
    /// The generation in use, and the number of the last batch. Those that never came into use, or are
    /// out of it, are removed.
    pub(super) fn open(database: &Database) -> Result<(Self, u64), Error> {
        let meta = keyspace(database, META)?;
        let number = |name: &str| {
            let Some(bytes) = meta.get(name).map_err(unavailable)? else { return Ok(0) };
            let bytes = <[u8; 8]>::try_from(&bytes[..]).map_err(unavailable)?;
            Ok::<_, Error>(u64::from_be_bytes(bytes))
        };
        let (number_in_use, batch) = (number(GENERATION)?, number(BATCH)?);
        let in_use = Self::of(database, meta, number_in_use)?;
        let ours = [&in_use.meta, &in_use.documents, &in_use.expiries, &in_use.nonces];
        let ours = ours.map(|keyspace| keyspace.name().clone());
        for name in database.list_keyspace_names() {
            if !ours.contains(&name) {
                let unused = keyspace(database, &name)?;
                database.delete_keyspace(unused).map_err(unavailable)?;
            }
        }
        Ok((in_use, batch))
    }

    fn of(database: &Database, meta: Keyspace, number: u64) -> Result<Self, Error> {
        let numbered = |name: &str| keyspace(database, &format!("{name}-{number}"));
        Ok(Self {
            number,
            meta,
            documents: numbered("documents")?,
            expiries: numbered("expiries")?,
            nonces: numbered("nonces")?,
        })
    }

    /// An empty generation, to be filled and adopted.
    pub(super) fn next(&self, database: &Database) -> Result<Self, Error> {
        let number = self.number + 1;
        // Of an attempt that broke off.
        Self::of(database, self.meta.clone(), number)?.remove(database)?;
        Self::of(database, self.meta.clone(), number)
    }

    /// Removes all rows.
    pub(super) fn remove(&self, database: &Database) -> Result<(), Error> {
        for keyspace in [&self.documents, &self.expiries, &self.nonces] {
            database.delete_keyspace(keyspace.clone()).map_err(unavailable)?;
        }
        Ok(())
    }

    /// Has the generation be the one in use.
    pub(super) fn adopt(&self, batch: &mut Batch) {
        batch.insert(&self.meta, GENERATION, self.number.to_be_bytes());
    }

    /// Has `number` be that of the last batch.
    pub(super) fn count(&self, batch: &mut Batch, number: u64) {
        batch.insert(&self.meta, BATCH, number.to_be_bytes());
    }

    /// Puts a row where `replaced` stood.
    pub(super) fn put(
        &self,
        batch: &mut Batch,
        row: NewRow,
        version: Version,
        replaced: Option<Head>,
    ) {
        if let Some(expires_at_secs) = replaced.and_then(|head| head.expires_at_secs) {
            batch.remove(&self.expiries, expiry(expires_at_secs, &row.key));
        }
        if let Some(expires_at_secs) = row.expires_at_secs {
            batch.insert(&self.expiries, expiry(expires_at_secs, &row.key), []);
        }
        let bytes = row.with(version);
        batch.insert(&self.documents, row.key, bytes);
    }

    /// Remembers a nonce.
    pub(super) fn spend(&self, batch: &mut Batch, fingerprint: Fingerprint, expires_at_secs: u64) {
        batch.insert(&self.nonces, expiry(expires_at_secs, &fingerprint), []);
    }

    /// The nonces that are remembered, with when each expires.
    pub(super) fn nonces(&self) -> impl Iterator<Item = Result<(u64, Fingerprint), Error>> + use<> {
        self.nonces.iter().map(|guard| {
            let key = guard.key().map_err(unavailable)?;
            let (expires_at_secs, fingerprint) = split(&key)?;
            let fingerprint = Fingerprint::try_from(fingerprint).map_err(unavailable)?;
            Ok((expires_at_secs, fingerprint))
        })
    }

    /// Drops up to `rows_max` documents and as many nonces whose time is up, but none of the
    /// documents that `written` tells of. Yields how many it was of what there was more of.
    pub(super) fn drop_expired(
        &self,
        batch: &mut Batch,
        now_secs: u64,
        rows_max: usize,
        written: impl Fn(&[u8]) -> bool,
    ) -> Result<usize, Error> {
        let end = Bound::Included(expiry(now_secs, &[0xff]));
        let range = (Bound::Unbounded, end);
        let mut documents = 0;
        for guard in self.expiries.range(range.clone()).take(rows_max) {
            let key = guard.key().map_err(unavailable)?;
            let (expires_at_secs, document) = split(&key)?;
            if expires_at_secs <= now_secs && !written(document) {
                batch.remove(&self.documents, document);
                batch.remove(&self.expiries, key);
                documents += 1;
            }
        }
        let mut nonces = 0;
        for guard in self.nonces.range(range).take(rows_max) {
            let key = guard.key().map_err(unavailable)?;
            if split(&key)?.0 <= now_secs {
                batch.remove(&self.nonces, key);
                nonces += 1;
            }
        }
        Ok(documents.max(nonces))
    }
}

fn keyspace(database: &Database, name: &str) -> Result<Keyspace, Error> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(GATHERED_BYTES);
    database.keyspace(name, options).map_err(unavailable)
}

/// A key that sorts by time.
fn expiry(expires_at_secs: u64, key: &[u8]) -> Vec<u8> {
    [&expires_at_secs.to_be_bytes()[..], key].concat()
}

fn split(key: &[u8]) -> Result<(u64, &[u8]), Error> {
    let (secs, rest) =
        key.split_first_chunk().ok_or_else(|| unavailable(super::row::Unreadable))?;
    Ok((u64::from_be_bytes(*secs), rest))
}
