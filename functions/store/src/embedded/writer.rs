//! The one thread that writes, so that commits which come together share one sync.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc};
use std::time::Duration;

use fjall::{OwnedWriteBatch as Batch, PersistMode};
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::generation::Generation;
use super::recent::Recent;
use super::row::NewRow;
use super::times::Expiring;
use super::{Core, DROPPED_AT_ONCE, unavailable};
use crate::gate::Fingerprint;
use crate::{Error, Version};

/// The most orders that one batch takes.
const ORDERS_MAX: usize = 512;

/// How long the next order may take to come while orders are gathered.
const GATHERING_PAUSE: Duration = Duration::from_micros(50);

/// What comes of an order: for [`Order::DropExpired`] whether there may be more to drop.
pub(super) type Outcome = Result<bool, Error>;

/// What the writer is to do.
pub(super) enum Order {
    /// Write what was checked, unless it has changed since.
    Commit { checked: Checked, answer: oneshot::Sender<Outcome> },
    /// Remember a nonce of an account.
    Spend { fingerprint: Fingerprint, account_id: String, expires_at_secs: u64 },
    /// Sync what was ordered before.
    Settle { answer: oneshot::Sender<Outcome> },
    /// Drop some of what has expired.
    DropExpired { now_secs: u64, answer: oneshot::Sender<Outcome> },
    /// Use this generation from now on. `alone` keeps another replacement from beginning before that.
    Adopt { generation: Generation, alone: OwnedMutexGuard<()>, answer: oneshot::Sender<Outcome> },
}

/// Changes of rows that are as they were read, as everything was after a batch. The caller that
/// commits checks that, so that the one thread that writes need not read.
pub(super) struct Checked {
    pub(super) changes: Vec<(RowChange, Option<Version>)>,
    /// The number of the generation.
    pub(super) generation: u64,
    /// The number of the batch.
    pub(super) batch: u64,
}

/// What happens to a row.
pub(super) enum RowChange {
    /// It is written.
    Put(NewRow),
    /// The row of this key is removed.
    Delete(Vec<u8>),
    /// The row of this key stays as it is.
    Check(Vec<u8>),
}

impl RowChange {
    fn key(&self) -> &[u8] {
        match self {
            Self::Put(row) => &row.key,
            Self::Delete(key) | Self::Check(key) => key,
        }
    }
}

/// Writes.
pub(super) struct Writer {
    core: Arc<Core>,
    recent: Recent,
    /// Whether all that was written is on the disk.
    is_synced: bool,
    /// The number of the last batch that was written.
    last: u64,
}

