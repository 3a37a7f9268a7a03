//! Stores with one defect each. A suite that every store must pass finds each defect.

mod caught;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use ::store::{
    Admission, Admitted, Change, Error, Key, MemoryStore, Partition, Store, Versioned, Write,
};
use suites::support::Clients;

/// The defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing: the wrapper itself is sound.
    None,
    /// A commit writes although its documents have changed.
    CommitIgnoresVersions,
    /// A conflicting commit writes the changes before the conflict.
    CommitWritesHalf,
    /// A client sees a commit of the other client one read too late.
    LoadIsStale,
    /// A nonce is looked up first and stored later, not in one step.
    AdmitRaces,
    /// A nonce is forgotten before its time.
    AdmitForgets,
    /// A commit reports success without writing.
    CommitLosesTheWrite,
    /// A commit reports a conflict after writing.
    CommitConflictsAndWrites,
    /// A deletion deletes nothing.
    DeleteKeeps,
    /// A deletion deletes a document that has changed.
    DeleteIgnoresVersions,
    /// A commit succeeds although a document that it checks has changed.
    CheckIgnoresVersions,
    /// A check writes the document again.
    CheckWrites,
    /// A load reads its documents one after another, not as a snapshot.
    LoadIsTorn,
    /// A list ends after 1,000 documents.
    ListIsCutOff,
    /// A list is unordered.
    ListIsUnordered,
    /// A list continues after its reader stopped it.
    ListGoesOn,
    /// A list includes documents of partitions whose name begins with its own partition's.
    ListHasOtherRegions,
    /// A list shows the state of the list before it.
    ListIsStale,
    /// A list continues by position, so a deletion during the list makes it skip a document.
    ListCountsPositions,
}

