//! What a store keeps.

use std::fmt;
use std::sync::Arc;

use allocation::{Name, Resource};
use serde::{Deserialize, Serialize};

/// What a document is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// An access key, by its id.
    AccessKey(String),
    /// A document of the rules.
    Resource(Name),
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Document {
    /// An access key.
    AccessKey(AccessKey),
    /// A document of the rules; shared, so that reading one copies nothing.
    Resource(Arc<Resource>),
}

impl From<Resource> for Document {
    fn from(resource: Resource) -> Self {
        Self::Resource(Arc::new(resource))
    }
}

impl Document {
    /// What the document is found by.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::AccessKey(access_key) => Key::AccessKey(access_key.access_key_id.clone()),
            Self::Resource(resource) => Key::Resource(resource.name()),
        }
    }

    /// When a store may drop the document, in seconds since 1970 UTC. Until it does, whoever reads
    /// the document judges its time.
    #[must_use]
    pub fn expires_at_secs(&self) -> Option<u64> {
        match self {
            Self::AccessKey(_) => None,
            Self::Resource(resource) => resource.expires_at_secs(),
        }
    }
}

/// An access key of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: String,
    /// The account that owns it. A key never moves to another.
    pub account_id: String,
}

/// Leaves the secret out.
impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

/// Tells one state of a document from every other that had its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version(pub u64);

/// A document as it was read.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The document.
    pub document: Document,
    /// Its version.
    pub version: Version,
}

/// A document to be written, and what it replaces.
#[derive(Clone, Debug)]
pub struct Write {
    /// What the document is found by.
    pub key: Key,
    /// The document as it shall be.
    pub document: Document,
    /// The version it was read in; `None` if there must be none.
    pub replaces: Option<Version>,
}
