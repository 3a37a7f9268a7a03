//! All documents in the form that people write and read: `--world FILE`, and the worlds of the
//! contract's cases.

mod account;
mod check;
mod identities;
mod locate;
mod timestamp;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;

use allocation::{Billing, InternetBandwidth, Ipv6AddressStatus, Ipv6Isp, NetworkType, Resource};
use serde::{Deserialize, Serialize};

use crate::Document;
use identities::{WorldAccessKey, WorldRamRole, WorldRamUser};
use timestamp::Timestamp;

/// All documents, by the account that owns them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct World {
    accounts: Vec<WorldAccount>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WorldAccount {
    account_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    access_keys: Vec<WorldAccessKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ram_users: Vec<WorldRamUser>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ram_roles: Vec<WorldRamRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billing: Option<Billing>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ipv6_gateways: Vec<WorldGateway>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ipv6_addresses: Vec<WorldAddress>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client_tokens: Vec<WorldToken>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WorldGateway {
    ipv6_gateway_id: String,
    region_id: String,
    vpc_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WorldAddress {
    ipv6_address_id: String,
    region_id: String,
    ipv6_address: Ipv6Addr,
    vpc_id: String,
    #[serde(default)]
    status: Ipv6AddressStatus,
    #[serde(default)]
    ipv6_isp: Ipv6Isp,
    #[serde(default)]
    private_gua: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    associated_instance_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    associated_instance_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network_type: Option<NetworkType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipv6_internet_bandwidth: Option<InternetBandwidth>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WorldToken {
    action: String,
    region_id: String,
    client_token: String,
    /// `YYYY-MM-DDThh:mm:ssZ`.
    expires_at: Timestamp,
    parameters: BTreeMap<String, String>,
    answer: BTreeMap<String, String>,
}

/// The fields whose values are never shown.
const SECRETS: [&str; 2] = ["AccessKeySecret", "SecurityToken"];

/// What is wrong with a world document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldError {
    /// The line, from 1.
    pub line: usize,
    /// The field, as `Accounts[0].Ipv6Addresses[2].Status`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, {}: {}", self.line, self.field, self.message)
    }
}

impl std::error::Error for WorldError {}

impl World {
    /// Reads a world document.
    ///
    /// # Errors
    ///
    /// The first field that is missing, unknown, of the wrong type or at odds with another.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let world: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            // What a document that ends too soon lacks has no name yet.
            let is_named = !matches!(field.as_str(), "" | "." | "?");
            let field = if is_named { field } else { "the document".to_owned() };
            let json = error.inner();
            // The line stands in front already.
            let message = json.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            // What stands where a secret should may be one.
            let is_secret = SECRETS.iter().any(|secret| field.contains(secret));
            let message = if is_secret { "not a text".to_owned() } else { message };
            WorldError { line: json.line(), field, message }
        })?;
        json.end().map_err(|error| WorldError {
            line: error.line(),
            field: "the document".to_owned(),
            message: "something follows its end".to_owned(),
        })?;
        check::check(&world).map_err(|(steps, message)| WorldError {
            line: locate::line(text, &steps),
            field: locate::path(&steps),
            message,
        })?;
        Ok(world)
    }

    /// Writes the world as a document, accounts and ids in order.
    ///
    /// # Errors
    ///
    /// None in practice; what serde may report of a time that has no date.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The documents that a store keeps of this world.
    #[must_use]
    pub fn into_documents(self) -> Vec<Document> {
        self.accounts.into_iter().flat_map(WorldAccount::into_documents).collect()
    }

    /// The world that `documents` make up.
    #[must_use]
    pub fn from_documents(documents: impl IntoIterator<Item = Document>) -> Self {
        let mut accounts: BTreeMap<String, WorldAccount> = BTreeMap::new();
        let mut account = |account_id: &str, add: &mut dyn FnMut(&mut WorldAccount)| {
            let entry = accounts.entry(account_id.to_owned()).or_default();
            account_id.clone_into(&mut entry.account_id);
            add(entry);
        };
        for document in documents {
            match &document {
                Document::AccessKey(key) => {
                    account(&key.account_id, &mut |account| account.add_access_key(key));
                }
                Document::Identity(identity) => {
                    account(&identity.account_id, &mut |account| account.add_identity(identity));
                }
                Document::Resource(resource) => match resource.as_ref() {
                    Resource::Account(known) => {
                        account(&known.account_id, &mut |account| account.billing = known.billing);
                    }
                    Resource::Ipv6Gateway(gateway) => {
                        account(&gateway.account_id, &mut |account| {
                            account.ipv6_gateways.push(WorldGateway {
                                ipv6_gateway_id: gateway.ipv6_gateway_id.clone(),
                                region_id: gateway.region_id.clone(),
                                vpc_id: gateway.vpc_id.clone(),
                            });
                        });
                    }
                    Resource::Ipv6Address(address) => {
                        account(&address.account_id, &mut |account| account.add_address(address));
                    }
                    // It is seen on its address.
                    Resource::InternetBandwidth(_) => {}
                    Resource::ClientToken(token) => {
                        account(&token.account_id, &mut |account| {
                            account.client_tokens.push(WorldToken::of(token));
                        });
                    }
                },
            }
        }
        let mut world = Self { accounts: accounts.into_values().collect() };
        for account in &mut world.accounts {
            account.access_keys.sort_by(|a, b| a.access_key_id.cmp(&b.access_key_id));
            account.ram_users.sort_by(|a, b| a.user_name.cmp(&b.user_name));
            for user in &mut account.ram_users {
                user.access_keys.sort_by(|a, b| a.access_key_id.cmp(&b.access_key_id));
            }
            account.ram_roles.sort_by(|a, b| a.role_name.cmp(&b.role_name));
            for role in &mut account.ram_roles {
                role.sessions.sort_by(|a, b| a.access_key_id.cmp(&b.access_key_id));
            }
            account.ipv6_gateways.sort();
            account.ipv6_addresses.sort_by(|a, b| a.ipv6_address_id.cmp(&b.ipv6_address_id));
            account.client_tokens.sort_by(|a, b| a.client_token.cmp(&b.client_token));
        }
        world
    }
}
