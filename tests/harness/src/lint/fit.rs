//! Reports the violations of a schema, each at its deepest place.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::{Problems, meant};
use crate::answer::escaped;
use crate::error::{Error, Result};
use crate::judge::compiled;

/// A schema of a kind of file.
#[derive(Debug)]
pub(super) struct Schema {
    written: Value,
    validator: Validator,
}

impl Schema {
    pub(super) fn new(written: Value) -> Result<Self> {
        let validator = compiled(&written).map_err(Error::other)?;
        Ok(Self { written, validator })
    }

    /// The schema as written.
    pub(super) fn written(&self) -> &Value {
        &self.written
    }

    /// Adds the violations in a value, which is at `below` in its file.
    pub(super) fn check(&self, path: &str, below: &str, value: &Value, problems: &mut Problems) {
        let all: Vec<ValidationError<'_>> = self.validator.iter_errors(value).collect();
        let mut errors = Vec::new();
        for error in &all {
            flatten(error, &mut errors);
        }
        let places: Vec<String> =
            errors.iter().map(|error| error.instance_path().to_string()).collect();
        // To `unevaluatedProperties`, a member that contains an unknown keyword is unknown too.
        let has_deeper = |place: &str| {
            places.iter().any(|other| {
                other == place
                    || other.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
            })
        };
        for (error, at) in errors.iter().zip(&places) {
            match error.kind() {
                Kind::AdditionalProperties { unexpected }
                | Kind::UnevaluatedProperties { unexpected } => {
                    let siblings = self.siblings(error);
                    // To `unevaluatedProperties`, a known keyword with a wrong value is unknown.
                    for name in unexpected.iter().filter(|name| !siblings.contains(name)) {
                        let escaped = escaped(name);
                        let place = format!("{at}/{escaped}");
                        if matches!(error.kind(), Kind::UnevaluatedProperties { .. })
                            && has_deeper(&place)
                        {
                            continue;
                        }
                        let meant = meant(name, siblings.iter().map(String::as_str));
                        let what = format!("unknown member{meant}");
                        problems.ambiguous(path, &format!("{below}{place}"), what);
                    }
                }
                _ => problems.inconsistent(path, &format!("{below}{at}"), said(error)),
            }
        }
    }

    /// The known names beside an unknown member.
    fn siblings(&self, error: &ValidationError<'_>) -> Vec<String> {
        let keyword = error.schema_path().to_string();
        let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
        let names = |schema: &Value| -> Vec<String> {
            let members = schema["properties"].as_object();
            members.into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        let known = self.written.pointer(parent).map(names).unwrap_or_default();
        if known.is_empty() { KEYWORDS.split(' ').map(str::to_owned).collect() } else { known }
    }
}

/// Replaces an error of alternatives by the errors of the nearest alternative.
fn flatten<'e>(error: &'e ValidationError<'e>, all: &mut Vec<&'e ValidationError<'e>>) {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else {
        return all.push(error);
    };
    let at = error.instance_path().to_string();
    let size = |errors: &&Vec<ValidationError<'static>>| -> usize {
        let sizes = errors.iter().map(|error| match error.kind() {
            Kind::AdditionalProperties { unexpected } => unexpected.len(),
            // A wrong type is far from any fit.
            Kind::Type { .. } if error.instance_path().to_string() == at => 4,
            _ => 1,
        });
        sizes.sum()
    };
    let Some(nearest) = context.iter().min_by_key(size) else { return all.push(error) };
    for inner in nearest {
        flatten(inner, all);
    }
}

/// The text of an error. A long value is masked.
fn said(error: &ValidationError<'_>) -> String {
    let said = error.to_string();
    if said.chars().count() < 200 { said } else { error.masked().to_string() }
}

/// The keywords of JSON Schema 2020-12.
const KEYWORDS: &str = "\
    $anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary \
    additionalProperties allOf anyOf const contains contentEncoding contentMediaType \
    contentSchema default dependentRequired dependentSchemas deprecated description else \
    enum examples exclusiveMaximum exclusiveMinimum format if items maxContains maxItems \
    maxLength maxProperties maximum minContains minItems minLength minProperties minimum \
    multipleOf not oneOf pattern patternProperties prefixItems properties propertyNames \
    readOnly required then title type unevaluatedItems unevaluatedProperties uniqueItems \
    writeOnly x-";
