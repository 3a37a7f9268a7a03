//! A store in a directory, which survives every end of its process.
//!
//! What was acknowledged is on the disk: a commit is answered when the engine's journal, with the
//! commit in it, was synced. Commits that come while a sync is under way share the next one. A commit
//! is whole or absent, as a batch of the engine is, and nobody reads it before its sync.
//!
//! A directory of format 1 is converted when it is opened: a new generation of rows is filled from
//! the old one and adopted in one step, and only then does the directory say that it is of format 2.
//! A conversion that was interrupted begins again at the next opening. Afterwards, a program that
//! knows only format 1 refuses the directory.
//!
//! The engine is fjall, a log-structured one. It makes anew what it misses, so the folder's manifest
//! names what must be there. Of a journal that was not closed it takes the first thing that makes no
//! sense for the end, so the folder's watermark says how far it must reach. Everything else has
//! checksums. The journals of a directory that was closed must be as they were.

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

use crate::document::are_in_form;
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

/// The most of the journal that is read again after a crash, in bytes: a second or so.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How much of what was read from the disk stays in memory, in bytes.
const CACHE_BYTES: u64 = 128 * 1024 * 1024;
/// How many documents of a list are read and decoded at once.
const LISTED_AT_ONCE: usize = 1000;
/// How many rows are dropped at once.
const DROPPED_AT_ONCE: usize = 10_000;
/// The longest key that is looked up, in bytes. The engine takes no longer ones, and no document has
/// one; a caller may name one that would.
const KEY_BYTES_MAX: usize = 60_000;

/// Keeps documents in a directory.
pub struct EmbeddedStore {
    core: Arc<Core>,
    /// Serves [`EmbeddedStore::replace`]: one at a time.
    replacing: Arc<tokio::sync::Mutex<()>>,
    /// `None` once the store ends.
    orders: Option<mpsc::Sender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// What the store and its writer share.
struct Core {
    /// Before the folder, which says that it was closed when it is dropped.
    database: Database,
    generation: RwLock<Arc<Generation>>,
    gate: Mutex<Gate>,
    /// The number of the batch that was made last. A document's version is the number of its batch,
    /// and no number comes twice, so no version does.
    batch: AtomicU64,
    /// The number of the last batch that everybody reads.
    written: AtomicU64,
    /// The first write that failed.
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

    /// The version of what is written next.
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
    /// Opens the store in `folder`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: another process has it open, it is no store or one of a newer format (nothing
    /// in it was changed then), or it is damaged. If it was closed before it was damaged, and the
    /// damage is in its journal, nothing was changed either.
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

    /// The generation in use, of rows of this program's format, and the number of the last batch.
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

    /// Whether this process made the store, and nothing was written to it yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.core.folder.is_making()
    }

    /// Whether there is no document.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.core.current().documents.is_empty().map_err(unavailable)
    }

    /// Every document, in the order of keys, as they are now.
    pub fn documents(&self) -> impl Iterator<Item = Result<Document, Error>> + use<> {
        self.core.current().documents.iter().map(|guard| {
            let (key, row) = guard.into_inner().map_err(unavailable)?;
            Ok(row::decode(&key, &row).map_err(unavailable)?.document)
        })
    }

    /// Drops everything, what is remembered of calls too, and holds `documents` instead, however
    /// many there are: in one step, so that a reader, and a store that is opened after a crash, finds
    /// all of the old or all of the new.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: nothing has changed, or the writer's end left it open; then the store
    /// is to be opened anew.
    pub async fn replace<I>(&self, documents: I) -> Result<(), Error>
    where
        I: IntoIterator<Item = Document, IntoIter: Send> + Send,
    {
        let alone = Arc::clone(&self.replacing).lock_owned().await;
        let version = self.core.next_version();
        let database = &self.core.database;
        let current = self.core.current();
        if !self.is_new() {
            // What a failed adoption left is no longer named, as it is removed now.
            self.core.folder.note(current.keyspaces()).map_err(unavailable)?;
        }
        let generation = current.next(database)?;
        generation.fill(database, documents.into_iter().map(Ok), version)?;
        self.order(|answer| Order::Adopt { generation, alone, answer }).await.map(drop)
    }

    /// Why the store takes no more writes until it is opened anew: the first that failed.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.core.failed.get().map(|error| unavailable(Arc::clone(error)))
    }

    /// The store with a budget of nonces that it may share with others.
    #[must_use]
    pub fn sharing(self, budget: &NonceBudget) -> Self {
        self.core.gate().draw_on(budget);
        self
    }

    /// Drops the documents and nonces whose time is up, so that the directory stays bounded.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn drop_expired(&self, now_secs: u64) -> Result<(), Error> {
        while self.core.gate().forget(elapsed_secs()) {}
        while self.order(|answer| Order::DropExpired { now_secs, answer }).await? {}
        Ok(())
    }

    /// Gives the writer an order, and waits for what comes of it.
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

    /// The documents as they were at one moment. Reading and decoding rows takes longer than a task
    /// may, so other threads do it.
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

    /// A call that is not waited for to its end is committed whole or not at all.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        debug_assert!(are_in_form(&writes), "{writes:?}");
        // The number first: what is read then is at least as new.
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

    /// The nonce is on the disk with the next commit or settlement at the latest, so before the call
    /// that it lets in is answered. How many calls there were is forgotten when the store is closed.
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
            // If it panicked, the panic was reported then.
            drop(writer.join());
        }
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { source: Box::new(error) }
}

/// That there is no writer any more.
fn ended() -> Error {
    Error::Unavailable { source: "the store's writer has ended".into() }
}
