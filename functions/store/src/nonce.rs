//! What a spent nonce is remembered by.

use sha2::{Digest as _, Sha256};

/// The hash of an access key's id and a nonce: both are as long as a caller likes, and nobody can
/// find two that have the same. The id's length keeps apart what reads alike when joined.
pub(crate) fn digest(access_key_id: &str, nonce: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(access_key_id.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(access_key_id);
    hash.update(nonce);
    hash.finalize().into()
}
