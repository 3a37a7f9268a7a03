//! The meaning of a request, as far as its signature must guarantee it.

use std::collections::BTreeMap;

use crate::plan::Style;
use crate::sent::Sent;
use harness::client::signature::Pairs;

/// The meaning of a signed request. Requests with one meaning ask for the same; a signature over
/// one meaning that is accepted for another is forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    method: String,
    /// All parameters except the signature itself; those of the form override those of the query.
    parameters: BTreeMap<String, String>,
    /// The further parts that V3 covers.
    covered: Option<Covered>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Covered {
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, Option<String>>,
    body: Vec<u8>,
}

/// The headers that a server acts on, signed or not.
const ACTED_ON: [&str; 7] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-security-token",
    "x-acs-signature-nonce",
    "x-acs-version",
];

impl Meaning {
    /// The meaning that the signer of `sent` signed, in the style `style` with the headers
    /// `signed_headers`. The last value of a repeated parameter counts.
    pub(super) fn signed(sent: &Sent, style: Style, signed_headers: &[String]) -> Option<Self> {
        Self::read(sent, style, signed_headers, |pairs| Some(pairs.into_iter().collect()))
    }

    /// The meaning of `sent` to a server; `None` if it has none, or more than one.
    pub(super) fn of(sent: &Sent, style: Style, signed_headers: &[String]) -> Option<Self> {
        Self::read(sent, style, signed_headers, |pairs| by_name(&pairs))
    }

    fn read(
        sent: &Sent,
        style: Style,
        signed_headers: &[String],
        merge: impl Fn(Pairs) -> Option<BTreeMap<String, String>>,
    ) -> Option<Self> {
        let (mut query, mut form) = (sent.query_pairs(), sent.form_pairs());
        if style == Style::V1 {
            // The only parameter that no signature covers.
            query.retain(|(name, _)| name != "Signature");
            form.retain(|(name, _)| name != "Signature");
        }
        let query = merge(query)?;
        let mut parameters = query.clone();
        parameters.extend(merge(form)?);
        let covered = match style {
            Style::V1 => None,
            Style::V3 | Style::V3Sm3 => {
                let names = signed_headers.iter().map(String::as_str).chain(ACTED_ON);
                let headers = names.map(|name| (name.to_owned(), sent.header(name))).collect();
                Some(Covered { query, headers, body: sent.body.clone() })
            }
        };
        Some(Self { method: sent.method.clone(), parameters, covered })
    }
}

/// Parameters by name; `None` if one has two values.
pub(super) fn by_name(pairs: &Pairs) -> Option<BTreeMap<String, String>> {
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value.clone()).is_some_and(|earlier| earlier != *value) {
            return None;
        }
    }
    Some(map)
}
