//! Where rows stand in the engine.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch as Batch};

use super::recent::Recent;
use super::row::{self, NewRow};
use super::unavailable;
use crate::gate::Fingerprint;
use crate::{Error, Version};

/// How much is gathered in memory before it is written sorted, in bytes.
const GATHERED_BYTES: u64 = 64 * 1024 * 1024;

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
    /// Which documents may be dropped when: a row for each batch, by the last of its times.
    expiries: Keyspace,
    /// Nonces that were spent, in the same way.
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

    /// Tells it from every other.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether a row is still of the version that it is to replace; `None`: there is to be none.
    pub(super) fn is_as_read(&self, key: &[u8], replaces: Option<Version>) -> Result<bool, Error> {
        let there = self.documents.get(key).map_err(unavailable)?;
        let head = there.map(|row| row::head(&row)).transpose().map_err(unavailable)?;
        Ok(head.map(|head| head.version) == replaces)
    }

    /// Has the generation be the one in use.
    pub(super) fn adopt(&self, batch: &mut Batch) {
        batch.insert(&self.meta, GENERATION, self.number.to_be_bytes());
    }

    /// Has `number` be that of the last batch.
    pub(super) fn count(&self, batch: &mut Batch, number: u64) {
        batch.insert(&self.meta, BATCH, number.to_be_bytes());
    }

    /// Puts a row.
    pub(super) fn put(&self, batch: &mut Batch, row: NewRow, version: Version) {
        let bytes = row.with(version);
        batch.insert(&self.documents, row.key, bytes);
    }

    /// Notes what expires when, all of a batch in one row. `part` tells rows of one batch apart.
    pub(super) fn note(&self, batch: &mut Batch, number: u64, part: u32, expiring: &Expiring) {
        for (keyspace, times) in
            [(&self.expiries, &expiring.documents), (&self.nonces, &expiring.nonces)]
        {
            if let Some(last) = times.last_secs {
                let key = [&last.to_be_bytes()[..], &number.to_be_bytes(), &part.to_be_bytes()];
                batch.insert(keyspace, key.concat(), times.bytes.as_slice());
            }
        }
    }

    /// The nonces that are remembered, with when each expires.
    pub(super) fn nonces(&self) -> Result<Vec<(u64, Fingerprint)>, Error> {
        let mut nonces = Vec::new();
        for guard in self.nonces.iter() {
            let row = guard.value().map_err(unavailable)?;
            for (expires_at_secs, key) in Times::read(&row)? {
                let fingerprint = Fingerprint::try_from(key).map_err(unavailable)?;
                nonces.push((expires_at_secs, fingerprint));
            }
        }
        Ok(nonces)
    }

    /// Drops some of the nonces and documents whose time is up, but none of the documents that the
    /// batch writes, and notes those as written. Yields whether there may be more.
    pub(super) fn drop_expired(
        &self,
        batch: &mut Batch,
        now_secs: u64,
        rows_max: usize,
        recent: &mut Recent,
    ) -> Result<bool, Error> {
        let end = now_secs.saturating_add(1).to_be_bytes();
        let mut dropped = 0;
        for guard in self.nonces.range(..end).take(rows_max) {
            batch.remove(&self.nonces, guard.key().map_err(unavailable)?);
            dropped += 1;
        }
        for guard in self.expiries.range(..end) {
            if dropped >= rows_max {
                return Ok(true);
            }
            let (note, row) = guard.into_inner().map_err(unavailable)?;
            for (_, key) in Times::read(&row)? {
                let there = self.documents.get(key).map_err(unavailable)?;
                // It may have been written anew since.
                let head = there.map(|row| row::head(&row)).transpose().map_err(unavailable)?;
                let expires_at_secs = head.and_then(|head| head.expires_at_secs);
                let is_over = expires_at_secs.is_some_and(|secs| secs <= now_secs);
                if is_over && !recent.is_in_last(key) {
                    recent.add(key.to_vec());
                    batch.remove(&self.documents, key);
                }
                dropped += 1;
            }
            batch.remove(&self.expiries, note);
        }
        Ok(dropped >= rows_max)
    }
}

/// What a batch writes that expires.
#[derive(Default)]
pub(super) struct Expiring {
    pub(super) documents: Times,
    pub(super) nonces: Times,
}

/// Keys, and when each expires: time, length and key, one after another.
#[derive(Default)]
pub(super) struct Times {
    last_secs: Option<u64>,
    bytes: Vec<u8>,
}

impl Times {
    pub(super) fn add(&mut self, expires_at_secs: u64, key: &[u8]) {
        self.last_secs = self.last_secs.max(Some(expires_at_secs));
        self.bytes.extend_from_slice(&expires_at_secs.to_be_bytes());
        // No key is longer than what the engine takes, which is less.
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(key);
    }

    /// What was added.
    fn read(mut bytes: &[u8]) -> Result<Vec<(u64, &[u8])>, Error> {
        let mut times = Vec::new();
        while !bytes.is_empty() {
            let (secs, key, rest) = first(bytes).ok_or_else(|| unavailable(row::Unreadable))?;
            times.push((secs, key));
            bytes = rest;
        }
        Ok(times)
    }
}

/// The first time and key, and what comes after.
fn first(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (secs, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (key, rest) = rest.split_at_checked(length)?;
    Some((u64::from_be_bytes(*secs), key, rest))
}

fn keyspace(database: &Database, name: &str) -> Result<Keyspace, Error> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(GATHERED_BYTES);
    database.keyspace(name, options).map_err(unavailable)
}
