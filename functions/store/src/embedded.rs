//! A store in a directory, which survives crashes of its process and of the machine.
//!
//! A commit is acknowledged after the engine's journal with the commit was synced. Commits that arrive
//! during a sync share the next one. A commit is atomic, as a batch of the engine is, and becomes
//! visible after its sync.
//!
//! Opening a directory of format 1 converts it: a new generation of rows is filled from the old one
//! and adopted atomically, then the manifest gets format 2. An interrupted conversion starts again at
//! the next opening. A program that supports only format 1 refuses a converted directory.
//!
//! The engine is fjall, a log-structured store. The directory adds three checks to the engine's
//! checksums:
//!
//! - The engine silently recreates missing files, so the manifest lists the files that must exist.
//! - After a crash the engine takes the first invalid entry of a journal as its end, so the watermark
//!   has the number of the last batch that must be there.
//! - After a regular close, the journals must have the hashes that were noted.
//!
//! The store needs Unix: it syncs directories, sets their permissions, and writes at offsets.

mod folder;
mod format_1;
mod generation;
mod manifest;
mod open_error;
mod recent;
mod row;
mod times;
mod watermark;
mod writer;

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;

use fjall::{Database, Readable as _};
use tokio::sync::oneshot;

use crate::document::are_valid;
use crate::gate::{Gate, elapsed_secs, fingerprint};
use crate::row::check_schema;
use crate::{
    Admission, Admitted, Change, Document, Error, Key, NonceBudget, Partition, Store, Version,
    Versioned, Write,
};
use folder::Folder;
use generation::Generation;
use row::NewRow;
use writer::{Checked, Order, Outcome, RowChange, Writer};

pub use open_error::OpenError;

/// The largest journal, in bytes. It takes about a second to read it after a crash.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The size of the engine's cache, in bytes.
const CACHE_BYTES: u64 = 128 * 1024 * 1024;
/// The most documents of a list that are read and decoded at once.
const LISTED_AT_ONCE: usize = 1000;
/// The most rows that are dropped at once.
const DROPPED_AT_ONCE: usize = 10_000;
/// The longest key to look up, in bytes: the engine refuses longer keys. No document has a longer key,
/// but a call may name one.
const KEY_BYTES_MAX: usize = 60_000;

/// A store in a directory.
pub struct EmbeddedStore {
    core: Arc<Core>,
    /// Held during [`EmbeddedStore::replace`].
    replacing: Arc<tokio::sync::Mutex<()>>,
    /// `None` while the store is dropped.
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// The state that the store and its writer share.
struct Core {
    /// Dropped before the folder, which then notes that the store was closed.
    database: Database,
    generation: RwLock<Arc<Generation>>,
    gate: Mutex<Gate>,
    /// The number of the last batch. It is the version of the batch's documents and is never reused.
    batch: AtomicU64,
    /// The number of the last visible batch.
    written: AtomicU64,
    /// The error of the first write that failed.
    failed: OnceLock<Arc<fjall::Error>>,
    folder: Folder,
}

impl Core {
    fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version for the next write.
    fn next_version(&self) -> Version {
        Version(self.batch.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmbeddedStore")
            .field("folder", &self.core.folder)
            .finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the store in `folder`, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: another process has the store open; the directory is no store or has a newer
    /// format, and nothing was changed; or the store is damaged. A damaged journal of a closed store is
    /// left unchanged.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let mut folder = Folder::lock(folder)?;
        let database = Database::builder(folder.engine())
            .max_journaling_size(JOURNAL_BYTES_MAX)
            .cache_size(CACHE_BYTES)
            .open()
            .map_err(|error| folder.refused(error))?;
        folder.begin()?;
        let (generation, batch) = Self::open_generation(&folder, &database)
            .map_err(|error| folder.refused(error.with_causes()))?;
        let mut gate = Gate::default();
        generation.spend_nonces(&mut gate).map_err(|error| folder.refused(error))?;
        folder.opened(generation.keyspaces(), batch)?;
        generation.remove_others(&database).map_err(|error| folder.refused(error))?;
        let core = Arc::new(Core {
            database,
            generation: RwLock::new(Arc::new(generation)),
            gate: Mutex::new(gate),
            batch: AtomicU64::new(batch),
            written: AtomicU64::new(batch),
            failed: OnceLock::new(),
            folder,
        });
        let (orders, ordered) = mpsc::channel();
        let of_writer = Arc::clone(&core);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || Writer::new(of_writer).run(&ordered))
            .map_err(|error| core.folder.io(error))?;
        let replacing = Arc::default();
        Ok(Self { core, replacing, orders: Some(orders), writer: Some(writer) })
    }

    /// The current generation, converted to this program's format, and the number of the last batch.
    fn open_generation(folder: &Folder, database: &Database) -> Result<(Generation, u64), Error> {
        if folder.is_making() {
            return Ok((Generation::first(database)?, 0));
        }
        let (generation, batch) = Generation::open(database)?;
        if folder.format() == 1 && generation.format()?.is_none() {
            return format_1::convert(database, &generation, batch);
        }
        Ok((generation, batch))
    }

    /// Whether this process created the store and nothing was written yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.core.folder.is_making()
    }

