//! World documents: all documents of a store as one JSON file, for `--world FILE` and for the
//! contract's cases. Members are addressed by account, kind and id, so a JSON merge patch (RFC 7396)
//! can change a world.
//!
//! Rows and worlds share the readers of documents. Unknown members are ignored in rows and refused
//! in worlds, which people write by hand: see [`strict`].

mod check;
mod identities;
mod locate;
mod strict;

use std::collections::BTreeMap;
use std::fmt;

use allocation::{KINDS, KindRow, Resource};
use serde::de::{Deserialize as _, DeserializeOwned};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{Document, Holder, IdentityName};
use identities::{WorldAccessKey, WorldRamRole, WorldRamUser};
use locate::Step;
use strict::Strict;

/// All documents, by account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct World {
    accounts: BTreeMap<String, WorldAccount>,
}

/// The documents of one account, except implied ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct WorldAccount {
    access_keys: BTreeMap<String, WorldAccessKey>,
    ram_users: BTreeMap<String, WorldRamUser>,
    ram_roles: BTreeMap<String, WorldRamRole>,
    /// By the position of the kind in [`KINDS`], then by id.
    resources: BTreeMap<(usize, String), Resource>,
}

/// An error in a world document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldError {
    /// The line, from 1.
    pub line: usize,
    /// The field, as in `Accounts.1234567890123456.Ipv6Addresses.ipv6-1.Status`.
    pub field: String,
    /// The reason.
    pub message: String,
}

impl fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, {}: {}", self.line, self.field, self.message)
    }
}

impl std::error::Error for WorldError {}

/// An error in a world, and the steps to its field.
struct Finding {
    steps: Vec<Step>,
    message: String,
}

impl World {
    /// Parses a world document. It may begin with a byte order mark, which some editors write.
    ///
    /// # Errors
    ///
    /// A field is missing, unknown, repeated, of the wrong type, or contradicts another.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value = strict::parse(text)?;
        let world = Self::read(value).and_then(|world| check::check(&world).map(|()| world));
        world.map_err(|Finding { steps, message }| WorldError {
            line: locate::line(text, &steps),
            field: locate::path(&steps),
            message,
        })
    }

    fn read(world: Value) -> Result<Self, Finding> {
        let mut members = object(world, &[])?;
        let accounts = members.remove("Accounts");
        let accounts = accounts.ok_or_else(|| finding(&[], "missing field `Accounts`"))?;
        if let Some((name, _)) = members.iter().next() {
            return Err(finding(&[name], "unknown member"));
        }
        let read = |(account_id, account): (String, Value)| {
            let account = WorldAccount::read(&account_id, account)?;
            Ok((account_id, account))
        };
        let accounts = object(accounts, &["Accounts"])?.into_iter().map(read);
        Ok(Self { accounts: accounts.collect::<Result<_, _>>()? })
    }

    /// Writes the world document, with accounts and ids sorted.
    ///
    /// # Errors
    ///
    /// A time is beyond the year 9999.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The documents of this world, including implied ones.
    #[must_use]
    pub fn into_documents(self) -> Vec<Document> {
        let mut documents = Vec::new();
        for (account_id, account) in self.accounts {
            let WorldAccount { access_keys, ram_users, ram_roles, resources } = account;
            for (id, key) in access_keys {
                documents.push(key.into_document(id, &account_id, Holder::Account));
            }
            for (name, user) in ram_users {
                user.into_documents(name, &account_id, &mut documents);
            }
            for (name, role) in ram_roles {
                role.into_documents(name, &account_id, &mut documents);
            }
            for resource in resources.into_values() {
                documents.extend(resource.implied().into_iter().map(Document::from));
                documents.push(resource.into());
            }
        }
        documents
    }

    /// The world of `documents`.
    #[must_use]
    pub fn from_documents(documents: impl IntoIterator<Item = Document>) -> Self {
        let mut world = Self::default();
        for document in documents {
            match document {
                Document::AccessKey(key) => {
                    let account = world.accounts.entry(key.account_id.clone()).or_default();
                    account.add_access_key(&key);
                }
                Document::Identity(identity) => {
                    let account = world.accounts.entry(identity.account_id.clone()).or_default();
                    let policies = identities::by_name(&identity.policies);
                    match &identity.name {
                        IdentityName::RamUser(name) => {
                            let user = account.ram_users.entry(name.clone()).or_default();
                            user.user_id.clone_from(&identity.id);
                            user.policies = policies;
                        }
                        IdentityName::RamRole(name) => {
                            let role = account.ram_roles.entry(name.clone()).or_default();
                            role.role_id.clone_from(&identity.id);
                            role.policies = policies;
                        }
                    }
                }
                Document::Resource(resource) => {
                    let kind = resource.kind();
                    // Implied documents are not written.
                    if kind.world.is_some() {
                        let account_id = resource.account_id().to_owned();
                        let position = KINDS.iter().position(|row| *row == kind);
                        let key = (position.unwrap_or_default(), resource.id());
                        let account = world.accounts.entry(account_id).or_default();
                        account.resources.insert(key, resource);
                    }
                }
            }
        }
        world
    }
}

