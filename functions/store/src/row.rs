//! Documents as rows, in a directory and in DynamoDB: the schema and the members as JSON. Account and
//! id are in the row's key.
//!
//! A program reads rows of its own schema and of older ones, and ignores unknown members. It reads
//! rows of a newer schema too, but does not overwrite or delete them: that would lose members while
//! programs of both versions run.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use allocation::Resource;
use serde::{Deserialize, Serialize};

use crate::kinds::{ACCESS_KEY, KINDS, RAM_ROLE, RAM_USER};
use crate::{AccessKey, Document, Error, Identity, IdentityName, Key, NamedPolicy};

/// The schema in which this program writes rows of a kind.
pub(crate) fn schema_of(kind: &str) -> u16 {
    let known = KINDS.iter().chain(allocation::KINDS).find(|row| row.name == kind);
    known.map_or(0, |row| row.schema)
}

/// The members of a RAM user or role.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members<'a> {
    id: Cow<'a, str>,
    policies: Cow<'a, [NamedPolicy]>,
}

/// The members of a document.
///
/// # Errors
///
/// The document cannot be serialized.
pub(crate) fn write(document: &Document) -> Result<Vec<u8>, serde_json::Error> {
    match document {
        Document::AccessKey(access_key) => serde_json::to_vec(access_key),
        Document::Identity(identity) => serde_json::to_vec(&Members {
            id: Cow::Borrowed(&identity.id),
            policies: Cow::Borrowed(&identity.policies),
        }),
        Document::Resource(resource) => serde_json::to_vec(resource),
    }
}

/// The document with this key and these members.
///
/// # Errors
///
/// The members are invalid.
pub(crate) fn read(key: &str, members: &[u8]) -> Result<Document, serde_json::Error> {
    let (kind, rest) = key.split_once('#').unwrap_or((key, ""));
    match kind {
        ACCESS_KEY => {
            let mut access_key: AccessKey = serde_json::from_slice(members)?;
            rest.clone_into(&mut access_key.access_key_id);
            Ok(Document::AccessKey(Arc::new(access_key)))
        }
        RAM_USER | RAM_ROLE => {
            let Members { id, policies } = serde_json::from_slice(members)?;
            let (account_id, name) = rest.split_once('#').unwrap_or((rest, ""));
            let name = match kind {
                RAM_USER => IdentityName::RamUser(name.to_owned()),
                _ => IdentityName::RamRole(name.to_owned()),
            };
            Ok(Document::Identity(Arc::new(Identity {
                account_id: account_id.to_owned(),
                name,
                id: id.into_owned(),
                policies: policies.into_owned(),
            })))
        }
        _ => {
            let mut members = serde_json::Deserializer::from_slice(members);
            let resource = Resource::read_row(key, &mut members)?;
            members.end()?;
            Ok(Document::Resource(resource))
        }
    }
}

/// Refuses to overwrite or delete a row whose `schema` is newer than this program's.
///
/// # Errors
///
/// [`Error::Unavailable`].
pub(crate) fn check_schema(key: &Key, schema: u16) -> Result<(), Error> {
    let kind = key.kind();
    let known = schema_of(kind);
    if schema <= known {
        return Ok(());
    }
    Err(Error::Unavailable { source: Box::new(Newer { kind: kind.to_owned(), schema, known }) })
}

/// A row that a newer program wrote.
#[derive(Debug)]
struct Newer {
    kind: String,
    schema: u16,
    known: u16,
}

impl fmt::Display for Newer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, schema, known } = self;
        write!(
            formatter,
            "a newer program wrote a row ({kind}) with schema {schema}; this program writes schema \
             {known} and would lose unknown members"
        )
    }
}

impl std::error::Error for Newer {}

#[cfg(test)]
mod tests;
