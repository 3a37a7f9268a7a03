//! What is wrong with a call before the operation runs (decision `check-order`).
//!
//! Every rule is looked at, whatever else is wrong; which of them is answered is a question of the
//! contract's order alone.

use std::collections::BTreeMap;

use serde_json::Value;
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::model::{Broken, State};
use super::plan::{Call, Signature};
use crate::client::Wire;
use crate::judge::ACTION;

/// The most bytes of a name or a value (decision `limits`).
const BYTES_MAX: usize = 8192;

/// The most parameters (decision `limits`).
const PARAMETERS_MAX: usize = 200;

/// How much of a name a message shows (decision `limits`).
const SHOWN_BYTES_MAX: usize = 64;

/// How far a call's time may be from the server's, in seconds (decision `timestamp`).
pub(super) const SKEW_SECS_MAX: i64 = 15 * 60;

/// The access key of a call, as the world has it.
struct Key<'a> {
    entry: &'a Value,
    /// What may not be missing in a call with it; `None` if it needs no token.
    session: Option<&'a Value>,
    is_allowed: bool,
}

/// The parameters of query and form as one; the form's value counts (decision `twice`).
pub(super) fn merged(call: &Call) -> BTreeMap<&str, &str> {
    let both = call.query.iter().chain(&call.body);
    both.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A common parameter as it is sent, by its name in a V1 call and its header in a V3 call.
fn common(call: &Call, v1: &str, v3: &str, default: &str, now_secs: i64) -> String {
    let name = if call.signature.is_v3() { v3 } else { v1 };
    match call.common.get(name) {
        None => default.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(setting) => match setting["offsetSeconds"].as_i64() {
            Some(offset) => timestamp(now_secs + offset),
            None => String::new(),
        },
    }
}

/// The same, of a call that is signed.
pub(super) fn merged_wire(wire: &Wire) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = wire.query.iter().cloned().collect();
    all.extend(form_urlencoded::parse(wire.body.as_bytes()).into_owned());
    all
}

/// The time of a call, in seconds since 1970 UTC.
pub(super) fn time_of(call: &Call, now_secs: i64) -> Option<i64> {
    seconds(&common(call, "Timestamp", "x-acs-date", &timestamp(now_secs), now_secs))
}

/// A time as calls write it, in seconds since 1970 UTC.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let is_short = text.len() == "2026-01-02T03:04:05Z".len();
    let time = PrimitiveDateTime::parse(text, form).ok().filter(|_| is_short)?;
    Some(time.assume_utc().unix_timestamp())
}

/// A parameter's name as a message shows it: as in a string to sign, and cut (decision `limits`).
pub(super) fn shown_name(name: &str) -> String {
    let piece = |byte: u8| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    let mut shown: String = name.bytes().map(piece).collect();
    if shown.len() > SHOWN_BYTES_MAX {
        shown.truncate(SHOWN_BYTES_MAX);
        shown.push_str("...");
    }
    shown
}

/// A time as calls write it.
pub(super) fn timestamp(secs: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let time = time::OffsetDateTime::from_unix_timestamp(secs).ok();
    time.and_then(|time| time.format(form).ok()).unwrap_or_default()
}

/// The account that an access key belongs to.
pub(super) fn account_of<'a>(world: &'a Value, key_id: &str) -> Option<&'a Value> {
    let accounts = world["Accounts"].as_array()?;
    accounts.iter().find(|account| key_of(account, key_id).is_some())
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn key_of<'a>(account: &'a Value, id: &str) -> Option<Key<'a>> {
    let own = |owner: &'a Value| {
        list(owner, "AccessKeys").find(|key| key["AccessKeyId"].as_str() == Some(id))
    };
    if let Some(entry) = own(account) {
        return Some(Key { entry, session: None, is_allowed: true });
    }
    for user in list(account, "RamUsers") {
        if let Some(entry) = own(user) {
            return Some(Key { entry, session: None, is_allowed: allows(user) });
        }
    }
    for role in list(account, "RamRoles") {
        let mut sessions = list(role, "Sessions");
        if let Some(entry) = sessions.find(|session| session["AccessKeyId"].as_str() == Some(id)) {
            let narrowed = entry.get("Policy").is_none_or(allows_all);
            let is_allowed = narrowed && allows(role);
            return Some(Key { entry, session: Some(entry), is_allowed });
        }
    }
    None
}

fn allows(owner: &Value) -> bool {
    list(owner, "Policies").any(|policy| allows_all(&policy["PolicyDocument"]))
}

/// Whether a policy allows everything. The model knows such policies, and the absence of one.
pub(super) fn allows_all(policy: &Value) -> bool {
    let mut statements = list(policy, "Statement");
    statements.all(|statement| {
        let is_whole = |name: &str| statement[name].as_str() == Some("*");
        statement["Effect"] == "Allow"
            && is_whole("Action")
            && is_whole("Resource")
            && statement.get("Condition").is_none()
    })
}

