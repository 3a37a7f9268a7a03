use serde_json::{Value, json};

use super::Decision::{Allow, ExplicitDeny, ImplicitDeny};
use super::*;

/// 2026-01-02T03:04:05Z.
const NOW_SECS: i64 = 1_767_323_045;

const ACTION: &str = "vpc:AllocateIpv6InternetBandwidth";

fn context() -> Context {
    Context {
        current_time_secs: NOW_SECS,
        source_ip: Some(IpAddr::from([192, 0, 2, 1])),
        secure_transport: true,
        mfa_present: false,
    }
}

fn policy(statements: &Value) -> Policy {
    let document = json!({"Version": "1", "Statement": statements});
    serde_json::from_value(document).expect("a policy")
}

fn request(context: &Context) -> AccessRequest<'_> {
    AccessRequest {
        action: ACTION,
        resource: Arn {
            service: "vpc",
            region: "cn-huhehaote",
            account_id: "1234567890123456",
            relative_id: "ipv6bandwidth/*",
        },
        context,
    }
}

fn decide(policies: &[Policy]) -> Decision {
    evaluate(policies, &request(&context()))
}

/// Whether `condition` is met by a request of `context`.
fn is_met(condition: &Value, context: &Context) -> bool {
    let statement =
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    evaluate(&[policy(&json!([statement]))], &request(context)) == Allow
}

#[test]
fn a_request_that_no_statement_matches_is_denied_implicitly() {
    assert_eq!(decide(&[]), ImplicitDeny);
    let other = policy(&json!([{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]));
    assert_eq!(decide(&[other]), ImplicitDeny);
}

#[test]
fn a_deny_wins_in_any_position() {
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "vpc:Allocate*", "Resource": "*"});
    let other_deny = json!({"Effect": "Deny", "Action": "vpc:Release*", "Resource": "*"});
    for (policies, decision) in [
        (vec![json!([allow])], Allow),
        (vec![json!([deny])], ExplicitDeny),
        (vec![json!([allow, deny])], ExplicitDeny),
        (vec![json!([deny, allow])], ExplicitDeny),
        (vec![json!([allow]), json!([deny])], ExplicitDeny),
        (vec![json!([deny]), json!([allow])], ExplicitDeny),
        (vec![json!([allow]), json!([other_deny])], Allow),
        (vec![json!([other_deny])], ImplicitDeny),
    ] {
        let policies: Vec<Policy> = policies.iter().map(policy).collect();
        assert_eq!(decide(&policies), decision, "{policies:?}");
    }
}

#[test]
fn action_resource_and_condition_must_all_match() {
    let unmet = json!({"Bool": {"acs:SecureTransport": false}});
    for (statement, decision) in [
        (json!({"Action": ACTION, "Resource": "acs:vpc:*:*:ipv6bandwidth/*"}), Allow),
        (json!({"Action": "VPC:allocateipv6internetbandwidth", "Resource": "*"}), Allow),
        (json!({"Action": "vpc:Allocate*Bandwidt?", "Resource": "*"}), Allow),
        (json!({"Action": "*:*", "Resource": "*"}), Allow),
        (json!({"Action": "vpc:AllocateIpv6InternetBandwidth?", "Resource": "*"}), ImplicitDeny),
        (json!({"Action": ["ecs:*", "vpc:*"], "Resource": ["acs:ecs:*:*:*", "*"]}), Allow),
        (json!({"Action": "*", "Resource": "acs:vpc:*:*:ipv6address/*"}), ImplicitDeny),
        (json!({"Action": "*", "Resource": "acs:vpc:*:*:IPV6BANDWIDTH/*"}), ImplicitDeny),
        (json!({"Action": "*", "Resource": "acs:vpc:*:9:*"}), ImplicitDeny),
        (json!({"Action": "*", "Resource": "*", "Condition": unmet}), ImplicitDeny),
        (json!({"Action": "*", "Resource": "*", "Condition": {}}), Allow),
        (json!({"NotAction": "ecs:*", "Resource": "*"}), Allow),
        (json!({"NotAction": ["ecs:*", "vpc:allocate*"], "Resource": "*"}), ImplicitDeny),
        (json!({"NotAction": "*", "Resource": "*"}), ImplicitDeny),
        (json!({"NotAction": "ecs:*", "Resource": "acs:ecs:*:*:*"}), ImplicitDeny),
    ] {
        let mut statement = statement;
        statement["Effect"] = json!("Allow");
        let decided = decide(&[policy(&json!([statement]))]);
        assert_eq!(decided, decision, "{statement}");
    }
}

