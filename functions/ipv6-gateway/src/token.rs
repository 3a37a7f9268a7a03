//! What a client token remembers, and which calls repeat it.

use allocation::{Caller, Change, ClientToken, Key, Region};

use crate::operations::Entry;

/// How long a client token is remembered: 24 hours (decision `token`).
pub(crate) const LIFE_SECS: u64 = 24 * 60 * 60;

/// The key under which the token of a call is remembered; `None`: the call sends none, and nothing
/// of it is remembered.
pub(crate) fn key(
    entry: &Entry,
    region: Region,
    caller: &Caller<'_>,
    change: Option<&Change<'_>>,
) -> Option<Key> {
    let client_token = change?.client_token?;
    Some(ClientToken::key(caller.scope(region), entry.name, client_token))
}

/// Whether a call with this `change` repeats the one that `token` remembers, after defaults are
/// filled in (decision `token-same`). A parameter that the call leaves out and that is remembered
/// took its default from the state then, and the state may be another by now.
pub(crate) fn is_repeated(token: &ClientToken, change: &Change<'_>, entry: &Entry) -> bool {
    // Only a call that was no dry run is remembered (decision `dry-run-token`).
    !change.dry_run
        && change.parameters.iter().all(|(name, value)| token.parameters.get(name) == Some(value))
        && token
            .parameters
            .iter()
            .all(|(name, _)| is_sent(change, name) || entry.defaulted_from_state.contains(&name))
}

/// Whether the call sends the parameter of this name.
pub(crate) fn is_sent(change: &Change<'_>, name: &str) -> bool {
    change.parameters.iter().any(|(sent, _)| *sent == name)
}