/// A batch in the making.
struct Making {
    batch: Batch,
    version: Version,
    expiring: Expiring,
    /// What to tell whom once the batch is on the disk.
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
    /// Whether somebody waits for the disk.
    is_awaited: bool,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let last = core.written.load(Ordering::Acquire);
        Self { core, recent: Recent::after(last), is_synced: true, last }
    }

    /// Carries out orders until there can be no more.
    pub(super) fn run(mut self, orders: &mpsc::Receiver<Order>) {
        let mut expected = 0;
        while let Ok(first) = orders.recv() {
            let gathered = gather(first, orders, expected);
            expected = gathered.len();
            let version = self.core.next_version();
            self.recent.begin(version.0);
            let mut making = Making {
                batch: self.core.database.batch(),
                version,
                expiring: Expiring::default(),
                answers: Vec::new(),
                is_awaited: false,
            };
            let current = self.core.current();
            let mut adopted = None;
            for order in gathered {
                match order {
                    Order::Commit { checked, answer } => {
                        let outcome = self.add(checked, &current, &mut making);
                        making.answers.push((answer, outcome.map(|()| false)));
                    }
                    Order::Spend { fingerprint, account_id, expires_at_secs } => {
                        let nonce = [&fingerprint[..], account_id.as_bytes()].concat();
                        making.expiring.nonces.add(expires_at_secs, &nonce);
                    }
                    Order::Settle { answer } => {
                        making.is_awaited = true;
                        making.answers.push((answer, Ok(false)));
                    }
                    Order::DropExpired { now_secs, answer } => {
                        let (batch, recent) = (&mut making.batch, &mut self.recent);
                        let outcome =
                            current.drop_expired(batch, now_secs, DROPPED_AT_ONCE, recent);
                        making.answers.push((answer, outcome));
                    }
                    Order::Adopt { generation, alone, answer } => {
                        making.is_awaited = true;
                        generation.adopt(&mut making.batch);
                        making.answers.push((answer, Ok(false)));
                        adopted = Some((generation, alone));
                    }
                }
            }
            let (adopted, alone) = adopted.unzip();
            self.finish(making, &current, adopted);
            drop(alone);
        }
    }

    /// Adds a commit to the batch, if nothing of it has changed since it was checked.
    fn add(
        &mut self,
        checked: Checked,
        current: &Generation,
        making: &mut Making,
    ) -> Result<(), Error> {
        let Checked { changes, generation, batch } = checked;
        if generation != current.number() {
            return Err(Error::Conflict);
        }
        for (change, rests_on) in &changes {
            let is_as_read = match self.recent.is_written_after(batch, change.key()) {
                Some(is_written) => !is_written,
                None => current.head(change.key())?.map(|head| head.version) == *rests_on,
            };
            if !is_as_read {
                return Err(Error::Conflict);
            }
        }
        for (change, _) in changes {
            match change {
                RowChange::Put(row) => {
                    if let Some(expires_at_secs) = row.expires_at_secs {
                        making.expiring.documents.add(expires_at_secs, &row.key);
                    }
                    self.recent.add(row.key.clone());
                    current.put(&mut making.batch, row, making.version);
                }
                RowChange::Delete(key) => {
                    current.delete(&mut making.batch, &key);
                    self.recent.add(key);
                }
                RowChange::Check(_) => {}
            }
        }
        making.is_awaited = true;
        Ok(())
    }

    /// Writes the batch, syncs it if somebody waits for that, and answers everybody.
    fn finish(&mut self, making: Making, current: &Generation, adopted: Option<Generation>) {
        let Making { mut batch, version, expiring, answers, is_awaited } = making;
        current.note(&mut batch, version.0, 0, &expiring);
        let written = self.write(batch, version, is_awaited, current, adopted);
        // The engine takes no more writes after one that failed, and then says nothing but that.
        let written = written.map_err(|error| self.core.failed.get_or_init(|| Arc::new(error)));
        for (answer, outcome) in answers {
            let outcome = match &written {
                Ok(()) => outcome,
                // Whether it is on the disk is not known until the store is opened anew, so no answer
                // says anything that would turn out wrong then.
                Err(error) => Err(unavailable(Arc::clone(error))),
            };
            // A caller who does not wait any more needs no answer.
            drop(answer.send(outcome));
        }
    }

    /// Writes the batch, and syncs it if somebody waits for that.
    fn write(
        &mut self,
        mut batch: Batch,
        version: Version,
        is_awaited: bool,
        current: &Generation,
        adopted: Option<Generation>,
    ) -> fjall::Result<()> {
        // Without a sync the engine hands it to the system: it may be lost with that, but not with the
        // process.
        let mode = if is_awaited { PersistMode::SyncData } else { PersistMode::Buffer };
        if self.core.failed.get().is_some() {
            return Err(fjall::Error::Poisoned);
        }
        if batch.is_empty() {
            if is_awaited && !self.is_synced {
                self.core.database.persist(mode)?;
                self.core.folder.synced(self.last)?;
                self.is_synced = true;
            }
        } else {
            self.note_before(current, adopted.as_ref())?;
            current.count(&mut batch, version.0);
            batch.durability(Some(mode)).commit()?;
            self.last = version.0;
            if is_awaited {
                self.core.folder.synced(self.last)?;
            }
            self.is_synced = is_awaited;
        }
        self.core.written.store(version.0, Ordering::Release);
        adopted.map_or(Ok(()), |generation| self.adopt(generation))
    }

    /// Has the manifest name what must not be lost once the batch is written. A store that is being
    /// made is in use once the first world is adopted, or with the first batch if that comes before.
    fn note_before(&self, current: &Generation, adopted: Option<&Generation>) -> fjall::Result<()> {
        let folder = &self.core.folder;
        match (folder.is_making(), adopted) {
            (true, Some(_)) | (false, None) => Ok(()),
            (true, None) => Ok(folder.note(current.keyspaces())?),
            (false, Some(adopted)) => {
                let both = current.keyspaces().into_iter().chain(adopted.keyspaces());
                Ok(folder.note(both.collect())?)
            }
        }
    }

    fn adopt(&self, generation: Generation) -> fjall::Result<()> {
        let keyspaces = generation.keyspaces();
        let former = {
            let mut current = self.core.generation.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::new(generation))
        };
        let mut gate = self.core.gate();
        *gate = gate.emptied();
        drop(gate);
        self.core.folder.note(keyspaces)?;
        // If this fails the rows are removed when the store is opened next.
        drop(former.remove(&self.core.database));
        Ok(())
    }
}

/// The orders of one batch. If the last batch had many, about as many are waited for a moment: they
/// come from callers who were answered together, and each sync takes longer than they do.
fn gather(first: Order, orders: &mpsc::Receiver<Order>, last: usize) -> Vec<Order> {
    let mut gathered = vec![first];
    // What comes after an adoption is for that generation.
    while gathered.len() < ORDERS_MAX && !matches!(gathered.last(), Some(Order::Adopt { .. })) {
        let next = match orders.try_recv() {
            Err(mpsc::TryRecvError::Empty) if gathered.len() < last => {
                orders.recv_timeout(GATHERING_PAUSE).ok()
            }
            next => next.ok(),
        };
        let Some(next) = next else { break };
        gathered.push(next);
    }
    gathered
}
