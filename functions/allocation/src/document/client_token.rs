//! Used client tokens.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::key::{Key, Parts, Scope};
use crate::kind::{Flaw, Kind};
use crate::parameters::is_client_token;
use crate::region::Region;
use crate::texts::Texts;
use crate::timestamp::Timestamp;

/// A used client token and the call that succeeded with it. Account, region and action are its
/// scope (decision `token`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClientToken {
    /// The account that sent the token.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region of the call.
    #[serde(skip)]
    pub region_id: Option<Region>,
    /// The operation of the call.
    #[serde(skip)]
    pub action: Box<str>,
    /// The token. Letter case counts.
    #[serde(skip)]
    pub client_token: Box<str>,
    /// The time at which the token expires.
    pub expires_at: Timestamp,
    /// The operation's parameters, with defaults (decision `token-same`).
    pub parameters: Texts,
    /// The elements of the call's answer, without the `RequestId`.
    pub answer: Texts,
}

impl ClientToken {
    /// The parts of the key of this token.
    #[must_use]
    pub fn at<'a>(scope: Scope<'a>, action: &'a str, client_token: &'a str) -> Parts<'a> {
        Parts::single(Self::NAME, &[scope.account_id, scope.region_id, action, client_token])
    }

    /// The key of this token.
    #[must_use]
    pub fn key(scope: Scope<'_>, action: &str, client_token: &str) -> Key {
        Self::at(scope, action, client_token).key()
    }
}

impl Kind for ClientToken {
    fn parts(&self) -> Parts<'_> {
        let region_id = self.region_id.map_or("", Region::id);
        let scope = Scope { account_id: &self.account_id, region_id };
        Self::at(scope, &self.action, &self.client_token)
    }

    /// Region, action and token, joined by `/`.
    fn id(&self) -> String {
        let region_id = self.region_id.map_or("", Region::id);
        format!("{region_id}/{}/{}", self.action, self.client_token)
    }

    fn account_id(&self) -> &str {
        &self.account_id
    }

    fn id_in_key(key: &str) -> Cow<'_, str> {
        let parts: Vec<&str> = key.splitn(5, '#').skip(2).collect();
        parts.join("/").into()
    }

    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), Flaw> {
        let mut parts = id.splitn(3, '/');
        let (Some(region_id), Some(action), Some(client_token)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::of_id(format!("invalid id `{id}`, expected region/action/token")));
        };
        let region = Region::find(region_id)
            .ok_or_else(|| Flaw::of_id(format!("unknown region `{region_id}`")))?;
        self.region_id = Some(region);
        self.account_id = account_id.into();
        (self.action, self.client_token) = (action.into(), client_token.into());
        Ok(())
    }

    /// Accepts the tokens that the operations accept (decision `token`).
    fn check(&self) -> Result<(), Flaw> {
        let Self { action, client_token, .. } = self;
        if action.is_empty() || !action.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Flaw::of_id(format!(
                "invalid action `{action}`, expected letters and digits"
            )));
        }
        if !is_client_token(client_token) {
            return Err(Flaw::of_id(format!(
                "invalid token `{client_token}`, expected 1 to 64 ASCII characters"
            )));
        }
        Ok(())
    }

    fn expires_at_secs(&self) -> Option<u64> {
        Some(self.expires_at.secs)
    }
}
