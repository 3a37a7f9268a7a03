//! Hostile input of all kinds: generated here, and kept by the fuzzers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hostile::seeds::seeds;
use hostile::{Change, KEYS, Plan, Shape, Style, TARGETS, Verb, run, try_plan};
use proptest::prelude::*;
use proptest::string::string_regex;
use proptest::test_runner::RngSeed;

/// A number of inputs that are the same in every run: the fuzzers try others. A failure is printed,
/// and no file is written.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// One of the words of a text.
fn word(text: &'static str) -> impl Strategy<Value = String> {
    let words: Vec<&str> = text.split(' ').collect();
    proptest::sample::select(words).prop_map(str::to_owned)
}

/// The known names, and the empty one.
const NAMES: &str = " AccessKeyId Action Bandwidth ClientToken DryRun Format InstanceChargeType \
    InternetChargeType Ipv6AddressId Ipv6GatewayId RegionId SecurityToken Signature \
    SignatureMethod SignatureNonce SignatureType SignatureVersion Timestamp Version action x";

const VALUES: &str = " AllocateIpv6InternetBandwidth cn-huhehaote cn-beijing ipv6-1 ipv6-2 \
    ipv6-4 ipv6gw-1 5 200 2147483648 PayByTraffic PayByBandwidth PostPaid true JSON XML \
    2016-04-28";

const HEADERS: &str = "accept authorization content-type host x-acs-action x-acs-content-sha256 \
    x-acs-credentials-provider x-acs-date x-acs-security-token x-acs-signature-nonce \
    x-acs-version x-forwarded-for x-forwarded-proto user-agent";

/// A text of one line.
fn text() -> impl Strategy<Value = String> {
    let printable = string_regex("[ -~]{0,12}").unwrap();
    let any = string_regex("[^\n\r]{0,8}").unwrap();
    prop_oneof![3 => word(VALUES), 1 => printable, 1 => any]
}

/// Encoded in some way: not at all, in full, or with a stray `%` or `+`.
fn encoded(text: String, how: u8) -> String {
    match how {
        0 => text,
        1 | 2 => {
            let digits = text.bytes().map(|byte| match how {
                1 => format!("%{byte:02X}"),
                _ => format!("%{byte:02x}"),
            });
            digits.collect::<Vec<_>>().concat()
        }
        3 => format!("%{text}"),
        _ => form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    }
}

fn pair() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        6 => word(NAMES),
        1 => text(),
    ];
    (name, text(), 0..8_u8, 0..8_u8).prop_map(|(name, value, how_name, how_value)| {
        let name = if how_name < 4 { encoded(name, how_name) } else { name };
        format!("{name}={}", encoded(value, how_value))
    })
}

/// A query or a form, most often one that the operation accepts.
fn pairs() -> impl Strategy<Value = String> {
    let right = "RegionId=cn-huhehaote&Ipv6AddressId=ipv6-1&Bandwidth=5".to_owned();
    let several = prop::collection::vec(pair(), 0..5).prop_map(|pairs| pairs.join("&"));
    prop_oneof![2 => Just(right), 3 => several]
}

fn header() -> impl Strategy<Value = (String, String)> {
    let value = prop_oneof![
        string_regex("[ -~]{0,20}").unwrap(),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("application/json".to_owned()),
    ];
    (word(HEADERS), value)
}

/// A change of the bytes of a text.
fn edit() -> impl Strategy<Value = Change> {
    let verb = proptest::sample::select(&[Verb::Insert, Verb::Set, Verb::Delete][..]);
    let text = (string_regex("[ -~]{1,3}").unwrap(), 1..4_usize);
    (verb, 0..400_usize, text).prop_map(|(verb, at, (text, count))| {
        let text = if verb == Verb::Delete { count.to_string() } else { text };
        Change { verb, place: String::new(), at, text }
    })
}

