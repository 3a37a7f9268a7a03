//! What is done to an endpoint as it is given: the access key is tried, and what was bought released.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::roles::Caller;
use crate::answer::Answer;
use crate::case::{Request, Style, Variant};
use crate::client::{self, Wire};
use crate::judge::ACTION;
use crate::target::{Remote, Target};

/// How often a release is tried: a bandwidth that was just bought may not be ready for it.
const RELEASES_MAX: usize = 5;
/// How long is waited between.
const RELEASE_PAUSE: Duration = Duration::from_secs(2);

/// What answers to somebody who is not who they should be.
const STRANGER: [&str; 10] = [
    "InvalidAccessKeyId.NotFound",
    "InvalidAccessKeyId.Inactive",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingSecurityToken",
    "InvalidSecurityToken.Malformed",
    "InvalidSecurityToken.MismatchWithAccessKey",
    "InvalidSecurityToken.Expired",
    "InvalidTimeStamp.Expired",
    "Forbidden.RAM",
];

/// Makes sure that the endpoint is one, and that it takes the caller's key: a call without parameters
/// is refused for want of them.
///
/// # Errors
///
/// It does not, or what it answers is no answer of the API.
pub(super) async fn check_key(remote: &Remote, caller: &Caller) -> Result<(), String> {
    let answer = send(remote, caller, ACTION, &BTreeMap::new()).await?;
    let url = remote.url();
    let none = |why: &str| {
        let start: String = answer.body.chars().take(200).collect();
        format!("{url}: what is answered is no answer of the API ({why}): {start}")
    };
    let body = answer.read().map_err(|error| none(&error))?;
    let code = body.text("Code").ok_or_else(|| none("it has no Code"))?;
    if STRANGER.contains(&code) {
        // Not the message: it may show what was signed.
        return Err(format!(
            "{url}: the access key {} is refused with {code}",
            masked(&caller.access_key_id)
        ));
    }
    Ok(())
}

/// The beginning of an access key, enough to tell it from another.
fn masked(access_key_id: &str) -> String {
    let start: String = access_key_id.chars().take(6).collect();
    format!("{start}***")
}

/// Something that was bought.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The case that bought it.
    pub case: String,
    /// Its id.
    pub internet_bandwidth_id: String,
    /// Why it could not be released; `None` if it was.
    pub kept: Option<String>,
}

/// Releases what a case bought.
pub(super) async fn release(
    target: &Target,
    caller: &Caller,
    case: &str,
    bought: &BTreeSet<String>,
) -> Vec<Purchase> {
    let mut purchases = Vec::new();
    for id in bought {
        let kept = match target {
            Target::Remote(remote) => released(remote, caller, id).await.err(),
            Target::InProcess(_) | Target::Endpoint(_) | Target::Bootstrap(_) => continue,
        };
        purchases.push(Purchase { case: case.to_owned(), internet_bandwidth_id: id.clone(), kept });
    }
    purchases
}

async fn released(remote: &Remote, caller: &Caller, id: &str) -> Result<(), String> {
    let mut why = String::new();
    for attempt in 0..RELEASES_MAX {
        if attempt > 0 {
            tokio::time::sleep(RELEASE_PAUSE).await;
        }
        let parameters =
            BTreeMap::from([("RegionId", caller.region.as_str()), ("Ipv6InternetBandwidthId", id)]);
        why = match send(remote, caller, "DeleteIpv6InternetBandwidth", &parameters).await {
            Ok(answer) if answer.status == 200 => return Ok(()),
            Ok(answer) => {
                let code = answer.read().ok().and_then(|body| body.text("Code").map(str::to_owned));
                let code = code.unwrap_or_default();
                if code == "InvalidAction.NotFound" {
                    return Err("the endpoint has no DeleteIpv6InternetBandwidth".to_owned());
                }
                format!("DeleteIpv6InternetBandwidth is answered with {} {code}", answer.status)
            }
            Err(error) => format!("DeleteIpv6InternetBandwidth: {error}"),
        };
    }
    Err(why)
}

async fn send(
    remote: &Remote,
    caller: &Caller,
    action: &str,
    parameters: &BTreeMap<&str, &str>,
) -> Result<Answer, String> {
    let request = json!({ "query": parameters });
    let mut request: Request = serde_json::from_value(request).map_err(|e| e.to_string())?;
    request.host.clone_from(&caller.host);
    request.access_key_id.clone_from(&caller.access_key_id);
    request.access_key_secret.clone_from(&caller.access_key_secret);
    request.security_token.clone_from(&caller.security_token);
    let variant = Variant { style: Style::V3, format: Some("JSON".to_owned()) };
    let nonce = client::fresh_nonce();
    let wire: Wire = client::sign(&request, &variant, client::now_secs(), &nonce, action);
    remote.send(&wire, None).await
}
