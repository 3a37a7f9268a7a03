//! All documents in the form that people write and read: `--world FILE`, and the worlds of the
//! contract's cases.

mod check;
mod locate;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;

use allocation::{
    Account, AssociatedInstance, Billing, ClientToken, InternetBandwidth, InternetBandwidthOwner,
    Ipv6Address, Ipv6AddressStatus, Ipv6Gateway, Ipv6Isp, NetworkType, Resource,
};
use serde::{Deserialize, Serialize};

use crate::{AccessKey, Document};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    billing: Option<Billing>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ipv6_gateways: Vec<WorldGateway>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ipv6_addresses: Vec<WorldAddress>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    client_tokens: Vec<WorldToken>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WorldAccessKey {
    access_key_id: String,
    access_key_secret: String,
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

/// Seconds since 1970 UTC, written as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Timestamp(u64);

const TIMESTAMP: &[time::format_description::BorrowedFormatItem<'_>] =
    time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let secs = i64::try_from(self.0).map_err(S::Error::custom)?;
        let time = time::OffsetDateTime::from_unix_timestamp(secs).map_err(S::Error::custom)?;
        serializer.serialize_str(&time.format(TIMESTAMP).map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let time = time::PrimitiveDateTime::parse(&text, TIMESTAMP).map_err(|_| {
            D::Error::custom(format!("not a time like 2026-01-02T03:04:05Z: {text}"))
        })?;
        u64::try_from(time.assume_utc().unix_timestamp()).map(Self).map_err(D::Error::custom)
    }
}

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
            let is_named = !matches!(field.as_str(), "." | "?");
            let field = if is_named { field } else { "the document".to_owned() };
            let json = error.inner();
            // The line stands in front already.
            let message = json.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
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
                Document::AccessKey(key) => account(&key.account_id, &mut |account| {
                    account.access_keys.push(WorldAccessKey {
                        access_key_id: key.access_key_id.clone(),
                        access_key_secret: key.access_key_secret.clone(),
                    });
                }),
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
            account.ipv6_gateways.sort();
            account.ipv6_addresses.sort_by(|a, b| a.ipv6_address_id.cmp(&b.ipv6_address_id));
            account.client_tokens.sort_by(|a, b| a.client_token.cmp(&b.client_token));
        }
        world
    }
}

impl WorldAccount {
    fn into_documents(self) -> Vec<Document> {
        let Self { account_id, access_keys, billing, ipv6_gateways, ipv6_addresses, client_tokens } =
            self;
        let mut resources =
            vec![Resource::Account(Account { account_id: account_id.clone(), billing })];
        for address in ipv6_addresses {
            let gateway = ipv6_gateways
                .iter()
                .find(|g| g.vpc_id == address.vpc_id && g.region_id == address.region_id);
            resources.extend(address.ipv6_internet_bandwidth.as_ref().map(|bandwidth| {
                Resource::InternetBandwidth(InternetBandwidthOwner {
                    internet_bandwidth_id: bandwidth.internet_bandwidth_id.clone(),
                    ipv6_address_id: address.ipv6_address_id.clone(),
                })
            }));
            let gateway_id = gateway.map(|gateway| gateway.ipv6_gateway_id.clone());
            resources.push(Resource::Ipv6Address(Box::new(
                address.into_address(&account_id, gateway_id),
            )));
        }
        resources.extend(ipv6_gateways.into_iter().map(|gateway| {
            Resource::Ipv6Gateway(Ipv6Gateway {
                ipv6_gateway_id: gateway.ipv6_gateway_id,
                account_id: account_id.clone(),
                region_id: gateway.region_id,
                vpc_id: gateway.vpc_id,
            })
        }));
        resources.extend(client_tokens.into_iter().map(|token| {
            Resource::ClientToken(Box::new(ClientToken {
                account_id: account_id.clone(),
                region_id: token.region_id,
                action: token.action,
                client_token: token.client_token,
                expires_at_secs: token.expires_at.0,
                parameters: token.parameters,
                answer: token.answer,
            }))
        }));
        let keys = access_keys.into_iter().map(|key| {
            Document::AccessKey(AccessKey {
                access_key_id: key.access_key_id,
                access_key_secret: key.access_key_secret,
                account_id: account_id.clone(),
            })
        });
        keys.chain(resources.into_iter().map(Document::from)).collect()
    }

    fn add_address(&mut self, address: &Ipv6Address) {
        let instance = address.associated_instance.as_ref();
        self.ipv6_addresses.push(WorldAddress {
            ipv6_address_id: address.ipv6_address_id.clone(),
            region_id: address.region_id.clone(),
            ipv6_address: address.ipv6_address,
            vpc_id: address.vpc_id.clone(),
            status: address.status,
            ipv6_isp: address.ipv6_isp,
            private_gua: address.private_gua,
            associated_instance_type: instance.map(|instance| instance.instance_type.clone()),
            associated_instance_id: instance.map(|instance| instance.instance_id.clone()),
            network_type: Some(address.network_type),
            ipv6_internet_bandwidth: address.ipv6_internet_bandwidth.clone(),
        });
    }
}

impl WorldAddress {
    fn into_address(self, account_id: &str, ipv6_gateway_id: Option<String>) -> Ipv6Address {
        Ipv6Address {
            ipv6_address_id: self.ipv6_address_id,
            account_id: account_id.to_owned(),
            region_id: self.region_id,
            ipv6_address: self.ipv6_address,
            vpc_id: self.vpc_id,
            ipv6_gateway_id,
            status: self.status,
            ipv6_isp: self.ipv6_isp,
            private_gua: self.private_gua,
            associated_instance: self.associated_instance_type.map(|instance_type| {
                AssociatedInstance {
                    instance_type,
                    instance_id: self.associated_instance_id.unwrap_or_default(),
                }
            }),
            network_type: match &self.ipv6_internet_bandwidth {
                Some(_) => NetworkType::Public,
                None => NetworkType::Private,
            },
            ipv6_internet_bandwidth: self.ipv6_internet_bandwidth,
        }
    }
}

impl WorldToken {
    fn of(token: &ClientToken) -> Self {
        Self {
            action: token.action.clone(),
            region_id: token.region_id.clone(),
            client_token: token.client_token.clone(),
            expires_at: Timestamp(token.expires_at_secs),
            parameters: token.parameters.clone(),
            answer: token.answer.clone(),
        }
    }
}
