//! Generates sequences of calls: valid ones, and ones with a few faults.
//!
//! The calls of a sequence vary one base call, so that replays, mismatches and races for one document are
//! frequent.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::Keys;
use super::offers::{Offer, Sent};
use super::plan::{Call, Plan, Step};
use super::scene::{Manner, Scene, maybe};

/// The greatest number of steps of a sequence.
const STEPS_MAX: usize = 6;

/// The waits of a sequence, besides [`DAY_SECS`]. No sum of them is within a minute of the 24 hours for which
/// tokens are remembered: the endpoint's clock moves meanwhile. The cases test the exact second.
const WAITS_SECS: [i64; 3] = [600, 43_260, 85_860];

/// A wait after which tokens are forgotten. It matters only if the same call follows, so it is the most
/// frequent wait.
const DAY_SECS: i64 = 86_460;

/// A change of a parameter; `None` omits it.
type Change = (String, Option<Sent>);

/// The places where a parameter is sent.
#[derive(Clone, Copy, Debug)]
enum Place {
    Query,
    Body,
    /// In both. The query's value differs and is overridden.
    Both,
    /// Twice in the query, with the same value.
    Twice,
    /// Twice in the query, with different values.
    TwiceOther,
}

/// Sequences of calls of all operations, with the keys of the caller's account.
pub(super) fn plan(offers: &Arc<[Offer]>, keys: &Keys) -> BoxedStrategy<Plan> {
    let scene = Scene::of(keys);
    let step = |main: usize| {
        let (one, more) = (call(&scene, offers, main), call(&scene, offers, main));
        prop_oneof![
            12 => one.prop_map(|call| Part::Calls(vec![call])),
            3 => vec(more, 2..=4).prop_map(Part::Calls),
            2 => Just(DAY_SECS).prop_map(Part::Wait),
            1 => select(&WAITS_SECS[..]).prop_map(Part::Wait),
        ]
    };
    let sequences = (0..offers.len()).map(|main| {
        let (base, keys, offers) = (offers[main].base(), keys.clone(), Arc::clone(offers));
        let sequence = (scene.worlds(), base, any::<Index>(), vec(step(main), 1..=STEPS_MAX));
        sequence.prop_map(move |(mut world, base, remembers, parts)| {
            offers[main].remember(&mut world, &keys.id, remembers);
            let steps = parts.into_iter().map(|part| match part {
                Part::Wait(secs) => Step::WaitSeconds(secs),
                Part::Calls(calls) => {
                    let mut calls: Vec<Call> = calls
                        .into_iter()
                        .map(|call| call.made(&offers, &world, (main, &base), &keys))
                        .collect();
                    match (calls.len(), calls.pop()) {
                        (1, Some(call)) => Step::Call(Box::new(call)),
                        (_, last) => Step::Race(calls.into_iter().chain(last).collect()),
                    }
                }
            });
            let steps = steps.collect();
            Plan { world, steps }
        })
    });
    proptest::strategy::Union::new(sequences).boxed()
}

#[derive(Debug)]
enum Part {
    Calls(Vec<Varied>),
    Wait(i64),
}

/// A call as a variation of the base call.
#[derive(Clone, Debug)]
struct Varied {
    /// The index of the operation.
    offer: usize,
    changes: Vec<Change>,
    manner: Manner,
    /// The places of the parameters, and the rotation of their order.
    places: Vec<Place>,
    turned: usize,
}

/// A call, usually of the main operation.
fn call(
    scene: &Scene,
    offers: &Arc<[Offer]>,
    main: usize,
) -> impl Strategy<Value = Varied> + use<> {
    let offers = Arc::clone(offers);
    let offer = prop_oneof![5 => Just(main), 2 => 0..offers.len()];
    let of_offer = offer.prop_flat_map(move |offer| {
        let change = || offers[offer].change();
        let changes = prop_oneof![3 => maybe(change(), 0.2, 4), 1 => maybe(change(), 0.6, 6)];
        changes.prop_map(move |changes| (offer, changes))
    });
    let place = prop_oneof![
        60 => Just(Place::Query),
        20 => Just(Place::Body),
        5 => Just(Place::Both),
        3 => Just(Place::Twice),
        1 => Just(Place::TwiceOther),
    ];
    (of_offer, scene.manners(), vec(place, 10), 0..8_usize).prop_map(
        |((offer, changes), manner, places, turned)| Varied {
            offer,
            changes,
            manner,
            places,
            turned,
        },
    )
}

impl Varied {
    /// Applies the variation to the base call of the main operation, in a world.
    fn made(
        self,
        offers: &[Offer],
        world: &Value,
        (main, base): (usize, &[Change]),
        keys: &Keys,
    ) -> Call {
        let Self { offer, changes, manner: Manner { fields, flaws }, places, turned } = self;
        let offer = &offers[offer];
        let of_base = base.iter().filter(|(name, _)| offer.takes(name));
        let mut usual = offer.usual();
        usual.retain(|(name, _)| {
            offer.action() != offers[main].action() && !base.iter().any(|(known, _)| known == name)
        });
        let mut parameters: Vec<(&str, String)> = Vec::new();
        for (name, sent) in usual.iter().chain(of_base).chain(&changes) {
            parameters.retain(|(known, _)| known != name);
            let text = sent.as_ref().map(|sent| offer.text(name, sent, world));
            parameters.extend(text.map(|text| (name.as_str(), text)));
        }
        let turned = turned % parameters.len().max(1);
        parameters.rotate_left(turned);
        let (mut query, mut body) = (Vec::new(), Vec::new());
        let mut is_repeated = false;
        for (position, (name, text)) in parameters.into_iter().enumerate() {
            let place = places.get(position).copied().unwrap_or(Place::Query);
            let pair = |text: &str| (name.to_owned(), text.to_owned());
            match place {
                Place::Query => query.push(pair(&text)),
                Place::Body => body.push(pair(&text)),
                Place::Both => {
                    query.push(pair("another"));
                    body.push(pair(&text));
                }
                Place::Twice => query.extend([pair(&text), pair(&text)]),
                Place::TwiceOther => {
                    query.push(pair(&text));
                    // No rule says which of several repetitions the message names.
                    if !is_repeated {
                        query.push(pair(&format!("{text}0")));
                        is_repeated = true;
                    }
                }
            }
        }
        let mut call = json!({
            "action": offer.action(), "accessKeyId": keys.id, "accessKeySecret": keys.secret,
            "query": query, "body": body,
        });
        for (name, value) in fields {
            call[name] = value;
        }
        let call = serde_json::from_value(call);
        let mut call: Call =
            call.unwrap_or_else(|error| unreachable!("scene.json has fields of calls: {error}"));
        for (v1, v3) in flaws {
            call.common.extend(if call.signature.is_v3() { v3 } else { v1 });
        }
        if call.common.contains_key("authorization") {
            // Without its header the call counts as V1, whose default format differs.
            call.format = Some("JSON".to_owned());
        }
        call.with_short_url()
    }
}
