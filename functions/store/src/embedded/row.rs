//! Rows of the directory: version and expiry in eight bytes each, the schema in two bytes, then the
//! members as JSON. The row's key is the document's key.

use std::fmt;

use crate::row;
use crate::{Document, Key, Version, Versioned};

/// The expiry of a row that does not expire.
const NEVER: u64 = u64::MAX;
const HEAD_BYTES: usize = 18;

/// A row to write, without its version.
pub(super) struct NewRow {
    pub(super) key: Vec<u8>,
    pub(super) expires_at_secs: Option<u64>,
    schema: u16,
    json: Vec<u8>,
}

impl NewRow {
    /// # Errors
    ///
    /// The document cannot be serialized.
    pub(super) fn new(key: &Key, document: &Document) -> Result<Self, serde_json::Error> {
        Ok(Self {
            key: key.text().as_bytes().to_vec(),
            expires_at_secs: document.expires_at_secs().filter(|secs| *secs != NEVER),
            schema: row::schema_of(key.kind()),
            json: row::write(document)?,
        })
    }

    /// The row's bytes.
    pub(super) fn with(&self, version: Version) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.json.len());
        bytes.extend_from_slice(&version.0.to_be_bytes());
        bytes.extend_from_slice(&self.expires_at_secs.unwrap_or(NEVER).to_be_bytes());
        bytes.extend_from_slice(&self.schema.to_be_bytes());
        bytes.extend_from_slice(&self.json);
        bytes
    }
}

/// The fields before a row's members.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) version: Version,
    pub(super) expires_at_secs: Option<u64>,
    pub(super) schema: u16,
}

/// The error for an unreadable row. It does not quote the row, which may hold a secret.
#[derive(Debug)]
pub(super) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row of the store cannot be read: the directory is damaged")
    }
}

impl std::error::Error for Unreadable {}

/// The fields before a row's members.
pub(super) fn head(row: &[u8]) -> Result<Head, Unreadable> {
    let (version, rest) = row.split_first_chunk().ok_or(Unreadable)?;
    let (expires_at_secs, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
    let expires_at_secs = u64::from_be_bytes(*expires_at_secs);
    Ok(Head {
        version: Version(u64::from_be_bytes(*version)),
        expires_at_secs: (expires_at_secs != NEVER).then_some(expires_at_secs),
        schema: u16::from_be_bytes(*rest.first_chunk().ok_or(Unreadable)?),
    })
}

/// The document of a row, and its version.
pub(super) fn decode(key: &[u8], row: &[u8]) -> Result<Versioned, Unreadable> {
    let Head { version, .. } = head(row)?;
    let key = str::from_utf8(key).map_err(|_| Unreadable)?;
    let members = row.get(HEAD_BYTES..).ok_or(Unreadable)?;
    let document = row::read(key, members).map_err(|_| Unreadable)?;
    Ok(Versioned { document, version })
}
