//! `scene.json`: the worlds of the calls, and the variations of calls besides their parameters.
//!
//! Ids are the same in all worlds, so that a call can be generated without its world. The documents differ.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Keys;
use crate::world::merge;

pub(super) type Members = Map<String, Value>;

/// The file, with the caller's keys inserted.
#[derive(Deserialize)]
pub(super) struct Scene {
    /// Two accounts with users, a role, gateways and addresses.
    pub(super) world: Value,
    variations: Vec<Variation>,
    /// Weighted alternatives of a call's fields.
    choices: Vec<Vec<(u32, Members)>>,
    /// Wrong common parameters: the weight, the parameters of a V1 call and those of a V3 call.
    flaws: Vec<(u32, Members, Members)>,
}

/// Variations of some documents of the world.
#[derive(Deserialize)]
struct Variation {
    /// The documents, as JSON pointers.
    of: Vec<String>,
    /// The probability of each merge.
    often: f64,
    /// The greatest number of merges of a document.
    times: usize,
    /// The merges with their weights. `{n}` is the position of the document in the list.
    merges: Vec<(u32, Value)>,
}

/// The variations of a call besides its parameters.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// Fields of the call.
    pub(super) fields: Members,
    /// Wrong common parameters, of a V1 call and of a V3 call.
    pub(super) flaws: Vec<(Members, Members)>,
}

impl Scene {
    pub(super) fn of(keys: &Keys) -> Self {
        let escaped = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
        let text = include_str!("scene.json").replace("{keyId}", &escaped(&keys.id));
        let scene = serde_json::from_str(&text.replace("{secret}", &escaped(&keys.secret)));
        scene.unwrap_or_else(|error| unreachable!("scene.json is part of this program: {error}"))
    }

    /// The worlds.
    pub(super) fn worlds(&self) -> impl Strategy<Value = Value> + use<> {
        let each = |Variation { of, often, times, merges }: &Variation| {
            let of = of.iter().enumerate().map(|(position, at)| {
                let merges = merges.iter().map(|(weight, merge)| {
                    let merge = merge.to_string().replace("{n}", &position.to_string());
                    (*weight, serde_json::from_str::<Value>(&merge).unwrap_or_default())
                });
                let at = at.clone();
                let merges = maybe(weighted(merges), *often, *times);
                merges.prop_map(move |merges| (at.clone(), merges)).boxed()
            });
            of.collect::<Vec<_>>()
        };
        let variations: Vec<_> = self.variations.iter().flat_map(each).collect();
        let world = self.world.clone();
        variations.prop_map(move |variations| {
            let mut world = world.clone();
            for (at, merges) in variations {
                if let Some(document) = world.pointer_mut(&at) {
                    for patch in &merges {
                        merge(document, patch);
                    }
                }
            }
            world
        })
    }

    /// The variations of calls besides their parameters.
    pub(super) fn manners(&self) -> impl Strategy<Value = Manner> + use<> {
        let choices = self.choices.iter().map(|choices| weighted(choices.iter().cloned()));
        let flaws = self.flaws.iter().map(|(weight, v1, v3)| (*weight, (v1.clone(), v3.clone())));
        let flaws = maybe(weighted(flaws), 0.06, 2);
        (choices.collect::<Vec<_>>(), flaws).prop_map(|(choices, flaws)| Manner {
            fields: choices.into_iter().flatten().collect(),
            flaws,
        })
    }
}

/// One of several values.
fn weighted<T: Clone + std::fmt::Debug + 'static>(
    values: impl Iterator<Item = (u32, T)>,
) -> BoxedStrategy<T> {
    Union::new_weighted(values.map(|(weight, value)| (weight, Just(value))).collect()).boxed()
}

/// Up to `count` values, each with the probability `often`.
pub(super) fn maybe<S: Strategy>(
    each: S,
    often: f64,
    count: usize,
) -> impl Strategy<Value = Vec<S::Value>> {
    vec(prop::option::weighted(often, each), count)
        .prop_map(|some| some.into_iter().flatten().collect())
}
