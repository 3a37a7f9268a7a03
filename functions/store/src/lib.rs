#![doc = include_str!("../README.md")]

mod admission;
mod document;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(all(feature = "embedded", not(unix)))]
compile_error!(
    "the feature `embedded` needs Unix: it syncs directories, sets permissions and writes at offsets"
);
mod expiries;
mod gate;
mod kinds;
mod memory;
mod nonce;
mod nonce_budget;
#[cfg(any(feature = "dynamodb", feature = "embedded"))]
mod row;
mod shards;
mod world;

pub use admission::{Admission, Admitted, Quota};
pub use document::{
    AccessKey, AccessKeyStatus, Change, Document, Holder, Identity, IdentityName, NamedPolicy,
    Session, Version, Versioned, Write,
};
#[cfg(feature = "dynamodb")]
pub use dynamodb::{
    CALL_TIME_MAX, Credentials, DynamoDbApi, DynamoDbStore, Random, Sending, Table,
};
#[cfg(feature = "embedded")]
pub use embedded::{EmbeddedStore, OpenError};
pub use kinds::KINDS;
pub use memory::MemoryStore;
pub use nonce_budget::NonceBudget;
pub use world::{World, WorldError};

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use allocation::{Key, Partition};

/// A store of versioned documents.
///
/// # Examples
///
/// ```
/// use store::{Document, MemoryStore, Store, World, Write};
///
/// let world = World::parse(r#"{"Accounts": {"1234567890123456": {"Billing":
///     {"CdtStatus": "Upgraded", "SaleStatus": "Allowed"}}}}"#)?;
/// let store = MemoryStore::holding(world.into_documents());
/// let key = allocation::Account::key("1234567890123456");
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let read = store.load(&[key]).await?.remove(0).expect("the world's account");
/// let write = Write::put(read.document, Some(read.version));
/// store.commit(vec![write.clone()]).await?;
/// // The document has a new version now.
/// let second = store.commit(vec![write]).await;
/// assert!(matches!(second, Err(store::Error::Conflict)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync {
    /// Whether [`Store::load`] reads a snapshot. If not, a concurrent commit may be visible in one
    /// document and not in another.
    fn has_snapshot_reads(&self) -> bool {
        false
    }

    /// Reads the documents of all `keys`; `None` for each that does not exist. Every commit that was
    /// acknowledged before is visible.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    fn load(
        &self,
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Option<Versioned>>, Error>> + Send;

    /// Calls `each` for every document of a partition, in the order of ids, until `each` breaks. A
    /// list is no snapshot: any part of a concurrent commit may be visible.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes all changes atomically, unless a document has changed since it was read. Keys must
    /// differ, and at least one change must be a [`Change::Put`]: the version of its document shows
    /// whether a commit with a lost answer was done.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`]: a document has changed, and nothing was written.
    /// [`Error::Unavailable`]: either everything or nothing was written; or a change would overwrite
    /// or delete a row of a newer schema than this program writes, and nothing was written.
    fn commit(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Admits a call: uses its nonce and counts the call. Of concurrent calls with the same nonce, one
    /// is admitted.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: it is unknown whether the nonce was used.
    fn admit(
        &self,
        admission: &Admission<'_>,
    ) -> impl Future<Output = Result<Admitted, Error>> + Send;

    /// Waits until the nonces used so far are as durable as commits. An acknowledged commit has the
    /// same effect. The default suits stores in which nonces are durable at once or never; a store
    /// that wraps another must delegate this method.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: it is unknown whether the nonces are durable.
    fn settle(&self) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A shared store.
impl<S: Store> Store for Arc<S> {
    fn has_snapshot_reads(&self) -> bool {
        S::has_snapshot_reads(self)
    }

    fn load(
        &self,
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Option<Versioned>>, Error>> + Send {
        S::load(self, keys)
    }

    fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> impl Future<Output = Result<(), Error>> + Send {
        S::list(self, partition, each)
    }

    fn commit(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), Error>> + Send {
        S::commit(self, writes)
    }

    fn admit(
        &self,
        admission: &Admission<'_>,
    ) -> impl Future<Output = Result<Admitted, Error>> + Send {
        S::admit(self, admission)
    }

    fn settle(&self) -> impl Future<Output = Result<(), Error>> + Send {
        S::settle(self)
    }
}

/// The failure of a store.
#[derive(Debug)]
pub enum Error {
    /// A document has changed since it was read.
    Conflict,
    /// The store failed.
    Unavailable {
        /// The cause; for the log, never for a caller.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// See [`with_causes`].
    #[must_use]
    pub fn with_causes(&self) -> String {
        with_causes(self)
    }
}

/// An error and all its causes, in one line for a log.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Conflict => "a document has changed since it was read",
            Self::Unavailable { .. } => "the store is unavailable",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Conflict => None,
            Self::Unavailable { source } => Some(source.as_ref()),
        }
    }
}
