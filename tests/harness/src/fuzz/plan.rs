//! A plan: a world and the steps in it. This is the file format of `--replay`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::case::{Request, Style, Variant};
use crate::error::{At as _, Result};
use crate::json;

/// A sequence of calls in a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The world at the start.
    pub world: Value,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// One call.
    Call(Box<Call>),
    /// Simultaneous calls.
    Race(Vec<Call>),
    /// Moves the clock of the world forward.
    WaitSeconds(i64),
}

impl Step {
    /// The step of one call.
    fn of(call: Call) -> Self {
        Self::Call(Box::new(call))
    }

    /// The step of simultaneous calls, or of the only one.
    fn race(calls: Vec<Call>) -> Self {
        match <[Call; 1]>::try_from(calls) {
            Ok([call]) => Self::of(call),
            Err(calls) => Self::Race(calls),
        }
    }

    /// The calls of the step.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        match self {
            Self::Call(call) => std::slice::from_ref(&**call),
            Self::Race(calls) => calls,
            Self::WaitSeconds(_) => &[],
        }
    }
}

/// A call before signing. Its fields are those of a case's request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Call {
    /// The operation.
    pub action: String,
    /// The HTTP method.
    pub method: String,
    /// The kind of signature.
    pub signature: Style,
    /// The requested format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The token that goes with a temporary access key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_token: Option<String>,
    /// The nonce; absent: a fresh one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Parameters in the query, in order.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// Parameters in the form body, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<(String, String)>,
    /// Common parameters changed before signing: a text, null, or `{"offsetSeconds": N}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub common: BTreeMap<String, Value>,
    /// Parameters changed after signing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after_signing: BTreeMap<String, Value>,
    /// The encoding of query and form.
    #[serde(default, skip_serializing_if = "Encoding::is_plain")]
    pub encoding: Encoding,
}

/// The encodings of parameters. All have the same meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// The encoding of the vendor's pages.
    #[default]
    Plain,
    /// Percent-encoding with lower-case digits.
    LowerCase,
    /// Percent-encoding of every byte.
    Everything,
    /// A plus sign for a space.
    Plus,
}

impl Encoding {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// Encodes a query or a form.
    pub(super) fn write(self, pairs: &[(String, String)]) -> String {
        let byte = |byte: u8| {
            let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            match self {
                Self::Plus if byte == b' ' => "+".to_owned(),
                Self::Plain | Self::Plus | Self::LowerCase if is_plain => {
                    char::from(byte).to_string()
                }
                Self::LowerCase => format!("%{byte:02x}"),
                Self::Plain | Self::Plus | Self::Everything => format!("%{byte:02X}"),
            }
        };
        let text = |text: &str| text.bytes().map(byte).collect::<String>();
        let pairs = pairs.iter().map(|(name, value)| [text(name), text(value)].join("="));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// The greatest length of the query before encoding, in bytes: HTTP libraries refuse URLs of more than 64
/// KiB, and an encoded byte may take three.
const QUERY_BYTES_MAX: usize = 20_000;

/// The length above which a parameter moves to the body if the query is too long, in bytes.
const LONG_BYTES: usize = 1000;

impl Call {
    /// The same call, with its long parameters in the body if the URL would be too long.
    #[must_use]
    pub(super) fn with_short_url(mut self) -> Self {
        let bytes = |(name, text): &(String, String)| name.len() + text.len();
        if self.query.iter().map(bytes).sum::<usize>() > QUERY_BYTES_MAX {
            let query = std::mem::take(&mut self.query);
            let (long, short): (Vec<_>, _) =
                query.into_iter().partition(|pair| bytes(pair) > LONG_BYTES);
            self.query = short;
            self.body.extend(long);
        }
        self
    }

    /// The calls without one optional field, or without one part of a field.
    fn simpler(&self) -> Vec<Self> {
        let Ok(Value::Object(fields)) = serde_json::to_value(self) else { return Vec::new() };
        let mut all = Vec::new();
        for (name, field) in &fields {
            all.push(without(&fields, name));
            let smaller: Vec<Value> = match field {
                Value::Array(items) => {
                    let without = |position| [&items[..position], &items[position + 1..]].concat();
                    (0..items.len()).map(|position| without(position).into()).collect()
                }
                Value::Object(members) => {
                    members.keys().map(|name| without(members, name)).collect()
                }
                _ => Vec::new(),
            };
            all.extend(smaller.into_iter().map(|smaller| with(&fields, name, smaller)));
        }
        let calls = all.into_iter().filter_map(|fields| serde_json::from_value(fields).ok());
        // A call without an empty field is the same call.
        calls.filter(|call| call != self).collect()
    }

    /// The call as a request to sign.
    ///
    /// # Errors
    ///
    /// `common` or `afterSigning` has a value that a request cannot have.
    pub fn request(&self) -> Result<Request> {
        let mut request = serde_json::to_value(self).at("a call")?;
        request.as_object_mut().map(|fields| fields.remove("encoding"));
        serde_json::from_value(request).at("a call")
    }

    /// The signature and format of the call.
    #[must_use]
    pub fn variant(&self) -> Variant {
        Variant { style: self.signature, format: self.format.clone() }
    }
}

impl Plan {
    /// Reads a plan from a file, or from the text itself if that is JSON.
    pub fn open(place: &str) -> Result<Self> {
        if place.trim_start().starts_with('{') {
            return json::read(place).at("--replay");
        }
        json::read_file(Path::new(place))
    }

    /// Simpler plans, the simplest first: without a step, without a call of a race, with a race's calls in
    /// sequence, with a simpler call, or with a more usual world.
    pub(super) fn simpler(&self, usual_world: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        let mut with = |position: usize, steps: Vec<Step>| {
            let mut plan = self.clone();
            plan.steps.splice(position..=position, steps);
            all.push(plan);
        };
        for (position, step) in self.steps.iter().enumerate() {
            with(position, Vec::new());
            if let Step::Race(calls) = step {
                with(position, calls.iter().cloned().map(Step::of).collect());
                for left_out in 0..calls.len() {
                    let mut rest = calls.clone();
                    rest.remove(left_out);
                    with(position, vec![Step::race(rest)]);
                }
            }
        }
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Call(call) => {
                    call.simpler()
                        .into_iter()
                        .for_each(|call| with(position, vec![Step::of(call)]));
                }
                Step::Race(calls) => {
                    for (racer, call) in calls.iter().enumerate() {
                        for call in call.simpler() {
                            let mut calls = calls.clone();
                            calls[racer] = call;
                            with(position, vec![Step::Race(calls)]);
                        }
                    }
                }
                Step::WaitSeconds(_) => {}
            }
        }
        all.retain(|plan| !plan.steps.is_empty());
        let worlds = more_usual(&self.world, usual_world).into_iter();
        all.extend(worlds.map(|world| Self { world, steps: self.steps.clone() }));
        all
    }

