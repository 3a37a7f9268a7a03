//! Evaluates policies.

use std::net::IpAddr;

use crate::policy::{Effect, Policy};

/// A request for access: an action on a resource, in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessRequest<'a> {
    /// `service:operation`, as in `vpc:DeleteVpc`.
    pub action: &'a str,
    /// The resource that the action changes or reads.
    pub resource: Arn<'a>,
    /// The values that conditions compare.
    pub context: &'a Context,
}

/// The name of a resource: the parts of `acs:{service}:{region}:{account_id}:{relative_id}`.
///
/// Each part is literal: a `*` is no wildcard and a colon begins no further part. A caller who
/// chooses a part gains no access by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The product's code, as in `vpc`.
    pub service: &'a str,
    /// The region's id, or `*` if the request has none.
    pub region: &'a str,
    /// The account that owns the resource.
    pub account_id: &'a str,
    /// The kind and id of the resource, as in `ipv6bandwidth/*`.
    pub relative_id: &'a str,
}

/// The context of a request: the values of the keys in conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// `acs:CurrentTime`: the server's clock, in seconds since 1970 UTC.
    pub current_time_secs: i64,
    /// `acs:SourceIp`: the client's address (decision `source-ip`). `None`: the request lacks the
    /// key.
    pub source_ip: Option<IpAddr>,
    /// `acs:SecureTransport`: whether the request came over TLS.
    pub secure_transport: bool,
    /// `acs:MFAPresent`: whether the caller has given a second factor.
    pub mfa_present: bool,
}

/// The result of [`evaluate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows the request and none denies it.
    Allow,
    /// No statement matches the request.
    ImplicitDeny,
    /// A statement denies the request.
    ExplicitDeny,
}

/// Evaluates `policies` for `request` (decision `ram-evaluation`). A matching `Deny` wins over every
/// `Allow`; without a matching statement the request is denied.
///
/// `policies` are those of one stage. With several stages, each must allow the request.
///
/// # Examples
///
/// ```
/// use ram::{AccessRequest, Arn, Context, Decision, Policy, evaluate};
///
/// let policy: Policy = serde_json::from_str(
///     r#"{"Version": "1", "Statement": [
///         {"Effect": "Allow", "Action": "vpc:Describe*", "Resource": "*",
///          "Condition": {"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}}}
///     ]}"#,
/// )?;
/// let context = Context {
///     current_time_secs: 1_767_323_045,
///     source_ip: "192.0.2.1".parse().ok(),
///     secure_transport: true,
///     mfa_present: false,
/// };
/// let resource =
///     Arn { service: "vpc", region: "cn-huhehaote", account_id: "1", relative_id: "vpc/*" };
/// let decide = |action| evaluate([&policy], &AccessRequest { action, resource, context: &context });
/// assert_eq!(decide("vpc:DescribeVpcs"), Decision::Allow);
/// assert_eq!(decide("vpc:DeleteVpc"), Decision::ImplicitDeny);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn evaluate<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    request: &AccessRequest<'_>,
) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in policies.into_iter().flat_map(Policy::statements) {
        if !statement.matches(request) {
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
