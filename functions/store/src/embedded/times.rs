//! What expires when, as rows.

use super::{row, unavailable};
use crate::Error;

/// What a batch writes that expires.
#[derive(Default)]
pub(super) struct Expiring {
    pub(super) documents: Times,
    pub(super) nonces: Times,
}

/// Keys, and when each expires: time, length and key, one after another.
#[derive(Default)]
pub(super) struct Times {
    pub(super) last_secs: Option<u64>,
    pub(super) bytes: Vec<u8>,
}

impl Times {
    pub(super) fn add(&mut self, expires_at_secs: u64, key: &[u8]) {
        self.last_secs = self.last_secs.max(Some(expires_at_secs));
        self.bytes.extend_from_slice(&expires_at_secs.to_be_bytes());
        // No key is longer than what the engine takes, which is less.
        let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(key);
    }

    /// What was added.
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

/// The first time and key, and what comes after.
fn first(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (secs, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (key, rest) = rest.split_at_checked(length)?;
    Some((u64::from_be_bytes(*secs), key, rest))
}
