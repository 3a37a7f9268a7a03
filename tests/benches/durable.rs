//! Durable allocations through the store in a directory, compared with the engine's own batches.
//!
//! Ours: 64 tasks that admit, load and commit as real calls do. The baseline: one thread that reads
//! and writes the same rows, 64 allocations in one batch with one sync; it knows its input
//! beforehand, as no store does.

mod calls;
mod measure;

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use harness::case::Style;
use harness::target::http_api_payload;
use ipv6_gateway::{Event, Function, Ids, Operations};
use store::{
    Admission, Admitted, Change, Document, EmbeddedStore, Key, MemoryStore, Partition, Store,
    Versioned, World, Write,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use measure::{Comparison, now, print};

type Failure = Box<dyn Error + Send + Sync>;

const ROUNDS: usize = 5;
/// The number of addresses, and so of allocations in a round.
const ALLOCATIONS: u32 = 40_000;
const AT_ONCE: usize = 64;

/// The requests of a call to its store.
struct Allocation {
    nonce: String,
    keys: Vec<Key>,
    /// Its writes, with versions to be taken from its reads.
    writes: Vec<Write>,
}

fn main() -> Result<(), Failure> {
    let runtime = Runtime::new()?;
    let documents = World::parse(&calls::world(ALLOCATIONS))?.into_documents();
    let allocations = Arc::new(runtime.block_on(recorded(&documents))?);
    let what = "allocations kept in a directory / the engine's batches of 64";
    let mut comparison = Comparison::new(what, "/s", Some(0.6..=f64::INFINITY));
    for _ in 0..ROUNDS {
        let ours = runtime.block_on(ours(&documents, &allocations))?;
        comparison.add(ours, baseline(&documents, &allocations)?);
    }
    print(&[comparison]);
    Ok(())
}

/// Records the requests.
struct Recording {
    memory: MemoryStore,
    allocations: Mutex<Vec<Allocation>>,
}

impl Recording {
    fn last(&self, note: impl FnOnce(&mut Allocation)) {
        let mut allocations = self.allocations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = allocations.last_mut() {
            note(last);
        }
    }
}

impl Store for Recording {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, store::Error> {
        self.last(|allocation| allocation.keys = keys.to_vec());
        self.memory.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), store::Error> {
        self.memory.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), store::Error> {
        self.last(|allocation| allocation.writes.clone_from(&writes));
        self.memory.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, store::Error> {
        self.last(|allocation| admission.nonce.clone_into(&mut allocation.nonce));
        self.memory.admit(admission).await
    }
}

/// The requests of real calls.
async fn recorded(documents: &[Document]) -> Result<Vec<Allocation>, Failure> {
    let memory = MemoryStore::holding(documents.iter().cloned());
    let store = Arc::new(Recording { memory, allocations: Mutex::default() });
    let (operations, clock) = (Operations::all(), Box::new(calls::now));
    let function = Function::new(Arc::clone(&store), operations, clock, Ids::from_seed(1));
    for wire in calls::signed(Style::V3, ALLOCATIONS)? {
        let empty = Allocation { nonce: String::new(), keys: Vec::new(), writes: Vec::new() };
        store.allocations.lock().unwrap_or_else(PoisonError::into_inner).push(empty);
        let event = Event::parse(http_api_payload(&wire).to_string().as_bytes())?;
        let answer = function.handle(event).await;
        if answer.status_code != 200 {
            return Err(format!("a call was answered with {}", answer.status_code).into());
        }
    }
    let mut noted = store.allocations.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *noted))
}

/// Allocations a second, by many tasks.
async fn ours(documents: &[Document], allocations: &Arc<Vec<Allocation>>) -> Result<f64, Failure> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let store = Arc::new(EmbeddedStore::open(folder.path())?);
    store.replace(documents.iter().cloned()).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let start = now();
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            let allocations = Arc::clone(allocations);
            tokio::spawn(async move {
                while let Some(allocation) = allocations.get(next.fetch_add(1, Ordering::Relaxed)) {
                    allocate(&store, allocation).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(f64::from(ALLOCATIONS) / start.elapsed().as_secs_f64())
}

async fn allocate(store: &EmbeddedStore, allocation: &Allocation) -> Result<(), Failure> {
    let now_secs = calls::now_secs();
    let admission = Admission {
        access_key_id: "testid",
        account_id: "1234567890123456",
        nonce: &allocation.nonce,
        nonce_expires_at_secs: now_secs + 901,
        quota: None,
        now_secs,
    };
    let (admitted, read) = tokio::join!(store.admit(&admission), store.load(&allocation.keys));
    let read = read?;
    if admitted? != Admitted::Yes {
        return Err("a nonce was used before".into());
    }
    let writes = allocation.writes.iter().map(|write| {
        let read = allocation.keys.iter().zip(&read).find(|(key, _)| **key == write.key);
        let rests_on = read.and_then(|(_, read)| Some(read.as_ref()?.version));
        Write { rests_on, ..write.clone() }
    });
    Ok(store.commit(writes.collect()).await?)
}

/// The row of a document.
fn row(document: &Document) -> Result<Vec<u8>, Failure> {
    match document {
        Document::AccessKey(access_key) => Ok(serde_json::to_vec(access_key)?),
        Document::Identity(_) => Err("no call here is an identity's".into()),
        Document::Resource(resource) => Ok(serde_json::to_vec(resource)?),
    }
}

/// Allocations a second, by the engine alone.
fn baseline(documents: &[Document], allocations: &[Allocation]) -> Result<f64, Failure> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    // With the store's own settings, which limit memory and the recovery after a crash.
    let database = Database::builder(folder.path())
        .max_journaling_size(256 * 1024 * 1024)
        .cache_size(128 * 1024 * 1024)
        .open()?;
    let options = || KeyspaceCreateOptions::default().max_memtable_size(64 * 1024 * 1024);
    let rows = database.keyspace("rows", options)?;
    let others = database.keyspace("others", options)?;
    let text = |key: &Key| format!("{key:?}").into_bytes();
    for documents in documents.chunks(1000) {
        let mut batch = database.batch();
        for document in documents {
            batch.insert(&rows, text(&document.key()), row(document)?);
        }
        batch.commit()?;
    }
    let prepared = allocations.iter().map(|allocation| {
        let keys: Vec<Vec<u8>> = allocation.keys.iter().map(text).collect();
        let writes = allocation.writes.iter().filter_map(|write| match &write.change {
            Change::Put(document) => Some((&write.key, document)),
            Change::Delete | Change::Check => None,
        });
        let writes = writes.map(|(key, document)| Ok::<_, Failure>((text(key), row(document)?)));
        Ok::<_, Failure>((keys, writes.collect::<Result<Vec<_>, _>>()?))
    });
    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
    let start = now();
    for (number, allocations) in prepared.chunks(AT_ONCE).enumerate() {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        for (keys, writes) in allocations {
            for key in keys {
                rows.get(key)?;
            }
            for (key, value) in writes {
                batch.insert(&rows, key.as_slice(), value.as_slice());
            }
        }
        // The nonces, and the expiry of tokens.
        batch.insert(&others, format!("nonces {number:08}"), [0; 28 * AT_ONCE]);
        batch.insert(&others, format!("expiries {number:08}"), [0; 112 * AT_ONCE]);
        batch.commit()?;
    }
    Ok(f64::from(ALLOCATIONS) / start.elapsed().as_secs_f64())
}
