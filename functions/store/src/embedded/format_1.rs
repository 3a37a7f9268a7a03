//! Converts the rows of format 1.
//!
//! Format 2 differs in three ways: the VPC's row has the gateway, not the address; `NetworkType` is
//! derived; and the key of a bandwidth's owner has account and region, so owners are derived from
//! addresses.

use std::collections::BTreeMap;

use allocation::{Billing, InternetBandwidth, Ipv6AddressStatus, Ipv6Isp, Resource, Timestamp};
use fjall::{Database, PersistMode};
use ram::Policy;
use serde::Deserialize;
use serde_json::{Value, json};

use super::generation::Generation;
use super::row::Unreadable;
use super::times::{Expiring, Times};
use super::unavailable;
use crate::{
    AccessKey, AccessKeyStatus, Document, Error, Holder, Identity, IdentityName, NamedPolicy,
    Session, Version,
};

/// Version and expiry, eight bytes each.
const HEAD_BYTES: usize = 16;

/// Fills the next generation from one with rows of format 1, and adopts it atomically. Returns it and
/// the number of its batch. The caller removes the old generation.
///
/// # Errors
///
/// [`Error::Unavailable`]: the old generation is unchanged.
pub(super) fn convert(
    database: &Database,
    old: &Generation,
    batch: u64,
) -> Result<(Generation, u64), Error> {
    let number = batch + 1;
    let new = old.next(database)?;
    let documents = old.documents.iter().flat_map(|guard| {
        let row = guard.value().map_err(unavailable);
        match row.and_then(|row| documents_of(&row).map_err(unavailable)) {
            Ok(documents) => documents.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    });
    new.fill(database, documents, Version(number))?;
    carry_nonces(database, old, &new)?;
    let mut batch = database.batch().durability(Some(PersistMode::SyncData));
    new.adopt(&mut batch);
    new.count(&mut batch, number);
    batch.commit().map_err(unavailable)?;
    Ok((new, number))
}

/// Copies the nonces in the new form. Format 1 does not have their accounts.
fn carry_nonces(database: &Database, old: &Generation, new: &Generation) -> Result<(), Error> {
    for (part, guard) in (0..).zip(old.nonces.iter()) {
        let row = guard.value().map_err(unavailable)?;
        let mut expiring = Expiring::default();
        for (expires_at_secs, fingerprint) in Times::read(&row)? {
            expiring.nonces.add(expires_at_secs, fingerprint);
        }
        let mut batch = database.batch();
        new.note(&mut batch, 0, part, &expiring);
        batch.commit().map_err(unavailable)?;
    }
    Ok(())
}

/// A row's document.
#[derive(Deserialize)]
enum Row {
    AccessKey(RowAccessKey),
    Identity(RowIdentity),
    Resource(RowResource),
}

#[derive(Deserialize)]
struct RowAccessKey {
    access_key_id: String,
    access_key_secret: String,
    account_id: String,
    status: AccessKeyStatus,
    holder: RowHolder,
}

#[derive(Deserialize)]
enum RowHolder {
    Account,
    RamUser(String),
    Session(RowSession),
}

#[derive(Deserialize)]
struct RowSession {
    role_name: String,
    role_session_name: String,
    security_token: String,
    expires_at_secs: u64,
    mfa_present: bool,
    policy: Option<Policy>,
}

#[derive(Deserialize)]
struct RowIdentity {
    account_id: String,
    name: RowIdentityName,
    id: String,
    policies: Vec<NamedPolicy>,
}

#[derive(Deserialize)]
enum RowIdentityName {
    RamUser(String),
    RamRole(String),
}

#[derive(Deserialize)]
enum RowResource {
    Account {
        account_id: String,
        billing: Option<Billing>,
    },
    Ipv6Gateway {
        ipv6_gateway_id: String,
        account_id: String,
        region_id: String,
        vpc_id: String,
    },
    Ipv6Address(Box<RowAddress>),
    InternetBandwidth {},
    ClientToken {
        account_id: String,
        region_id: String,
        action: String,
        client_token: String,
        expires_at_secs: u64,
        parameters: BTreeMap<String, String>,
        answer: BTreeMap<String, String>,
    },
}

#[derive(Deserialize)]
struct RowAddress {
    ipv6_address_id: String,
    account_id: String,
    region_id: String,
    ipv6_address: String,
    vpc_id: String,
    status: Ipv6AddressStatus,
    ipv6_isp: Ipv6Isp,
    private_gua: bool,
    associated_instance: Option<RowInstance>,
    ipv6_internet_bandwidth: Option<InternetBandwidth>,
}

#[derive(Deserialize)]
struct RowInstance {
    instance_type: String,
    instance_id: String,
}

/// The documents of a row of format 1.
fn documents_of(row: &[u8]) -> Result<Vec<Document>, Unreadable> {
    let json = row.get(HEAD_BYTES..).ok_or(Unreadable)?;
    let row = serde_json::from_slice(json).map_err(|_| Unreadable)?;
    Ok(match row {
        Row::AccessKey(access_key) => vec![Document::AccessKey(access_key.into_current().into())],
        Row::Identity(identity) => vec![Document::Identity(identity.into_current().into())],
        Row::Resource(resource) => {
            let resource = resource.into_current().map_err(|_| Unreadable)?;
            let implied =
                resource.iter().filter_map(|resource| resource.implied()).collect::<Vec<_>>();
            resource.into_iter().chain(implied).map(Document::from).collect()
        }
    })
}

impl RowAccessKey {
    fn into_current(self) -> AccessKey {
        AccessKey {
            access_key_id: self.access_key_id,
            access_key_secret: self.access_key_secret,
            account_id: self.account_id,
            status: self.status,
            holder: match self.holder {
                RowHolder::Account => Holder::Account,
                RowHolder::RamUser(name) => Holder::RamUser(name),
                RowHolder::Session(session) => Holder::Session(Session {
                    role_name: session.role_name,
                    role_session_name: session.role_session_name,
                    security_token: session.security_token,
                    expires_at_secs: session.expires_at_secs,
                    mfa_present: session.mfa_present,
                    policy: session.policy,
                }),
            },
        }
    }
}

impl RowIdentity {
    fn into_current(self) -> Identity {
        let name = match self.name {
            RowIdentityName::RamUser(name) => IdentityName::RamUser(name),
            RowIdentityName::RamRole(name) => IdentityName::RamRole(name),
        };
        Identity { account_id: self.account_id, name, id: self.id, policies: self.policies }
    }
}

impl RowResource {
    /// `None` for documents that are implied now.
    fn into_current(self) -> Result<Option<Resource>, serde_json::Error> {
        let (kind, account_id, id, members) = match self {
            Self::Account { account_id, billing } => {
                ("account", account_id, String::new(), json!({ "Billing": billing }))
            }
            Self::Ipv6Gateway { ipv6_gateway_id, account_id, region_id, vpc_id } => {
                let members = json!({ "RegionId": region_id, "VpcId": vpc_id });
                ("ipv6-gateway", account_id, ipv6_gateway_id, members)
            }
            Self::Ipv6Address(address) => {
                let members = address.members();
                ("ipv6-address", address.account_id, address.ipv6_address_id, members)
            }
            Self::InternetBandwidth {} => return Ok(None),
            Self::ClientToken {
                account_id,
                region_id,
                action,
                client_token,
                expires_at_secs,
                parameters,
                answer,
            } => {
                let members = json!({
                    "ExpiresAt": Timestamp { secs: expires_at_secs },
                    "Parameters": parameters, "Answer": answer
                });
                let id = format!("{region_id}/{action}/{client_token}");
                ("client-token", account_id, id, members)
            }
        };
        Resource::read(kind, &account_id, &id, &members).map(Some)
    }
}

impl RowAddress {
    fn members(&self) -> Value {
        let mut members = json!({
            "RegionId": self.region_id, "Ipv6Address": self.ipv6_address, "VpcId": self.vpc_id,
            "Status": self.status, "Ipv6Isp": self.ipv6_isp, "PrivateGua": self.private_gua
        });
        if let Some(instance) = &self.associated_instance {
            members["AssociatedInstanceType"] = json!(instance.instance_type);
            members["AssociatedInstanceId"] = json!(instance.instance_id);
        }
        if let Some(bandwidth) = &self.ipv6_internet_bandwidth {
            members["Ipv6InternetBandwidth"] = json!(bandwidth);
        }
        members
    }
}
