//! Policy documents.

use std::net::IpAddr;

use ipv6_gateway::ram::{Context, Decision, Policy, Request, Resource, evaluate};
use serde_json::{Value, json};

/// A policy document: it is refused, or it means what it says however it is written.
pub(super) fn policy(input: &[u8]) {
    let Ok(policy) = serde_json::from_slice::<Policy>(input) else { return };
    let Ok(document) = serde_json::from_slice::<Value>(input) else {
        panic!("a policy that is no JSON was read");
    };
    let written = serde_json::to_string(&policy).unwrap_or_else(|error| panic!("{error}"));
    let read: Policy = serde_json::from_str(&written)
        .unwrap_or_else(|error| panic!("written, but not read: {error}: {written}"));
    assert_eq!(read, policy, "read otherwise than written: {written}");
    let rewritten: Value = serde_json::from_str(&written).unwrap_or_default();
    assert_eq!(rewritten, document, "written otherwise than read");

    let statements = document["Statement"].as_array().cloned().unwrap_or_default();
    assert!(!statements.is_empty(), "a policy without a statement");
    let reversed: Vec<_> = statements.iter().rev().cloned().collect();
    let listed: Vec<_> = statements.iter().map(listed).collect();
    let of = |effect: &str| -> Vec<Value> {
        statements.iter().filter(|statement| statement["Effect"] == effect).cloned().collect()
    };
    let (allows, denies) = (of("Allow"), of("Deny"));
    assert_eq!(allows.len() + denies.len(), statements.len());
    let (reversed, listed) = (read_again(&reversed), read_again(&listed));
    let allows = (!allows.is_empty()).then(|| read_again(&allows));
    let denies = (!denies.is_empty()).then(|| read_again(&denies));
    let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let (allow_all, deny_all) = (read_again(std::slice::from_ref(&all)), {
        let mut all = all;
        all["Effect"] = "Deny".into();
        read_again(&[all])
    });

    for context in contexts() {
        for request in requests(&context) {
            let decision = evaluate([&policy], &request);
            for same in [&reversed, &listed] {
                assert_eq!(evaluate([same], &request), decision, "{request:?}: {written}");
            }
            assert_eq!(evaluate([&policy, &policy], &request), decision, "{request:?}: {written}");
            let of_allows =
                allows.as_ref().map_or(Decision::ImplicitDeny, |p| evaluate([p], &request));
            let of_denies =
                denies.as_ref().map_or(Decision::ImplicitDeny, |p| evaluate([p], &request));
            let expected = match (of_allows, of_denies) {
                (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
                (Decision::Allow, Decision::ImplicitDeny) => Decision::Allow,
                (Decision::ImplicitDeny, Decision::ImplicitDeny) => Decision::ImplicitDeny,
                odd => panic!("{odd:?} of allows and denies: {request:?}: {written}"),
            };
            assert_eq!(decision, expected, "{request:?}: {written}");
            let with_all = match decision {
                Decision::ExplicitDeny => Decision::ExplicitDeny,
                Decision::Allow | Decision::ImplicitDeny => Decision::Allow,
            };
            assert_eq!(evaluate([&policy, &allow_all], &request), with_all, "{written}");
            let without = evaluate([&policy, &deny_all], &request);
            assert_eq!(without, Decision::ExplicitDeny, "{written}");
        }
    }
}

/// A policy of such statements, each of which was read before.
fn read_again(statements: &[Value]) -> Policy {
    let document = json!({ "Version": "1", "Statement": statements });
    serde_json::from_value(document.clone())
        .unwrap_or_else(|error| panic!("read before, but not now: {error}: {document}"))
}

/// The same statement with lists of one for what stands alone.
fn listed(statement: &Value) -> Value {
    let list = |value: &mut Value| {
        if !value.is_array() {
            *value = json!([value.take()]);
        }
    };
    let mut statement = statement.clone();
    for name in ["Action", "NotAction", "Resource"] {
        statement.get_mut(name).into_iter().for_each(list);
    }
    let operators = statement.get_mut("Condition").and_then(Value::as_object_mut);
    for keys in operators.into_iter().flat_map(|operators| operators.values_mut()) {
        keys.as_object_mut().into_iter().flat_map(|keys| keys.values_mut()).for_each(list);
    }
    statement
}

fn contexts() -> Vec<Context> {
    let ip = |text: &str| text.parse::<IpAddr>().ok();
    [
        (1_767_323_045, ip("192.0.2.1"), true, false),
        (0, ip("::ffff:192.0.2.1"), false, true),
        (-1, ip("2001:db8::1"), true, true),
        (i64::MAX, None, false, false),
    ]
    .map(|(current_time_secs, source_ip, secure_transport, mfa_present)| Context {
        current_time_secs,
        source_ip,
        secure_transport,
        mfa_present,
    })
    .to_vec()
}

fn requests(context: &Context) -> [Request<'_>; 3] {
    let resource = |region, relative_id| Resource {
        service: "vpc",
        region,
        account_id: "1000000000000001",
        relative_id,
    };
    let request = |action, resource| Request { action, resource, context };
    [
        request("vpc:CreateVpc", resource("cn-huhehaote", "ipv6bandwidth/*")),
        request("vpc:DeleteVpc", resource("*", "vpc/a:b:c")),
        request("ECS:x", resource("", "")),
    ]
}
