//! The writer: the only thread that writes, so that concurrent commits share one sync.

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

/// The most orders of one batch.
const ORDERS_MAX: usize = 512;

/// The longest wait for the next order of a batch.
const GATHERING_PAUSE: Duration = Duration::from_micros(50);

/// The outcome of an order; for [`Order::DropExpired`], whether there may be more to drop.
pub(super) type Outcome = Result<bool, Error>;

/// An order to the writer.
pub(super) enum Order {
    /// Write the checked changes, unless a row has changed since the check.
    Commit { checked: Checked, answer: oneshot::Sender<Outcome> },
    /// Record a used nonce of an account.
    Spend { fingerprint: Fingerprint, account_id: String, expires_at_secs: u64 },
    /// Sync the effects of all earlier orders.
    Settle { answer: oneshot::Sender<Outcome> },
    /// Drop some expired documents and nonces.
    DropExpired { now_secs: u64, answer: oneshot::Sender<Outcome> },
    /// Adopt this generation. `alone` prevents other replacements until then.
    Adopt { generation: Generation, alone: OwnedMutexGuard<()>, answer: oneshot::Sender<Outcome> },
}

/// Changes of rows whose versions were checked as of a batch. The committing task does the check, so
/// that the writer need not read.
pub(super) struct Checked {
    pub(super) changes: Vec<(RowChange, Option<Version>)>,
    /// The number of the generation.
    pub(super) generation: u64,
    /// The number of the batch.
    pub(super) batch: u64,
}

/// The change of a row.
pub(super) enum RowChange {
    /// Writes the row.
    Put(NewRow),
    /// Deletes the row with this key.
    Delete(Vec<u8>),
    /// Leaves the row with this key unchanged.
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

/// The writer's state.
pub(super) struct Writer {
    core: Arc<Core>,
    recent: Recent,
    /// Whether all batches are synced.
    is_synced: bool,
    /// The number of the last written batch.
    last: u64,
}

/// A batch in the making.
struct Making {
    batch: Batch,
    version: Version,
    expiring: Expiring,
    /// The answers to send once the batch is synced.
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
    /// Whether a caller waits for the sync.
    is_awaited: bool,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let last = core.written.load(Ordering::Acquire);
        Self { core, recent: Recent::after(last), is_synced: true, last }
    }

    /// Executes orders until all senders are dropped.
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

    /// Adds a commit to the batch, unless one of its rows has changed since the check.
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

    /// Writes the batch, syncs it if a caller waits for that, and sends the answers.
    fn finish(&mut self, making: Making, current: &Generation, adopted: Option<Generation>) {
        let Making { mut batch, version, expiring, answers, is_awaited } = making;
        current.note(&mut batch, version.0, 0, &expiring);
        let written = self.write(batch, version, is_awaited, current, adopted);
        // After a failed write the engine refuses all others without a reason, so the first is kept.
        let written = written.map_err(|error| self.core.failed.get_or_init(|| Arc::new(error)));
        for (answer, outcome) in answers {
            let outcome = match &written {
                Ok(()) => outcome,
                // Whether the batch is on the disk is unknown until the store is reopened, so every
                // answer is this error.
                Err(error) => Err(unavailable(Arc::clone(error))),
            };
            // A caller that no longer waits needs no answer.
            drop(answer.send(outcome));
        }
    }

    /// Writes the batch, and syncs it if a caller waits for that.
    fn write(
        &mut self,
        mut batch: Batch,
        version: Version,
        is_awaited: bool,
        current: &Generation,
        adopted: Option<Generation>,
    ) -> fjall::Result<()> {
        // Without a sync the batch survives the process, but not the operating system.
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

    /// Writes the manifest before the batch, so that it lists the batch's keyspaces. A store that is
    /// being created is in use from the first adopted world or the first batch on.
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
        // If this fails, the next opening removes the rows.
        drop(former.remove(&self.core.database));
        Ok(())
    }
}

/// The orders of one batch. If the last batch had many orders, waits briefly for about as many: their
/// callers were answered together, and a sync takes longer than that wait.
fn gather(first: Order, orders: &mpsc::Receiver<Order>, last: usize) -> Vec<Order> {
    let mut gathered = vec![first];
    // Orders after an adoption are for the new generation.
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
