//! Expiries as rows.

use super::{row, unavailable};
use crate::Error;

/// The expiring documents and nonces of a batch.
#[derive(Default)]
pub(super) struct Expiring {
    pub(super) documents: Times,
    pub(super) nonces: Times,
}

/// Keys and their expiries: time, length and key, one after another.
#[derive(Default)]
pub(super) struct Times {
    pub(super) last_secs: Option<u64>,
    pub(super) bytes: Vec<u8>,
}

impl Times {
    pub(super) fn add(&mut self, expires_at_secs: u64, key: &[u8]) {
        self.last_secs = self.last_secs.max(Some(expires_at_secs));
        self.bytes.extend_from_slice(&expires_at_secs.to_be_bytes());
        // The engine's limit of keys is far less than 4 GB.
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(key);
    }

    /// Reads the expiries and keys.
    pub(super) fn read(mut bytes: &[u8]) -> Result<Vec<(u64, &[u8])>, Error> {
        let mut times = Vec::new();
        while !bytes.is_empty() {
            let (secs, key, rest) = first(bytes).ok_or_else(|| unavailable(row::Unreadable))?;
            times.push((secs, key));
            bytes = rest;
        }
        Ok(times)
    }
}

/// The first expiry and key, and the remaining bytes.
fn first(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (secs, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (key, rest) = rest.split_at_checked(length)?;
    Some((u64::from_be_bytes(*secs), key, rest))
}
