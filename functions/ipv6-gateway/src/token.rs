//! Client tokens: which calls repeat an earlier one.

use std::borrow::Cow;

use allocation::ClientToken;

use crate::operations::Entry;

/// The lifetime of a client token: 24 hours (decision `token`).
pub(crate) const LIFE_SECS: u64 = 24 * 60 * 60;

/// The parameters that are equal in a call and its replays.
pub(crate) type Compared<'c> = Vec<(&'static str, Cow<'c, str>)>;

/// Whether a call with the parameters `sent`, with defaults, repeats the call of `token` (decision
/// `token-same`). The call may omit a parameter whose default depends on the state: the state may have
/// changed since.
pub(crate) fn is_repeated(token: &ClientToken, sent: &Compared<'_>, entry: &Entry) -> bool {
    sent.iter().all(|(name, value)| token.parameters.get(name) == Some(value))
        && token
            .parameters
            .iter()
            .all(|(name, _)| is_sent(sent, name) || entry.defaulted_from_state.contains(&name))
}

/// Whether the call has the parameter of this name.
pub(crate) fn is_sent(sent: &Compared<'_>, name: &str) -> bool {
    sent.iter().any(|(known, _)| *known == name)
}
