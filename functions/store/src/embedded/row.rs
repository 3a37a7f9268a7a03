//! Documents as rows: version and expiry, eight bytes each, then the document as JSON.

use std::fmt;

use crate::key_text::key_text;
use crate::{Document, Key, Version, Versioned};

/// What stands for no expiry.
const NEVER: u64 = u64::MAX;
const HEAD_BYTES: usize = 16;

/// A row to be written, but for its version.
pub(super) struct NewRow {
    pub(super) key: Vec<u8>,
    pub(super) expires_at_secs: Option<u64>,
    json: Vec<u8>,
}

impl NewRow {
    /// # Errors
    ///
    /// What serde says.
    pub(super) fn new(key: &Key, document: &Document) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_vec(document)?;
        let expires_at_secs = document.expires_at_secs().filter(|secs| *secs != NEVER);
        Ok(Self { key: key_text(key).into_bytes(), expires_at_secs, json })
    }

    /// The row's bytes.
    pub(super) fn with(&self, version: Version) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.json.len());
        bytes.extend_from_slice(&version.0.to_be_bytes());
        bytes.extend_from_slice(&self.expires_at_secs.unwrap_or(NEVER).to_be_bytes());
        bytes.extend_from_slice(&self.json);
        bytes
    }
}

/// What stands before a row's document.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) version: Version,
    pub(super) expires_at_secs: Option<u64>,
}

/// That a row cannot be read. Never what stands in it, which may be a secret.
#[derive(Debug)]
pub(super) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row of the store cannot be read: the directory is damaged")
    }
}

impl std::error::Error for Unreadable {}

/// What stands before the document.
pub(super) fn head(row: &[u8]) -> Result<Head, Unreadable> {
    let (version, rest) = row.split_first_chunk().ok_or(Unreadable)?;
    let expires_at_secs = rest.first_chunk().ok_or(Unreadable)?;
    let expires_at_secs = u64::from_be_bytes(*expires_at_secs);
    Ok(Head {
        version: Version(u64::from_be_bytes(*version)),
        expires_at_secs: (expires_at_secs != NEVER).then_some(expires_at_secs),
    })
}

/// The document and its version.
pub(super) fn decode(row: &[u8]) -> Result<Versioned, Unreadable> {
    let Head { version, .. } = head(row)?;
    let json = row.get(HEAD_BYTES..).ok_or(Unreadable)?;
    let document = serde_json::from_slice(json).map_err(|_| Unreadable)?;
    Ok(Versioned { document, version })
}
