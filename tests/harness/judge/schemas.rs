//! The schemas that answers must fit.

use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};

use super::ACTION;
use crate::contract::Contract;

/// The schemas of all answers.
#[derive(Debug)]
pub struct Schemas {
    success: Validator,
    errors: BTreeMap<String, Validator>,
}

impl Schemas {
    /// Reads the schemas of the contract.
    ///
    /// # Errors
    ///
    /// The first that is none.
    pub fn read(contract: &Contract) -> Result<Self, String> {
        let success = validator(contract, &format!("{ACTION}/schemas/success.json"))?;
        let mut errors = BTreeMap::new();
        for path in contract.paths() {
            if let [_, "schemas", "errors", file] = path.split('/').collect::<Vec<_>>()[..]
                && let Some(code) = file.strip_suffix(".json")
                && errors.insert(code.to_owned(), validator(contract, path)?).is_some()
            {
                return Err(format!("{code} has two schemas"));
            }
        }
        Ok(Self { success, errors })
    }

    /// The schema of a success's answer.
    #[must_use]
    pub fn success(&self) -> &Validator {
        &self.success
    }

    /// The schema of an error's answer.
    #[must_use]
    pub fn error(&self, code: &str) -> Option<&Validator> {
        self.errors.get(code)
    }

    /// The codes that have a schema.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.errors.keys().map(String::as_str)
    }
}

/// Reads the schema at `path` of a contract.
///
/// # Errors
///
/// Why it is none.
pub fn validator(contract: &Contract, path: &str) -> Result<Validator, String> {
    let schema = contract.json(path)?;
    let fail = |error: ValidationError<'_>| {
        let at = error.instance_path();
        format!("{}/{path}: {at}: {error}", contract.origin())
    };
    jsonschema::draft202012::meta::validate(&schema).map_err(fail)?;
    jsonschema::draft202012::new(&schema).map_err(fail)
}

/// Where an answer does not fit its schema, down to a member that is missing or too many.
pub(super) fn place(error: &ValidationError<'_>) -> String {
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
