//! The whole function: a request is signed, changed in transit, and answered.

use crate::meaning::{Meaning, by_name};
use crate::plan::{Plan, Signed, Style};
use crate::sent::SIGNING;
use crate::server::Server;
use crate::verdict::Verdict;

/// A request is signed and changed in transit; the input is a [`Plan`].
pub(super) fn function(input: &[u8]) {
    try_plan(&Plan::read(&String::from_utf8_lossy(input)));
}

/// Tries a plan: an unchanged request is accepted, and a changed one only if it has the same
/// meaning.
///
/// # Panics
///
/// A promise is broken.
pub fn try_plan(plan: &Plan) {
    let signed = plan.signed();
    let server = Server::new();
    let first = server.send(plan.shape, &signed.sent);
    must_be_let_in(plan, &signed, &first);
    let mut changed = signed.sent.clone();
    plan.changes.iter().for_each(|change| change.apply(&mut changed));

    let signed_meaning = Meaning::signed(&signed.sent, plan.style, &signed.headers);
    let sent_meaning = Meaning::of(&changed, plan.style, &signed.headers);
    let is_same = signed_meaning == sent_meaning;
    let second = Server::new().send(plan.shape, &changed);
    if second.is_authentic {
        assert!(
            is_same,
            "forged: answered {second:?} to a request that means {sent_meaning:#?}\nand was signed \
             to mean {signed_meaning:#?}\n{plan}"
        );
        // Its caller and its operation are the same.
        let is_equal = second == first || !first.is_authentic;
        assert!(is_equal, "two answers to one meaning: {first:?} and {second:?}\n{plan}");
    }
    // Replaying the first request, changed or not, gains nothing.
    let replayed = server.send(plan.shape, &changed);
    let is_used = replayed.code.as_deref() == Some("SignatureNonceUsed");
    assert!(
        is_used || !(first.is_authentic && replayed.is_authentic),
        "answered twice: {first:?}, then {replayed:?}\n{plan}"
    );
}

/// An unchanged request is admitted if it has no other fault.
fn must_be_let_in(plan: &Plan, signed: &Signed, answer: &Verdict) {
    if is_sound(plan) {
        assert_eq!(
            answer.is_authentic, signed.key.is_good,
            "answered {answer:?} to {:?}\n{plan}",
            signed.sent
        );
    } else if !signed.key.is_good {
        assert!(!answer.is_authentic, "answered {answer:?} to a key that is not good\n{plan}");
    }
}

/// Whether the plan's request has no fault but its key's and those of the operation's own rules.
fn is_sound(plan: &Plan) -> bool {
    let unsigned = plan.unsigned();
    let (query, form) = (unsigned.query_pairs(), unsigned.form_pairs());
    let is_common = |name: &str| {
        ["Format", "SignatureType"].contains(&name)
            || plan.style == Style::V1 && SIGNING.contains(&name)
    };
    let mut all = query.iter().chain(&form);
    let is_plain = all
        .all(|(name, value)| !is_common(name) && name.len() <= 8 * 1024 && value.len() <= 8 * 1024);
    let headers = unsigned.headers.iter().map(|(name, value)| name.len() + value.len());
    is_plain
        && ["GET", "POST"].contains(&&*unsigned.method)
        // A V1 request has up to eight parameters more.
        && query.len() + form.len() <= 192
        && headers.sum::<usize>() < 30 * 1024
        && by_name(&query).is_some()
        && by_name(&form).is_some()
        // An empty header counts as absent.
        && unsigned.headers.iter().all(|(_, value)| !value.is_empty())
}
