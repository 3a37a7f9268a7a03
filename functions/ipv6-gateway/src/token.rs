//! What a client token remembers, and which calls repeat it.

use allocation::{Caller, Change, ClientToken, Key, Region, Texts, Timestamp};

use crate::operations::Entry;

/// How long a client token is remembered: 24 hours (decision `token`).
const LIFE_SECS: u64 = 24 * 60 * 60;

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
    let sent = |name: &str| change.parameters.iter().any(|(sent, _)| *sent == name);
    // Only a call that was no dry run is remembered (decision `dry-run-token`).
    !change.dry_run
        && change.parameters.iter().all(|(name, value)| token.parameters.get(name) == Some(value))
        && token
            .parameters
            .iter()
            .all(|(name, _)| sent(name) || entry.defaulted_from_state.contains(&name))
}

/// What the token of a call remembers once the call is committed: its parameters, with the defaults
/// `taken` from the state, and its answer.
pub(crate) fn of(
    entry: &Entry,
    region: Region,
    caller: &Caller<'_>,
    change: &Change<'_>,
    taken: &[(&'static str, String)],
    answer: Texts,
    now_secs: u64,
) -> Option<ClientToken> {
    let client_token = change.client_token?;
    let sent = change.parameters.iter().map(|(name, value)| (*name, &**value));
    let taken = taken
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .filter(|(name, _)| change.parameters.iter().all(|(sent, _)| sent != name));
    Some(ClientToken {
        account_id: caller.account_id.into(),
        region_id: Some(region),
        action: entry.name.into(),
        client_token: client_token.into(),
        expires_at: Timestamp { secs: now_secs.saturating_add(LIFE_SECS) },
        parameters: sent.chain(taken).collect(),
        answer,
    })
}
