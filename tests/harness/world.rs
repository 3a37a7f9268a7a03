//! World documents as JSON: whose a key is, which documents a call is about, and what the world is
//! like after a success.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::client::seconds;
use crate::operations::{Document, Operation};

/// Parameters that a client token does not remember: they are in its key, or stand for no state.
const NOT_REMEMBERED: [&str; 3] = [REGION, TOKEN, DRY_RUN];
const REGION: &str = "RegionId";
const TOKEN: &str = "ClientToken";
const DRY_RUN: &str = "DryRun";

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

/// A call as rules see it: its parameters, the account, and the documents that it is about.
#[derive(Clone, Debug)]
pub struct View<'a> {
    operation: &'a Operation,
    account_id: String,
    /// What `when` of an error is a schema of.
    seen: Value,
    /// Kind and id of each document, by the name that the operation gives it.
    places: BTreeMap<&'a str, (String, String)>,
}

impl<'a> View<'a> {
    /// The call of `operation` with these parameters and this access key, in `world`.
    #[must_use]
    pub fn of(
        operation: &'a Operation,
        world: &Value,
        key_id: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Self {
        // What is sent empty counts as left out (decision `empty-optional`).
        let given: Map<String, Value> = parameters
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.clone(), text.as_str().into()))
            .collect();
        let key = key(world, key_id);
        let account = key.map_or(Value::Null, |key| key.account.clone());
        let mut view = Self {
            operation,
            account_id: key.map(|key| key.account_id.to_owned()).unwrap_or_default(),
            seen: json!({ "parameters": given, "account": account }),
            places: BTreeMap::new(),
        };
        for document in &operation.documents {
            let Some((kind, id)) = view.place(document) else { continue };
            let mut found = view.seen["account"][&kind][&id].clone();
            let named: Vec<&str> = members(&view.seen["parameters"])
                .filter(|(_, text)| **text == *id)
                .map(|(name, _)| name.as_str())
                .collect();
            found["namedBy"] = json!(named);
            found["id"] = json!(id);
            view.seen[&document.name] = found;
            view.places.insert(&document.name, (kind, id));
        }
        view
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &'a Operation {
        self.operation
    }

    /// Whether the call only asks whether it would pass.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        let takes = self.operation.parameters.iter().any(|known| known.name == DRY_RUN);
        takes && self.parameter(DRY_RUN).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A message with the parameters that it names.
    #[must_use]
    pub fn fill(&self, message: &str) -> String {
        members(&self.seen["parameters"]).fold(message.to_owned(), |message, (name, value)| {
            message.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
        })
    }

    /// What `when` of an error is a schema of.
    #[must_use]
    pub fn seen(&self) -> &Value {
        &self.seen
    }

    /// The account of the caller.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// A parameter, if it is given.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.seen["parameters"][name].as_str()
    }

    /// Kind and id of a document, if there is one.
    fn place(&self, document: &Document) -> Option<(String, String)> {
        let mut either = document.either.iter();
        if let Some(place) = either.find_map(|name| self.places.get(name.as_str())) {
            return Some(place.clone());
        }
        let wanted = self.filled(&document.members, &Value::Null)?;
        let id = match &document.id {
            None => None,
            Some(id) => Some(self.filled(&id.as_str().into(), &Value::Null)?),
        };
        let all = members(&self.seen["account"][&document.kind]);
        let mut fitting = all.filter(|(known, value)| {
            id.as_ref().is_none_or(|id| id == known.as_str()) && includes(value, &wanted)
        });
        let (id, _) = fitting.next()?;
        Some((document.kind.clone(), id.clone()))
    }

    /// A template with its texts in braces filled in; `None` if one stands for nothing.
    #[must_use]
    pub fn filled(&self, template: &Value, answer: &Value) -> Option<Value> {
        Some(match template {
            Value::Object(members) => {
                let each = members.iter().map(|(name, inner)| {
                    self.filled(inner, answer).map(|value| (name.clone(), value))
                });
                Value::Object(each.collect::<Option<_>>()?)
            }
            Value::String(text) => {
                let Some(name) = text.strip_prefix('{').and_then(|name| name.strip_suffix('}'))
                else {
                    return Some(template.clone());
                };
                match name.split_once('.') {
                    None => self.typed(name)?,
                    Some(("answer", name)) => answer.get(name)?.clone(),
                    Some((document, member)) => self.seen[document].get(member)?.clone(),
                }
            }
            Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
        })
    }

    /// A parameter or its default, as a value of its type.
    fn typed(&self, name: &str) -> Option<Value> {
        let parameter = self.operation.accepted().find(|parameter| parameter.name == name);
        let Some(text) = self.parameter(name) else {
            return parameter?.default_value().cloned();
        };
        Some(match parameter.map(|parameter| parameter.kind.as_str()) {
            Some("integer") => text.parse::<u64>().ok()?.into(),
            Some("boolean") => text.eq_ignore_ascii_case("true").into(),
            Some(_) | None => text.into(),
        })
    }

    /// The parameters that a client token remembers, with the defaults that need no state.
    fn effective(&self) -> Map<String, Value> {
        let parameters = self.operation.parameters.iter();
        let remembered =
            parameters.filter(|parameter| !NOT_REMEMBERED.contains(&parameter.name.as_str()));
        remembered
            .filter_map(|parameter| {
                let given = self.parameter(&parameter.name).map(Value::from);
                let value = given.or_else(|| parameter.default_value().cloned())?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Some((parameter.name.clone(), text.into()))
            })
            .collect()
    }

    /// The key of the call's client token, as the world writes it.
    fn token(&self) -> Option<String> {
        self.operation.parameters.iter().find(|parameter| parameter.name == TOKEN)?;
        let (region, token) = (self.parameter(REGION)?, self.parameter(TOKEN)?);
        Some(format!("{region}/{}/{token}", self.operation.action))
    }

    /// What the call's client token remembers, if it does at this time.
    #[must_use]
    pub fn remembered(&self, now_secs: i64) -> Option<&Value> {
        let remembered = self.seen["account"][TOKENS].get(self.token()?)?;
        lives(remembered, now_secs).then_some(remembered)
    }

    /// Whether the call says the same as the one that a token remembers (decision `token-same`): what
    /// is left out may have been anything that comes from the state.
    #[must_use]
    pub fn is_same(&self, remembered: &Value) -> bool {
        let sent = self.effective();
        let known = &remembered["Parameters"];
        let may_differ = |name: &str| {
            let mut parameters = self.operation.parameters.iter();
            parameters.any(|known| known.name == name && known.default_from.is_some())
        };
        sent.iter().all(|(name, value)| known.get(name) == Some(value))
            && members(known).all(|(name, _)| sent.contains_key(name) || may_differ(name))
    }

    /// The world after the call succeeded with these elements, where `before` is the one it met. A new
    /// token is remembered until `until`.
    ///
    /// # Errors
    ///
    /// The document that the call should have changed and that is not there.
    pub fn after(
        &self,
        before: &Value,
        answer: &Map<String, Value>,
        until: &str,
    ) -> Result<Value, String> {
        let mut after = before.clone();
        let mut elements = answer.clone();
        elements.remove("RequestId");
        let elements = Value::Object(elements);
        let account = &mut after["Accounts"][&self.account_id];
        for effect in &self.operation.effects {
            let missing = || format!("the document {} to change", effect.document);
            let (kind, id) = self.places.get(effect.document.as_str()).ok_or_else(missing)?;
            let patch = self.filled(&effect.merge, &elements);
            let patch = patch.ok_or_else(|| format!("what {} is filled with", effect.merge))?;
            merge(&mut account[kind][id], &patch);
        }
        if let (true, Some(token)) = (self.operation.writes(), self.token()) {
            let mut parameters = self.effective();
            for parameter in &self.operation.parameters {
                let document = parameter.default_from.as_deref();
                if let Some((_, id)) = document.and_then(|name| self.places.get(name)) {
                    parameters.entry(parameter.name.clone()).or_insert(id.as_str().into());
                }
            }
            account[TOKENS][token] =
                json!({ "ExpiresAt": until, "Parameters": parameters, "Answer": elements });
        }
        Ok(after)
    }
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
