//! Where documents are kept: read many at once, commit all or none if unchanged. And where a call is
//! let in but once, however many instances of the function it reaches.
//!
//! A store knows no operation and no rule. [`MemoryStore`] keeps its documents in memory; with the
//! feature `dynamodb`, `DynamoDbStore` keeps them in a table of DynamoDB. [`World`] is the form of all
//! documents that people write and read.

mod admission;
mod document;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod memory;
mod world;

pub use admission::{Admission, Admitted, Quota};
pub use document::{
    AccessKey, AccessKeyStatus, Document, Holder, Identity, IdentityName, Key, NamedPolicy,
    Session, Version, Versioned, Write,
};
#[cfg(feature = "dynamodb")]
pub use dynamodb::{Credentials, DynamoDbStore, Random, Table};
pub use memory::MemoryStore;
pub use world::{World, WorldError};

use std::fmt;
use std::sync::Arc;

/// Keeps versioned documents.
pub trait Store: Send + Sync {
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

    /// Writes all documents, or none of them if any is no longer as it was read.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if a document has changed: nothing was written. [`Error::Unavailable`]
    /// otherwise: whether all was written or nothing is not known.
    fn commit(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Spends the nonce of a call and counts it, both or neither. Of several that ask with one nonce
    /// at once, one is let in.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: whether the nonce is spent is not known.
    fn admit(
        &self,
        admission: &Admission<'_>,
    ) -> impl Future<Output = Result<Admitted, Error>> + Send;
}

/// One store, shared by many.
impl<S: Store> Store for Arc<S> {
    fn load(
        &self,
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Option<Versioned>>, Error>> + Send {
        S::load(self, keys)
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