fn change() -> impl Strategy<Value = Change> {
    let place = prop_oneof![
        6 => word("query"),
        4 => word("body"),
        4 => word(HEADERS),
        1 => word("method"),
    ];
    let verb = proptest::sample::select(&Verb::ALL[3..]);
    let other = (verb, 0..12_usize).prop_map(|((_, verb), at)| (verb, at, String::new()));
    let edited = edit().prop_map(|Change { verb, at, text, .. }| (verb, at, text));
    let method = proptest::sample::select(&["GET", "POST", "PUT", "get", "HEAD"][..]);
    let added = (method, pair(), header());
    (place, prop_oneof![1 => edited, 2 => other], added).prop_map(
        |(place, (verb, at, text), (method, pair, (_, value)))| {
            let verb = if place == "method" { Verb::Add } else { verb };
            let text = match (verb, place.as_str()) {
                (Verb::Add, "method") => method.to_owned(),
                (Verb::Add, "query" | "body") => pair,
                (Verb::Add, _) => value,
                _ => text,
            };
            Change { verb, place, at, text }
        },
    )
}

fn plan(style: Style) -> impl Strategy<Value = Plan> {
    let shape = proptest::sample::select(&Shape::ALL[..]).prop_map(|(_, shape)| shape);
    let key = proptest::sample::select(&KEYS[..]).prop_map(|key| key.id.to_owned());
    let key = prop_oneof![2 => Just("testid".to_owned()), 1 => key];
    let method = proptest::sample::select(&["GET", "POST", "POST", "DELETE"][..]);
    let body = prop_oneof![3 => Just(String::new()), 2 => pairs()];
    let headers = prop::collection::vec(header(), 0..3);
    let changes = prop::collection::vec(change(), 0..4);
    (shape, key, method, pairs(), body, headers, changes).prop_map(
        move |(shape, key, method, query, body, headers, changes)| Plan {
            action: String::new(),
            style,
            shape,
            key,
            method: method.to_owned(),
            query,
            body,
            headers,
            changes,
        },
    )
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn a_changed_v1_request_is_refused_unless_it_means_the_same(plan in plan(Style::V1)) {
        try_plan(&plan);
    }

    #[test]
    fn a_changed_v3_request_is_refused_unless_it_means_the_same(plan in plan(Style::V3)) {
        try_plan(&plan);
    }

    #[test]
    fn a_plan_is_read_as_it_was_written(plan in plan(Style::V3Sm3)) {
        prop_assert_eq!(Plan::read(&plan.to_string()), plan);
    }

    #[test]
    fn queries_and_forms_of_all_kinds_are_decoded(
        query in pairs(), form in pairs(), bytes in any::<Vec<u8>>(), (_, content_type) in header(),
    ) {
        run("query_and_form", format!("{query}\n{content_type}\n{form}").as_bytes());
        run("query_and_form", &[form.as_bytes(), b"\n\n", &bytes].concat());
        run("v1_canonical", format!("{query}\n{form}").as_bytes());
    }

    #[test]
    fn headers_of_all_kinds_are_signed(
        query in pairs(), headers in prop::collection::vec(header(), 0..4), body in text(),
    ) {
        let headers = headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
        let headers = headers.collect::<Vec<_>>().concat();
        run("v3_canonical", format!("{query}{headers}\n\n{body}").as_bytes());
    }

    #[test]
    fn an_authorization_covers_what_it_must_or_is_refused(
        names in prop::sample::subsequence(SIGNED.split(' ').collect::<Vec<_>>(), 0..=8).prop_shuffle(),
        edits in prop::collection::vec(edit(), 0..2),
        whole in any::<bool>(),
    ) {
        let names = if whole { "{headers}".to_owned() } else { names.join(";") };
        let text =
            format!("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={names},Signature={{own}}");
        let mut text = text.into_bytes();
        for edit in edits {
            edit.edit(&mut text);
        }
        run("authorization_header", &text);
    }
}

const SIGNED: &str = "accept content-type host x-acs-action x-acs-content-sha256 x-acs-date \
    x-acs-signature-nonce x-acs-version";