#[test]
fn a_region_that_is_a_star_is_no_wildcard() {
    let context = context();
    let mut request = request(&context);
    request.resource.region = "*";
    for (region, decision) in
        [("*", Allow), ("?", Allow), ("cn-*", ImplicitDeny), ("cn-huhehaote", ImplicitDeny)]
    {
        let resource = format!("acs:vpc:{region}:*:*");
        let policy = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": resource}]));
        assert_eq!(evaluate([&policy], &request), decision, "{region}");
    }
}

#[test]
fn each_operator_compares_in_its_own_way() {
    let context = context();
    for (operator, key, value, met) in [
        ("StringEquals", "acs:SourceIp", json!("192.0.2.1"), true),
        ("StringEquals", "acs:SourceIp", json!("192.0.2.*"), false),
        ("StringEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), true),
        ("StringEquals", "acs:CurrentTime", json!("2026-01-02t03:04:05z"), false),
        ("StringEquals", "acs:CurrentTime", json!("2026-01-02T11:04:05+08:00"), false),
        ("StringEquals", "acs:SecureTransport", json!("true"), true),
        ("StringEquals", "acs:SecureTransport", json!(true), true),
        ("StringEquals", "acs:MFAPresent", json!(["x", false]), true),
        ("StringEquals", "acs:MFAPresent", json!(0), false),
        ("StringNotEquals", "acs:SourceIp", json!("192.0.2.1"), false),
        ("StringNotEquals", "acs:SourceIp", json!("192.0.2.2"), true),
        ("StringNotEquals", "acs:SourceIp", json!(["192.0.2.2", "192.0.2.1"]), false),
        ("StringEqualsIgnoreCase", "acs:CurrentTime", json!("2026-01-02t03:04:05z"), true),
        ("StringEqualsIgnoreCase", "acs:SecureTransport", json!("True"), true),
        ("StringEqualsIgnoreCase", "acs:SecureTransport", json!("T*"), false),
        ("StringNotEqualsIgnoreCase", "acs:SecureTransport", json!("TRUE"), false),
        ("StringNotEqualsIgnoreCase", "acs:SecureTransport", json!("FALSE"), true),
        ("StringLike", "acs:SourceIp", json!("192.0.2.*"), true),
        ("StringLike", "acs:SourceIp", json!("192.0.?.?"), true),
        ("StringLike", "acs:SourceIp", json!("192.0.2"), false),
        ("StringLike", "acs:CurrentTime", json!("2026-01-02t*"), false),
        ("StringLike", "acs:CurrentTime", json!(["x", "2026-01-??T03:*"]), true),
        ("StringNotLike", "acs:SourceIp", json!("192.*"), false),
        ("StringNotLike", "acs:SourceIp", json!(["10.*", "172.*"]), true),
        ("DateEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), true),
        ("DateEquals", "acs:CurrentTime", json!("2026-01-02T11:04:05+08:00"), true),
        ("DateEquals", "acs:CurrentTime", json!("2026-01-01T22:04:05.000-05:00"), true),
        ("DateEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05+08:00"), false),
        ("DateEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05.5Z"), false),
        ("DateNotEquals", "acs:CurrentTime", json!("2026-01-02T11:04:05+08:00"), false),
        ("DateNotEquals", "acs:CurrentTime", json!("2026-01-02T03:04:06Z"), true),
        ("DateLessThan", "acs:CurrentTime", json!("2026-01-02T03:04:06Z"), true),
        ("DateLessThan", "acs:CurrentTime", json!("2026-01-02T03:04:05.1Z"), true),
        ("DateLessThan", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), false),
        ("DateLessThan", "acs:CurrentTime", json!("2026-01-02T04:00:00+08:00"), false),
        ("DateLessThanEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), true),
        ("DateLessThanEquals", "acs:CurrentTime", json!("2026-01-02T03:04:04Z"), false),
        ("DateGreaterThan", "acs:CurrentTime", json!("2026-01-02T03:04:04Z"), true),
        ("DateGreaterThan", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), false),
        ("DateGreaterThanEquals", "acs:CurrentTime", json!("2026-01-02T03:04:05Z"), true),
        ("DateGreaterThanEquals", "acs:CurrentTime", json!("2026-01-02T03:04:06Z"), false),
        ("Bool", "acs:SecureTransport", json!(true), true),
        ("Bool", "acs:SecureTransport", json!("true"), true),
        ("Bool", "acs:SecureTransport", json!("false"), false),
        ("Bool", "acs:MFAPresent", json!(false), true),
        ("Bool", "acs:MFAPresent", json!([true, "false"]), true),
        ("IpAddress", "acs:SourceIp", json!("192.0.2.1"), true),
        ("IpAddress", "acs:SourceIp", json!(["10.0.0.0/8", "192.0.2.255/24"]), true),
        ("IpAddress", "acs:SourceIp", json!("192.0.3.0/24"), false),
        ("NotIpAddress", "acs:SourceIp", json!("192.0.2.0/24"), false),
        ("NotIpAddress", "acs:SourceIp", json!(["10.0.0.0/8", "192.0.2.0/24"]), false),
        ("NotIpAddress", "acs:SourceIp", json!(["10.0.0.0/8", "192.0.3.0/24"]), true),
        // Letter case of keys does not count.
        ("IpAddress", "ACS:sourceip", json!("192.0.2.1"), true),
    ] {
        let condition = json!({operator: {key: value}});
        assert_eq!(is_met(&condition, &context), met, "{condition}");
    }
}

