//! The operations of a contract and their errors, as types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::Body;
use crate::case::Request;
use crate::contract::Contract;
use crate::error::Result;
use crate::world::View;

/// The folder that all operations share.
pub const COMMON: &str = "common";

/// The file of the shared conditions of errors.
const WHEN: &str = "common/when.json";

/// The operations of a contract, and the errors that occur before any operation runs.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    all: Vec<Operation>,
    gate: Vec<ErrorRow>,
}

/// An operation: its `operation.json` and its `errors.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// The name, which is also its folder's.
    pub action: String,
    /// The version of the API.
    pub version: String,
    /// The product.
    pub product: String,
    /// A summary in one sentence.
    #[serde(default)]
    pub summary: String,
    /// The HTTP methods.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The documented parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Accepted parameters that the page does not list.
    #[serde(default)]
    pub accepted_beyond_the_page: Vec<Parameter>,
    /// Ignored parameters.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// The answer of a success.
    pub success: Success,
    /// The permission that RAM checks.
    #[serde(default)]
    pub ram: Ram,
    /// The codes in checking order.
    #[serde(default)]
    pub checking_order: Vec<String>,
    /// The documents that a call concerns.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// The effects of a success; none if the operation only reads.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// The documents that a success lists.
    pub lists: Option<Lists>,
    /// The call that undoes a success, for tests that must leave nothing behind.
    pub undo: Option<Undo>,
    /// The errors in `errors.json`.
    #[serde(skip)]
    pub errors: Vec<ErrorRow>,
}

/// A parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The name. `Tag.N.Key` means `Tag.1.Key` and so on.
    pub name: String,
    /// `string`, `integer` or `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the parameter is required.
    #[serde(default)]
    pub required: bool,
    /// The allowed values.
    #[serde(rename = "enum")]
    pub values: Option<Vec<Value>>,
    /// The pattern of the text.
    pub pattern: Option<String>,
    /// The default value, or its description.
    #[serde(default)]
    pub default: Value,
    /// The document whose id is the default.
    pub default_from: Option<String>,
    /// The limits, grouped by the value of another parameter where that selects them.
    #[serde(default)]
    pub limits: Map<String, Value>,
    /// The description.
    #[serde(default)]
    pub description: String,
}

/// The answer of a success.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Success {
    /// The HTTP status.
    pub status: u16,
    /// The top elements.
    #[serde(default)]
    pub elements: Vec<Element>,
}

/// An element of an answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Element {
    /// The name.
    pub name: String,
    /// An example, if the value is newly drawn for each success that is not a replay.
    pub fresh: Option<String>,
}

/// The permission that RAM checks.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ram {
    /// The action.
    pub action: String,
}

/// A document that a call concerns. A text in braces is replaced by a parameter (`{RegionId}`), an element
/// of the answer (`{answer.RequestId}`) or a member of an earlier document (`{address.VpcId}`).
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    /// The name in effects and errors.
    pub name: String,
    /// The member of an account that maps ids to documents of its kind.
    #[serde(default)]
    pub kind: String,
    /// The id.
    pub id: Option<String>,
    /// The members that the document must have.
    #[serde(default, rename = "where")]
    pub members: Value,
    /// Instead of the above: the first of these documents that exists.
    #[serde(default)]
    pub either: Vec<String>,
}

/// An effect of a success on a document.
#[derive(Clone, Debug, Deserialize)]
pub struct Effect {
    /// The document's name.
    pub document: String,
    /// The change, as a JSON Merge Patch (RFC 7396).
    pub merge: Value,
}

/// The documents that a success lists.
#[derive(Clone, Debug, Deserialize)]
pub struct Lists {
    /// The JSON pointer of the list in the answer.
    pub elements: String,
    /// The member of an account that maps ids to documents of the kind.
    pub kind: String,
    /// The element with a document's id.
    pub id: String,
    /// The element with the number of all matches.
    pub total: String,
    /// The JSON Schema of documents that are never listed.
    #[serde(default)]
    pub never: Value,
    /// The parameters that select no documents.
    #[serde(default)]
    pub paging: Vec<String>,
}

/// A call that undoes a success.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Undo {
    /// The operation.
    pub action: String,
    /// The parameters, with texts in braces as in [`Document`].
    pub parameters: BTreeMap<String, String>,
}

/// A documented error.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorRow {
    /// The code.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The message on the page, with `%s`.
    #[serde(default)]
    pub message: String,
    /// The message with its `%s` filled in.
    #[serde(default)]
    pub filled: String,
    /// The description.
    #[serde(default)]
    pub description: String,
    /// The page that documents it.
    #[serde(default)]
    pub source: String,
    /// The decision behind it.
    pub decision: Option<String>,
    /// The reason why no state leads to it.
    pub not_applicable: Option<String>,
    /// The condition, as a JSON Schema of the call's parameters, the account and the documents. In the file
    /// it may be the name of a shared condition.
    pub when: Option<Value>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorRow>,
}

