//! The values that calls send for each parameter: the usual one, those of cases, the ids of the world, and
//! texts that nearly equal them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use crate::case::Case;
use crate::operations::{Operation, Operations, Parameter};
use crate::world::{View, members};

type Texts = BoxedStrategy<Sent>;

/// Values longer than this are left to [`any_text`].
const BYTES_MAX: usize = 200;

/// A few client tokens, so that calls share them.
const TOKENS: [&str; 4] = ["token-1", "token-2", "Token-1", "token-0"];
const TOKEN: &str = "ClientToken";

/// A parameter's value.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    /// A text.
    Text(String),
    /// An id of the world that the parameter can name.
    Id(Index),
}

/// The values for the calls of an operation.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    operation: Arc<Operation>,
    /// The values in cases, by parameter. The value in most successes comes first.
    values: BTreeMap<String, Vec<String>>,
}

/// The offers of all operations.
pub(super) fn offers(operations: &Operations, cases: &[Case]) -> Arc<[Offer]> {
    let offer = |operation: &Operation| {
        let of: Vec<&Case> = cases.iter().filter(|case| case.action == operation.action).collect();
        let values = |parameter: &Parameter| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for case in &of {
                let sent = case.request.parameters().into_iter();
                let mut sent =
                    sent.filter(|(name, _)| parameter.is_named(name)).map(|(_, text)| text);
                let Some(text) = sent.next_back().filter(|text| text.len() <= BYTES_MAX) else {
                    continue;
                };
                *counts.entry(text).or_default() += usize::from(case.demanded.status == 200);
            }
            if parameter.name == TOKEN {
                counts.extend(TOKENS.map(|token| (token.to_owned(), 1)));
            }
            let mut values: Vec<(String, usize)> = counts.into_iter().collect();
            values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            (parameter.name.clone(), values.into_iter().map(|(text, _)| text).collect())
        };
        let values = operation.accepted().map(values).collect();
        Offer { operation: Arc::new(operation.clone()), values }
    };
    operations.all().iter().map(offer).collect()
}

impl Offer {
    pub(super) fn action(&self) -> &str {
        &self.operation.action
    }

    /// Whether the operation accepts a parameter.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The ids of a world that a parameter can name.
    fn ids(&self, name: &str, world: &Value) -> Vec<String> {
        let wanted = format!("{{{name}}}");
        let default_from = self.operation.parameters.iter().find(|known| known.name == name);
        let default_from = default_from.and_then(|parameter| parameter.default_from.as_deref());
        let mut ids = BTreeSet::new();
        for document in &self.operation.documents {
            let is_named = document.id.as_deref() == Some(&*wanted);
            let path = pointer(&document.members, &wanted);
            for (_, account) in members(&world["Accounts"]) {
                for (id, value) in members(&account[&document.kind]) {
                    if is_named || default_from == Some(&*document.name) {
                        ids.insert(id.clone());
                    }
                    // A member at the top level, like a region, is not an id.
                    let inner = path.as_ref().filter(|path| path.matches('/').count() > 1);
                    let inner = inner.and_then(|path| value.pointer(path)).and_then(Value::as_str);
                    ids.extend(inner.map(str::to_owned));
                }
            }
        }
        ids.into_iter().collect()
    }

    /// The text of a value in a world.
    pub(super) fn text(&self, name: &str, sent: &Sent, world: &Value) -> String {
        match sent {
            Sent::Text(text) => text.clone(),
            Sent::Id(index) => {
                let ids = self.ids(name, world);
                if ids.is_empty() { String::new() } else { ids[index.index(ids.len())].clone() }
            }
        }
    }

    /// Whether a parameter names a document.
    fn names_one(&self, name: &str) -> bool {
        let wanted = format!("{{{name}}}");
        self.operation.documents.iter().any(|document| {
            let inner = pointer(&document.members, &wanted);
            document.id.as_deref() == Some(&*wanted)
                || inner.is_some_and(|path| path.matches('/').count() > 1)
        })
    }

    /// The usual value of a parameter.
    fn usual_value(&self, name: &str) -> Option<Sent> {
        self.values.get(name)?.first().map(|text| Sent::Text(text.clone()))
    }

    /// The required parameters of a call, with their usual values.
    pub(super) fn usual(&self) -> Vec<(String, Option<Sent>)> {
        let required = self.operation.parameters.iter().filter(|parameter| parameter.required);
        required
            .map(|parameter| (parameter.name.clone(), self.usual_value(&parameter.name)))
            .collect()
    }

    /// The parameters of a call that probably succeeds: it names documents, and has the required parameters
    /// and a few others.
    pub(super) fn base(&self) -> BoxedStrategy<Vec<(String, Option<Sent>)>> {
        let each = self.operation.parameters.iter().map(|parameter| {
            let name = parameter.name.clone();
            let usual = self.usual_value(&name);
            let value: BoxedStrategy<Option<Sent>> = if self.names_one(&name) {
                let ids = any::<Index>().prop_map(Sent::Id);
                if parameter.required {
                    ids.prop_map(Some).boxed()
                } else {
                    prop::option::weighted(0.6, ids).boxed()
                }
            } else if parameter.required {
                let bounds = bounds(parameter).into_iter().map(|bound| bound.to_string());
                let bounds: Vec<Sent> = bounds.map(Sent::Text).collect();
                if bounds.is_empty() {
                    Just(usual).boxed()
                } else {
                    prop_oneof![3 => Just(usual), 1 => select(bounds).prop_map(Some)].boxed()
                }
            } else if name == TOKEN {
                let token = select(&TOKENS[..]).prop_map(|token| Sent::Text(token.to_owned()));
                prop::option::weighted(0.6, token).boxed()
            } else if let Some(values) = &parameter.values {
                let texts = values.iter().filter_map(Value::as_str);
                let texts: Vec<Sent> = texts.map(|text| Sent::Text(text.to_owned())).collect();
                prop::option::weighted(0.4, select(texts)).boxed()
            } else {
                prop_oneof![7 => Just(None), 1 => Just(usual)].boxed()
            };
            value.prop_map(move |value| (name.clone(), value)).boxed()
        });
        each.collect::<Vec<_>>().boxed()
    }

