//! Policy documents: `{"Version": "1", "Statement": [...]}` (decision `ram-language`).

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::condition::Condition;
use crate::evaluation::AccessRequest;
use crate::one_or_many::OneOrMany;
use crate::pattern::{ActionPattern, ResourcePattern};
use crate::text;

/// A valid policy document.
///
/// Serialized, it is the JSON that was read: a string stays a string, a list a list, a number a
/// number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    actions: Actions,
    resources: OneOrMany<ResourcePattern>,
    condition: Option<Condition>,
}

/// The effect of a statement on the requests that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// The actions of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Actions {
    /// `Action`: only these.
    Only(OneOrMany<ActionPattern>),
    /// `NotAction`: all except these.
    AllBut(OneOrMany<ActionPattern>),
}

impl Policy {
    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

impl Statement {
    /// Whether action, resource and condition all match `request`.
    pub(crate) fn matches(&self, request: &AccessRequest<'_>) -> bool {
        self.actions.match_action(request.action)
            && self.resources.any(|pattern| pattern.is_match(&request.resource))
            && self.condition.as_ref().is_none_or(|condition| condition.is_met(request.context))
    }
}

impl Actions {
    fn match_action(&self, action: &str) -> bool {
        match self {
            Self::Only(patterns) => patterns.any(|pattern| pattern.is_match(action)),
            Self::AllBut(patterns) => !patterns.any(|pattern| pattern.is_match(action)),
        }
    }
}

impl Effect {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "Allow" => Ok(Self::Allow),
            "Deny" => Ok(Self::Deny),
            other => Err(format!("invalid effect `{other}`, expected `Allow` or `Deny`")),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl<'de> Deserialize<'de> for Effect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "an effect", Self::parse)
    }
}

/// The only version of the policy language.
struct Version1;

impl<'de> Deserialize<'de> for Version1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, "the string \"1\"", |version| match version {
            "1" => Ok(Self),
            other => Err(format!("invalid version `{other}`, expected `1`")),
        })
    }
}

/// A policy's statements: at least one.
struct Statements(Vec<Statement>);

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let statements = Vec::deserialize(deserializer)?;
        if statements.is_empty() {
            return Err(D::Error::custom("invalid length 0, expected at least one statement"));
        }
        Ok(Self(statements))
    }
}

/// Reads the value of the member `name` into `member`; a second value is an error.
fn read_member<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    map: &mut A,
    name: &'static str,
    member: &mut Option<T>,
) -> Result<(), A::Error> {
    if member.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *member = Some(map.next_value()?);
    Ok(())
}

// Policies and statements have visitors of their own: derived ones would accept lists too.

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PolicyVisitor)
    }
}

struct PolicyVisitor;

#[derive(Deserialize)]
#[serde(field_identifier)]
enum PolicyMember {
    Version,
    Statement,
}

impl<'de> Visitor<'de> for PolicyVisitor {
    type Value = Policy;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a policy, an object of `Version` and `Statement`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Policy, A::Error> {
        let mut version: Option<Version1> = None;
        let mut statements: Option<Statements> = None;
        while let Some(member) = map.next_key()? {
            match member {
                PolicyMember::Version => read_member(&mut map, "Version", &mut version)?,
                PolicyMember::Statement => read_member(&mut map, "Statement", &mut statements)?,
            }
        }
        let Version1 = version.ok_or_else(|| A::Error::missing_field("Version"))?;
        let Statements(statements) =
            statements.ok_or_else(|| A::Error::missing_field("Statement"))?;
        Ok(Policy { statements })
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StatementVisitor)
    }
}

struct StatementVisitor;

#[derive(Deserialize)]
#[serde(field_identifier)]
enum StatementMember {
    Effect,
    Action,
    NotAction,
    Resource,
    Condition,
}

impl<'de> Visitor<'de> for StatementVisitor {
    type Value = Statement;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a statement, an object of `Effect`, `Action` or `NotAction`, and `Resource`",
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
        let mut effect = None;
        let mut only = None;
        let mut all_but = None;
        let mut resources = None;
        let mut condition = None;
        while let Some(member) = map.next_key()? {
            match member {
                StatementMember::Effect => read_member(&mut map, "Effect", &mut effect)?,
                StatementMember::Action => read_member(&mut map, "Action", &mut only)?,
                StatementMember::NotAction => read_member(&mut map, "NotAction", &mut all_but)?,
                StatementMember::Resource => read_member(&mut map, "Resource", &mut resources)?,
                StatementMember::Condition => read_member(&mut map, "Condition", &mut condition)?,
            }
            if only.is_some() && all_but.is_some() {
                return Err(A::Error::custom(
                    "both `Action` and `NotAction`, expected one of them",
                ));
            }
        }
        let actions = only.map(Actions::Only).or(all_but.map(Actions::AllBut));
        Ok(Statement {
            effect: effect.ok_or_else(|| A::Error::missing_field("Effect"))?,
            actions: actions
                .ok_or_else(|| A::Error::custom("missing field `Action` or `NotAction`"))?,
            resources: resources.ok_or_else(|| A::Error::missing_field("Resource"))?,
            condition,
        })
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Policy", 2)?;
        members.serialize_field("Version", "1")?;
        members.serialize_field("Statement", &self.statements)?;
        members.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = 3 + usize::from(self.condition.is_some());
        let mut members = serializer.serialize_struct("Statement", length)?;
        members.serialize_field("Effect", self.effect.as_str())?;
        match &self.actions {
            Actions::Only(patterns) => members.serialize_field("Action", patterns)?,
            Actions::AllBut(patterns) => members.serialize_field("NotAction", patterns)?,
        }
        members.serialize_field("Resource", &self.resources)?;
        if let Some(condition) = &self.condition {
            members.serialize_field("Condition", condition)?;
        }
        members.end()
    }
}

#[cfg(test)]
mod tests;
