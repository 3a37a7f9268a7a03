//! Policy documents.

use std::net::IpAddr;

use ipv6_gateway::ram::{AccessRequest, Arn, Context, Decision, Policy, evaluate};
use serde_json::{Value, json};

/// A policy document: it is refused, or it means the same in every spelling.
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
    let of = |effect: &str| {
        let of = statements.iter().filter(|statement| statement["Effect"] == effect);
        of.cloned().collect::<Vec<_>>()
    };
    let (allows, denies) = (of("Allow"), of("Deny"));
    assert_eq!(allows.len() + denies.len(), statements.len());
    let [allows, denies] = [allows, denies].map(|some| (!some.is_empty()).then(|| again(&some)));
    let reversed = again(&statements.iter().rev().cloned().collect::<Vec<_>>());
    let listed = again(&statements.iter().map(listed).collect::<Vec<_>>());
    let [allow_all, deny_all] = ["Allow", "Deny"]
        .map(|effect| again(&[json!({ "Effect": effect, "Action": "*", "Resource": "*" })]));

    for context in contexts() {
        for request in requests(&context) {
            let decide = |policies: &[&Policy]| evaluate(policies.iter().copied(), &request);
            let decision = decide(&[&policy]);
            for same in [&[&reversed][..], &[&listed], &[&policy, &policy]] {
                assert_eq!(decide(same), decision, "{request:?}: {written}");
            }
            let expected = match (evaluate(&allows, &request), evaluate(&denies, &request)) {
                (_, Decision::ExplicitDeny) => Decision::ExplicitDeny,
                (allowed @ (Decision::Allow | Decision::ImplicitDeny), Decision::ImplicitDeny) => {
                    allowed
                }
                odd => panic!("{odd:?} of allows and denies: {request:?}: {written}"),
            };
            assert_eq!(decision, expected, "{request:?}: {written}");
            let with_all = match decision {
                Decision::ExplicitDeny => Decision::ExplicitDeny,
                Decision::Allow | Decision::ImplicitDeny => Decision::Allow,
            };
            assert_eq!(decide(&[&policy, &allow_all]), with_all, "{written}");
            assert_eq!(decide(&[&policy, &deny_all]), Decision::ExplicitDeny, "{written}");
        }
    }
}

/// A policy of statements that were read before.
fn again(statements: &[Value]) -> Policy {
    let document = json!({ "Version": "1", "Statement": statements });
    serde_json::from_value(document.clone())
        .unwrap_or_else(|error| panic!("read before, but not now: {error}: {document}"))
}

/// The same statement with lists of one item in place of single values.
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

fn requests(context: &Context) -> [AccessRequest<'_>; 3] {
    let resource = |region, relative_id| Arn {
        service: "vpc",
        region,
        account_id: "1000000000000001",
        relative_id,
    };
    let request = |action, resource| AccessRequest { action, resource, context };
    [
        request("vpc:CreateVpc", resource("cn-huhehaote", "ipv6bandwidth/*")),
        request("vpc:DeleteVpc", resource("*", "vpc/a:b:c")),
        request("ECS:x", resource("", "")),
    ]
}