impl WorldAccount {
    fn read(account_id: &str, account: Value) -> Result<Self, Finding> {
        let at = ["Accounts", account_id];
        let mut members = object(account, &at)?;
        let mut read = Self {
            access_keys: by_id(&mut members, &at, "AccessKeys")?,
            ram_users: by_id(&mut members, &at, "RamUsers")?,
            ram_roles: by_id(&mut members, &at, "RamRoles")?,
            resources: BTreeMap::new(),
        };
        let mut own = None;
        for (position, kind) in KINDS.iter().enumerate() {
            match kind.world {
                None => {}
                Some("") => own = Some((position, kind)),
                Some(name) => {
                    let documents = members.remove(name).unwrap_or_else(|| Map::new().into());
                    for (id, document) in object(documents, &[&at[..], &[name]].concat())? {
                        let at = [at[0], at[1], name, &id];
                        let document = resource(kind, account_id, &id, document, &at)?;
                        read.resources.insert((position, id), document);
                    }
                }
            }
        }
        // The remaining members are the account's own, or unknown.
        if let Some((position, kind)) = own {
            let document = resource(kind, account_id, "", members.into(), &at)?;
            read.resources.insert((position, String::new()), document);
        }
        Ok(read)
    }
}

fn resource(
    kind: &KindRow,
    account_id: &str,
    id: &str,
    document: Value,
    at: &[&str],
) -> Result<Resource, Finding> {
    // Otherwise a list of the members would be read as the document.
    let document = Value::Object(object(document, at)?);
    read_at(at, document, |members| Resource::read(kind.name, account_id, id, members))
}

/// Removes and reads the member `name` of an account: documents by id.
fn by_id<T: DeserializeOwned>(
    members: &mut Map<String, Value>,
    at: &[&str],
    name: &str,
) -> Result<BTreeMap<String, T>, Finding> {
    let documents = members.remove(name).unwrap_or_else(|| Map::new().into());
    read_at(&[at, &[name]].concat(), documents, |documents| BTreeMap::deserialize(documents))
}

/// Reads `value`, whose path is `at`.
fn read_at<T>(
    at: &[&str],
    value: Value,
    read: impl FnOnce(serde_path_to_error::Deserializer<'_, '_, Strict>) -> Result<T, serde_json::Error>,
) -> Result<T, Finding> {
    let mut track = serde_path_to_error::Track::new();
    let result = read(serde_path_to_error::Deserializer::new(Strict(value), &mut track));
    result.map_err(|error| {
        let steps = at.iter().map(|name| Step::Member((*name).to_owned()));
        let steps: Vec<Step> = steps.chain(locate::steps(&track.path())).collect();
        let message = strict::without_secrets(error.to_string(), &steps);
        Finding { steps, message }
    })
}

fn object(value: Value, at: &[&str]) -> Result<Map<String, Value>, Finding> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(finding(at, "expected an object")),
    }
}

fn finding(at: &[&str], message: impl Into<String>) -> Finding {
    let steps = at.iter().map(|name| Step::Member((*name).to_owned())).collect();
    Finding { steps, message: message.into() }
}

impl Serialize for WorldAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        let Self { access_keys, ram_users, ram_roles, resources } = self;
        if !access_keys.is_empty() {
            members.serialize_entry("AccessKeys", access_keys)?;
        }
        if !ram_users.is_empty() {
            members.serialize_entry("RamUsers", ram_users)?;
        }
        if !ram_roles.is_empty() {
            members.serialize_entry("RamRoles", ram_roles)?;
        }
        for (position, kind) in KINDS.iter().enumerate() {
            let of_kind =
                || resources.range((position, String::new())..(position + 1, String::new()));
            match kind.world {
                Some("") => {
                    for (_, document) in of_kind() {
                        let own = serde_json::to_value(document).map_err(S::Error::custom)?;
                        for (name, member) in own.as_object().into_iter().flatten() {
                            members.serialize_entry(name, member)?;
                        }
                    }
                }
                Some(name) if of_kind().next().is_some() => {
                    let documents: BTreeMap<_, _> =
                        of_kind().map(|((_, id), document)| (id, document)).collect();
                    members.serialize_entry(name, &documents)?;
                }
                Some(_) | None => {}
            }
        }
        members.end()
    }
}
