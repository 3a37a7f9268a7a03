//! The store of the documents: in memory, in a directory, or in a table of DynamoDB.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

use store::{
    Admission, Admitted, Document, DynamoDbStore, EmbeddedStore, Error, Key, MemoryStore,
    NonceBudget, Partition, Store, Versioned, Write,
};

/// The store of the documents.
#[derive(Debug)]
pub(crate) enum Backend {
    /// In memory.
    Memory(Box<MemoryStore>),
    /// In a directory.
    Embedded {
        store: Box<EmbeddedStore>,
        /// The directory.
        folder: PathBuf,
    },
    /// In a table of DynamoDB.
    DynamoDb {
        store: Box<DynamoDbStore>,
        /// The table.
        table_name: String,
    },
}

impl Backend {
    /// Whether the store has no documents.
    pub(crate) async fn is_empty(&self) -> Result<bool, Error> {
        match self {
            Self::Memory(memory) => Ok(memory.documents().is_empty()),
            Self::Embedded { store, .. } => store.is_empty(),
            Self::DynamoDb { store, .. } => store.is_empty().await,
        }
    }

    /// Whether the endpoint must write the initial world. A directory is new only for the process that
    /// created it, so a directory whose documents were lost or deleted is not filled again.
    pub(crate) async fn is_new(&self) -> Result<bool, Error> {
        match self {
            Self::Embedded { store, .. } => Ok(store.is_new()),
            Self::Memory(_) | Self::DynamoDb { .. } => self.is_empty().await,
        }
    }

    /// Every document.
    pub(crate) async fn documents(&self) -> Result<Vec<Document>, Error> {
        match self {
            Self::Memory(memory) => Ok(memory.documents()),
            Self::Embedded { store, .. } => store.documents().collect(),
            Self::DynamoDb { store, .. } => store.documents().await,
        }
    }

    /// Replaces all documents. A replacement that takes long calls `progress` with the number of
    /// documents that are done.
    pub(crate) async fn replace(
        &self,
        documents: Vec<Document>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => {
                memory.replace(documents);
                Ok(())
            }
            Self::Embedded { store, .. } => {
                let documents = documents.into_iter().zip(1..);
                store.replace(documents.inspect(|(_, done)| progress(*done)).map(|(d, _)| d)).await
            }
            Self::DynamoDb { store, .. } => store.replace(documents, progress).await,
        }
    }

    /// Drops expired documents and nonces. DynamoDB does so itself.
    pub(crate) async fn drop_expired(&self, now_secs: u64) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => {
                memory.drop_expired(now_secs);
                Ok(())
            }
            Self::Embedded { store, .. } => store.drop_expired(now_secs).await,
            Self::DynamoDb { .. } => Ok(()),
        }
    }

    /// Whether documents outlive the process.
    pub(crate) fn is_durable(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Embedded { .. } | Self::DynamoDb { .. } => true,
        }
    }

    /// Whether other processes may use the store at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Self::Memory(_) | Self::Embedded { .. } => false,
            Self::DynamoDb { .. } => true,
        }
    }

    /// Sets the budget of nonces. A table has no budget.
    pub(crate) fn sharing(self, nonces: &NonceBudget) -> Self {
        match self {
            Self::Memory(memory) => Self::Memory(Box::new(memory.sharing(nonces))),
            Self::Embedded { store, folder } => {
                Self::Embedded { store: Box::new(store.sharing(nonces)), folder }
            }
            Self::DynamoDb { .. } => self,
        }
    }

    /// The failed write after which the store refuses all others until the endpoint is restarted.
    pub(crate) fn failure(&self) -> Option<Error> {
        match self {
            Self::Embedded { store, .. } => store.failure(),
            Self::Memory(_) | Self::DynamoDb { .. } => None,
        }
    }

    /// Creates the table, with expiry.
    pub(crate) async fn create_table(&self) -> Result<(), Error> {
        match self {
            Self::Memory(_) | Self::Embedded { .. } => Ok(()),
            Self::DynamoDb { store, .. } => {
                store.create_table().await?;
                store.enable_ttl().await
            }
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(_) => formatter.write_str("memory"),
            Self::Embedded { folder, .. } => write!(formatter, "{}", folder.display()),
            Self::DynamoDb { table_name, .. } => {
                write!(formatter, "the DynamoDB table {table_name}")
            }
        }
    }
}

impl Store for Backend {
    fn has_snapshot_reads(&self) -> bool {
        match self {
            Self::Memory(memory) => memory.has_snapshot_reads(),
            Self::Embedded { store, .. } => store.has_snapshot_reads(),
            Self::DynamoDb { store, .. } => store.has_snapshot_reads(),
        }
    }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        match self {
            Self::Memory(memory) => memory.load(keys).await,
            Self::Embedded { store, .. } => store.load(keys).await,
            Self::DynamoDb { store, .. } => store.load(keys).await,
        }
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => memory.list(partition, each).await,
            Self::Embedded { store, .. } => store.list(partition, each).await,
            Self::DynamoDb { store, .. } => store.list(partition, each).await,
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => memory.commit(writes).await,
            Self::Embedded { store, .. } => store.commit(writes).await,
            Self::DynamoDb { store, .. } => store.commit(writes).await,
        }
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        match self {
            Self::Memory(memory) => memory.admit(admission).await,
            Self::Embedded { store, .. } => store.admit(admission).await,
            Self::DynamoDb { store, .. } => store.admit(admission).await,
        }
    }

    async fn settle(&self) -> Result<(), Error> {
        match self {
            Self::Memory(memory) => memory.settle().await,
            Self::Embedded { store, .. } => store.settle().await,
            Self::DynamoDb { store, .. } => store.settle().await,
        }
    }
}
