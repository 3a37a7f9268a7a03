//! Makes up sequences of calls: valid ones, and ones with a few things wrong.
//!
//! A sequence has a call that all others vary, so that replays, mismatches and races for one document
//! come up often. Whatever shrinks, shrinks to that call.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::Keys;
use super::offers::{Offer, Sent};
use super::plan::{Call, Encoding, Plan, Step};
use super::scene::{ENDED_KEY_ID, KEY_IDS, SECURITY_TOKEN, SESSION_KEY_ID, scene};
use crate::case::Style;

/// The calls of a sequence, at most; those of one race count as one.
const STEPS_MAX: usize = 6;

/// How long a sequence waits, besides [`DAY_SECS`]. No sum of some is within a minute of the 24 hours that
/// tokens are remembered: the endpoint's clock goes on meanwhile, and to the second the cases hold it.
const WAITS_SECS: [i64; 3] = [600, 43_260, 85_860];

/// Longer than tokens are remembered. What happens then shows only if the same call follows, so sequences
/// wait so long more often than any other time.
const DAY_SECS: i64 = 86_460;

/// A change of a call's parameter; `None` leaves it out.
type Change = (String, Option<Sent>);

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug)]
enum Place {
    Query,
    Body,
    /// In both; the query's value is another, and does not count.
    Both,
    /// Twice in the query, the same.
    Twice,
    /// Twice in the query, the second time another.
    TwiceOther,
}

/// How a call is sent.
#[derive(Clone, Debug)]
struct Transport {
    signature: Style,
    method: &'static str,
    format: Option<&'static str>,
    places: Vec<Place>,
    /// How far the parameters are turned round.
    turned: usize,
    encoding: Encoding,
}

/// Who calls.
#[derive(Clone, Debug)]
struct Caller {
    key_id: Option<&'static str>,
    has_wrong_secret: bool,
    security_token: Option<&'static str>,
    nonce: Option<&'static str>,
}

/// Something wrong with a call before the operation, by its V1 and its V3 names.
#[derive(Clone, Debug)]
struct Flaw {
    v1: &'static str,
    v3: &'static str,
    value: Value,
}