impl Operations {
    /// Reads the operations of a contract.
    pub fn read(contract: &Contract) -> Result<Self> {
        let shared = match contract.text(WHEN) {
            Some(_) => contract.json(WHEN)?["when"].take(),
            None => Value::Null,
        };
        let errors = |folder: &str| -> Result<Vec<ErrorRow>> {
            let path = format!("{folder}/errors.json");
            let Some(text) = contract.text(&path) else { return Ok(Vec::new()) };
            let Errors { mut errors } = contract.parse(&path, text)?;
            for row in &mut errors {
                if let Some(Value::String(name)) = &row.when {
                    let when = shared.get(name).cloned();
                    let origin = contract.origin();
                    let unknown =
                        || format!("{origin}/{path}: {}: when: {WHEN} has no {name}", row.code);
                    row.when = Some(when.ok_or_else(unknown)?);
                }
            }
            Ok(errors)
        };
        let mut all = Vec::new();
        for path in contract.paths() {
            let Some(folder) = path.strip_suffix("/operation.json") else { continue };
            // A dated version is in a subfolder.
            if folder.contains('/') {
                continue;
            }
            let operation: Operation = contract.parse(path, contract.existing(path)?)?;
            let fail = |what: &str| Err(format!("{}/{path}: {what}", contract.origin()).into());
            if operation.action != folder {
                return fail(&format!("action: {} is not {folder}", operation.action));
            }
            let operation = Operation { errors: errors(folder)?, ..operation };
            if let Some(code) =
                operation.checking_order.iter().find(|code| operation.error(code).is_none())
            {
                return fail(&format!("checkingOrder: {code} is not an error of errors.json"));
            }
            all.push(operation);
        }
        Ok(Self { all, gate: errors(COMMON)? })
    }

    /// The operations, in the order of their names.
    #[must_use]
    pub fn all(&self) -> &[Operation] {
        &self.all
    }

    /// The operation of this name.
    #[must_use]
    pub fn get(&self, action: &str) -> Option<&Operation> {
        self.all.iter().find(|operation| operation.action == action)
    }

    /// The errors that occur before an operation runs, in checking order.
    #[must_use]
    pub fn gate(&self) -> &[ErrorRow] {
        &self.gate
    }

    /// The error of this code in answers of `action`.
    #[must_use]
    pub fn error(&self, action: &str, code: &str) -> Option<&ErrorRow> {
        let own = self.get(action).and_then(|operation| operation.error(code));
        own.or_else(|| self.gate.iter().find(|row| row.code == code))
    }

    /// Every error with its folder.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &ErrorRow)> {
        let own = self.all.iter().flat_map(|operation| {
            operation.errors.iter().map(|row| (operation.action.as_str(), row))
        });
        own.chain(self.gate.iter().map(|row| (COMMON, row)))
    }
}

impl Operation {
    /// The error of this code.
    #[must_use]
    pub fn error(&self, code: &str) -> Option<&ErrorRow> {
        self.errors.iter().find(|row| row.code == code)
    }

    /// The position of a code in the checking order; the last if it has none.
    #[must_use]
    pub fn rank(&self, code: &str) -> usize {
        let mut order = self.checking_order.iter();
        order.position(|known| known == code).unwrap_or(self.checking_order.len())
    }

    /// All parameters that are not ignored.
    pub fn accepted(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().chain(&self.accepted_beyond_the_page)
    }

    /// Whether a success has effects.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The elements that are newly drawn for each success that is not a replay.
    pub fn fresh(&self) -> impl Iterator<Item = &str> {
        let elements = self.success.elements.iter();
        elements.filter(|element| element.fresh.is_some()).map(|element| element.name.as_str())
    }

    /// The call that undoes `request`, whose answer is `body`; `None` if nothing has to be undone.
    #[must_use]
    pub fn undo_of(&self, request: &Request, body: &Body) -> Option<Undo> {
        let Undo { action, parameters } = self.undo.as_ref()?;
        let view = View::of(self, &Value::Null, &request.access_key_id, &request.parameters());
        let answer = Value::Object(body.elements.clone());
        let parameters = parameters.iter().map(|(name, text)| {
            let value = view.filled(&text.as_str().into(), &answer)?;
            Some((name.clone(), value.as_str()?.to_owned()))
        });
        Some(Undo { action: action.clone(), parameters: parameters.collect::<Option<_>>()? })
    }
}

impl Parameter {
    /// Whether a sent name means this parameter.
    #[must_use]
    pub fn is_named(&self, sent: &str) -> bool {
        let Some((before, after)) = self.name.split_once(".N") else { return self.name == sent };
        let inner = sent.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let number = inner.and_then(|inner| inner.strip_prefix('.'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    }

    /// The default value, unless the file only describes it.
    #[must_use]
    pub fn default_value(&self) -> Option<&Value> {
        let is_listed = self.values.as_ref().is_some_and(|values| values.contains(&self.default));
        let is_value = is_listed || self.default.is_boolean() || self.default.is_number();
        is_value.then_some(&self.default)
    }
}

impl ErrorRow {
    /// The source of the row, for a report.
    #[must_use]
    pub fn because(&self) -> String {
        let Self { code, description, message, .. } = self;
        match &self.decision {
            Some(decision) => format!("decision {decision}: {description}"),
            None if description.is_empty() => format!("the page's row {code}: \"{message}\""),
            None => format!("the page's row {code}: \"{description}\""),
        }
    }
}
