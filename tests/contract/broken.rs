//! Five stores, each broken in one way on purpose: the checks that every store must pass tell.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use ::store::{Admission, Admitted, Error, Key, MemoryStore, Store, Versioned, Write};

use crate::support::Clients;

/// Yields the names of the checks that a store does not pass. `$clients` yields its clients.
macro_rules! failing {
    ($clients:expr; $($check:ident)*) => {{
        let mut failing = BTreeSet::new();
        $(
            let run = tokio::spawn(crate::conformance::$check($clients()));
            if run.await.is_err() {
                failing.insert(stringify!($check));
            }
        )*
        failing
    }};
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing: the wrapper itself is sound.
    None,
    /// A commit writes whatever has changed since.
    CommitIgnoresVersions,
    /// A commit that conflicts has written what came before the conflict.
    CommitWritesHalf,
    /// A commit of one client is seen by the other one read too late.
    LoadIsStale,
    /// Whether a nonce is used is looked up first, and noted later.
    AdmitRaces,
    /// A nonce is forgotten before its time.
    AdmitForgets,
    /// A commit says that it wrote, and did not.
    CommitLosesTheWrite,
    /// A commit says that it conflicts, and wrote.
    CommitConflictsAndWrites,
}

/// A client of a store in memory, with a defect.
pub(crate) struct Broken {
    memory: Arc<MemoryStore>,
    defect: Defect,
    /// What this client saw last.
    seen: Mutex<HashMap<Key, Option<Versioned>>>,
    nonces: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Broken {
    pub(crate) fn clients(defect: Defect) -> Clients<Self> {
        let (memory, nonces) = (Arc::default(), Arc::default());
        let client = || {
            let (memory, nonces) = (Arc::clone(&memory), Arc::clone(&nonces));
            Arc::new(Self { memory, defect, seen: Mutex::default(), nonces })
        };
        [client(), client()]
    }

    /// Commits some writes, whatever version they replace.
    async fn force(&self, mut writes: Vec<Write>) -> Result<(), Error> {
        loop {
            let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
            let read = self.memory.load(&keys).await?;
            for (write, read) in writes.iter_mut().zip(read) {
                write.replaces = read.map(|read| read.version);
            }
            match self.memory.commit(writes.clone()).await {
                Err(Error::Conflict) => {}
                other => return other,
            }
        }
    }

    /// Commits one write after the other until one conflicts.
    async fn one_by_one(&self, writes: Vec<Write>) -> Result<(), Error> {
        for write in writes {
            self.memory.commit(vec![write]).await?;
        }
        Ok(())
    }
}

impl Store for Broken {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let read = self.memory.load(keys).await?;
        if self.defect != Defect::LoadIsStale {
            return Ok(read);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |(key, read): (&Key, Option<Versioned>)| {
            seen.insert(key.clone(), read).unwrap_or_default()
        };
        Ok(keys.iter().zip(read).map(last).collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        match self.defect {
            Defect::CommitIgnoresVersions => self.force(writes).await,
            Defect::CommitWritesHalf => self.one_by_one(writes).await,
            Defect::CommitLosesTheWrite => Ok(()),
            Defect::CommitConflictsAndWrites => {
                self.memory.commit(writes).await?;
                Err(Error::Conflict)
            }
            Defect::LoadIsStale => {
                let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
                let written = self.memory.commit(writes).await;
                // What it wrote itself, a client sees at once.
                let read = self.memory.load(&keys).await?;
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend(keys.into_iter().zip(read));
                written
            }
            Defect::None | Defect::AdmitRaces | Defect::AdmitForgets => {
                self.memory.commit(writes).await
            }
        }
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        match self.defect {
            Defect::AdmitRaces => {
                let nonce = (admission.access_key_id.to_owned(), admission.nonce.to_owned());
                let nonces = || self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
                if nonces().contains(&nonce) {
                    return Ok(Admitted::NonceUsed);
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                nonces().insert(nonce);
                Ok(Admitted::Yes)
            }
            Defect::AdmitForgets => {
                let nonce_expires_at_secs = admission.now_secs + 900;
                self.memory.admit(&Admission { nonce_expires_at_secs, ..*admission }).await
            }
            Defect::None
            | Defect::CommitIgnoresVersions
            | Defect::CommitWritesHalf
            | Defect::LoadIsStale
            | Defect::CommitLosesTheWrite
            | Defect::CommitConflictsAndWrites => self.memory.admit(admission).await,
        }
    }
}

/// Runs all checks on a store with this defect, and makes sure that these fail.
async fn caught(defect: Defect, by: &[&str]) {
    let clients = || Broken::clients(defect);
    let failing = crate::conformance::checks! { failing! clients; };
    for check in by {
        assert!(failing.contains(check), "{defect:?} is not caught by {check}, but by {failing:?}");
    }
    assert_eq!(failing.is_empty(), by.is_empty(), "{defect:?} is caught by {failing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_wrapper_alone_is_not_caught() {
    caught(Defect::None, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_ignores_versions_is_caught() {
    let by = [
        "a_commit_writes_all_or_nothing",
        "a_version_is_of_one_state_only",
        "what_has_expired_can_be_read_and_replaced",
        "of_many_that_create_one_document_one_does",
        "of_many_that_replace_what_they_read_one_does",
    ];
    caught(Defect::CommitIgnoresVersions, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_writes_half_is_caught() {
    let by = [
        "a_commit_writes_all_or_nothing",
        "of_many_that_create_one_document_one_does",
        "of_many_that_replace_what_they_read_one_does",
    ];
    caught(Defect::CommitWritesHalf, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_the_other_client_sees_late_is_caught() {
    let by = [
        "what_is_written_is_read_by_everybody_as_it_was",
        "a_commit_writes_all_or_nothing",
        "a_version_is_of_one_state_only",
        "what_has_expired_can_be_read_and_replaced",
    ];
    caught(Defect::LoadIsStale, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nonce_that_is_let_in_twice_at_once_is_caught() {
    caught(Defect::AdmitRaces, &["of_many_with_one_nonce_one_is_let_in"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nonce_that_is_let_in_again_too_soon_is_caught() {
    caught(Defect::AdmitForgets, &["a_nonce_that_has_expired_is_let_in_again"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_loses_the_write_is_caught() {
    let by = ["what_is_written_is_read_by_everybody_as_it_was", "a_commit_writes_all_or_nothing"];
    caught(Defect::CommitLosesTheWrite, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_conflicts_and_writes_is_caught() {
    let by = ["what_is_written_is_read_by_everybody_as_it_was", "a_commit_writes_all_or_nothing"];
    caught(Defect::CommitConflictsAndWrites, &by).await;
}
