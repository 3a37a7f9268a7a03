//! The `Authorization` header.

use crate::plan::{Plan, Style};
use crate::sent::KEYS;
use crate::server::Server;

/// The headers that every signature must cover.
const REQUIRED: [&str; 6] = [
    "content-type",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// The `Authorization` header of an otherwise right request: the input is its value, where
/// `{headers}` stands for the names of all headers, `{signature}` for the signature over them, and
/// `{own}` for a signature over the headers that the value itself names.
pub(super) fn authorization_header(input: &[u8]) {
    let plan = Plan::read(
        "style V3\nquery RegionId=cn-huhehaote&Ipv6AddressId=ipv6-1\nbody Bandwidth=5\n\
         header accept: application/json",
    );
    let signed = plan.signed();
    let text = String::from_utf8_lossy(input);
    let right = signed.sent.header("authorization").unwrap_or_default();
    let text = text.replace("{headers}", &signed.headers.join(";"));
    let text = text.replace("{signature}", signature_of(&right));
    // The headers that the value lists, read as the page writes the list.
    let named = parts(&text).filter(|(name, _)| *name == "SignedHeaders").map(|(_, it)| it).last();
    let named: Vec<_> = named.unwrap_or_default().split(';').collect();
    let own = signed.sent.acs3_signature(Style::V3, &named, &KEYS[0]);
    let text = text.replace("{own}", &own);

    let mut sent = signed.sent;
    sent.set_header("authorization", &text);
    let value = sent.header("authorization").unwrap_or_default();
    let answer = Server::new().send(plan.shape, &sent);
    if !answer.is_authentic {
        assert_ne!(value, right, "refused: {answer:?}");
        return;
    }
    let parts: Vec<_> = parts(&value).collect();
    assert!(value.starts_with("ACS3-HMAC-SHA256 "), "{value}");
    assert_eq!(parts.len(), 3, "let in with other parts than three: {value}");
    let part = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|(_, it)| *it);
    assert_eq!(part("Credential"), Some("testid"), "{value}");
    let signature = part("Signature").unwrap_or_default();
    assert!([&*own, signature_of(&right)].contains(&signature), "forged: {value}");
    let covered: Vec<_> = part("SignedHeaders").unwrap_or_default().split(';').collect();
    let uncovered = REQUIRED.iter().find(|name| !covered.contains(name));
    assert_eq!(uncovered, None, "let in without it: {value}");
}

fn signature_of(authorization: &str) -> &str {
    authorization.rsplit('=').next().unwrap_or_default()
}

/// The parts after the algorithm.
fn parts(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let (_, rest) = value.split_once(' ').unwrap_or_default();
    rest.split(',').map(|part| part.trim().split_once('=').unwrap_or((part, "")))
}
