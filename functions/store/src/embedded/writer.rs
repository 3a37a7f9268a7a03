//! The one thread that writes, so that commits which come together share one sync.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, mpsc};

use fjall::{OwnedWriteBatch as Batch, PersistMode};
use tokio::sync::oneshot;

use super::generation::Generation;
use super::row::{self, Head, NewRow};
use super::{Core, DROPPED_AT_ONCE, unavailable};
use crate::gate::{Fingerprint, Gate};
use crate::{Error, Version};

/// The most orders that one batch takes.
const ORDERS_MAX: usize = 512;

/// What comes of an order: for [`Order::DropExpired`] how many rows were dropped, else 0.
pub(super) type Outcome = Result<usize, Error>;

/// What the writer is to do.
pub(super) enum Order {
    /// Write all rows, or none if any does not replace what it was made to replace.
    Commit { rows: Vec<(NewRow, Option<Version>)>, answer: oneshot::Sender<Outcome> },
    /// Remember a nonce. Nobody waits for it.
    Spend { fingerprint: Fingerprint, expires_at_secs: u64 },
    /// Drop some of what has expired.
    DropExpired { now_secs: u64, answer: oneshot::Sender<Outcome> },
    /// Use this generation from now on.
    Adopt { generation: Generation, answer: oneshot::Sender<Outcome> },
}

/// Writes.
pub(super) struct Writer {
    core: Arc<Core>,
}

/// A batch in the making.
struct Making {
    batch: Batch,
    version: Version,
    /// The documents in the batch. Nobody has read them yet, so nobody can replace them.
    written: HashSet<Vec<u8>>,
    /// What to tell whom once the batch is on the disk.
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
    /// Whether somebody waits for the disk.
    is_awaited: bool,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Carries out orders until there can be no more.
    pub(super) fn run(self, orders: &mpsc::Receiver<Order>) {
        while let Ok(first) = orders.recv() {
            let mut making = Making {
                batch: self.core.database.batch(),
                version: self.core.next_version(),
                written: HashSet::new(),
                answers: Vec::new(),
                is_awaited: false,
            };
            let mut adopted = None;
            for order in std::iter::once(first).chain(orders.try_iter()).take(ORDERS_MAX) {
                match order {
                    Order::Commit { rows, answer } => {
                        let outcome = self.add(rows, &mut making);
                        making.answers.push((answer, outcome.map(|()| 0)));
                    }
                    Order::Spend { fingerprint, expires_at_secs } => {
                        let current = self.core.current();
                        current.spend(&mut making.batch, fingerprint, expires_at_secs);
                    }
                    Order::DropExpired { now_secs, answer } => {
                        let written = |key: &[u8]| making.written.contains(key);
                        let current = self.core.current();
                        let batch = &mut making.batch;
                        let outcome =
                            current.drop_expired(batch, now_secs, DROPPED_AT_ONCE, written);
                        making.answers.push((answer, outcome));
                    }
                    Order::Adopt { generation, answer } => {
                        making.is_awaited = true;
                        generation.adopt(&mut making.batch);
                        making.answers.push((answer, Ok(0)));
                        adopted = Some(generation);
                        // What comes next is for that generation.
                        break;
                    }
                }
            }
            self.finish(making, adopted);
        }
    }

    /// Adds a commit to the batch, if it replaces what it is to replace.
    fn add(&self, rows: Vec<(NewRow, Option<Version>)>, making: &mut Making) -> Result<(), Error> {
        let current = self.core.current();
        let replaced = |(row, replaces): &(NewRow, Option<Version>)| {
            if making.written.contains(&row.key) {
                return Err(Error::Conflict);
            }
            let there = current.documents.get(&row.key).map_err(unavailable)?;
            let there = there.map(|bytes| row::head(&bytes).map_err(unavailable)).transpose()?;
            let is_as_read = there.map(|head| head.version) == *replaces;
            if is_as_read { Ok(there) } else { Err(Error::Conflict) }
        };
        let replaced = rows.iter().map(replaced).collect::<Result<Vec<Option<Head>>, Error>>()?;
        for ((row, _), head) in rows.into_iter().zip(replaced) {
            making.written.insert(row.key.clone());
            current.put(&mut making.batch, row, making.version, head);
        }
        making.is_awaited = true;
        Ok(())
    }

    /// Writes the batch, syncs it if somebody waits for that, and answers everybody.
    fn finish(&self, making: Making, adopted: Option<Generation>) {
        let Making { mut batch, version, answers, is_awaited, .. } = making;
        if !batch.is_empty() {
            self.core.current().count(&mut batch, version.0);
        }
        // Without a sync the engine hands it to the system: lost with that, but not with the process.
        let mode = if is_awaited { PersistMode::SyncData } else { PersistMode::Buffer };
        let written = if batch.is_empty() {
            Ok(())
        } else {
            batch.durability(Some(mode)).commit().map_err(Arc::new)
        };
        if let (Ok(()), Some(generation)) = (&written, adopted) {
            self.adopt(generation);
        }
        for (answer, outcome) in answers {
            let outcome = match &written {
                Ok(()) => outcome,
                // Whether it is on the disk is not known. The engine takes no more writes until it is
                // opened anew, so nobody is told anything that would turn out wrong then.
                Err(error) => Err(unavailable(Arc::clone(error))),
            };
            // Whoever does not wait any more need not be told.
            drop(answer.send(outcome));
        }
    }

    fn adopt(&self, generation: Generation) {
        let former = {
            let mut current = self.core.generation.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::new(generation))
        };
        *self.core.gate() = Gate::default();
        // If this fails the rows are removed when the store is opened next.
        drop(former.remove(&self.core.database));
    }
}
