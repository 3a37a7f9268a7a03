//! The access keys, RAM users and RAM roles of a world document.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use allocation::Timestamp;
use ram::Policy;
use serde::{Deserialize, Serialize};

use super::WorldAccount;
use crate::{
    AccessKey, AccessKeyStatus, Document, Holder, Identity, IdentityName, NamedPolicy, Session,
};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorldAccessKey {
    pub(super) access_key_secret: String,
    #[serde(default, skip_serializing_if = "is_default")]
    status: AccessKeyStatus,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorldRamUser {
    pub(super) user_id: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) access_keys: BTreeMap<String, WorldAccessKey>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) policies: BTreeMap<String, Policy>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorldRamRole {
    pub(super) role_id: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) policies: BTreeMap<String, Policy>,
    /// By the ids of their temporary access keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sessions: BTreeMap<String, WorldSession>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WorldSession {
    pub(super) role_session_name: String,
    pub(super) access_key_secret: String,
    pub(super) security_token: String,
    expiration: Timestamp,
    #[serde(rename = "MFAPresent", default, skip_serializing_if = "is_default")]
    mfa_present: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
}

/// Leaves the secret out.
impl fmt::Debug for WorldAccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut access_key = formatter.debug_struct("WorldAccessKey");
        access_key.field("status", &self.status).finish_non_exhaustive()
    }
}

/// Leaves the secrets out.
impl fmt::Debug for WorldSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut session = formatter.debug_struct("WorldSession");
        session.field("role_session_name", &self.role_session_name).finish_non_exhaustive()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Policies by their names.
pub(super) fn by_name(policies: &[NamedPolicy]) -> BTreeMap<String, Policy> {
    let named = policies.iter();
    named.map(|named| (named.policy_name.clone(), named.policy_document.clone())).collect()
}

impl WorldAccount {
    pub(super) fn add_access_key(&mut self, key: &AccessKey) {
        let id = key.access_key_id.clone();
        let plain = || WorldAccessKey {
            access_key_secret: key.access_key_secret.clone(),
            status: key.status,
        };
        match &key.holder {
            Holder::Account => drop(self.access_keys.insert(id, plain())),
            Holder::RamUser(name) => {
                let user = self.ram_users.entry(name.clone()).or_default();
                user.access_keys.insert(id, plain());
            }
            Holder::Session(session) => {
                let role = self.ram_roles.entry(session.role_name.clone()).or_default();
                let session = WorldSession {
                    role_session_name: session.role_session_name.clone(),
                    access_key_secret: key.access_key_secret.clone(),
                    security_token: session.security_token.clone(),
                    expiration: Timestamp { secs: session.expires_at_secs },
                    mfa_present: session.mfa_present,
                    policy: session.policy.clone(),
                };
                role.sessions.insert(id, session);
            }
        }
    }
}

impl WorldAccessKey {
    pub(super) fn into_document(self, id: String, account_id: &str, holder: Holder) -> Document {
        Document::AccessKey(Arc::new(AccessKey {
            access_key_id: id,
            access_key_secret: self.access_key_secret,
            account_id: account_id.to_owned(),
            status: self.status,
            holder,
        }))
    }
}

impl WorldRamUser {
    pub(super) fn into_documents(
        self,
        name: String,
        account_id: &str,
        documents: &mut Vec<Document>,
    ) {
        for (id, key) in self.access_keys {
            documents.push(key.into_document(id, account_id, Holder::RamUser(name.clone())));
        }
        let name = IdentityName::RamUser(name);
        documents.push(identity(account_id, name, self.user_id, self.policies));
    }
}

impl WorldRamRole {
    pub(super) fn into_documents(
        self,
        name: String,
        account_id: &str,
        documents: &mut Vec<Document>,
    ) {
        for (id, session) in self.sessions {
            let holder = Holder::Session(Session {
                role_name: name.clone(),
                role_session_name: session.role_session_name,
                security_token: session.security_token,
                expires_at_secs: session.expiration.secs,
                mfa_present: session.mfa_present,
                policy: session.policy,
            });
            let status = AccessKeyStatus::Active;
            let key = WorldAccessKey { access_key_secret: session.access_key_secret, status };
            documents.push(key.into_document(id, account_id, holder));
        }
        let name = IdentityName::RamRole(name);
        documents.push(identity(account_id, name, self.role_id, self.policies));
    }
}

fn identity(
    account_id: &str,
    name: IdentityName,
    id: String,
    policies: BTreeMap<String, Policy>,
) -> Document {
    let policies = policies
        .into_iter()
        .map(|(policy_name, policy_document)| NamedPolicy { policy_name, policy_document });
    Document::Identity(Arc::new(Identity {
        account_id: account_id.to_owned(),
        name,
        id,
        policies: policies.collect(),
    }))
}
