//! Documents as rows, the same in a directory and in DynamoDB: the number of the row's form, and the
//! members as JSON. Account and id are in the row's key.
//!
//! A program reads rows of its own form and of every older one, and passes over members that it does
//! not know. A row of a newer form can be read, but not overwritten or deleted: that would lose what
//! the newer program wrote, while both run side by side.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use allocation::Resource;
use serde::{Deserialize, Serialize};

use crate::kinds::{ACCESS_KEY, KINDS, RAM_ROLE, RAM_USER};
use crate::{AccessKey, Document, Error, Identity, IdentityName, Key, NamedPolicy};

/// The number of the form in which this program writes rows of a kind.
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
/// What serde says.
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

/// The document of these members, whose key has this text.
///
/// # Errors
///
/// What serde says.
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

/// Refuses to overwrite or delete a row of form `schema`, if that is newer than what this program
/// writes.
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

/// That a row was written by a newer program.
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
            "a newer program wrote a row ({kind}) in form {schema}; this program writes form \
             {known} and would lose members that it does not know"
        )
    }
}

impl std::error::Error for Newer {}

#[cfg(test)]
mod tests;
