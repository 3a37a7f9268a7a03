//! The rules that a call breaks before the operation runs (decision `check-order`).
//!
//! Every rule is checked, even if another is broken. The contract's order selects the rule that is answered.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Broken, State};
use super::plan::Call;
use crate::case::Style;
use crate::client::signature::{algorithm, encode};
use crate::client::{seconds, timestamp};
use crate::world;

/// The greatest length of a name or a value, in bytes (decision `limits`).
const BYTES_MAX: usize = 8192;

/// The greatest number of parameters (decision `limits`).
const PARAMETERS_MAX: usize = 200;

/// The greatest length of a name in a message, in bytes (decision `limits`).
const SHOWN_BYTES_MAX: usize = 64;

/// The greatest difference between a call's time and the server's, in seconds (decision `timestamp`).
pub(super) const SKEW_SECS_MAX: i64 = 15 * 60;

/// The parameters of query and form. The form's value overrides the query's (decision `twice`).
pub(super) fn merged(call: &Call) -> BTreeMap<String, String> {
    call.query.iter().chain(&call.body).cloned().collect()
}

/// The operation that a call names.
pub(super) fn action(call: &Call) -> String {
    common(call, "Action", "x-acs-action", &call.action, 0)
}

/// The sent value of a common parameter, by its name in V1 and its header in V3.
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

/// The time of a call, in seconds since 1970 UTC.
pub(super) fn time_of(call: &Call, now_secs: i64) -> Option<i64> {
    seconds(&common(call, "Timestamp", "x-acs-date", &timestamp(now_secs), now_secs))
}

/// A parameter's name as a message shows it: encoded as in a string to sign, and cut (decision `limits`).
pub(super) fn shown_name(name: &str) -> String {
    let mut shown = encode(name);
    if shown.len() > SHOWN_BYTES_MAX {
        shown.truncate(SHOWN_BYTES_MAX);
        shown.push_str("...");
    }
    shown
}

/// Whether a user or role has a policy that allows everything.
fn allows(principal: &Value) -> bool {
    world::members(&principal["Policies"]).any(|(_, policy)| allows_all(policy))
}

/// Whether a policy allows everything. The model knows only such policies and their absence.
fn allows_all(policy: &Value) -> bool {
    let mut statements = policy["Statement"].as_array().into_iter().flatten();
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
    let action = action(call);
    add("MissingAction", action.is_empty());
    add("InvalidAction.NotFound", state.operation(&action).is_none());
    let version = common("Version", "x-acs-version", "2016-04-28");
    add("MissingVersion", version.is_empty());
    add("InvalidVersion", version != "2016-04-28");
    let parameter = merged(call).remove("SignatureType").unwrap_or_default();
    let kind = common("SignatureType", "SignatureType", &parameter);
    add("InvalidSignatureType", !kind.is_empty());
    if is_v3 {
        let authorization = common("", "authorization", "sound");
        add("MissingAuthorization", authorization.is_empty());
        let is_there = !authorization.is_empty() && authorization != "sound";
        let is_ours = [Style::V3, Style::V3Sm3]
            .map(algorithm)
            .iter()
            .any(|algorithm| authorization.split(' ').next() == Some(algorithm));
        let is_other = is_there && !is_ours;
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
    let key = world::key(state.world(), &call.access_key_id);
    add("InvalidAccessKeyId.NotFound", key.is_none());
    if let Some(key) = key {
        add("InvalidAccessKeyId.Inactive", key.entry["Status"] == "Inactive");
        let token = call.security_token.as_deref().unwrap_or_default();
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
        add("InvalidSecurityToken.Malformed", !token.chars().all(is_base64));
        let of_session = |name: &str| key.entry[name].as_str().filter(|_| key.is_session);
        let own = of_session("SecurityToken");
        add("MissingSecurityToken", token.is_empty() && own.is_some());
        add("InvalidSecurityToken.MismatchWithAccessKey", token != own.unwrap_or_default());
        let end = of_session("Expiration");
        add("InvalidSecurityToken.Expired", end.is_some_and(|end| *end <= *timestamp(now)));
        let is_other_secret = key.entry["AccessKeySecret"] != *call.access_key_secret;
        let is_own = common("Signature", "", "made") == "made";
        let is_right = is_own && !is_other_secret && call.after_signing.is_empty();
        add("SignatureDoesNotMatch", !is_right);
        let is_narrowed = key.entry.get("Policy").is_some_and(|policy| !allows_all(policy));
        add("Forbidden.RAM", is_narrowed || !key.principal.is_none_or(allows));
    }
    add("SignatureNonceUsed", state.is_spent(call));
    parameters(state, call, &mut all);
    all
}

/// The rules that parameters break regardless of their meaning (decisions `limits`, `repeated`, `format`).
fn parameters(state: &State<'_>, call: &Call, all: &mut Vec<Broken>) {
    let format = call.format.as_deref().unwrap_or_default();
    if !["", "json", "xml"].contains(&format.to_lowercase().as_str()) {
        all.push(state.gate("InvalidParameter.Format", Some("format")));
    }
    // These rules rank right after the size of the request; the first broken one is answered.
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
