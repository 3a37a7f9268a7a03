//! The operations of a contract and their errors, typed: what everything else reads instead of JSON
//! by key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::Body;
use crate::case::Request;
use crate::contract::Contract;
use crate::world::View;

/// The folder of what all operations share.
pub const COMMON: &str = "common";

/// When errors apply that several operations have.
const WHEN: &str = "common/when.json";

/// The operations of a contract, and the errors that are answered before any of them runs.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    all: Vec<Operation>,
    gate: Vec<ErrorRow>,
}

/// An operation: its `operation.json` and its `errors.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// The name, which is that of its folder.
    pub action: String,
    /// The version of the API.
    pub version: String,
    /// The product.
    pub product: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub summary: String,
    /// The HTTP methods.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The documented parameters.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Parameters that are taken although the page does not list them.
    #[serde(default)]
    pub accepted_beyond_the_page: Vec<Parameter>,
    /// Parameters that change nothing.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// What a success answers.
    pub success: Success,
    /// What RAM checks.
    #[serde(default)]
    pub ram: Ram,
    /// The codes in the order in which they are checked.
    #[serde(default)]
    pub checking_order: Vec<String>,
    /// The documents that a call is about, each by a name of its own.
    #[serde(default)]
    pub documents: Vec<Document>,
    /// What a success changes. Nothing, if the operation only reads.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// The documents that a success lists.
    pub lists: Option<Lists>,
    /// The call that takes back what a success did, where a test must leave nothing behind.
    pub undo: Option<Undo>,
    /// The errors, as `errors.json` lists them.
    #[serde(skip)]
    pub errors: Vec<ErrorRow>,
}

/// A parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The name; `Tag.N.Key` stands for `Tag.1.Key` and so on.
    pub name: String,
    /// `string`, `integer` or `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether a call without it is refused.
    #[serde(default)]
    pub required: bool,
    /// The values that it may have.
    #[serde(rename = "enum")]
    pub values: Option<Vec<Value>>,
    /// The pattern that its text fits.
    pub pattern: Option<String>,
    /// The value that is taken if it is left out, or what that value is in words.
    #[serde(default)]
    pub default: Value,
    /// The document whose id is taken if it is left out.
    pub default_from: Option<String>,
    /// What bounds it; by the value of another parameter, if that decides.
    #[serde(default)]
    pub limits: Map<String, Value>,
    /// What it is.
    #[serde(default)]
    pub description: String,
}

/// What a success answers.
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
    /// A value, where it is drawn anew for each success that is no replay.
    pub fresh: Option<String>,
}

/// What RAM checks.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ram {
    /// The action.
    pub action: String,
}

/// A document that a call is about. Texts in braces stand for a parameter (`{RegionId}`), an element
/// of the answer (`{answer.RequestId}`) or a member of a document named before (`{address.VpcId}`).
#[derive(Clone, Debug, Deserialize)]
pub struct Document {
    /// What effects and errors call it.
    pub name: String,
    /// The member of an account that maps ids to documents of its kind.
    #[serde(default)]
    pub kind: String,
    /// Its id.
    pub id: Option<String>,
    /// The members that it has.
    #[serde(default, rename = "where")]
    pub members: Value,
    /// Instead of all that: the first of these documents that there is.
    #[serde(default)]
    pub either: Vec<String>,
}

/// What a success changes of a document.
#[derive(Clone, Debug, Deserialize)]
pub struct Effect {
    /// The document's name.
    pub document: String,
    /// The change, as RFC 7396 says it; null removes a member.
    pub merge: Value,
}

/// The documents that a success lists.
#[derive(Clone, Debug, Deserialize)]
pub struct Lists {
    /// Where the list is in the answer, as a JSON pointer.
    pub elements: String,
    /// The member of an account that maps ids to documents of the kind.
    pub kind: String,
    /// The element that gives a document's id.
    pub id: String,
    /// The element that gives the number of all that match.
    pub total: String,
    /// What a document is like that is never listed, as a JSON Schema.
    #[serde(default)]
    pub never: Value,
    /// The parameters that choose no documents: with these alone, all are listed.
    #[serde(default)]
    pub paging: Vec<String>,
}

