//! A model of the store in a directory: unsynced writes may be lost when the process ends.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use store::{
    Admission, Admitted, Error, Key, MemoryStore, Partition, Quota, Store, Versioned, Write,
};

use crate::executor::Surroundings;

/// A directory.
#[derive(Clone)]
pub(crate) struct Engine<T> {
    surroundings: T,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// All writes, synced or not.
    written: Arc<MemoryStore>,
    /// The writes that led to it.
    journal: Vec<Entry>,
    /// How many entries of the journal survive the process.
    synced: usize,
}

enum Entry {
    Commit(Vec<Write>),
    Admission(Box<Spent>),
}

/// An admission that used a nonce.
struct Spent {
    access_key_id: String,
    account_id: String,
    nonce: String,
    nonce_expires_at_secs: u64,
    quota: Option<(String, u32, u64)>,
    now_secs: u64,
}

impl<T: Surroundings> Engine<T> {
    /// An empty directory.
    pub(crate) fn new(surroundings: T) -> Self {
        Self { surroundings, state: Arc::default() }
    }

    /// Ends the process and opens the directory again: any beginning of the unsynced writes
    /// survives.
    pub(crate) fn crash(&self) {
        let mut state = self.state();
        let unsynced = state.journal.len() - state.synced;
        let kept = self.surroundings.draw(unsynced as u64 + 1);
        let kept = state.synced + usize::try_from(kept).unwrap();
        let lost = state.journal.len() - kept;
        self.surroundings.note("crash", || format!("{lost} of {unsynced} unsynced writes lost"));
        if lost > 0 {
            self.surroundings.note("unsynced writes lost", || lost.to_string());
        }
        state.journal.truncate(kept);
        state.synced = kept;
        state.written = Arc::default();
        for entry in &state.journal {
            entry.repeat(&state.written);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.state().written)
    }

    /// Waits until the first `entries` of the journal are synced.
    async fn sync(&self, entries: usize) {
        while self.state().synced < entries {
            let written = self.state().journal.len();
            self.pause().await;
            let mut state = self.state();
            state.synced = state.synced.max(written);
        }
    }

    async fn pause(&self) {
        self.surroundings.sleep(self.surroundings.draw(3000)).await;
    }
}

impl Entry {
    /// Repeats a write.
    fn repeat(&self, store: &MemoryStore) {
        match self {
            Self::Commit(writes) => {
                let mut writes = writes.clone();
                let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
                let read = at_once(store.load(&keys)).unwrap();
                for (write, read) in writes.iter_mut().zip(read) {
                    write.rests_on = read.map(|read| read.version);
                }
                at_once(store.commit(writes)).unwrap();
            }
            Self::Admission(spent) => {
                let quota = spent.quota.as_ref().map(|(action, calls_max, window_secs)| Quota {
                    action,
                    calls_max: *calls_max,
                    window_secs: *window_secs,
                });
                let admission = Admission {
                    access_key_id: &spent.access_key_id,
                    account_id: &spent.account_id,
                    nonce: &spent.nonce,
                    nonce_expires_at_secs: spent.nonce_expires_at_secs,
                    quota,
                    now_secs: spent.now_secs,
                };
                assert_eq!(at_once(store.admit(&admission)).unwrap(), Admitted::Yes);
            }
        }
    }
}

/// The answer of a store in memory, which never waits.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("the store in memory waits for nothing")
}

impl<T: Surroundings> Store for Engine<T> {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.pause().await;
        self.written().load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.pause().await;
        self.written().list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.pause().await;
        let entries = {
            let mut state = self.state();
            at_once(state.written.commit(writes.clone()))?;
            state.journal.push(Entry::Commit(writes));
            state.journal.len()
        };
        self.sync(entries).await;
        Ok(())
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.pause().await;
        let mut state = self.state();
        let admitted = at_once(state.written.admit(admission))?;
        if admitted == Admitted::Yes {
            let quota = admission.quota;
            state.journal.push(Entry::Admission(Box::new(Spent {
                access_key_id: admission.access_key_id.to_owned(),
                account_id: admission.account_id.to_owned(),
                nonce: admission.nonce.to_owned(),
                nonce_expires_at_secs: admission.nonce_expires_at_secs,
                quota: quota.map(|it| (it.action.to_owned(), it.calls_max, it.window_secs)),
                now_secs: admission.now_secs,
            })));
        }
        Ok(admitted)
    }

    async fn settle(&self) -> Result<(), Error> {
        let entries = self.state().journal.len();
        self.sync(entries).await;
        Ok(())
    }
}
