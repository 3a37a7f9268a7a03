//! Documents, and the changes of a commit.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use allocation::{Key, Parts, Resource};
use ram::Policy;
use serde::{Deserialize, Serialize};

use crate::kinds::{ACCESS_KEY, RAM_ROLE, RAM_USER};

/// A document, shared: cloning copies no members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// An access key.
    AccessKey(Arc<AccessKey>),
    /// A RAM user or role.
    Identity(Arc<Identity>),
    /// A document that operations read and write.
    Resource(Resource),
}

impl From<Resource> for Document {
    fn from(resource: Resource) -> Self {
        Self::Resource(resource)
    }
}

impl Document {
    /// The key of the document.
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

    /// The time from which on a store may drop the document, in seconds since 1970 UTC. Readers must
    /// check the time themselves: the store may drop it later.
    #[must_use]
    pub fn expires_at_secs(&self) -> Option<u64> {
        match self {
            // Expired temporary keys are kept, for their users get an error of its own (decision
            // `security-token`).
            Self::AccessKey(_) | Self::Identity(_) => None,
            Self::Resource(resource) => resource.expires_at_secs(),
        }
    }
}

/// An access key of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKey {
    /// The id.
    #[serde(skip)]
    pub access_key_id: String,
    /// The secret.
    pub access_key_secret: String,
    /// The account that owns the access key. It never changes.
    pub account_id: String,
    /// Whether the access key may be used.
    pub status: AccessKeyStatus,
    /// The identity that has the access key.
    pub holder: Holder,
}

impl AccessKey {
    /// The key of the document of this access key.
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
    /// The access key may be used.
    #[default]
    Active,
    /// The access key is disabled.
    Inactive,
}

/// The identity that has an access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// The account itself. It may do everything.
    Account,
    /// The RAM user with this name.
    RamUser(String),
    /// A session of a RAM role.
    Session(Session),
}

/// A session of a RAM role that was assumed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Session {
    /// The role.
    pub role_name: String,
    /// The name of the session.
    pub role_session_name: String,
    /// The token of the temporary access key.
    pub security_token: String,
    /// The time at which the access key expires, in seconds since 1970 UTC.
    pub expires_at_secs: u64,
    /// Whether the role was assumed with a second factor.
    #[serde(rename = "MFAPresent")]
    pub mfa_present: bool,
    /// A policy that restricts the session; `None`: the session may do all that the role may do.
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

/// A RAM user or role of an account, and its policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account_id: String,
    /// The name. It also says whether this is a user or a role.
    pub name: IdentityName,
    /// The `UserId` or `RoleId`.
    pub id: String,
    /// The attached policies.
    pub policies: Vec<NamedPolicy>,
}

impl Identity {
    /// The key of the RAM user or role with this name.
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

/// The name of a RAM user or role. A user and a role may have the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityName {
    /// The name of a user.
    RamUser(String),
    /// The name of a role.
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

/// The version of a document. No two states of the documents of a key have the same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u64);

/// A document and its version.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The document.
    pub document: Document,
    /// The version.
    pub version: Version,
}

/// One change of a commit, and the version that it expects.
#[derive(Clone, Debug)]
pub struct Write {
    /// The key of the document. A commit has at most one change per key.
    pub key: Key,
    /// The change.
    pub change: Change,
    /// The version that was read; `None`: the document must not exist.
    pub rests_on: Option<Version>,
}

/// The change of a document.
#[derive(Clone, Debug)]
pub enum Change {
    /// Writes this document.
    Put(Document),
    /// Deletes the document. Deleting a document that does not exist has no effect.
    Delete,
    /// Changes nothing; the commit still fails if the version differs.
    Check,
}

/// Whether `writes` are a valid commit: keys differ and one is a [`Change::Put`]; see
/// [`Store::commit`](crate::Store::commit).
pub(crate) fn are_valid(writes: &[Write]) -> bool {
    let keys: BTreeSet<&Key> = writes.iter().map(|write| &write.key).collect();
    keys.len() == writes.len() && writes.iter().any(|write| matches!(write.change, Change::Put(_)))
}

impl Write {
    /// The change that writes a document.
    #[must_use]
    pub fn put(document: impl Into<Document>, rests_on: Option<Version>) -> Self {
        let document = document.into();
        Self { key: document.key(), change: Change::Put(document), rests_on }
    }
}