/// A call that takes back what a success did.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Undo {
    /// The operation.
    pub action: String,
    /// Its parameters; see [`Document`] for the texts in braces.
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
    /// The message as the page gives it, with `%s`.
    #[serde(default)]
    pub message: String,
    /// The message with its `%s` filled in.
    #[serde(default)]
    pub filled: String,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// Where it is documented.
    #[serde(default)]
    pub source: String,
    /// The decision that it rests on.
    pub decision: Option<String>,
    /// Why no state of the world leads to it.
    pub not_applicable: Option<String>,
    /// When it applies, as a JSON Schema of the call's parameters, the account and the documents. In the file
    /// it may be the name of one that several operations have.
    pub when: Option<Value>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<ErrorRow>,
}

impl Operations {
    /// Reads the operations of a contract.
    ///
    /// # Errors
    ///
    /// What is wrong with a file, with its line and field.
    pub fn read(contract: &Contract) -> Result<Self, String> {
        let shared = match contract.text(WHEN) {
            Some(_) => contract.json(WHEN)?["when"].take(),
            None => Value::Null,
        };
        let errors = |folder: &str| -> Result<Vec<ErrorRow>, String> {
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
            // A dated version lies deeper.
            if folder.contains('/') {
                continue;
            }
            let operation: Operation = contract.parse(path, contract.existing(path)?)?;
            let fail = |what: &str| Err(format!("{}/{path}: {what}", contract.origin()));
            if operation.action != folder {
                return fail(&format!("action: {} is not {folder}", operation.action));
            }
            let operation = Operation { errors: errors(folder)?, ..operation };
            if let Some(code) =
                operation.checking_order.iter().find(|code| operation.error(code).is_none())
            {
                return fail(&format!("checkingOrder: {code} is no error"));
            }
            all.push(operation);
        }
        Ok(Self { all, gate: errors(COMMON)? })
    }

    /// All of them, in the order of their names.
    #[must_use]
    pub fn all(&self) -> &[Operation] {
        &self.all
    }

    /// The operation of this name.
    #[must_use]
    pub fn get(&self, action: &str) -> Option<&Operation> {
        self.all.iter().find(|operation| operation.action == action)
    }

    /// The errors that are answered before an operation runs, in checking order.
    #[must_use]
    pub fn gate(&self) -> &[ErrorRow] {
        &self.gate
    }

    /// The error of this code that a call of `action` is answered.
    #[must_use]
    pub fn error(&self, action: &str, code: &str) -> Option<&ErrorRow> {
        let own = self.get(action).and_then(|operation| operation.error(code));
        own.or_else(|| self.gate.iter().find(|row| row.code == code))
    }

    /// Every error with the folder that documents it.
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

    /// The place of a code in the checking order; behind all others if it has none.
    #[must_use]
    pub fn rank(&self, code: &str) -> usize {
        let mut order = self.checking_order.iter();
        order.position(|known| known == code).unwrap_or(self.checking_order.len())
    }

    /// All parameters that mean something.
    pub fn accepted(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().chain(&self.accepted_beyond_the_page)
    }

    /// Whether a success changes something.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The elements that are drawn anew for each success that is no replay.
    pub fn fresh(&self) -> impl Iterator<Item = &str> {
        let elements = self.success.elements.iter();
        elements.filter(|element| element.fresh.is_some()).map(|element| element.name.as_str())
    }
}

impl Operation {
    /// The call that takes back what `request` did, if that needs to be: its answer is `body`.
    #[must_use]
    pub fn undone(&self, request: &Request, body: &Body) -> Option<Undo> {
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
    /// Whether a parameter that is sent is this one.
    #[must_use]
    pub fn is_named(&self, sent: &str) -> bool {
        let Some((before, after)) = self.name.split_once(".N") else { return self.name == sent };
        let inner = sent.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let number = inner.and_then(|inner| inner.strip_prefix('.'));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    }

    /// The value taken for a parameter that is left out, where the file gives one rather than words.
    #[must_use]
    pub fn default_value(&self) -> Option<&Value> {
        let is_listed = self.values.as_ref().is_some_and(|values| values.contains(&self.default));
        let is_value = is_listed || self.default.is_boolean() || self.default.is_number();
        is_value.then_some(&self.default)
    }
}

impl ErrorRow {
    /// What the row rests on, for a report.
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
