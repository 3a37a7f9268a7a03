//! What a store keeps.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use allocation::{Key, Parts, Resource};
use ram::Policy;
use serde::{Deserialize, Serialize};

use crate::kinds::{ACCESS_KEY, RAM_ROLE, RAM_USER};

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// An access key; shared, so that reading one copies nothing.
    AccessKey(Arc<AccessKey>),
    /// A RAM user or role; shared.
    Identity(Arc<Identity>),
    /// A document of the rules; shared.
    Resource(Resource),
}

impl From<Resource> for Document {
    fn from(resource: Resource) -> Self {
        Self::Resource(resource)
    }
}

impl Document {
    /// What the document is found by.
    #[must_use]
    pub fn key(&self) -> Key {
        self.parts().key()
    }

    /// The parts of the key.
    pub(crate) fn parts(&self) -> Parts<'_> {
        match self {
            Self::AccessKey(access_key) => AccessKey::parts(&access_key.access_key_id),
            Self::Identity(identity) => Identity::parts(&identity.account_id, &identity.name),
            Self::Resource(resource) => resource.parts(),
        }
    }

    /// When a store may drop the document, in seconds since 1970 UTC. Until it does, the reader of
    /// the document judges its time.
    #[must_use]
    pub fn expires_at_secs(&self) -> Option<u64> {
        match self {
            // The caller learns that a temporary key has expired (decision `security-token`).
            Self::AccessKey(_) | Self::Identity(_) => None,
            Self::Resource(resource) => resource.expires_at_secs(),
        }
    }
}

/// An access key of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKey {
    /// The public half.
    #[serde(skip)]
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: String,
    /// The account that owns it. A key never moves to another.
    pub account_id: String,
    /// Whether it may be used.
    pub status: AccessKeyStatus,
    /// The identity of the account that has it.
    pub holder: Holder,
}

impl AccessKey {
    /// The key of the access key of this id.
    #[must_use]
    pub fn key(access_key_id: &str) -> Key {
        Self::parts(access_key_id).key()
    }

    fn parts(access_key_id: &str) -> Parts<'_> {
        Parts::single(ACCESS_KEY, &[access_key_id])
    }
}

/// Leaves the secret out.
impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .field("account_id", &self.account_id)
            .field("status", &self.status)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// Whether an access key may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessKeyStatus {
    /// It may.
    #[default]
    Active,
    /// It is disabled.
    Inactive,
}

/// The identity that has an access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// The account itself, which may do everything.
    Account,
    /// A RAM user of the account, by its name.
    RamUser(String),
    /// A session of a role of the account.
    Session(Session),
}

/// A role that was assumed for a while.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Session {
    /// The role.
    pub role_name: String,
    /// The name that the session was given.
    pub role_session_name: String,
    /// The token that goes with the access key.
    pub security_token: String,
    /// When the access key ends, in seconds since 1970 UTC.
    pub expires_at_secs: u64,
    /// Whether the role was assumed after a logon with a second factor.
    #[serde(rename = "MFAPresent")]
    pub mfa_present: bool,
    /// What the session may do at most; `None`: all that the role may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// Leaves the token out.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("role_name", &self.role_name)
            .field("role_session_name", &self.role_session_name)
            .field("expires_at_secs", &self.expires_at_secs)
            .finish_non_exhaustive()
    }
}

/// A RAM user or role of an account, with what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account_id: String,
    /// Its name, which tells users and roles apart.
    pub name: IdentityName,
    /// The `UserId` or `RoleId`.
    pub id: String,
    /// The policies attached to it.
    pub policies: Vec<NamedPolicy>,
}

impl Identity {
    /// The key of the RAM user or role of this name.
    #[must_use]
    pub fn key(account_id: &str, name: &IdentityName) -> Key {
        Self::parts(account_id, name).key()
    }

    fn parts<'a>(account_id: &'a str, name: &'a IdentityName) -> Parts<'a> {
        match name {
            IdentityName::RamUser(name) => Parts::single(RAM_USER, &[account_id, name]),
            IdentityName::RamRole(name) => Parts::single(RAM_ROLE, &[account_id, name]),
        }
    }
}

/// The name of a RAM user or role. A user and a role may have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityName {
    /// A user's.
    RamUser(String),
    /// A role's.
    RamRole(String),
}

/// A policy with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedPolicy {
    /// The name.
    pub policy_name: String,
    /// The policy.
    pub policy_document: Policy,
}

/// Tells one state of a document from every other that had its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

/// A document as it was read.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The document.
    pub document: Document,
    /// Its version.
    pub version: Version,
}

/// One change of a commit, and what it rests on.
#[derive(Clone, Debug)]
pub struct Write {
    /// What the document is found by. A commit has one change of a key at most.
    pub key: Key,
    /// What happens to it.
    pub change: Change,
    /// The version it was read in; `None` if there must be none.
    pub rests_on: Option<Version>,
}

/// What happens to a document.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is written.
    Put(Document),
    /// It is removed. Removing one that does not exist changes nothing.
    Delete,
    /// It stays as it is.
    Check,
}

/// Whether a store may be asked to commit `writes`: no two of them have one key, and one is a
/// [`Change::Put`]. A write whose answer was lost is found by the version of what it put.
pub(crate) fn are_in_form(writes: &[Write]) -> bool {
    let keys: BTreeSet<&Key> = writes.iter().map(|write| &write.key).collect();
    keys.len() == writes.len() && writes.iter().any(|write| matches!(write.change, Change::Put(_)))
}

impl Write {
    /// Writes a document.
    #[must_use]
    pub fn put(document: impl Into<Document>, rests_on: Option<Version>) -> Self {
        let document = document.into();
        Self { key: document.key(), change: Change::Put(document), rests_on }
    }
}