/// Every operator with a valid value, and whether it is negated.
fn operators() -> Vec<(&'static str, Value, bool)> {
    let (date, ip) = (json!("2026-01-02T03:04:05Z"), json!("192.0.2.1"));
    vec![
        ("StringEquals", json!("x"), false),
        ("StringNotEquals", json!("x"), true),
        ("StringEqualsIgnoreCase", json!("x"), false),
        ("StringNotEqualsIgnoreCase", json!("x"), true),
        ("StringLike", json!("*"), false),
        ("StringNotLike", json!("*"), true),
        ("NumericEquals", json!(1), false),
        ("NumericNotEquals", json!("1"), true),
        ("NumericLessThan", json!(1), false),
        ("NumericLessThanEquals", json!(1), false),
        ("NumericGreaterThan", json!(1), false),
        ("NumericGreaterThanEquals", json!(1), false),
        ("DateEquals", date.clone(), false),
        ("DateNotEquals", date.clone(), true),
        ("DateLessThan", date.clone(), false),
        ("DateLessThanEquals", date.clone(), false),
        ("DateGreaterThan", date.clone(), false),
        ("DateGreaterThanEquals", date, false),
        ("Bool", json!(false), false),
        ("IpAddress", ip.clone(), false),
        ("NotIpAddress", ip, true),
    ]
}

#[test]
fn a_key_that_the_request_lacks_meets_only_negated_operators() {
    let context = Context { source_ip: None, ..context() };
    for (operator, value, is_negated) in operators() {
        for key in ["acs:SourceIp", "acs:PrincipalARN", "x", ""] {
            let condition = json!({operator: {key: value}});
            assert_eq!(is_met(&condition, &context), is_negated, "{condition}");
        }
    }
}

