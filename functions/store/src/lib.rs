#![doc = include_str!("../README.md")]

mod admission;
mod document;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "embedded")]
mod embedded;
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
pub use dynamodb::{Api, CALL_TIME_MAX, Credentials, DynamoDbStore, Random, Sending, Table};
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

/// Keeps versioned documents.
pub trait Store: Send + Sync {
    /// Whether [`Store::load`] reads all documents as they were at one moment. If not, a commit that
    /// happens meanwhile may be seen in one document and not in another.
    fn has_snapshot_reads(&self) -> bool {
        false
    }

    /// Reads the documents of all `keys` at once, each as it is after every commit that was
    /// acknowledged before; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    fn load(
        &self,
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Option<Versioned>>, Error>> + Send;

    /// Hands every document of a partition to `each`, in the order of ids, until `each` breaks off.
    /// A list is of no single moment: of what is committed while it goes on, any part may be in
    /// it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes all changes, or none of them if any document is no longer as it was read. No two
    /// changes have one key, and one at least is a [`Change::Put`]: a commit whose answer was lost
    /// is found by the version of what it put.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if a document has changed: nothing was written. [`Error::Unavailable`]
    /// otherwise: it is not known whether all was written or nothing. A row of a newer form than
    /// this program writes is never overwritten or deleted: that is [`Error::Unavailable`], too.
    fn commit(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Spends the nonce of a call and counts it. Of several that ask with one nonce at once, one is let
    /// in.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: whether the nonce is spent is not known.
    fn admit(
        &self,
        admission: &Admission<'_>,
    ) -> impl Future<Output = Result<Admitted, Error>> + Send;

    /// Waits until the nonces that were spent so far are kept as safely as what was committed. A commit
    /// that was acknowledged has them kept, too. A store that keeps them at once, or never, need not say
    /// anything here; one that wraps another hands this on.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: whether they are kept is not known.
    fn settle(&self) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }
}

/// One store, shared by many.
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

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// A document has changed since it was read.
    Conflict,
    /// The store failed.
    Unavailable {
        /// Why; for the log, never for a caller.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// The error with all of its causes, in one line for a log.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
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
