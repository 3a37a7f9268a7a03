//! The keys of an account, and its RAM users and roles, as a world document states them.

use std::fmt;
use std::sync::Arc;

use ram::Policy;
use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;
use crate::{
    AccessKey, AccessKeyStatus, Document, Holder, Identity, IdentityName, NamedPolicy, Session,
};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WorldAccessKey {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) status: AccessKeyStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WorldRamUser {
    pub(super) user_id: String,
    pub(super) user_name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) access_keys: Vec<WorldAccessKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<NamedPolicy>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WorldRamRole {
    pub(super) role_id: String,
    pub(super) role_name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<NamedPolicy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sessions: Vec<WorldSession>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct WorldSession {
    pub(super) role_session_name: String,
    pub(super) access_key_id: String,
    pub(super) access_key_secret: String,
    pub(super) security_token: String,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    pub(super) expiration: Timestamp,
    #[serde(rename = "MFAPresent", default, skip_serializing_if = "is_default")]
    pub(super) mfa_present: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<Policy>,
}

/// Leaves the secret out.
impl fmt::Debug for WorldAccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorldAccessKey")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Leaves the secrets out.
impl fmt::Debug for WorldSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorldSession")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl WorldAccessKey {
    pub(super) fn of(key: &AccessKey) -> Self {
        Self {
            access_key_id: key.access_key_id.clone(),
            access_key_secret: key.access_key_secret.clone(),
            status: key.status,
        }
    }

    pub(super) fn into_document(self, account_id: &str, holder: Holder) -> Document {
        Document::AccessKey(Arc::new(AccessKey {
            access_key_id: self.access_key_id,
            access_key_secret: self.access_key_secret,
            account_id: account_id.to_owned(),
            status: self.status,
            holder,
        }))
    }
}

impl WorldRamUser {
    pub(super) fn into_documents(self, account_id: &str) -> Vec<Document> {
        let identity = Identity {
            account_id: account_id.to_owned(),
            name: IdentityName::RamUser(self.user_name.clone()),
            id: self.user_id,
            policies: self.policies,
        };
        let holder = || Holder::RamUser(self.user_name.clone());
        let keys = self.access_keys.into_iter().map(|key| key.into_document(account_id, holder()));
        keys.chain([Document::Identity(Arc::new(identity))]).collect()
    }
}

impl WorldRamRole {
    pub(super) fn into_documents(self, account_id: &str) -> Vec<Document> {
        let identity = Identity {
            account_id: account_id.to_owned(),
            name: IdentityName::RamRole(self.role_name.clone()),
            id: self.role_id,
            policies: self.policies,
        };
        let sessions = self.sessions.into_iter();
        let keys = sessions.map(|session| session.into_document(account_id, &self.role_name));
        keys.chain([Document::Identity(Arc::new(identity))]).collect()
    }
}

impl WorldSession {
    pub(super) fn of(key: &AccessKey, session: &Session) -> Self {
        Self {
            role_session_name: session.role_session_name.clone(),
            access_key_id: key.access_key_id.clone(),
            access_key_secret: key.access_key_secret.clone(),
            security_token: session.security_token.clone(),
            expiration: Timestamp(session.expires_at_secs),
            mfa_present: session.mfa_present,
            policy: session.policy.clone(),
        }
    }

    fn into_document(self, account_id: &str, role_name: &str) -> Document {
        Document::AccessKey(Arc::new(AccessKey {
            access_key_id: self.access_key_id,
            access_key_secret: self.access_key_secret,
            account_id: account_id.to_owned(),
            status: AccessKeyStatus::Active,
            holder: Holder::Session(Session {
                role_name: role_name.to_owned(),
                role_session_name: self.role_session_name,
                security_token: self.security_token,
                expires_at_secs: self.expiration.0,
                mfa_present: self.mfa_present,
                policy: self.policy,
            }),
        }))
    }
}