/// A client of a store in memory, with a defect.
pub(crate) struct Broken {
    memory: Arc<MemoryStore>,
    defect: Defect,
    /// The documents at this client's last read.
    seen: Mutex<HashMap<Key, Option<Versioned>>>,
    /// The documents at this client's last list.
    listed: Mutex<HashMap<Partition, Vec<Versioned>>>,
    nonces: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Broken {
    pub(crate) fn clients(defect: Defect) -> Clients<Self> {
        let (memory, nonces) = (Arc::default(), Arc::default());
        let client = || {
            let (memory, nonces) = (Arc::clone(&memory), Arc::clone(&nonces));
            Arc::new(Self {
                memory,
                defect,
                seen: Mutex::default(),
                listed: Mutex::default(),
                nonces,
            })
        };
        [client(), client()]
    }

    /// Commits some writes, those that `is_forced` selects on any version.
    async fn force(
        &self,
        mut writes: Vec<Write>,
        is_forced: impl Fn(&Change) -> bool,
    ) -> Result<(), Error> {
        loop {
            let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
            let read = self.memory.load(&keys).await?;
            let mut has_changed = false;
            for (write, read) in writes.iter_mut().zip(read) {
                let there = read.map(|read| read.version);
                if is_forced(&write.change) {
                    write.rests_on = there;
                } else {
                    has_changed |= write.rests_on != there;
                }
            }
            match self.memory.commit(writes.clone()).await {
                Err(Error::Conflict) if !has_changed => {}
                other => return other,
            }
        }
    }

    /// Commits one document after another until one conflicts.
    async fn one_by_one(&self, mut writes: Vec<Write>) -> Result<(), Error> {
        // Deletions and checks join the first commit, because every commit puts something.
        writes.sort_by_key(|write| matches!(write.change, Change::Put(_)));
        let first = writes.iter().take_while(|write| !matches!(write.change, Change::Put(_)));
        let others = writes.split_off((first.count() + 1).min(writes.len()));
        self.memory.commit(writes).await?;
        for write in others {
            self.memory.commit(vec![write]).await?;
        }
        Ok(())
    }

    /// All documents of a partition.
    async fn all(&self, partition: &Partition) -> Result<Vec<Versioned>, Error> {
        let mut all = Vec::new();
        let mut each = |read| {
            all.push(read);
            ControlFlow::Continue(())
        };
        self.memory.list(partition, &mut each).await?;
        Ok(all)
    }

    /// All documents of a partition, as this defect shows them.
    async fn listed(&self, partition: &Partition) -> Result<Vec<Versioned>, Error> {
        let mut all = self.all(partition).await?;
        if self.defect == Defect::ListIsCutOff {
            all.truncate(1000);
        } else if self.defect == Defect::ListIsUnordered {
            all.reverse();
        } else if self.defect == Defect::ListHasOtherRegions {
            let keys = self.memory.documents().into_iter().map(|document| document.key());
            let is_in = |key: &Key| key.id().is_some() && key.text().starts_with(partition.text());
            let keys: BTreeSet<Key> = keys.filter(is_in).collect();
            let keys: Vec<Key> = keys.into_iter().collect();
            all = self.memory.load(&keys).await?.into_iter().flatten().collect();
        } else if self.defect == Defect::ListIsStale {
            let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
            all = listed.insert(partition.clone(), all).unwrap_or_default();
        }
        Ok(all)
    }

    /// Lists some documents at a time, and continues by their number.
    async fn list_by_position(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        for position in (0..).step_by(100) {
            let some = self.all(partition).await?.into_iter().skip(position).take(100);
            let some: Vec<_> = some.collect();
            if some.is_empty() || some.into_iter().try_for_each(&mut *each).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Store for Broken {
    fn has_snapshot_reads(&self) -> bool {
        true
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        if self.defect == Defect::LoadIsTorn {
            let mut read = Vec::new();
            for key in keys {
                read.extend(self.memory.load(std::slice::from_ref(key)).await?);
                tokio::time::sleep(std::time::Duration::from_micros(10)).await;
            }
            return Ok(read);
        }
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

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        if self.defect == Defect::ListCountsPositions {
            return self.list_by_position(partition, each).await;
        }
        for read in self.listed(partition).await? {
            if each(read).is_break() && self.defect != Defect::ListGoesOn {
                break;
            }
        }
        Ok(())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        match self.defect {
            Defect::CommitIgnoresVersions => self.force(writes, |_| true).await,
            Defect::DeleteIgnoresVersions => {
                self.force(writes, |change| matches!(change, Change::Delete)).await
            }
            Defect::CheckIgnoresVersions => {
                self.force(writes, |change| matches!(change, Change::Check)).await
            }
            Defect::DeleteKeeps => {
                let keep = |write: Write| match write.change {
                    Change::Delete => Write { change: Change::Check, ..write },
                    Change::Put(_) | Change::Check => write,
                };
                self.memory.commit(writes.into_iter().map(keep).collect()).await
            }
            Defect::CheckWrites => {
                let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
                let read = self.memory.load(&keys).await?;
                let write_anew =
                    |(write, read): (Write, Option<Versioned>)| match (&write.change, read) {
                        (Change::Check, Some(read)) => {
                            Write { change: Change::Put(read.document), ..write }
                        }
                        (Change::Put(_) | Change::Delete | Change::Check, _) => write,
                    };
                self.memory.commit(writes.into_iter().zip(read).map(write_anew).collect()).await
            }
            Defect::CommitWritesHalf => self.one_by_one(writes).await,
            Defect::CommitLosesTheWrite => Ok(()),
            Defect::CommitConflictsAndWrites => {
                self.memory.commit(writes).await?;
                Err(Error::Conflict)
            }
            Defect::LoadIsStale => {
                let keys: Vec<Key> = writes.iter().map(|write| write.key.clone()).collect();
                let written = self.memory.commit(writes).await;
                // A client sees its own writes at once.
                let read = self.memory.load(&keys).await?;
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend(keys.into_iter().zip(read));
                written
            }
            Defect::None
            | Defect::AdmitRaces
            | Defect::AdmitForgets
            | Defect::LoadIsTorn
            | Defect::ListIsCutOff
            | Defect::ListIsUnordered
            | Defect::ListGoesOn
            | Defect::ListHasOtherRegions
            | Defect::ListIsStale
            | Defect::ListCountsPositions => self.memory.commit(writes).await,
        }
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        if self.defect == Defect::AdmitRaces {
            let nonce = (admission.access_key_id.to_owned(), admission.nonce.to_owned());
            let nonces = || self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
            if nonces().contains(&nonce) {
                return Ok(Admitted::NonceUsed);
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            nonces().insert(nonce);
            return Ok(Admitted::Yes);
        }
        let forgets = self.defect == Defect::AdmitForgets;
        let nonce_expires_at_secs =
            if forgets { admission.now_secs + 900 } else { admission.nonce_expires_at_secs };
        self.memory.admit(&Admission { nonce_expires_at_secs, ..*admission }).await
    }
}