/// JSON of every kind, with the members of events and documents in odd places.
fn json() -> impl Strategy<Value = serde_json::Value> {
    const MEMBERS: &str = "Accounts AccountId Action Condition Effect Resource Statement \
        Version body elb headers http httpMethod isBase64Encoded method multiValueHeaders \
        multiValueQueryStringParameters queryStringParameters rawQueryString requestContext \
        sourceIp x";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        text().prop_map(Into::into),
        proptest::sample::select(&["GET", "1", "Allow", "*", "a=b", "YQ=="][..])
            .prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            3 => prop::collection::hash_map(word(MEMBERS), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn any_json_is_answered_or_refused_as_an_unsupported_event(
        value in json(), rest in json(), method in text(), cut in any::<prop::sample::Index>(),
    ) {
        let mut events = vec![value.clone()];
        for context in ["elb", "http", "identity"] {
            let mut event = value.clone();
            if let Some(members) = event.as_object_mut() {
                let mut inner = rest.clone();
                if let (Some(inner), "http") = (inner.as_object_mut(), context) {
                    inner.insert("method".to_owned(), method.clone().into());
                }
                members.insert("httpMethod".to_owned(), method.clone().into());
                members.insert("requestContext".to_owned(), serde_json::json!({ context: inner }));
            }
            events.push(event);
        }
        for event in events {
            let text = event.to_string();
            for target in ["event", "policy", "world"] {
                run(target, text.as_bytes());
                run(target, &text.as_bytes()[..cut.index(text.len())]);
            }
        }
    }
}

#[test]
fn the_promises_hold_for_inputs_from_the_contract() {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for (number, seed) in seeds().unwrap().iter().enumerate() {
        *counts.entry(seed.target).or_default() += 1;
        // Many are alike; the corpus keeps the ones that cover most.
        if number % 8 == 0 {
            run(seed.target, &seed.input);
        }
    }
    for target in TARGETS {
        let count = counts.get(target.name).copied().unwrap_or_default();
        assert!(count >= 10, "{count} seeds of {}", target.name);
    }
}

fn fuzz() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

/// The inputs kept for a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(fuzz().join("corpus").join(target)).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn the_promises_hold_for_the_corpora_of_the_fuzzers() {
    for target in TARGETS {
        let corpus = corpus(target.name);
        let bytes: usize = corpus.iter().map(Vec::len).sum();
        assert!(!corpus.is_empty(), "nothing is kept for {}", target.name);
        assert!(corpus.len() <= 60 && bytes <= 100 * 1024, "too much is kept for {}", target.name);
        for input in corpus {
            run(target.name, &input);
        }
    }
}

#[test]
fn every_target_has_a_fuzzer_and_a_corpus() {
    let named: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for (folder, ending) in [("targets", ".rs"), ("corpus", "")] {
        let files = std::fs::read_dir(fuzz().join(folder)).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<_> = files.map(|it| it.trim_end_matches(ending).to_owned()).collect();
        assert_eq!(files, named, "{folder}");
    }
}

/// Name and version of the packages in a lock file.
fn locked(path: &Path) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let value = |line: &str, name: &str| {
        line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned)
    };
    let lines: Vec<_> = text.lines().collect();
    lines
        .windows(2)
        .filter_map(|pair| Some((value(pair[0], "name")?, value(pair[1], "version")?)))
        .collect()
}

#[test]
fn the_fuzzers_are_built_of_the_same_packages() {
    let (ours, theirs) =
        (locked(&fuzz().join("../../Cargo.lock")), locked(&fuzz().join("Cargo.lock")));
    let names: BTreeSet<_> = ours.iter().map(|(name, _)| name).collect();
    let shared = theirs.iter().filter(|(name, _)| names.contains(name));
    let others: Vec<_> = shared.filter(|package| !ours.contains(package)).collect();
    assert!(theirs.len() > 100 && others.is_empty(), "{others:?}");
}
