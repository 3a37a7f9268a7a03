//! Generations: the engine's keyspaces with the rows of one world.

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch as Batch};

use super::manifest::{FORMAT_VERSION, Keyspaces};
use super::recent::Recent;
use super::row::{self, Head, NewRow, Unreadable};
use super::times::{Expiring, Times};
use super::unavailable;
use crate::gate::{Gate, elapsed_secs};
use crate::kinds::NONCE;
use crate::row::schema_of;
use crate::{Document, Error, Version};

/// The size of a memtable, in bytes.
const GATHERED_BYTES: u64 = 64 * 1024 * 1024;

/// The documents per batch while a generation is filled.
const FILLED_AT_ONCE: usize = 1000;

/// The keyspace with the number of the current generation and of the last batch.
const META: &str = "meta";
const GENERATION: &str = "generation";
const BATCH: &str = "batch";
/// The format of the generation's rows; without it, the rows have the directory's format.
const FORMAT: &str = "format";
/// The names of a generation's keyspaces, followed by its number.
const DOCUMENTS: &str = "documents";
const EXPIRIES: &str = "expiries";
const NONCES: &str = "nonces";

/// The rows of one world. To replace all rows, the next generation is filled and then adopted
/// atomically.
pub(super) struct Generation {
    number: u64,
    meta: Keyspace,
    pub(super) documents: Keyspace,
    /// The expiries of documents: one row per batch, by the latest expiry in it.
    expiries: Keyspace,
    /// Used nonces, in the same way: the schema, then the fingerprint and the account of each nonce.
    pub(super) nonces: Keyspace,
}

/// How long nonces are kept after they expire, in seconds: the clock may be set back before the
/// directory is opened again.
const NONCES_KEPT_SECS: u64 = 3600;

impl Generation {
    /// The first generation of a new store, without rows.
    pub(super) fn first(database: &Database) -> Result<Self, Error> {
        let meta = keyspace(database, META)?;
        Self::of(database, meta, 0)
    }

    /// The current generation, and the number of the last batch.
    pub(super) fn open(database: &Database) -> Result<(Self, u64), Error> {
        let meta = existing(database, META)?;
        let number_in_use = number(&meta, GENERATION)?.unwrap_or(0);
        let batch = number(&meta, BATCH)?.unwrap_or(0);
        let numbered = |name: &str| existing(database, &format!("{name}-{number_in_use}"));
        let in_use = Self {
            number: number_in_use,
            documents: numbered(DOCUMENTS)?,
            expiries: numbered(EXPIRIES)?,
            nonces: numbered(NONCES)?,
            meta,
        };
        Ok((in_use, batch))
    }

    /// Removes all other generations.
    pub(super) fn remove_others(&self, database: &Database) -> Result<(), Error> {
        let ours = self.keyspaces();
        for name in database.list_keyspace_names() {
            if !ours.contains_key(&*name) {
                let unused = keyspace(database, &name)?;
                database.delete_keyspace(unused).map_err(unavailable)?;
            }
        }
        Ok(())
    }

    /// The folder of each keyspace.
    pub(super) fn keyspaces(&self) -> Keyspaces {
        let all = [&self.meta, &self.documents, &self.expiries, &self.nonces];
        let folder = |keyspace: &Keyspace| {
            // The engine names the folder by a number.
            keyspace.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
        };
        all.map(|keyspace| (keyspace.name().to_string(), folder(keyspace))).into()
    }

    fn of(database: &Database, meta: Keyspace, number: u64) -> Result<Self, Error> {
        let numbered = |name: &str| keyspace(database, &format!("{name}-{number}"));
        Ok(Self {
            number,
            meta,
            documents: numbered(DOCUMENTS)?,
            expiries: numbered(EXPIRIES)?,
            nonces: numbered(NONCES)?,
        })
    }

