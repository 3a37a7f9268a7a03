//! The kinds of rows that only stores know.

use allocation::{KindRow, Writer};

pub(crate) const ACCESS_KEY: &str = "access-key";
pub(crate) const RAM_USER: &str = "ram-user";
pub(crate) const RAM_ROLE: &str = "ram-role";
/// Used nonces. Their rows have no document.
pub(crate) const NONCE: &str = "nonce";
/// Counters of calls. Their rows have no document.
pub(crate) const CALLS: &str = "calls";

/// Every kind of row in addition to [`allocation::KINDS`].
pub const KINDS: &[KindRow] = &[
    KindRow { name: ACCESS_KEY, schema: 1, world: None, writer: Writer::Operator },
    KindRow { name: RAM_USER, schema: 1, world: None, writer: Writer::Operator },
    KindRow { name: RAM_ROLE, schema: 1, world: None, writer: Writer::Operator },
    KindRow { name: NONCE, schema: 1, world: None, writer: Writer::Function },
    KindRow { name: CALLS, schema: 1, world: None, writer: Writer::Function },
];
