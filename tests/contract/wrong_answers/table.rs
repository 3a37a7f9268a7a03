//! The table of wrong answers.

mod consistency;
mod fields;
mod headers;
mod lists;
mod states;
mod whole;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::proxy::{Change, Sent};

/// A wrong answer to a case.
pub(super) struct Wrong {
    pub(super) name: String,
    pub(super) case: &'static str,
    pub(super) format: &'static str,
    /// The places of which the judge must name one.
    pub(super) names: Vec<String>,
    pub(super) change: Change,
}

pub(super) const SUCCESS: &str = "Success/client-token";
pub(super) const REPLAY: &str = "Success/replay-twice";
pub(super) const ERROR: &str = "IllegalParam.Bandwidth/letters";
pub(super) const DENIED: &str = "Forbidden.RAM/no-policy";
pub(super) const MISMATCH: &str = "SignatureDoesNotMatch/session-wrong-secret-v3";
const THROTTLED: &str = "Throttling.User/no-call-at-all";
const SECOND: &str = "Success/no-token-second-address";

const OF_SUCCESS: [&str; 3] = ["Ipv6AddressId", "RequestId", "InternetBandwidthId"];
const OF_ERROR: [&str; 5] = ["RequestId", "HostId", "Code", "Message", "Recommend"];

pub(super) fn change(change: impl Fn(&mut Sent) + Send + Sync + 'static) -> Change {
    Change::Answer(Arc::new(change))
}

pub(super) fn text(sent: &Sent) -> String {
    String::from_utf8(sent.body.clone()).unwrap()
}

/// Changes the body's text, which must have the old text.
pub(super) fn replace(sent: &mut Sent, old: &str, new: &str) {
    let before = text(sent);
    let after = before.replace(old, new);
    assert_ne!(after, before, "{old} is not in it");
    sent.body = after.into_bytes();
}

/// Changes the members of a JSON body.
fn members(change: impl Fn(&mut Map<String, Value>) + Send + Sync + 'static) -> Change {
    self::change(move |sent| {
        let mut members: Map<String, Value> = serde_json::from_slice(&sent.body).unwrap();
        change(&mut members);
        sent.body = serde_json::to_vec(&members).unwrap();
    })
}

/// Changes the text of an element of an XML body.
fn element(name: &'static str, change: impl Fn(&str) -> String + Send + Sync + 'static) -> Change {
    self::change(move |sent| {
        let body = text(sent);
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let (before, rest) = body.split_once(&open).unwrap();
        let (inner, after) = rest.split_once(&close).unwrap();
        sent.body = format!("{before}{}{after}", change(inner)).into_bytes();
    })
}

pub(super) fn header(name: &'static str, value: Option<&'static str>) -> Change {
    change(move |sent| {
        sent.headers.retain(|(known, _)| known != name);
        sent.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    })
}

/// The names that a finding about a member may have: its own, or, for an id that is in several
/// places, one of the others.
fn names(member: &str) -> Vec<String> {
    let mut names = vec![member.to_owned()];
    if member == "RequestId" {
        names.push("header x-acs-request-id".to_owned());
    }
    names
}

/// Every wrong answer.
pub(super) fn wrong() -> Vec<Wrong> {
    let mut all = Vec::new();
    for (case, fields) in [(SUCCESS, &OF_SUCCESS[..]), (ERROR, &OF_ERROR)] {
        for field in fields {
            fields::in_json(case, field, &mut all);
            fields::in_xml(case, field, &mut all);
        }
    }
    whole::add(&mut all);
    headers::add(&mut all);
    lists::add(&mut all);
    consistency::add(&mut all);
    states::add(&mut all);
    all
}

fn set(members: &mut Map<String, Value>, field: &str, change: fn(&str) -> Value) {
    let text = members[field].as_str().unwrap().to_owned();
    members.insert(field.to_owned(), change(&text));
}

pub(super) fn set_header(sent: &mut Sent, name: &str, value: &str) {
    sent.headers.retain(|(known, _)| known != name);
    sent.headers.push((name.to_owned(), value.to_owned()));
}

/// Wrong answers to the first call of a case, each with its place.
pub(super) fn of_the_first_call() -> Vec<(&'static str, Change, &'static str)> {
    vec![
        ("another status", change(|sent| sent.status = 202), "status"),
        ("another type", header("content-type", Some("text/plain")), "header/content-type"),
        (
            "an id out of its form",
            members(|members| set(members, "InternetBandwidthId", |id| id.to_uppercase().into())),
            "body/InternetBandwidthId",
        ),
        (
            "an element too many",
            members(|members| drop(members.insert("Extra".to_owned(), 1.into()))),
            "body/Extra",
        ),
        ("a change to another account", Change::World(states::another_account), "state/9"),
    ]
}

/// A right answer whose ids are always the same.
pub(super) fn with_ids_of_its_own() -> Change {
    change(|sent| {
        let id = "00000000-0000-4000-8000-000000000001";
        let known: Map<String, Value> = serde_json::from_slice(&sent.body).unwrap();
        let known = known["RequestId"].as_str().unwrap().to_owned();
        replace(sent, &known, id);
        set_header(sent, "x-acs-request-id", id);
        set_header(sent, "x-acs-trace-id", &"0a".repeat(16));
    })
}
