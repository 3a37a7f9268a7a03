//! An endpoint without control paths: checks the access key, and undoes the effects of cases.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::roles::Caller;
use super::stop::Stop;
use crate::answer::Answer;
use crate::case::{Case, Request, Style, Variant};
use crate::client::{self, Wire};
use crate::error::{Result, bail};
use crate::operations::Undo;
use crate::target::{Remote, Target};

/// How often an undo is tried: a new resource may not be ready for it.
const UNDOS_MAX: usize = 5;
/// The pause between these attempts.
const UNDO_PAUSE: Duration = Duration::from_secs(2);

/// The codes that refuse an access key.
const REFUSALS: [&str; 10] = [
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

/// Checks that the endpoint serves the API and accepts the caller's key: a call of `action` without
/// parameters must be refused because they are missing.
///
/// # Errors
///
/// The endpoint does not serve the API, or refuses the access key.
pub(super) async fn check_key(remote: &Remote, caller: &Caller, action: &str) -> Result<()> {
    let answer = send(remote, caller, action, &BTreeMap::new()).await?;
    let url = remote.url();
    let none = |why: &str| {
        let start: String = answer.body.chars().take(200).collect();
        format!("{url}: the answer is not one of the API ({why}): {start}")
    };
    let body = answer.read().map_err(|error| none(&error.to_string()))?;
    let code = body.text("Code").ok_or_else(|| none("it has no Code"))?;
    if REFUSALS.contains(&code) {
        // The message is not shown: it may contain signed texts.
        bail!("{url}: the access key {} is refused with {code}", masked(&caller.access_key_id));
    }
    Ok(())
}

/// The start of an access key, enough to identify it.
pub(super) fn masked(access_key_id: &str) -> String {
    let start: String = access_key_id.chars().take(6).collect();
    format!("{start}***")
}

/// A purchase of a case.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The case that made the purchase.
    pub case: String,
    /// The call that releases it.
    pub undo: Undo,
    /// The reason why it is not released; `None` if it is.
    pub kept: Option<String>,
}

impl Purchase {
    /// A possible purchase by a call without an answer.
    pub(super) fn unknown(case: &Case) -> Self {
        let Request { action, .. } = &case.request;
        let undo = Undo { action: action.clone(), parameters: case.request.parameters() };
        let kept =
            Some("a call had no answer, so it is not known whether it was bought".to_owned());
        Self { case: case.path.clone(), undo, kept }
    }

    /// The parameters that identify it.
    #[must_use]
    pub fn what(&self) -> String {
        let parameters = self.undo.parameters.iter().filter(|(name, _)| *name != "RegionId");
        let shown = parameters.map(|(name, value)| format!("{name} {value}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// Undoes the effects of a case.
pub(super) async fn undo_all(
    target: &Target,
    caller: &Caller,
    case: &str,
    undo: Vec<Undo>,
    stop: &Stop,
) -> Vec<Purchase> {
    let mut purchases = Vec::new();
    for undo in undo {
        let Target::Remote(remote) = target else { continue };
        let kept = tokio::select! {
            undone = undone(remote, caller, &undo) => undone.err().map(String::from),
            () = stop.release_is_over() => Some("a signal ended the run".to_owned()),
        };
        purchases.push(Purchase { case: case.to_owned(), undo, kept });
    }
    purchases
}

async fn undone(remote: &Remote, caller: &Caller, undo: &Undo) -> Result<()> {
    let Undo { action, parameters } = undo;
    let mut why = String::new();
    for attempt in 0..UNDOS_MAX {
        if attempt > 0 {
            tokio::time::sleep(UNDO_PAUSE).await;
        }
        why = match send(remote, caller, action, parameters).await {
            Ok(answer) if answer.status == 200 => return Ok(()),
            Ok(answer) => {
                let code = answer.read().ok().and_then(|body| body.text("Code").map(str::to_owned));
                let code = code.unwrap_or_default();
                if code == "InvalidAction.NotFound" {
                    bail!("the endpoint has no {action}");
                }
                format!("{action} is answered with {} {code}", answer.status)
            }
            Err(error) => format!("{action}: {error}"),
        };
    }
    Err(why.into())
}

async fn send(
    remote: &Remote,
    caller: &Caller,
    action: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer> {
    let request = json!({ "action": action, "query": parameters });
    let mut request: Request = serde_json::from_value(request)?;
    request.host.clone_from(&caller.host);
    request.access_key_id.clone_from(&caller.access_key_id);
    request.access_key_secret.clone_from(&caller.access_key_secret);
    request.security_token.clone_from(&caller.security_token);
    let variant = Variant { style: Style::V3, format: Some("JSON".to_owned()) };
    let nonce = client::fresh_nonce();
    let wire: Wire = client::sign(&request, &variant, client::now_secs(), &nonce);
    remote.send(&wire, None).await
}