    /// The number of calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.steps.iter().map(|step| step.calls().len()).sum()
    }

    /// Whether the plan has simultaneous calls, so that another run may end differently.
    #[must_use]
    pub fn has_race(&self) -> bool {
        self.steps.iter().any(|step| step.calls().len() > 1)
    }

    /// Whether the plan moves the clock.
    #[must_use]
    pub fn has_wait(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::WaitSeconds(_)))
    }
}

/// The values that undo one difference from a usual value each: whole documents before their members.
fn more_usual(value: &Value, usual: &Value) -> Vec<Value> {
    let (Value::Object(members), Value::Object(of_usual)) = (value, usual) else {
        return Vec::new();
    };
    let names: BTreeSet<&String> = members.keys().chain(of_usual.keys()).collect();
    let differing = || names.iter().filter(|name| members.get(**name) != of_usual.get(**name));
    let whole = differing().map(|name| match of_usual.get(*name) {
        Some(usual) => with(members, name, usual.clone()),
        None => without(members, name),
    });
    let parts = differing().flat_map(|name| {
        let (member, usual) = (members.get(*name), of_usual.get(*name));
        let parts = member.zip(usual).map(|(member, usual)| more_usual(member, usual));
        parts.into_iter().flatten().map(|part| with(members, name, part))
    });
    whole.chain(parts).collect()
}

fn with(members: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut members = members.clone();
    members.insert(name.to_owned(), value);
    members.into()
}

fn without(members: &Map<String, Value>, name: &str) -> Value {
    let mut members = members.clone();
    members.remove(name);
    members.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_encoding_has_the_same_meaning() {
        let pairs = [("aé", "b c-1"), ("%", "+"), ("", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (encoding, expected) in [
            (Encoding::Plain, "a%C3%A9=b%20c-1&%25=%2B&="),
            (Encoding::Plus, "a%C3%A9=b+c-1&%25=%2B&="),
            (Encoding::LowerCase, "a%c3%a9=b%20c-1&%25=%2b&="),
            (Encoding::Everything, "%61%C3%A9=%62%20%63%2D%31&%25=%2B&="),
        ] {
            assert_eq!(encoding.write(&pairs), expected);
        }
    }

    #[test]
    fn long_parameters_move_to_the_body_only_if_the_url_is_too_long() {
        let pair = |name: &str, bytes: usize| (name.to_owned(), "x".repeat(bytes));
        let call = |query: Vec<(String, String)>| -> Call {
            let fields = json!({
                "action": "Action", "method": "POST", "signature": "V3", "accessKeyId": "",
                "accessKeySecret": "", "query": query, "body": [pair("Body", 1)],
            });
            serde_json::from_value(fields).unwrap()
        };
        let fits = call(vec![pair("A", 8192), pair("B", 8192), pair("C", 3)]);
        assert_eq!(fits.clone().with_short_url(), fits);
        let long = call(vec![pair("A", 8192), pair("C", 3), pair("A", 8192), pair("B", 8193)]);
        let short = long.with_short_url();
        assert_eq!(short.query, [pair("C", 3)]);
        assert_eq!(
            short.body,
            [pair("Body", 1), pair("A", 8192), pair("A", 8192), pair("B", 8193)]
        );
    }
}
