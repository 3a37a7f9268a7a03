//! Authorisation of calls by RAM.

use ram::{Context, Decision, Policy, evaluate};
use rpc::Call;
use store::{AccessKey, Holder, Identity};

/// The product's code in the names of actions and resources.
const SERVICE: &str = "vpc";

/// The reason for which a call is denied: the members of `AccessDeniedDetail` in the order of the
/// answer (decision `denied`). The vendor's `EncodedDiagnosticMessage` is missing: only the vendor can
/// decode it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Denial(pub(crate) Vec<(&'static str, String)>);

/// Checks that the holder of `access_key` may make the call; `identity` is the holder unless the
/// account itself is. Every policy stage must allow the call for each of `resources`, the resource
/// parts of ARNs (decision `ram-evaluation`).
///
/// # Errors
///
/// The stage that denies the call, and the kind of denial.
pub(crate) fn check(
    call: &Call,
    action: &str,
    access_key: &AccessKey,
    identity: Option<&Identity>,
    resources: impl FnOnce() -> Vec<String>,
    now_secs: u64,
) -> Result<(), Denial> {
    let (session, principal_type, display_name) = match &access_key.holder {
        // An account may do everything.
        Holder::Account => return Ok(()),
        Holder::RamUser(user_name) => {
            let id = identity.map_or(user_name, |identity| &identity.id);
            (None, "SubUser", id.clone())
        }
        Holder::Session(session) => {
            let name = format!("{}:{}", session.role_name, session.role_session_name);
            (Some(session), "AssumedRoleUser", name)
        }
    };
    let region = call.parameter("RegionId").filter(|region| !region.is_empty());
    let auth_action = format!("{SERVICE}:{action}");
    let ram_context = Context {
        current_time_secs: i64::try_from(now_secs).unwrap_or(i64::MAX),
        source_ip: call.request().source_ip,
        secure_transport: call.request().secure_transport,
        mfa_present: session.is_some_and(|session| session.mfa_present),
    };
    let attached = identity.map_or(&[][..], |identity| &identity.policies);
    let attached: Vec<&Policy> = attached.iter().map(|policy| &policy.policy_document).collect();
    let of_session: Option<Vec<&Policy>> =
        session.and_then(|session| session.policy.as_ref()).map(|policy| vec![policy]);
    let stages =
        [("SessionPolicy", of_session), ("AccountLevelIdentityBasedPolicy", Some(attached))];
    let mut resources = resources();
    debug_assert!(!resources.is_empty(), "{auth_action} has no resource");
    if resources.is_empty() {
        // A call without resources would be allowed without a policy.
        resources.push("*".to_owned());
    }
    for (policy_type, policies) in &stages {
        let Some(policies) = policies else { continue };
        for relative_id in &resources {
            let request = ram::AccessRequest {
                action: &auth_action,
                resource: ram::Arn {
                    service: SERVICE,
                    // `*` is literal here: no policy for a region matches a call without one.
                    region: region.unwrap_or("*"),
                    account_id: &access_key.account_id,
                    relative_id,
                },
                context: &ram_context,
            };
            let no_permission_type = match evaluate(policies.iter().copied(), &request) {
                Decision::Allow => continue,
                Decision::ImplicitDeny => "ImplicitDeny",
                Decision::ExplicitDeny => "ExplicitDeny",
            };
            return Err(Denial(vec![
                ("AuthAction", auth_action),
                ("AuthPrincipalDisplayName", display_name),
                ("AuthPrincipalOwnerId", access_key.account_id.clone()),
                ("AuthPrincipalType", principal_type.to_owned()),
                ("NoPermissionType", no_permission_type.to_owned()),
                ("PolicyType", (*policy_type).to_owned()),
            ]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rpc::Request;
    use serde_json::{Value, json};
    use store::{AccessKeyStatus, IdentityName, NamedPolicy};

    use super::*;

    /// The outcome of a call on these resources for a user with these statements: allowed, or the
    /// kind of denial.
    fn outcome(statements: &Value, resources: &[&str]) -> Result<(), String> {
        let policy = json!({ "Version": "1", "Statement": statements });
        let policy_document = serde_json::from_value(policy).unwrap();
        let identity = Identity {
            account_id: "1".to_owned(),
            name: IdentityName::RamUser("u".to_owned()),
            id: "2".to_owned(),
            policies: vec![NamedPolicy { policy_name: "p".to_owned(), policy_document }],
        };
        let access_key = AccessKey {
            access_key_id: "k".to_owned(),
            access_key_secret: "s".to_owned(),
            account_id: "1".to_owned(),
            status: AccessKeyStatus::Active,
            holder: Holder::RamUser("u".to_owned()),
        };
        let call = Call::read(Request::default());
        let resources = || resources.iter().copied().map(str::to_owned).collect();
        check(&call, "Act", &access_key, Some(&identity), resources, 0)
            .map_err(|Denial(detail)| BTreeMap::from_iter(detail)["NoPermissionType"].clone())
    }

    #[test]
    fn every_resource_of_a_call_must_be_allowed() {
        let some = json!([{
            "Effect": "Allow", "Action": "vpc:*", "Resource": "acs:vpc:*:*:thing/a*",
        }]);
        assert_eq!(outcome(&some, &["thing/a1"]), Ok(()));
        assert_eq!(outcome(&some, &["thing/a1", "thing/a2"]), Ok(()));
        assert_eq!(outcome(&some, &["thing/a1", "thing/b"]), Err("ImplicitDeny".to_owned()));
        assert_eq!(outcome(&some, &["thing/b", "thing/a1"]), Err("ImplicitDeny".to_owned()));
        assert_eq!(outcome(&some, &["thing/*"]), Err("ImplicitDeny".to_owned()));
    }

    #[test]
    fn a_deny_on_one_resource_denies_the_call() {
        let all_but_one = json!([
            { "Effect": "Allow", "Action": "vpc:*", "Resource": "*" },
            { "Effect": "Deny", "Action": "vpc:Act", "Resource": "acs:vpc:*:*:thing/x" },
        ]);
        assert_eq!(outcome(&all_but_one, &["thing/a", "thing/b"]), Ok(()));
        assert_eq!(outcome(&all_but_one, &["thing/a", "thing/x"]), Err("ExplicitDeny".to_owned()));
    }
}
