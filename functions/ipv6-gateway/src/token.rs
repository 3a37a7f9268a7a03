//! What a client token remembers, and which calls repeat it.

use std::borrow::Cow;

use allocation::ClientToken;

use crate::operations::Entry;

/// How long a client token is remembered: 24 hours (decision `token`).
pub(crate) const LIFE_SECS: u64 = 24 * 60 * 60;

/// The parameters of a call by which it repeats another.
pub(crate) type Compared<'c> = Vec<(&'static str, Cow<'c, str>)>;

/// Whether a call with the parameters `sent` repeats the one that `token` remembers, after defaults
/// are filled in (decision `token-same`). A parameter that the call leaves out and that is
/// remembered took its default from the state then, and the state may be another by now.
pub(crate) fn is_repeated(token: &ClientToken, sent: &Compared<'_>, entry: &Entry) -> bool {
    sent.iter().all(|(name, value)| token.parameters.get(name) == Some(value))
        && token
            .parameters
            .iter()
            .all(|(name, _)| is_sent(sent, name) || entry.defaulted_from_state.contains(&name))
}

/// Whether the call sends the parameter of this name.
pub(crate) fn is_sent(sent: &Compared<'_>, name: &str) -> bool {
    sent.iter().any(|(known, _)| *known == name)
}
