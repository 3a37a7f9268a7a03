//! World documents as JSON: whose a key is, and how two worlds are compared.

mod view;

use serde_json::{Value, json};

use crate::client::seconds;

pub use view::View;

/// The member of an account that holds what client tokens remember.
const TOKENS: &str = "ClientTokens";

/// How long a client token is remembered, in seconds (decision `token`).
pub const TOKEN_SECS: i64 = 24 * 60 * 60;

/// How far two times may be apart that are the same, in seconds.
const CLOCK_SECS: i64 = 60;

/// An access key of a world.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The account's id.
    pub account_id: &'a str,
    /// The account.
    pub account: &'a Value,
    /// What the world says of the key.
    pub entry: &'a Value,
    /// The RAM user or role whose policies count; none for the account's own key.
    pub principal: Option<&'a Value>,
    /// Whether it is the temporary key of a role's session.
    pub is_session: bool,
}

/// The members of an object, none of anything else.
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

/// Whether what a client token remembers counts at this time.
fn lives(remembered: &Value, now_secs: i64) -> bool {
    let expires = remembered["ExpiresAt"].as_str().and_then(seconds);
    expires.is_none_or(|expires| expires > now_secs)
}

/// Whether a value has all members of another, whatever else it has.
#[must_use]
pub fn includes(value: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Null => value.is_null(),
        Value::Object(wanted) => wanted.iter().all(|(name, wanted)| includes(&value[name], wanted)),
        _ => value == wanted,
    }
}

/// Changes a value as RFC 7396 says.
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

/// The members of a value that another has, too; null for each that is missing.
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

/// The accounts of the world that is expected and of the one told, without what makes no difference:
/// tokens that have expired, and some seconds in the time until which one is remembered, as the clock
/// goes on while a call is on its way.
#[must_use]
pub fn settled(expected: &Value, told: &Value, now_secs: i64) -> (Value, Value) {
    let [mut expected, mut told] = [expected, told].map(|world| world["Accounts"].clone());
    for account in accounts(&mut expected).chain(accounts(&mut told)).map(|(_, account)| account) {
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
    for (account_id, account) in accounts(&mut told) {
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
    (expected, told)
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
        for (expected, told, is_same) in [
            (None, Some(past), true),
            (None, Some(day), false),
            (Some(day), Some("1970-01-02T00:00:21Z"), true),
            (Some(day), Some("1970-01-02T00:02:20Z"), false),
            (Some(day), Some("1970-01-01T01:00:20Z"), false),
            (Some(day), Some(past), false),
            (Some(day), None, false),
        ] {
            let (one, other) = settled(&world(expected), &world(told), 20);
            assert_eq!(one == other, is_same, "{expected:?} {told:?}");
        }
        let none = json!({ "Accounts": { "1": {} } });
        let (one, other) = settled(&world(None), &none, 20);
        assert_eq!(one, other);
    }
}