    /// A change of one parameter.
    pub(super) fn change(&self) -> BoxedStrategy<(String, Option<Sent>)> {
        let of = |name: &str, values: Texts| {
            let name = name.to_owned();
            prop_oneof![9 => values.prop_map(Some), 1 => Just(None)]
                .prop_map(move |sent| (name.clone(), sent))
                .boxed()
        };
        let accepted = self.operation.accepted();
        let mut all: Vec<(u32, _)> = accepted
            .map(|parameter| {
                let name = parameter.name.replace(".N", ".1");
                (4, of(&name, self.values_of(parameter)))
            })
            .collect();
        let ignored = self.operation.ignored.iter().map(String::as_str);
        for name in ignored.chain(["Unknown.1.名", "lowercase"]) {
            all.push((1, of(name, any_text().prop_map(Sent::Text).boxed())));
        }
        proptest::strategy::Union::new_weighted(all).boxed()
    }

    fn values_of(&self, parameter: &Parameter) -> Texts {
        let text = |strategy: BoxedStrategy<String>| strategy.prop_map(Sent::Text).boxed();
        let mut all = vec![(1, text(any_text()))];
        let known = self.values.get(&parameter.name).filter(|values| !values.is_empty());
        if let Some(values) = known {
            all.push((6, text(select(values.clone()).boxed())));
            all.push((1, text(spoilt(values[0].clone()))));
        }
        let bounds = bounds(parameter);
        if !bounds.is_empty() {
            let next = bounds.iter().flat_map(|bound| [bound.saturating_sub(1), *bound, bound + 1]);
            let next: Vec<String> = next.map(|number| number.to_string()).collect();
            all.push((6, text(select(next).boxed())));
        }
        if parameter.kind == "integer" {
            let most = bounds.iter().copied().max().unwrap_or(100) + 100;
            let numbers = (0..=most).prop_map(|number| number.to_string());
            all.push((2, text(numbers.boxed())));
        }
        if self.names_one(&parameter.name) || parameter.default_from.is_some() {
            all.push((8, any::<Index>().prop_map(Sent::Id).boxed()));
        }
        proptest::strategy::Union::new_weighted(all).boxed()
    }

    /// Adds to a quarter of the worlds the token `token-0` of an earlier call by the key, whose effects are
    /// gone.
    pub(super) fn remember(&self, world: &mut Value, key_id: &str, whether: Index) {
        if whether.index(4) != 3 {
            return;
        }
        let mut parameters = BTreeMap::from([(TOKEN.to_owned(), "token-0".to_owned())]);
        for parameter in &self.operation.parameters {
            let sent = if self.names_one(&parameter.name) {
                self.ids(&parameter.name, world).first().cloned()
            } else {
                self.usual().into_iter().find_map(|(name, sent)| match sent {
                    Some(Sent::Text(text)) if name == parameter.name => Some(text),
                    Some(_) | None => None,
                })
            };
            parameters.extend(sent.map(|sent| (parameter.name.clone(), sent)));
        }
        let view = View::of(&self.operation, world, key_id, &parameters);
        let answer: Option<Map<String, Value>> = self
            .operation
            .success
            .elements
            .iter()
            .filter(|element| element.name != "RequestId")
            .map(|element| {
                let value = element.fresh.as_ref().or_else(|| parameters.get(&element.name))?;
                Some((element.name.clone(), value.as_str().into()))
            })
            .collect();
        let until = "2099-01-01T00:00:00Z";
        let after = answer.map(|answer| view.after(world, &answer, until));
        let Some(Ok(mut after)) = after else { return };
        let account_id = view.account_id().to_owned();
        let remembered = after["Accounts"][&account_id]["ClientTokens"].take();
        if !remembered.is_null() {
            world["Accounts"][&account_id]["ClientTokens"] = remembered;
        }
    }
}

/// The minimums and maximums of a parameter.
fn bounds(parameter: &Parameter) -> Vec<u64> {
    let of = |limit: &Value| ["minimum", "maximum"].map(|name| limit[name].as_u64());
    parameter.limits.values().flat_map(of).flatten().collect()
}

/// The JSON pointer of a text in a template.
fn pointer(template: &Value, wanted: &str) -> Option<String> {
    members(template).find_map(|(name, inner)| {
        if inner == wanted {
            return Some(format!("/{name}"));
        }
        pointer(inner, wanted).map(|rest| format!("/{name}{rest}"))
    })
}

/// A text with a fault.
fn spoilt(text: String) -> BoxedStrategy<String> {
    let change = (0..9_usize, any::<Index>()).prop_map(move |(kind, at)| {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([0]).collect();
        let (before, after) = text.split_at(starts[at.index(starts.len())]);
        match kind {
            0 => format!("{text} "),
            1 => format!(" {text}"),
            2 => text.to_uppercase(),
            3 => before.to_owned(),
            4 => format!("{before}\0{after}"),
            5 => format!("{before}é{after}"),
            6 => format!("{text}\n"),
            7 => format!("{before}+{after}"),
            _ => format!("{before}%{after}&<{after}"),
        }
    });
    change.boxed()
}

/// Any text.
fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => ".{0,12}",
        1 => "[ -~]{0,40}",
        1 => Just("x".repeat(8192)),
        1 => Just("x".repeat(8193)),
        1 => Just("é".repeat(4096)),
    ]
    .boxed()
}
