//! A view of the world for a call: its parameters, the account, and the documents that it concerns.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{TOKENS, includes, key, lives, members, merge};
use crate::error::Result;
use crate::operations::{Document, Operation};

/// The parameters that a client token does not remember: they are in its key, or do not concern the state.
const NOT_REMEMBERED: [&str; 3] = [REGION, TOKEN, DRY_RUN];
const REGION: &str = "RegionId";
const TOKEN: &str = "ClientToken";
const DRY_RUN: &str = "DryRun";

/// A view of the world for a call: its parameters, the account, and the documents that it concerns.
#[derive(Clone, Debug)]
pub struct View<'a> {
    operation: &'a Operation,
    account_id: String,
    /// The value that an error's `when` is a schema of.
    seen: Value,
    /// The kind and id of each document, by its name in the operation.
    places: BTreeMap<&'a str, (String, String)>,
}

impl<'a> View<'a> {
    /// The view of `world` for a call of `operation` with these parameters and this access key.
    #[must_use]
    pub fn of(
        operation: &'a Operation,
        world: &Value,
        key_id: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Self {
        // An empty parameter counts as missing (decision `empty-optional`).
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

    /// Whether this is a dry run.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        let takes = self.operation.parameters.iter().any(|known| known.name == DRY_RUN);
        takes && self.parameter(DRY_RUN).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A message with its parameters filled in.
    #[must_use]
    pub fn fill(&self, message: &str) -> String {
        members(&self.seen["parameters"]).fold(message.to_owned(), |message, (name, value)| {
            message.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
        })
    }

    /// The value that an error's `when` is a schema of.
    #[must_use]
    pub fn seen(&self) -> &Value {
        &self.seen
    }

    /// The id of the caller's account.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// A parameter, if the call has it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.seen["parameters"][name].as_str()
    }

    /// The kind and id of a document, if it exists.
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

    /// A template with its texts in braces filled in; `None` if one of them has no value.
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

    /// The parameters that a client token remembers, with the defaults that do not depend on the state.
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

    /// The key of the call's client token in the world.
    fn token(&self) -> Option<String> {
        self.operation.parameters.iter().find(|parameter| parameter.name == TOKEN)?;
        let (region, token) = (self.parameter(REGION)?, self.parameter(TOKEN)?);
        Some(format!("{region}/{}/{token}", self.operation.action))
    }

    /// The remembered call of the client token, if it is valid at this time.
    #[must_use]
    pub fn remembered(&self, now_secs: i64) -> Option<&Value> {
        let remembered = self.seen["account"][TOKENS].get(self.token()?)?;
        lives(remembered, now_secs).then_some(remembered)
    }

    /// Whether the call equals the remembered one (decision `token-same`). A missing parameter equals any
    /// value that came from the state.
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

    /// The world after the call succeeded with these elements in the world `before`. A new token is
    /// remembered until `until`.
    ///
    /// # Errors
    ///
    /// The call changes a document that does not exist.
    pub fn after(&self, before: &Value, answer: &Map<String, Value>, until: &str) -> Result<Value> {
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