#[test]
fn an_operator_of_another_kind_is_met_only_if_negated() {
    let keys = [
        ("Date", "acs:CurrentTime"),
        ("Bool", "acs:SecureTransport"),
        ("Bool", "acs:MFAPresent"),
        ("Ip", "acs:SourceIp"),
    ];
    for (operator, value, is_negated) in operators() {
        for (kind, key) in keys {
            if operator.starts_with("String") || operator.contains(kind) {
                continue;
            }
            let condition = json!({operator: {key: value}});
            assert_eq!(is_met(&condition, &context()), is_negated, "{condition}");
        }
    }
}

#[test]
fn an_address_is_in_a_block_of_its_own_family() {
    for (address, block, is_in) in [
        ("192.0.2.1", "192.0.2.1/32", true),
        ("192.0.2.2", "192.0.2.1/32", false),
        ("192.0.2.1", "0.0.0.0/0", true),
        ("255.255.255.255", "128.0.0.0/1", true),
        ("127.255.255.255", "128.0.0.0/1", false),
        ("192.0.2.127", "192.0.2.0/25", true),
        ("192.0.2.128", "192.0.2.0/25", false),
        ("2001:db8::1", "2001:db8::1", true),
        ("2001:db8::1", "2001:DB8:0:0::0001/128", true),
        ("2001:db8::2", "2001:db8::1/128", false),
        ("2001:db8:ffff::1", "2001:db8::/32", true),
        ("2001:db9::1", "2001:db8::/32", false),
        ("2001:db8::1", "::/0", true),
        ("192.0.2.1", "::/0", false),
        ("2001:db8::1", "0.0.0.0/0", false),
        ("::ffff:192.0.2.1", "192.0.2.0/24", true),
        ("::ffff:192.0.2.1", "::/0", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("192.0.2.1", "::ffff:192.0.2.0/120", true),
        ("::ffff:192.0.2.1", "::ffff:0:0/96", true),
        ("::ffff:192.0.2.1", "::ffff:0:0/95", false),
        ("::192.0.2.1", "192.0.2.1", false),
    ] {
        let context = Context { source_ip: address.parse().ok(), ..context() };
        for (operator, met) in [("IpAddress", is_in), ("NotIpAddress", !is_in)] {
            let condition = json!({operator: {"acs:SourceIp": block}});
            assert_eq!(is_met(&condition, &context), met, "{address} {condition}");
        }
    }
}

#[test]
fn an_address_as_a_text_is_in_its_canonical_form() {
    for (address, text) in [
        ("2001:0DB8:0:0::0001", "2001:db8::1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        let context = Context { source_ip: address.parse().ok(), ..context() };
        let condition = json!({"StringEquals": {"acs:SourceIp": text}});
        assert!(is_met(&condition, &context), "{address} {text}");
    }
}

#[test]
fn every_key_of_every_operator_must_be_met() {
    let met = json!({
        "IpAddress": {"acs:SourceIp": "192.0.2.0/24"},
        "Bool": {"acs:SecureTransport": true, "acs:MFAPresent": false},
    });
    assert!(is_met(&met, &context()));
    for (operator, key, value) in [
        ("IpAddress", "acs:SourceIp", json!("10.0.0.0/8")),
        ("Bool", "acs:SecureTransport", json!(false)),
        ("Bool", "acs:MFAPresent", json!(true)),
        ("Bool", "acs:Unknown", json!([true, false])),
    ] {
        let mut condition = met.clone();
        condition[operator][key] = value;
        assert!(!is_met(&condition, &context()), "{condition}");
    }
    assert!(is_met(&json!({"Bool": {}}), &context()));
}

#[test]
fn a_clock_beyond_all_dates_has_an_order_and_no_text() {
    for (current_time_secs, operator) in
        [(i64::MIN, "DateLessThan"), (i64::MAX, "DateGreaterThan"), (0, "DateLessThan")]
    {
        let context = Context { current_time_secs, ..context() };
        let condition = json!({operator: {"acs:CurrentTime": "2026-01-02T03:04:05Z"}});
        assert!(is_met(&condition, &context), "{condition}");
        let condition = json!({"StringLike": {"acs:CurrentTime": "*"}});
        assert_eq!(is_met(&condition, &context), current_time_secs == 0);
    }
}
