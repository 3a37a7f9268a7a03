//! What is done to an endpoint as it is given: the access key is tried, and what cases did taken back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::roles::Caller;
use super::stop::Stop;
use crate::answer::Answer;
use crate::case::{Case, Request, Style, Variant};
use crate::client::{self, Wire};
use crate::operations::Undo;
use crate::target::{Remote, Target};

/// How often the same is tried: a resource that was just made may not be ready for it.
const UNDOS_MAX: usize = 5;
/// How long is waited between.
const UNDO_PAUSE: Duration = Duration::from_secs(2);

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

/// Makes sure that the endpoint is one, and that it takes the caller's key: a call of `action` without
/// parameters is refused for want of them.
///
/// # Errors
///
/// It does not, or what it answers is no answer of the API.
pub(super) async fn check_key(
    remote: &Remote,
    caller: &Caller,
    action: &str,
) -> Result<(), String> {
    let answer = send(remote, caller, action, &BTreeMap::new()).await?;
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
pub(super) fn masked(access_key_id: &str) -> String {
    let start: String = access_key_id.chars().take(6).collect();
    format!("{start}***")
}

/// Something that a case left behind.
#[derive(Clone, Debug)]
pub struct Left {
    /// The case that made it.
    pub case: String,
    /// The call that takes it back.
    pub undo: Undo,
    /// Why it is still there; `None` if it is not.
    pub kept: Option<String>,
}

impl Left {
    /// What a case may have bought by a call that was not answered.
    pub(super) fn unknown(case: &Case) -> Self {
        let Request { action, .. } = &case.request;
        let undo = Undo { action: action.clone(), parameters: case.request.parameters() };
        let kept =
            Some("a call had no answer, so it is not known whether it was bought".to_owned());
        Self { case: case.path.clone(), undo, kept }
    }

    /// What it is: the parameters that name it.
    #[must_use]
    pub fn what(&self) -> String {
        let parameters = self.undo.parameters.iter().filter(|(name, _)| *name != "RegionId");
        let shown = parameters.map(|(name, value)| format!("{name} {value}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// Takes back what a case did.
pub(super) async fn take_back(
    target: &Target,
    caller: &Caller,
    case: &str,
    undo: Vec<Undo>,
    stop: &Stop,
) -> Vec<Left> {
    let mut left = Vec::new();
    for undo in undo {
        let Target::Remote(remote) = target else { continue };
        let kept = tokio::select! {
            undone = undone(remote, caller, &undo) => undone.err(),
            () = stop.release_is_over() => Some("a signal ended the run".to_owned()),
        };
        left.push(Left { case: case.to_owned(), undo, kept });
    }
    left
}

async fn undone(remote: &Remote, caller: &Caller, undo: &Undo) -> Result<(), String> {
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
                    return Err(format!("the endpoint has no {action}"));
                }
                format!("{action} is answered with {} {code}", answer.status)
            }
            Err(error) => format!("{action}: {error}"),
        };
    }
    Err(why)
}

async fn send(
    remote: &Remote,
    caller: &Caller,
    action: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<Answer, String> {
    let request = json!({ "action": action, "query": parameters });
    let mut request: Request = serde_json::from_value(request).map_err(|e| e.to_string())?;
    request.host.clone_from(&caller.host);
    request.access_key_id.clone_from(&caller.access_key_id);
    request.access_key_secret.clone_from(&caller.access_key_secret);
    request.security_token.clone_from(&caller.security_token);
    let variant = Variant { style: Style::V3, format: Some("JSON".to_owned()) };
    let nonce = client::fresh_nonce();
    let wire: Wire = client::sign(&request, &variant, client::now_secs(), &nonce);
    remote.send(&wire, None).await
}