/// The rules that a call breaks before the operation.
pub(super) fn broken(state: &State<'_>, call: &Call) -> Vec<Broken> {
    let mut all = Vec::new();
    let mut add = |code: &str, is_broken: bool| {
        if is_broken {
            all.push(state.gate(code, None));
        }
    };
    let (is_v3, now) = (call.signature.is_v3(), state.now_secs());
    let common = |v1: &str, v3: &str, default: &str| common(call, v1, v3, default, now);
    add("UnsupportedHTTPMethod", !["GET", "POST"].contains(&call.method.as_str()));
    let action = common("Action", "x-acs-action", ACTION);
    add("MissingAction", action.is_empty());
    add("InvalidAction.NotFound", action != ACTION);
    let version = common("Version", "x-acs-version", "2016-04-28");
    add("MissingVersion", version.is_empty());
    add("InvalidVersion", version != "2016-04-28");
    let kind = if is_v3 {
        merged(call).get("SignatureType").copied().unwrap_or_default().to_owned()
    } else {
        common("SignatureType", "", "")
    };
    add("InvalidSignatureType", !kind.is_empty());
    if is_v3 {
        let authorization = common("", "authorization", "sound");
        add("MissingAuthorization", authorization.is_empty());
        let method = match call.signature {
            Signature::V1 | Signature::V3 => "ACS3-HMAC-SHA256",
            Signature::V3Sm3 => "ACS3-HMAC-SM3",
        };
        let is_there = !authorization.is_empty() && authorization != "sound";
        let is_other = is_there && !authorization.starts_with(method);
        add("InvalidSignatureMethod", is_other);
        let is_whole = authorization == "sound" && !call.access_key_id.is_empty();
        add("IncompleteSignature", !is_whole && !is_other);
    } else {
        add("MissingAccessKeyId", common("AccessKeyId", "", &call.access_key_id).is_empty());
        add("MissingSignature", common("Signature", "", "made").is_empty());
        let method = common("SignatureMethod", "", "HMAC-SHA1");
        add("MissingSignatureMethod", method.is_empty());
        add("InvalidSignatureMethod", method != "HMAC-SHA1");
        let version = common("SignatureVersion", "", "1.0");
        add("MissingSignatureVersion", version.is_empty());
        add("InvalidSignatureVersion", version != "1.0");
    }
    let nonce = common("SignatureNonce", "x-acs-signature-nonce", "one");
    add("MissingSignatureNonce", nonce.is_empty());
    add("MissingTimestamp", common("Timestamp", "x-acs-date", "now").is_empty());
    let time = time_of(call, now);
    add("InvalidTimeStamp.Format", time.is_none());
    let is_far = |time: i64| (time - now).abs() > SKEW_SECS_MAX;
    add("InvalidTimeStamp.Expired", time.is_some_and(is_far));
    let account = account_of(state.world(), &call.access_key_id);
    let key = account.and_then(|account| key_of(account, &call.access_key_id));
    add("InvalidAccessKeyId.NotFound", key.is_none());
    if let Some(key) = key {
        add("InvalidAccessKeyId.Inactive", key.entry["Status"] == "Inactive");
        let token = call.security_token.as_deref().unwrap_or_default();
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
        add("InvalidSecurityToken.Malformed", !token.chars().all(is_base64));
        let own = key.session.and_then(|session| session["SecurityToken"].as_str());
        add("MissingSecurityToken", token.is_empty() && own.is_some());
        add("InvalidSecurityToken.MismatchWithAccessKey", token != own.unwrap_or_default());
        let end = key.session.and_then(|session| session["Expiration"].as_str());
        add("InvalidSecurityToken.Expired", end.is_some_and(|end| *end <= *timestamp(now)));
        let is_other_secret = key.entry["AccessKeySecret"] != *call.access_key_secret;
        let is_own = common("Signature", "", "made") == "made";
        let is_right = is_own && !is_other_secret && call.after_signing.is_empty();
        add("SignatureDoesNotMatch", !is_right);
        add("Forbidden.RAM", !key.is_allowed);
    }
    add("SignatureNonceUsed", state.is_spent(call));
    parameters(state, call, &mut all);
    all
}

/// What is wrong with parameters, whatever they mean (decisions `limits`, `repeated` and `format`).
fn parameters(state: &State<'_>, call: &Call, all: &mut Vec<Broken>) {
    let format = call.format.as_deref().unwrap_or_default();
    if !["", "json", "xml"].contains(&format.to_lowercase().as_str()) {
        all.push(state.gate("InvalidParameter.Format", Some("format")));
    }
    // Of these the first is told: they come right after the size of the whole.
    let of_wire = if call.signature.is_v3() { 0 } else { 8 };
    let of_format = usize::from(call.format.is_some());
    let of_token = usize::from(!call.signature.is_v3() && call.security_token.is_some());
    let absent = call.common.values().filter(|setting| setting.is_null());
    let absent = if call.signature.is_v3() { 0 } else { absent.count() };
    let count = call.query.len() + call.body.len() + of_wire + of_format + of_token - absent;
    if count > PARAMETERS_MAX {
        let mut broken = state.gate("InvalidParameter.Format", None);
        "The request has more than 200 parameters.".clone_into(&mut broken.message);
        all.push(state.early(broken));
    }
    let long = |(name, value): &&(String, String)| name.len().max(value.len()) > BYTES_MAX;
    if let Some((name, _)) = call.query.iter().chain(&call.body).find(long) {
        all.push(state.early(state.gate("InvalidParameter.Format", Some(name))));
    }
    for place in [&call.query, &call.body] {
        let mut seen = BTreeMap::new();
        for (name, value) in place {
            if *seen.entry(name).or_insert(value) != value {
                all.push(state.early(state.gate("InvalidParameter.Format", Some(name))));
            }
        }
    }
}
