//! What policies come to for a request.

use std::net::IpAddr;

use crate::policy::{Effect, Policy};

/// What somebody wants to do, to what, and how they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `service:operation`, as `vpc:DeleteVpc`.
    pub action: &'a str,
    /// What the action is to be done to.
    pub resource: Resource<'a>,
    /// What conditions are about.
    pub context: &'a Context,
}

/// What an action is done to: the parts of `acs:{service}:{region}:{account_id}:{relative_id}`.
///
/// Parts are texts as they are, whatever they hold: a `*` in one is no wildcard, and a colon in one
/// begins no other, so a caller who chooses a part gains nothing by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The product's code, as `vpc`.
    pub service: &'a str,
    /// The region's id, or `*` where the request names none.
    pub region: &'a str,
    /// The account that owns the resource.
    pub account_id: &'a str,
    /// The kind of resource and which one, as `ipv6bandwidth/*`.
    pub relative_id: &'a str,
}

/// How a request came: the keys that conditions may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// `acs:CurrentTime`: the server's clock, in seconds since 1970 UTC.
    pub current_time_secs: i64,
    /// `acs:SourceIp`: who connected (decision `source-ip`). Without it no request has that key.
    pub source_ip: Option<IpAddr>,
    /// `acs:SecureTransport`: whether the request came over TLS.
    pub secure_transport: bool,
    /// `acs:MFAPresent`: whether who calls has given a second factor.
    pub mfa_present: bool,
}

/// What policies come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// No statement says anything of it.
    ImplicitDeny,
    /// A statement denies it, whatever others allow.
    ExplicitDeny,
}

/// What `policies` together come to for `request` (decision `ram-evaluation`): a statement that
/// denies it wins over all that allow it, and what no statement allows is denied.
///
/// These are the policies of one stage; a caller with several stages needs each to allow the
/// request.
pub fn evaluate<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    request: &Request<'_>,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in policies.into_iter().flat_map(Policy::statements) {
        if !statement.is_about(request) {
            continue;
        }
        match statement.effect {
            Effect::Deny => return Decision::ExplicitDeny,
            Effect::Allow => decision = Decision::Allow,
        }
    }
    decision
}

#[cfg(test)]
mod tests;
