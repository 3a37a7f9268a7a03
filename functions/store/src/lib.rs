//! Where documents are kept: read many at once, commit all or none if unchanged.
//!
//! A store knows no operation and no rule. [`MemoryStore`] is the one there is; a durable one and
//! DynamoDB fit the same two methods of [`Store`]. [`World`] is the form of all documents that
//! people write and read.

mod document;
mod memory;
mod world;

pub use document::{AccessKey, Document, Key, Version, Versioned, Write};
pub use memory::MemoryStore;
pub use world::{World, WorldError};

use std::fmt;

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
    /// otherwise: nothing was written either.
    fn commit(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), Error>> + Send;
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
