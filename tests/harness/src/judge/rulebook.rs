//! The rulebook: the operations, their errors, and the schemas of all answers.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use crate::answer::Body;
use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::operations::{COMMON, Operations};
use crate::world;

/// The operations of a contract and the schemas of their answers.
#[derive(Debug)]
pub struct Rulebook {
    /// The operations.
    pub operations: Operations,
    successes: BTreeMap<String, Schema>,
    /// The schemas of errors, by folder and code.
    errors: BTreeMap<(String, String), Schema>,
    /// The request ids of the judged answers.
    ids: Mutex<HashSet<String>>,
}

/// A schema, as written and compiled.
#[derive(Debug)]
pub struct Schema {
    written: Value,
    validator: Validator,
}

impl Rulebook {
    /// Reads the rulebook of a contract.
    pub fn read(contract: &Contract) -> Result<Self> {
        let (mut successes, mut errors) = (BTreeMap::new(), BTreeMap::new());
        for path in contract.paths() {
            match path.split('/').collect::<Vec<_>>()[..] {
                [folder, "schemas", "success.json"] => {
                    successes.insert(folder.to_owned(), Schema::read(contract, path)?);
                }
                [folder, "schemas", "errors", file] => {
                    let code = file.strip_suffix(".json").unwrap_or(file).to_owned();
                    errors.insert((folder.to_owned(), code), Schema::read(contract, path)?);
                }
                _ => {}
            }
        }
        let operations = Operations::read(contract)?;
        Ok(Self { operations, successes, errors, ids: Mutex::default() })
    }

    /// Whether no judged answer has this id. Records the id.
    pub(crate) fn is_new(&self, id: &str) -> bool {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }

    /// The schema of an error of `action` with this code, or of a success.
    #[must_use]
    pub fn schema(&self, action: &str, code: Option<&str>) -> Option<&Schema> {
        code.map_or_else(|| self.success(action), |code| self.error(action, code))
    }

    /// The schema of a success of `action`.
    #[must_use]
    pub fn success(&self, action: &str) -> Option<&Schema> {
        self.successes.get(action)
    }

    /// The schema of an error of `action`: its own, or the shared one.
    #[must_use]
    pub fn error(&self, action: &str, code: &str) -> Option<&Schema> {
        let of = |folder: &str| self.errors.get(&(folder.to_owned(), code.to_owned()));
        of(action).or_else(|| of(COMMON))
    }
}

impl Schema {
    fn read(contract: &Contract, path: &str) -> Result<Self> {
        Ok(Self { written: contract.json(path)?, validator: validator(contract, path)? })
    }

    /// The violations in the elements of an answer, each with its place.
    #[must_use]
    pub fn errors(&self, elements: &Value) -> Vec<(String, String)> {
        let errors = self.validator.iter_errors(elements);
        errors.map(|error| (place(&error), error.to_string())).collect()
    }

    /// The elements of an answer, and the names of wrongly repeated elements. The texts of XML get the
    /// types of the schema.
    #[must_use]
    pub fn elements(&self, body: &Body) -> (Value, Vec<String>) {
        let (mut elements, mut twice) = (Value::Object(body.elements.clone()), Vec::new());
        if body.root.is_some() {
            self.retype(&mut elements, &self.written, "", &mut twice);
        }
        (elements, twice)
    }

    fn retype(&self, value: &mut Value, schema: &Value, name: &str, twice: &mut Vec<String>) {
        let alternatives = schema["oneOf"].as_array().into_iter().flatten();
        for alternative in alternatives {
            let names = world::members(&alternative["properties"]);
            for (name, inner) in names {
                if let Some(member) = value.get_mut(name) {
                    self.retype(member, inner, name, &mut Vec::new());
                }
            }
        }
        let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.written.pointer(pointer)) {
            return self.retype(value, target, name, twice);
        }
        match schema["type"].as_str() {
            Some("array") => {
                if !value.is_array() {
                    *value = Value::Array(vec![value.take()]);
                }
                for item in value.as_array_mut().into_iter().flatten() {
                    self.retype(item, &schema["items"], name, twice);
                }
                return;
            }
            Some("object") => {
                // An empty element may contain whitespace.
                if value.as_str().is_some_and(|text| text.trim().is_empty()) {
                    *value = Value::Object(Map::new());
                }
                let Some(members) = value.as_object_mut() else { return };
                // In XML, an empty list is an absent element.
                let required = schema["required"].as_array().into_iter().flatten();
                for name in required.filter_map(Value::as_str) {
                    if schema["properties"][name]["type"] == "array" {
                        members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                    }
                }
                for (name, member) in members {
                    self.retype(member, &schema["properties"][name], name, twice);
                }
            }
            Some("integer") => {
                let text = value.as_str().unwrap_or_default();
                // `+1` and `01` are not integers of an answer.
                let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
                if let Some(number) = number {
                    *value = number.into();
                }
            }
            Some("boolean") => match value.as_str() {
                Some("true") => *value = true.into(),
                Some("false") => *value = false.into(),
                Some(_) | None => {}
            },
            Some(_) | None => {}
        }
        if value.is_array() {
            twice.push(name.to_owned());
        }
    }
}

/// Reads and compiles the schema at `path` of a contract.
pub fn validator(contract: &Contract, path: &str) -> Result<Validator> {
    let schema = contract.json(path)?;
    let fail = |error: ValidationError<'_>| {
        Error::other(format_args!(
            "{}/{path}: {}: {error}",
            contract.origin(),
            error.instance_path()
        ))
    };
    jsonschema::draft202012::meta::validate(&schema).map_err(fail)?;
    compiled(&schema).map_err(fail)
}

/// Whether the `format` of a schema is asserted.
pub const FORMATS_ASSERT: bool = true;

/// Compiles a schema.
pub fn compiled(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::draft202012::options().should_validate_formats(FORMATS_ASSERT).build(schema)
}

/// The place of a violation, down to a missing or unknown member.
fn place(error: &ValidationError<'_>) -> String {
    let path = error.instance_path();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("{path}/{}", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("{path}/{}", unexpected.join(", "))
        }
        _ => path.to_string(),
    }
}
