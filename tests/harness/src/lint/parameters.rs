//! Finds calls that a case demands to succeed although a parameter breaks its limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::judge::compiled;
use crate::operations::{Operation, Parameter};

/// The reasons why a call with these parameters cannot succeed.
pub(super) fn broken(operation: &Operation, sent: &BTreeMap<String, String>) -> Vec<String> {
    let given = |parameter: &Parameter| -> Vec<(String, String)> {
        let given = sent.iter().filter(|(name, text)| parameter.is_named(name) && !text.is_empty());
        given.map(|(name, text)| (name.clone(), text.clone())).collect()
    };
    // The values that select limits.
    let values = operation.accepted().flat_map(|parameter| {
        let given = given(parameter);
        let default = parameter.default_value().filter(|_| given.is_empty()).map(text);
        given.into_iter().map(|(_, text)| text).chain(default)
    });
    let values: Vec<String> = values.collect();
    let mut broken = Vec::new();
    for parameter in operation.accepted() {
        let given = given(parameter);
        if parameter.required && given.is_empty() {
            broken.push(format!("{} is required and missing", parameter.name));
        }
        for (name, sent) in given {
            let found = of_value(parameter, &sent, &values);
            broken.extend(found.map(|what| format!("{name} is {sent:?}: {what}")));
        }
    }
    broken
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The reason why a parameter cannot have a value.
fn of_value(parameter: &Parameter, sent: &str, values: &[String]) -> Option<String> {
    let Parameter { kind, values: allowed, pattern, limits, .. } = parameter;
    match kind.as_str() {
        "integer" if sent.parse::<i64>().is_err() => return Some("not an integer".to_owned()),
        "boolean" if !["true", "false"].contains(&sent.to_ascii_lowercase().as_str()) => {
            return Some("not a boolean".to_owned());
        }
        _ => {}
    }
    if let Some(allowed) = allowed
        && !allowed.iter().any(|allowed| text(allowed) == sent)
    {
        return Some(format!("it must be one of {}", Value::from(allowed.clone())));
    }
    if let Some(pattern) = pattern
        && compiled(&json!({ "pattern": pattern }))
            .is_ok_and(|schema| !schema.is_valid(&sent.into()))
    {
        return Some(format!("it does not fit {pattern}"));
    }
    let decided = limits.iter().filter(|(value, _)| values.contains(value));
    let decided = decided.filter_map(|(_, limits)| limits.as_object());
    [limits].into_iter().chain(decided).find_map(|limits| out_of(limits, sent))
}

/// The limit that a value exceeds.
fn out_of(limits: &Map<String, Value>, sent: &str) -> Option<String> {
    let limit = |name: &str| limits.get(name).and_then(Value::as_i64);
    let number = sent.parse::<i64>().ok();
    let characters = i64::try_from(sent.chars().count()).unwrap_or(i64::MAX);
    // A value above a cutting maximum is allowed.
    let is_cut = limits.get("above").is_some_and(|above| above == "cut");
    let maximum = limit("maximum").filter(|_| !is_cut);
    if let (Some(number), Some(minimum)) = (number, limit("minimum"))
        && number < minimum
    {
        return Some(format!("the minimum is {minimum}"));
    }
    if let (Some(number), Some(maximum)) = (number, maximum)
        && number > maximum
    {
        return Some(format!("the maximum is {maximum}"));
    }
    if let Some(most) = limit("maximumCharacters")
        && characters > most
    {
        return Some(format!("the maximum is {most} characters"));
    }
    if limits.get("characters").is_some_and(|allowed| allowed == "ASCII") && !sent.is_ascii() {
        return Some("it must be ASCII".to_owned());
    }
    None
}
