//! World documents as JSON: finds access keys, and compares worlds.

mod view;

use serde_json::{Value, json};

use crate::client::seconds;

pub use view::View;

/// The member of an account with its client tokens.
const TOKENS: &str = "ClientTokens";

/// How long a client token is remembered, in seconds (decision `token`).
pub const TOKEN_SECS: i64 = 24 * 60 * 60;

/// The greatest difference between times that count as equal, in seconds.
const CLOCK_SECS: i64 = 60;

/// An access key of a world.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The account's id.
    pub account_id: &'a str,
    /// The account.
    pub account: &'a Value,
    /// The key's entry in the world.
    pub entry: &'a Value,
    /// The RAM user or role whose policies apply; `None` for the account's own key.
    pub principal: Option<&'a Value>,
    /// Whether this is the temporary key of a role's session.
    pub is_session: bool,
}

/// The members of an object; none of another value.
pub fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The access key of this id.
#[must_use]
pub fn key<'a>(world: &'a Value, id: &str) -> Option<Key<'a>> {
    members(&world["Accounts"]).find_map(|(account_id, account)| {
        let key = |entry, principal, is_session| Key {
            account_id,
            account,
            entry,
            principal,
            is_session,
        };
        let of = |kind: &str, keys: &'static str, is_session| {
            members(&account[kind]).find_map(|(_, principal)| {
                Some(key(principal[keys].get(id)?, Some(principal), is_session))
            })
        };
        let own = account["AccessKeys"].get(id).map(|entry| key(entry, None, false));
        own.or_else(|| of("RamUsers", "AccessKeys", false))
            .or_else(|| of("RamRoles", "Sessions", true))
    })
}

/// Whether a remembered client token is valid at this time.
fn lives(remembered: &Value, now_secs: i64) -> bool {
    let expires = remembered["ExpiresAt"].as_str().and_then(seconds);
    expires.is_none_or(|expires| expires > now_secs)
}

/// Whether a value has all members of another one.
#[must_use]
pub fn includes(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Null => value.is_null(),
        Value::Object(wanted) => wanted.iter().all(|(name, wanted)| includes(&value[name], wanted)),
        _ => value == wanted,
    }
}

/// Applies a JSON Merge Patch (RFC 7396).
pub fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(value);
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    for (name, patch) in patch {
        if patch.is_null() {
            value.as_object_mut().map(|members| members.remove(name));
        } else {
            merge(&mut value[name], patch);
        }
    }
}

/// The members of a value that another one names; null for each missing one.
#[must_use]
pub fn included(value: &Value, wanted: &Value) -> Value {
    match wanted {
        Value::Object(wanted) => {
            let members = wanted.iter();
            members.map(|(name, wanted)| (name.clone(), included(&value[name], wanted))).collect()
        }
        _ => value.clone(),
    }
}

/// The accounts of the expected and the actual world, without irrelevant differences: expired tokens, and a
/// difference of seconds in the expiry of a token, as the clock moves during a call.
#[must_use]
pub fn settled(expected: &Value, actual: &Value, now_secs: i64) -> (Value, Value) {
    let [mut expected, mut actual] = [expected, actual].map(|world| world["Accounts"].clone());
    for account in accounts(&mut expected).chain(accounts(&mut actual)).map(|(_, account)| account)
    {
        let Some(tokens) = account.get_mut(TOKENS).and_then(Value::as_object_mut) else { continue };
        tokens.retain(|_, remembered| lives(remembered, now_secs));
        for remembered in tokens.values_mut() {
            for member in ["Parameters", "Answer"] {
                if remembered[member].is_null() {
                    remembered[member] = json!({});
                }
            }
        }
        if tokens.is_empty() {
            account.as_object_mut().map(|members| members.remove(TOKENS));
        }
    }
    for (account_id, account) in accounts(&mut actual) {
        let tokens = account.get_mut(TOKENS).and_then(Value::as_object_mut);
        for (token, remembered) in tokens.into_iter().flatten() {
            let until = &expected[account_id][TOKENS][token]["ExpiresAt"];
            let secs =
                [until, &remembered["ExpiresAt"]].map(|time| time.as_str().and_then(seconds));
            if let [Some(one), Some(other)] = secs
                && (one - other).abs() <= CLOCK_SECS
            {
                remembered["ExpiresAt"] = until.clone();
            }
        }
    }
    (expected, actual)
}

fn accounts(accounts: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    accounts.as_object_mut().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_sets_members_and_removes_those_that_are_null() {
        let mut value = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(&mut value, &json!({ "a": { "b": null, "e": 3 }, "d": [2], "f": { "g": null } }));
        assert_eq!(value, json!({ "a": { "c": 2, "e": 3 }, "d": [2], "f": {} }));
    }

    #[test]
    fn a_token_that_has_expired_makes_no_difference_and_a_new_one_must_last_a_day() {
        let world = |expires: Option<&str>| {
            let token = |expires| json!({ "t": { "ExpiresAt": expires, "Answer": { "a": "b" } } });
            json!({ "Accounts": { "1": { TOKENS: expires.map_or(json!({}), token) } } })
        };
        let (past, day) = ("1970-01-01T00:00:10Z", "1970-01-02T00:00:20Z");
        for (expected, actual, is_same) in [
            (None, Some(past), true),
            (None, Some(day), false),
            (Some(day), Some("1970-01-02T00:00:21Z"), true),
            (Some(day), Some("1970-01-02T00:02:20Z"), false),
            (Some(day), Some("1970-01-01T01:00:20Z"), false),
            (Some(day), Some(past), false),
            (Some(day), None, false),
        ] {
            let (one, other) = settled(&world(expected), &world(actual), 20);
            assert_eq!(one == other, is_same, "{expected:?} {actual:?}");
        }
        let none = json!({ "Accounts": { "1": {} } });
        let (one, other) = settled(&world(None), &none, 20);
        assert_eq!(one, other);
    }
}
