//! Carries out what a plan says.

use super::encoding::encode;
use super::plan::{Change, Edit, Place, Plan};
use super::sent::{Sent, header_value, is_token, query_string};
use super::signing::{KEYS, Key, sign};
use super::verdict::usual_action;

/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// The host that requests name.
const HOST: &str = "vpc.aliyuncs.com";

/// A signed request.
pub(super) struct Signed {
    pub(super) sent: Sent,
    /// The names of the headers that are signed.
    pub(super) headers: Vec<String>,
    pub(super) key: Key<'static>,
}

impl Plan {
    /// The request that the plan describes, before it is signed.
    pub(super) fn unsigned(&self) -> Sent {
        let method = if is_token(&self.method) { &self.method } else { "POST" };
        let mut sent = Sent {
            method: method.to_owned(),
            query: query_string(self.query.as_bytes()),
            headers: Vec::new(),
            body: self.body.clone().into_bytes(),
        };
        sent.add_header("host", HOST);
        if !sent.body.is_empty() {
            sent.add_header("content-type", FORM);
        }
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            // What whoever signs or forwards a request puts there itself.
            let is_own = name.starts_with("x-acs-") || name == "authorization";
            if !is_own && !name.starts_with("x-forwarded-") {
                sent.set_header(&name, value);
            }
        }
        sent
    }

    /// The request, signed.
    pub(super) fn signed(&self) -> Signed {
        let mut sent = self.unsigned();
        let key = KEYS.into_iter().find(|key| key.id == self.key).unwrap_or(KEYS[0]);
        let action = if self.action.is_empty() { usual_action() } else { &self.action };
        let headers = sign(&mut sent, self.style, action, &key);
        Signed { sent, headers, key }
    }
}

impl Change {
    /// Changes `sent`, as far as HTTP could carry what comes of it.
    pub(super) fn apply(&self, sent: &mut Sent) {
        match self {
            Self::Method(method) if is_token(method) => method.clone_into(&mut sent.method),
            // No method at all, and nothing that has a code of its own.
            Self::Method(_) | Self::Recode(Place::Header(_)) => {}
            Self::AddHeader(name, value) => sent.add_header(name, value),
            Self::RemoveHeader(name) => sent.headers.retain(|(known, _)| known != name),
            Self::Edit(Place::Query, edit) => {
                let mut query = std::mem::take(&mut sent.query).into_bytes();
                edit.apply(&mut query);
                sent.query = query_string(&query);
            }
            Self::Edit(Place::Body, edit) => edit.apply(&mut sent.body),
            Self::Edit(Place::Header(name), edit) => {
                let Some((_, value)) = sent.headers.iter_mut().find(|(known, _)| known == name)
                else {
                    return;
                };
                let mut bytes = std::mem::take(value).into_bytes();
                edit.apply(&mut bytes);
                *value = header_value(&String::from_utf8_lossy(&bytes));
            }
            Self::AddPair(place, pair) => {
                edit_pairs(sent, place, |pairs| pairs.push(pair.clone().into_bytes()));
            }
            Self::RemovePair(place, at) => {
                edit_pairs(sent, place, |pairs| drop(take(pairs, *at)));
            }
            Self::MovePair(place, at) => {
                let mut moved = None;
                edit_pairs(sent, place, |pairs| moved = take(pairs, *at));
                let other = if *place == Place::Query { Place::Body } else { Place::Query };
                if sent.header("content-type").is_none() {
                    sent.add_header("content-type", FORM);
                }
                edit_pairs(sent, &other, |pairs| pairs.extend(moved));
            }
            Self::SwapPair(place, at) => edit_pairs(sent, place, |pairs| {
                let length = pairs.len();
                if length > 1 {
                    pairs.swap(at % length, (at + 1) % length);
                }
            }),
            Self::RepeatPair(place, at) => edit_pairs(sent, place, |pairs| {
                let repeated = pairs.get(at % pairs.len().max(1)).cloned();
                pairs.extend(repeated);
            }),
            Self::Recode(Place::Query) => sent.query = recode(&sent.query_pairs()),
            // What is no form has nothing to be encoded.
            Self::Recode(Place::Body) if sent.form_pairs().is_empty() => {}
            Self::Recode(Place::Body) => sent.body = recode(&sent.form_pairs()).into_bytes(),
        }
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            Self::Insert(at, text) => {
                let at = at % (length + 1);
                bytes.splice(at..at, text.bytes());
            }
            Self::Set(at, text) => {
                let at = at % (length + 1);
                bytes.splice(at..(at + text.len()).min(length), text.bytes());
            }
            Self::Delete(at, count) => {
                let at = at % (length + 1);
                bytes.drain(at..(at + count).min(length));
            }
        }
    }
}

/// Has `edit` change the raw parameters of query or body.
fn edit_pairs(sent: &mut Sent, place: &Place, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let bytes = match place {
        Place::Query => sent.query.as_bytes(),
        Place::Body => &sent.body,
        Place::Header(_) => return,
    };
    let mut pairs: Vec<_> = if bytes.is_empty() {
        Vec::new()
    } else {
        bytes.split(|byte| *byte == b'&').map(<[u8]>::to_vec).collect()
    };
    edit(&mut pairs);
    let bytes = pairs.join(&b'&');
    match place {
        Place::Query => sent.query = query_string(&bytes),
        Place::Body => sent.body = bytes,
        Place::Header(_) => {}
    }
}

fn take(pairs: &mut Vec<Vec<u8>>, at: usize) -> Option<Vec<u8>> {
    (!pairs.is_empty()).then(|| pairs.remove(at % pairs.len()))
}

/// The same parameters, in another encoding than the usual one.
fn recode(pairs: &[(String, String)]) -> String {
    let recode = |text: &str| encode(text).replace("%20", "+").replace("%2A", "*").to_lowercase();
    // Letters in lower case would be others, so only those of the encoding are.
    let keep = |text: &str| {
        let encoded = encode(text).replace("%20", "+").replace("%2A", "*");
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) { encoded } else { recode(text) }
    };
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", keep(name), keep(value)));
    pairs.collect::<Vec<_>>().join("&")
}
