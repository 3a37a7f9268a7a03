//! A store in memory that changes documents before chosen requests, and counts requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use allocation::Resource;
use store::{
    Admission, Admitted, Change, Document, Error, Key, MemoryStore, Partition, Store, Versioned,
    Write,
};

use super::ControlFlow;

#[derive(Clone)]
pub(super) struct Troubled(Arc<Inner>);

struct Inner {
    store: MemoryStore,
    has_snapshot_reads: bool,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// The number of keys of each load.
    loads: Vec<usize>,
    /// The kinds of changes of each commit.
    commits: Vec<Vec<&'static str>>,
    before_loads: VecDeque<Option<Resource>>,
    before_commits: VecDeque<Resource>,
}

impl Troubled {
    pub(super) fn over(store: MemoryStore) -> Self {
        Self(Arc::new(Inner { store, has_snapshot_reads: true, log: Mutex::default() }))
    }

    pub(super) fn without_snapshots(self) -> Self {
        let inner = Arc::into_inner(self.0).unwrap();
        Self(Arc::new(Inner { has_snapshot_reads: false, ..inner }))
    }

    /// Puts one of `resources` before each of the next loads.
    pub(super) fn before_loads<const N: usize>(&self, resources: [Option<Resource>; N]) {
        self.0.log.lock().unwrap().before_loads = resources.into();
    }

    /// Puts one of `resources` before each of the next commits.
    pub(super) fn before_commits<const N: usize>(&self, resources: [Resource; N]) {
        self.0.log.lock().unwrap().before_commits = resources.into();
    }

    pub(super) fn loads(&self) -> usize {
        self.0.log.lock().unwrap().loads.len()
    }

    /// The number of keys of the last load.
    pub(super) fn last_load(&self) -> usize {
        *self.0.log.lock().unwrap().loads.last().unwrap()
    }

    pub(super) fn forget_loads(&self) {
        self.0.log.lock().unwrap().loads.clear();
    }

    pub(super) fn commits(&self) -> Vec<Vec<&'static str>> {
        self.0.log.lock().unwrap().commits.clone()
    }

    pub(super) async fn read(&self, key: &Key) -> Option<Versioned> {
        self.0.store.load(std::slice::from_ref(key)).await.unwrap().remove(0)
    }

    pub(super) async fn put(&self, resource: Resource) {
        let rests_on = self.read(&resource.key()).await.map(|read| read.version);
        let write = Write::put(Document::from(resource), rests_on);
        self.0.store.commit(vec![write]).await.unwrap();
    }
}

impl Store for Troubled {
    fn has_snapshot_reads(&self) -> bool {
        self.0.has_snapshot_reads
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let before = {
            let mut log = self.0.log.lock().unwrap();
            log.loads.push(keys.len());
            log.before_loads.pop_front().flatten()
        };
        if let Some(resource) = before {
            self.put(resource).await;
        }
        self.0.store.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.0.store.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        let before = {
            let mut log = self.0.log.lock().unwrap();
            log.commits.push(
                writes
                    .iter()
                    .map(|write| match write.change {
                        Change::Put(_) => "put",
                        Change::Delete => "delete",
                        Change::Check => "check",
                    })
                    .collect(),
            );
            log.before_commits.pop_front()
        };
        if let Some(resource) = before {
            self.put(resource).await;
        }
        self.0.store.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.0.store.admit(admission).await
    }
}