    /// Whether the store has no documents.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.core.current().documents.is_empty().map_err(unavailable)
    }

    /// A snapshot of all documents, in the order of keys.
    pub fn documents(&self) -> impl Iterator<Item = Result<Document, Error>> + use<> {
        self.core.current().documents.iter().map(|guard| {
            let (key, row) = guard.into_inner().map_err(unavailable)?;
            Ok(row::decode(&key, &row).map_err(unavailable)?.document)
        })
    }

    /// Atomically replaces all documents, and drops nonces and counters of calls. There is no limit to
    /// the number of documents.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: nothing has changed; or [`EmbeddedStore::failure`] is set and the
    /// outcome is unknown until the store is reopened.
    pub async fn replace<I>(&self, documents: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = Document, IntoIter: Send> + Send,
    {
        let alone = Arc::clone(&self.replacing).lock_owned().await;
        let version = self.core.next_version();
        let database = &self.core.database;
        let current = self.core.current();
        if !self.is_new() {
            // The manifest must not list the files of a failed adoption any more: they are removed
            // now.
            self.core.folder.note(current.keyspaces()).map_err(unavailable)?;
        }
        let generation = current.next(database)?;
        generation.fill(database, documents.into_iter().map(Ok), version)?;
        self.order(|answer| Order::Adopt { generation, alone, answer }).await.map(drop)
    }

    /// The error of the first write that failed. From then on the store refuses writes until it is
    /// reopened.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.core.failed.get().map(|error| unavailable(Arc::clone(error)))
    }

    /// Sets the store's budget of nonces, which other stores may share.
    #[must_use]
    pub fn sharing(self, budget: &NonceBudget) -> Self {
        self.core.gate().draw_on(budget);
        self
    }

    /// Drops expired documents and nonces, so that the directory stays bounded.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn drop_expired(&self, now_secs: u64) -> Result<(), Error> {
        while self.core.gate().forget(elapsed_secs()) {}
        while self.order(|answer| Order::DropExpired { now_secs, answer }).await? {}
        Ok(())
    }

    /// Sends the writer an order and waits for its outcome.
    async fn order(&self, order: impl FnOnce(oneshot::Sender<Outcome>) -> Order) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.send(order(answer))?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    fn send(&self, order: Order) -> Result<(), Error> {
        let orders = self.orders.as_ref().ok_or_else(ended)?;
        orders.send(order).map_err(|_| ended())
    }
}

impl Store for EmbeddedStore {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let current = self.core.current();
        let snapshot = self.core.database.snapshot();
        let load = |key: &Key| {
            if key.text().len() > KEY_BYTES_MAX {
                return Ok(None);
            }
            let row = snapshot.get(&current.documents, key.text()).map_err(unavailable)?;
            let key = key.text().as_bytes();
            row.map(|row| row::decode(key, &row).map_err(unavailable)).transpose()
        };
        keys.iter().map(load).collect()
    }

    /// Lists a snapshot. Blocking threads read and decode the rows, which takes too long for a task.
    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let mut rows = self.core.current().documents.prefix(format!("{}#", partition.text()));
        loop {
            let decoding = tokio::task::spawn_blocking(move || {
                let some = rows.by_ref().take(LISTED_AT_ONCE).map(|guard| {
                    let (key, row) = guard.into_inner().map_err(unavailable)?;
                    row::decode(&key, &row).map_err(unavailable)
                });
                let some: Result<Vec<Versioned>, Error> = some.collect();
                (rows, some)
            });
            let (left, some) = decoding.await.map_err(unavailable)?;
            let some = some?;
            let is_last = some.len() < LISTED_AT_ONCE;
            for document in some {
                if each(document).is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
            rows = left;
        }
    }

    /// If the future is dropped, the commit still is atomic.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        debug_assert!(are_valid(&writes), "{writes:?}");
        // The number is read first, so the rows read below are at least as new.
        let batch = self.core.written.load(Ordering::Acquire);
        let current = self.core.current();
        let mut changes = Vec::with_capacity(writes.len());
        for Write { key, change, rests_on } in &writes {
            let bytes = key.text().as_bytes();
            let head = current.head(bytes)?;
            if head.map(|head| head.version) != *rests_on {
                return Err(Error::Conflict);
            }
            let change = match change {
                Change::Put(document) => {
                    RowChange::Put(NewRow::new(key, document).map_err(unavailable)?)
                }
                Change::Delete => RowChange::Delete(bytes.to_vec()),
                Change::Check => RowChange::Check(bytes.to_vec()),
            };
            if let Some(head) = head
                && !matches!(change, RowChange::Check(_))
            {
                check_schema(key, head.schema)?;
            }
            changes.push((change, *rests_on));
        }
        let checked = Checked { changes, generation: current.number(), batch };
        self.order(|answer| Order::Commit { checked, answer }).await.map(drop)
    }

    /// The nonce is durable after the next commit or [`Store::settle`], so before the admitted call is
    /// answered. The counts of calls are not durable.
    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let admitted = self.core.gate().admit(admission, elapsed_secs())?;
        if admitted == Admitted::Yes {
            self.send(Order::Spend {
                fingerprint: fingerprint(admission.access_key_id, admission.nonce),
                account_id: admission.account_id.to_owned(),
                expires_at_secs: admission.nonce_expires_at_secs,
            })?;
        }
        Ok(admitted)
    }

    async fn settle(&self) -> Result<(), Error> {
        self.order(|answer| Order::Settle { answer }).await.map(drop)
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take() {
            // A panic of the writer has already been reported.
            drop(writer.join());
        }
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { source: Box::new(error) }
}

/// The error for an order to a writer that has ended.
fn ended() -> Error {
    Error::Unavailable { source: "the store's writer has ended".into() }
}