    /// An empty generation, to be filled and adopted.
    pub(super) fn next(&self, database: &Database) -> Result<Self, Error> {
        let number = self.number + 1;
        // An earlier attempt may have been interrupted.
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

    /// The number of the generation.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The head of the row with this key, if there is one.
    pub(super) fn head(&self, key: &[u8]) -> Result<Option<Head>, Error> {
        let row = self.documents.get(key).map_err(unavailable)?;
        row.map(|row| row::head(&row)).transpose().map_err(unavailable)
    }

    /// Makes the generation the current one, with rows of this program's format.
    pub(super) fn adopt(&self, batch: &mut Batch) {
        batch.insert(&self.meta, GENERATION, self.number.to_be_bytes());
        batch.insert(&self.meta, FORMAT, u64::from(FORMAT_VERSION).to_be_bytes());
    }

    /// The format of the rows; `None`: the directory's.
    pub(super) fn format(&self) -> Result<Option<u64>, Error> {
        number(&self.meta, FORMAT)
    }

    /// Puts documents in as many batches as needed.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`], or the first error in `documents`.
    pub(super) fn fill(
        &self,
        database: &Database,
        documents: impl Iterator<Item = Result<Document, Error>>,
        version: Version,
    ) -> Result<(), Error> {
        let mut documents = documents.peekable();
        for part in 0.. {
            if documents.peek().is_none() {
                break;
            }
            let (mut batch, mut expiring) = (database.batch(), Expiring::default());
            for document in documents.by_ref().take(FILLED_AT_ONCE) {
                let document = document?;
                let row = NewRow::new(&document.key(), &document).map_err(unavailable)?;
                if let Some(expires_at_secs) = row.expires_at_secs {
                    expiring.documents.add(expires_at_secs, &row.key);
                }
                self.put(&mut batch, row, version);
            }
            self.note(&mut batch, version.0, part, &expiring);
            batch.commit().map_err(unavailable)?;
        }
        Ok(())
    }

    /// Records `number` as that of the last batch.
    pub(super) fn count(&self, batch: &mut Batch, number: u64) {
        batch.insert(&self.meta, BATCH, number.to_be_bytes());
    }

    /// Puts a row.
    pub(super) fn put(&self, batch: &mut Batch, row: NewRow, version: Version) {
        let bytes = row.with(version);
        batch.insert(&self.documents, row.key, bytes);
    }

    /// Deletes the row of this key.
    pub(super) fn delete(&self, batch: &mut Batch, key: &[u8]) {
        batch.remove(&self.documents, key);
    }

    /// Records the expiries of a batch in one row. `part` makes the rows of one batch distinct.
    pub(super) fn note(&self, batch: &mut Batch, number: u64, part: u32, expiring: &Expiring) {
        let key = |last_secs: u64| {
            [&last_secs.to_be_bytes()[..], &number.to_be_bytes(), &part.to_be_bytes()].concat()
        };
        let Expiring { documents, nonces } = expiring;
        if let Some(last_secs) = documents.last_secs {
            batch.insert(&self.expiries, key(last_secs), documents.bytes.as_slice());
        }
        if let Some(last_secs) = nonces.last_secs {
            let row = [&schema_of(NONCE).to_be_bytes()[..], &nonces.bytes].concat();
            batch.insert(&self.nonces, key(last_secs), row);
        }
    }

    /// Fills the gate with the nonces of the generation.
    pub(super) fn spend_nonces(&self, gate: &mut Gate) -> Result<(), Error> {
        for guard in self.nonces.iter() {
            let row = guard.value().map_err(unavailable)?;
            let (_schema, times) =
                row.split_first_chunk::<2>().ok_or_else(|| unavailable(Unreadable))?;
            for (expires_at_secs, nonce) in Times::read(times)? {
                let parts = nonce.split_first_chunk().map(|(fingerprint, account)| {
                    Some((fingerprint, str::from_utf8(account).ok()?))
                });
                let (fingerprint, account) =
                    parts.flatten().ok_or_else(|| unavailable(Unreadable))?;
                gate.spend(*fingerprint, account, expires_at_secs, elapsed_secs());
            }
        }
        Ok(())
    }

    /// Drops some expired nonces and documents, except documents that the batch writes, and records
    /// the dropped ones as written. Returns whether there may be more.
    pub(super) fn drop_expired(
        &self,
        batch: &mut Batch,
        now_secs: u64,
        rows_max: usize,
        recent: &mut Recent,
    ) -> Result<bool, Error> {
        let end = |secs: u64| secs.saturating_add(1).to_be_bytes();
        let mut dropped = 0;
        let nonces_end = end(now_secs.saturating_sub(NONCES_KEPT_SECS));
        for guard in self.nonces.range(..nonces_end).take(rows_max) {
            batch.remove(&self.nonces, guard.key().map_err(unavailable)?);
            dropped += 1;
        }
        for guard in self.expiries.range(..end(now_secs)) {
            if dropped >= rows_max {
                return Ok(true);
            }
            let (note, row) = guard.into_inner().map_err(unavailable)?;
            for (_, key) in Times::read(&row)? {
                // The document may have been written again.
                let expires_at_secs = self.head(key)?.and_then(|head| head.expires_at_secs);
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

/// A number in `meta`.
fn number(meta: &Keyspace, name: &str) -> Result<Option<u64>, Error> {
    let Some(bytes) = meta.get(name).map_err(unavailable)? else { return Ok(None) };
    Ok(Some(u64::from_be_bytes(<[u8; 8]>::try_from(&bytes[..]).map_err(unavailable)?)))
}

/// A keyspace that must exist.
fn existing(database: &Database, name: &str) -> Result<Keyspace, Error> {
    if !database.keyspace_exists(name) {
        return Err(Error::Unavailable {
            source: format!("the keyspace {name} is missing").into(),
        });
    }
    keyspace(database, name)
}

fn keyspace(database: &Database, name: &str) -> Result<Keyspace, Error> {
    let options = || KeyspaceCreateOptions::default().max_memtable_size(GATHERED_BYTES);
    database.keyspace(name, options).map_err(unavailable)
}