/// Sequences of calls that operations offer, with the keys of the caller's account.
pub(super) fn plan(offers: &Arc<[Offer]>, keys: &Keys) -> BoxedStrategy<Plan> {
    let step = |main: usize| {
        let (one, more) = (call(offers, main), call(offers, main));
        prop_oneof![
            12 => one.prop_map(|call| Part::Calls(vec![call])),
            3 => vec(more, 2..=4).prop_map(Part::Calls),
            2 => Just(DAY_SECS).prop_map(Part::Wait),
            1 => select(&WAITS_SECS[..]).prop_map(Part::Wait),
        ]
    };
    let sequences = (0..offers.len()).map(|main| {
        let (base, keys, offers) = (offers[main].base(), keys.clone(), Arc::clone(offers));
        let sequence = (scene(&keys), base, any::<Index>(), vec(step(main), 1..=STEPS_MAX));
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

enum Part {
    Calls(Vec<Varied>),
    Wait(i64),
}

impl std::fmt::Debug for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("part")
    }
}

/// A call, as it differs from the base.
#[derive(Clone, Debug)]
struct Varied {
    /// Which operation.
    offer: usize,
    changes: Vec<Change>,
    transport: Transport,
    caller: Caller,
    flaws: Vec<Flaw>,
    tampered: bool,
}

/// A call, most often of the main operation.
fn call(offers: &Arc<[Offer]>, main: usize) -> impl Strategy<Value = Varied> + use<> {
    let offers = Arc::clone(offers);
    let offer = prop_oneof![5 => Just(main), 2 => 0..offers.len()];
    let flaws = maybe(flaw(), 0.06, 2);
    let tampered = prop_oneof![39 => Just(false), 1 => Just(true)];
    let of_offer = offer.prop_flat_map(move |offer| {
        let change = || offers[offer].change();
        let changes = prop_oneof![3 => maybe(change(), 0.2, 4), 1 => maybe(change(), 0.6, 6)];
        changes.prop_map(move |changes| (offer, changes))
    });
    (of_offer, transport(), caller(), flaws, tampered).prop_map(
        |((offer, changes), transport, caller, flaws, tampered)| Varied {
            offer,
            changes,
            transport,
            caller,
            flaws,
            tampered,
        },
    )
}

/// Some of a few: each of `count` is there as often as `often` says. They shrink one by one.
pub(super) fn maybe<S: Strategy>(
    each: S,
    often: f64,
    count: usize,
) -> impl Strategy<Value = Vec<S::Value>> {
    vec(prop::option::weighted(often, each), count)
        .prop_map(|some| some.into_iter().flatten().collect())
}

fn transport() -> impl Strategy<Value = Transport> {
    let signature = prop_oneof![
        4 => Just(Style::V3),
        4 => Just(Style::V1),
        1 => Just(Style::V3Sm3),
    ];
    let method = prop_oneof![12 => Just("POST"), 6 => Just("GET"), 1 => select(&["PUT", "DELETE", "PATCH"][..])];
    let format = prop_oneof![
        4 => Just(Some("JSON")),
        3 => Just(Some("XML")),
        3 => Just(None),
        1 => select(&["json", "xMl", "", "YAML", "JSON ", "None", "text/xml"][..]).prop_map(Some),
    ];
    let place = prop_oneof![
        60 => Just(Place::Query),
        20 => Just(Place::Body),
        5 => Just(Place::Both),
        3 => Just(Place::Twice),
        1 => Just(Place::TwiceOther),
    ];
    let encoding = prop_oneof![
        6 => Just(Encoding::Plain),
        1 => Just(Encoding::LowerCase),
        1 => Just(Encoding::Everything),
        1 => Just(Encoding::Plus),
    ];
    (signature, method, format, vec(place, 10), 0..8_usize, encoding).prop_map(
        |(signature, method, format, places, turned, encoding)| Transport {
            signature,
            method,
            format,
            places,
            turned,
            encoding,
        },
    )
}

fn caller() -> impl Strategy<Value = Caller> {
    let key = prop_oneof![
        40 => Just((None, None)),
        4 => select(&KEY_IDS[..]).prop_map(|id| (Some(id), None)),
        1 => select(&["nobody", "TESTID", ""][..]).prop_map(|id| (Some(id), None)),
        1 => Just((None, Some(SECURITY_TOKEN))),
        1 => Just((None, Some(""))),
        2 => Just((Some(SESSION_KEY_ID), Some(SECURITY_TOKEN))),
        1 => (
            select(&[SESSION_KEY_ID, ENDED_KEY_ID][..]).prop_map(Some),
            select(&["", "c2Vzc2lvbg", "no base64", SECURITY_TOKEN][..]).prop_map(Some),
        ),
        1 => Just((Some(SESSION_KEY_ID), None)),
    ];
    let secret = prop_oneof![39 => Just(false), 1 => Just(true)];
    let nonce = prop_oneof![
        8 => Just(None),
        1 => select(&["nonce-1", "nonce-2", "NONCE-1"][..]).prop_map(Some),
    ];
    (key, secret, nonce).prop_map(|((key_id, security_token), has_wrong_secret, nonce)| Caller {
        key_id,
        has_wrong_secret,
        security_token,
        nonce,
    })
}

fn flaw() -> impl Strategy<Value = Flaw> {
    let flaw = |v1: &'static str, v3: &'static str, values: &[Value]| {
        select(values.to_vec()).prop_map(move |value| Flaw { v1, v3, value })
    };
    let missing = || Value::Null;
    let offset = |secs: i64| json!({ "offsetSeconds": secs });
    let hmac = "ACS3-HMAC-SHA256";
    prop_oneof![
        2 => flaw("Action", "x-acs-action", &[
            json!("ThereIsNoSuchAction"), json!("action"), missing(),
        ]),
        2 => flaw("Version", "x-acs-version", &[json!("2014-05-26"), json!("2016-4-28"), missing()]),
        4 => flaw("Timestamp", "x-acs-date", &[
            json!("yesterday"), json!("2026-02-30T00:00:00Z"), json!("2026-01-02 03:04:05"),
            json!("2026-01-02T03:04:05.000Z"), json!("2026-01-02T03:04:05+00:00"),
            offset(-960), offset(960), offset(-840), offset(840), missing(),
        ]),
        1 => flaw("SignatureNonce", "x-acs-signature-nonce", &[missing()]),
        1 => flaw("SignatureType", "SignatureType", &[json!("BEARERTOKEN"), json!("")]),
        2 => flaw("SignatureMethod", "authorization", &[json!("HMAC-SHA256"), missing()]),
        1 => flaw("SignatureVersion", "authorization", &[json!("2.0"), missing()]),
        1 => flaw("AccessKeyId", "authorization", &[missing()]),
        1 => flaw("Signature", "authorization", &[missing(), json!(hmac)]),
    ]
}

impl Varied {
    /// The call that it makes of the base, which is one of the main operation, in a world.
    fn made(
        self,
        offers: &[Offer],
        world: &Value,
        (main, base): (usize, &[Change]),
        keys: &Keys,
    ) -> Call {
        let Self { offer, changes, transport, caller, flaws, tampered } = self;
        let offer = &offers[offer];
        let of_base = base.iter().filter(|(name, _)| offer.takes(name));
        let usual = offer.usual().into_iter().filter(|(name, _)| {
            offer.action() != offers[main].action() && !base.iter().any(|(known, _)| known == name)
        });
        let usual: Vec<Change> = usual.collect();
        let mut parameters: Vec<(&str, String)> = Vec::new();
        for (name, sent) in usual.iter().chain(of_base).chain(&changes) {
            parameters.retain(|(known, _)| known != name);
            let text = sent.as_ref().map(|sent| offer.text(name, sent, world));
            parameters.extend(text.map(|text| (name.as_str(), text)));
        }
        if !parameters.is_empty() {
            let turned = transport.turned % parameters.len();
            parameters.rotate_left(turned);
        }
        let (mut query, mut body) = (Vec::new(), Vec::new());
        let mut is_repeated = false;
        for (position, (name, text)) in parameters.into_iter().enumerate() {
            let place = transport.places.get(position).copied().unwrap_or(Place::Query);
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
                    // Which of several repetitions is told, nothing says.
                    if !is_repeated {
                        query.push(pair(&format!("{text}0")));
                        is_repeated = true;
                    }
                }
            }
        }
        let signature = transport.signature;
        let mut common = BTreeMap::new();
        for Flaw { v1, v3, value } in flaws {
            if !signature.is_v3() {
                common.insert(v1.to_owned(), value);
            } else if v3 == "SignatureType" {
                query.retain(|(name, _)| name != v3);
                query.push((v3.to_owned(), value.as_str().unwrap_or_default().to_owned()));
            } else {
                let value =
                    if v3 == "authorization" { authorization(signature, &value) } else { value };
                common.insert(v3.to_owned(), value);
            }
        }
        let after_signing = if tampered {
            BTreeMap::from([("Tampered".to_owned(), json!("1"))])
        } else {
            BTreeMap::new()
        };
        let has_authorization = !common.contains_key("authorization");
        let format = transport.format.map(str::to_owned);
        // Without its header a V3 call is none, and what its format would be nothing says.
        let format = if has_authorization { format } else { Some("JSON".to_owned()) };
        Call {
            action: offer.action().to_owned(),
            method: transport.method.to_owned(),
            signature,
            format,
            access_key_id: caller.key_id.unwrap_or(&keys.id).to_owned(),
            access_key_secret: if caller.has_wrong_secret { "wrong" } else { &keys.secret }
                .to_owned(),
            security_token: caller.security_token.map(str::to_owned),
            nonce: caller.nonce.map(str::to_owned),
            query,
            body,
            common,
            after_signing,
            encoding: transport.encoding,
        }
        .with_short_url()
    }
}

/// The header that goes with a flaw of a V1 call: another algorithm, none, or one that is not whole.
fn authorization(signature: Style, value: &Value) -> Value {
    let method = match signature {
        Style::V1 | Style::V3 => "ACS3-HMAC-SHA256",
        Style::V3Sm3 => "ACS3-HMAC-SM3",
    };
    match value.as_str() {
        None => Value::Null,
        Some("HMAC-SHA256") => {
            json!("ACS3-RSA-SHA256 Credential=a,SignedHeaders=host,Signature=00")
        }
        Some("2.0") => json!(format!("{method} Credential=a,Signature=00")),
        Some(_) => json!(method),
    }
}
