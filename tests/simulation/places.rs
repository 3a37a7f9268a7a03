//! The simulated stores: on a table, in memory, and in a directory.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use store::{
    Admission, Admitted, DynamoDbStore, Error, Key, MemoryStore, Partition, Store, Versioned, Write,
};

use crate::engine::Engine;
use crate::executor::{Sim, Surroundings};
use crate::scene::{BEGAN_AT_SECS, Place};
use crate::table::{TABLE_NAME, Table, Weather};

/// The time limit of a store call in a function.
const CALL_TIME_MAX: Duration = store::CALL_TIME_MAX;

/// A store on a table.
pub(crate) fn over_table<T: Surroundings>(
    table: &Table<T>,
    call_time_max: Duration,
) -> DynamoDbStore<Table<T>> {
    let surroundings = table.surroundings.clone();
    let random = Box::new(move || surroundings.draw(u64::MAX));
    DynamoDbStore::over(table.clone(), TABLE_NAME.to_owned(), call_time_max, random)
}

/// A table that all instances share.
pub(crate) struct InTable(pub(crate) Table<Sim>);

impl InTable {
    pub(crate) fn new(sim: &Sim) -> Self {
        Self(Table::new(sim.clone(), BEGAN_AT_SECS))
    }
}

impl Place for InTable {
    type Store = DynamoDbStore<Table<Sim>>;

    const SPENDS_OVER_QUOTA: bool = true;

    fn client(&self) -> Self::Store {
        over_table(&self.0, CALL_TIME_MAX)
    }

    fn trouble(&self, is_troubled: bool) {
        let sim = &self.0.surroundings;
        let often = |end| if is_troubled { sim.draw(end) } else { 0 };
        self.0.set_weather(Weather {
            late: often(50),
            throttled: often(300),
            lost_before: often(150),
            lost_after: often(150),
            unread: often(300),
            expiring: 200,
        });
    }
}

/// The store in memory, which its instances share like threads of one process.
pub(crate) struct InMemory(pub(crate) Slow<Arc<MemoryStore>>);

impl InMemory {
    pub(crate) fn new(sim: &Sim) -> Self {
        Self(Slow { store: Arc::default(), sim: sim.clone() })
    }
}

impl Place for InMemory {
    type Store = Slow<Arc<MemoryStore>>;

    fn client(&self) -> Self::Store {
        self.0.clone()
    }
}

/// A directory, which one process has open.
pub(crate) struct InDirectory(Engine<Sim>);

impl InDirectory {
    pub(crate) fn new(sim: &Sim) -> Self {
        Self(Engine::new(sim.clone()))
    }
}

impl Place for InDirectory {
    type Store = Engine<Sim>;

    fn client(&self) -> Self::Store {
        self.0.clone()
    }

    fn crash(&self) -> bool {
        self.0.crash();
        true
    }
}

/// A store that takes time before and after each operation.
#[derive(Clone)]
pub(crate) struct Slow<S> {
    pub(crate) store: S,
    pub(crate) sim: Sim,
}

impl<S: Store> Slow<S> {
    async fn pause(&self) {
        self.sim.sleep(self.sim.draw(2000)).await;
    }
}

impl<S: Store> Store for Slow<S> {
    fn has_snapshot_reads(&self) -> bool {
        self.store.has_snapshot_reads()
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.pause().await;
        let read = self.store.load(keys).await;
        self.pause().await;
        read
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.pause().await;
        self.store.list(partition, each).await?;
        self.pause().await;
        Ok(())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        self.pause().await;
        let written = self.store.commit(writes).await;
        self.pause().await;
        written
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.pause().await;
        let admitted = self.store.admit(admission).await;
        self.pause().await;
        admitted
    }

    async fn settle(&self) -> Result<(), Error> {
        self.store.settle().await
    }
}
