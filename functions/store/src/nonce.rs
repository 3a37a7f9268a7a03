//! The hash under which a used nonce is kept.

use sha2::{Digest as _, Sha256};

/// The hash of an access key's id and a nonce, which can be of any length. The id's length is hashed
/// too: otherwise two different pairs could have the same concatenation.
pub(crate) fn digest(access_key_id: &str, nonce: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(access_key_id.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(access_key_id);
    hash.update(nonce);
    hash.finalize().into()
}
