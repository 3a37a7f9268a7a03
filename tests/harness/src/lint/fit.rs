//! What does not fit a schema, told at the deepest place.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::{Problems, meant};
use crate::answer::escaped;
use crate::judge::compiled;

/// A schema of a kind of file.
#[derive(Debug)]
pub(super) struct Schema {
    written: Value,
    validator: Validator,
}

impl Schema {
    pub(super) fn new(written: Value) -> Result<Self, String> {
        let validator = compiled(&written).map_err(|error| error.to_string())?;
        Ok(Self { written, validator })
    }

    /// The schema as it is written.
    pub(super) fn written(&self) -> &Value {
        &self.written
    }

    /// Adds what does not fit. The value is at `below` in its file.
    pub(super) fn check(&self, path: &str, below: &str, value: &Value, problems: &mut Problems) {
        let all: Vec<ValidationError<'_>> = self.validator.iter_errors(value).collect();
        let mut errors = Vec::new();
        for error in &all {
            flatten(error, &mut errors);
        }
        let places: Vec<String> =
            errors.iter().map(|error| error.instance_path().to_string()).collect();
        // What is above an unknown keyword is unknown itself to `unevaluatedProperties`.
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
                    // A keyword whose value is wrong is unknown to `unevaluatedProperties`, too.
                    for name in unexpected.iter().filter(|name| !siblings.contains(name)) {
                        let escaped = escaped(name);
                        let place = format!("{at}/{escaped}");
                        if matches!(error.kind(), Kind::UnevaluatedProperties { .. })
                            && has_deeper(&place)
                        {
                            continue;
                        }
                        let meant = meant(name, siblings.iter().map(String::as_str));
                        let what = format!("there is no such member{meant}");
                        problems.ambiguous(path, &format!("{below}{place}"), what);
                    }
                }
                _ => problems.at_odds(path, &format!("{below}{at}"), said(error)),
            }
        }
    }

    /// The names that are known where a member is not.
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

/// The alternative of an error that is nearest, or the error.
fn flatten<'e>(error: &'e ValidationError<'e>, all: &mut Vec<&'e ValidationError<'e>>) {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else {
        return all.push(error);
    };
    let at = error.instance_path().to_string();
    let size = |errors: &&Vec<ValidationError<'static>>| -> usize {
        let sizes = errors.iter().map(|error| match error.kind() {
            Kind::AdditionalProperties { unexpected } => unexpected.len(),
            // Another type altogether is another thing.
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

/// What an error says, without the whole of a long value.
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
