//! World documents: the demo world, and the errors about malformed ones.

mod exact;

use std::path::Path;

use ::store::World;
use harness::contract::Contract;
use harness::judge::validator;
use serde_json::{Value, json};
use suites::worlds::{account, addresses};

fn demo() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join("functions/local-endpoint/src/demo-world.json")).unwrap()
}

#[test]
fn the_demo_world_fits_the_schema_and_has_an_address_for_every_condition() {
    let text = demo();
    let world: Value = serde_json::from_str(&text).unwrap();
    let fits = validator(&Contract::embedded(), "common/schemas/world.json")
        .unwrap()
        .validate(&world)
        .map_err(|e| e.to_string());
    assert_eq!(fits, Ok(()));
    World::parse(&text).unwrap();
    for id in (1..=20).map(|number| format!("ipv6-demo{number:02}")) {
        assert!(text.contains(&format!("\"{id}\"")), "{id}");
    }
}

#[test]
fn an_export_is_the_world_without_implied_members() {
    let demo: Value = serde_json::from_str(&demo()).unwrap();
    let world = World::parse(&demo.to_string()).unwrap().into_documents();
    let written = World::from_documents(world).to_json().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), demo);
}

#[test]
fn an_error_says_line_and_field() {
    let address = |fields: &str| {
        format!(
            "{{\n \"Accounts\": {{\n  \"1234567890123456\": {{\n   \"Ipv6Addresses\": {{\n    \
             \"ipv6-1\": {{ \"RegionId\": \"cn-huhehaote\",\n      \"VpcId\": \"vpc-1\", {fields} \
             }}\n   }}\n  }}\n }}\n}}"
        )
    };
    let sound = "\"Ipv6Address\": \"2408::1\"";
    assert!(World::parse(&address(sound)).is_ok());
    let document = || "the document".to_owned();
    let at = |field: &str| format!("Accounts.1234567890123456.Ipv6Addresses.ipv6-1{field}");
    let account = "{ \"Accounts\": {\n \"1\": {}\n} }";
    for (text, line, field) in [
        ("{".to_owned(), 1, document()),
        ("{}".to_owned(), 1, document()),
        ("[]".to_owned(), 1, document()),
        // A member may have a name that no message may show.
        ("{ \"Accounts\": {}, \"\": 1 }".to_owned(), 1, document()),
        ("{ \"\": \"\u{7}".to_owned(), 1, document()),
        ("{\n \"Accounts\": 1\n}".to_owned(), 2, "Accounts".to_owned()),
        (account.to_owned(), 2, "Accounts.1".to_owned()),
        ("{ \"Accounts\": {} }\n x".to_owned(), 2, document()),
        (address("\"Ipv6Address\": \"2408::g\""), 6, at(".Ipv6Address")),
        (address(&format!("{sound}, \"Status\": \"Gone\"")), 6, at(".Status")),
        (address(&format!("{sound}, \"Colour\": 1")), 6, at(".Colour")),
        (address(&format!("{sound},\n {sound}")), 7, at(".Ipv6Address")),
        (
            address(&format!("{sound}, \"Ipv6InternetBandwidth\": null")),
            6,
            at(".Ipv6InternetBandwidth"),
        ),
        (
            address(&format!("{sound}, \"AssociatedInstanceId\": \"i\"")),
            6,
            at(".AssociatedInstanceId"),
        ),
        (
            address(&format!(
                "{sound},\n \"Ipv6InternetBandwidth\": {{ \"Ipv6InternetBandwidthId\": \
                 \"ipv6bw-00000000000000001\",\n \"InternetChargeType\": \"PayByTraffic\", \
                 \"Bandwidth\": 1001 }}"
            )),
            8,
            at(".Ipv6InternetBandwidth.Bandwidth"),
        ),
        (address(sound).replace("cn-huhehaote", "cn-nowhere"), 5, at(".RegionId")),
        (address(sound).replace("ipv6-1", "IPV6-1"), 5, at("").replace("ipv6-1", "IPV6-1")),
    ] {
        let error = World::parse(&text).unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (line, field.as_str()), "{error}\n{text}");
        assert!(error.to_string().starts_with(&format!("line {line}, {field}: ")), "{error}");
    }
}

#[test]
fn a_byte_order_mark_is_read_and_no_other_thing_before_a_world() {
    let text = demo();
    assert_eq!(World::parse(&format!("\u{feff}{text}")), World::parse(&text));
    assert!(World::parse(&format!("\u{feff}\u{feff}{text}")).is_err());
    let error = World::parse("\u{feff}{\n \"Accounts\": 1\n}").unwrap_err();
    assert_eq!((error.line, error.field.as_str()), (2, "Accounts"));
}

#[test]
fn a_time_before_1970_is_refused_as_one() {
    let mut world = addresses(0..1);
    account(&mut world)["Ipv6Addresses"]["ipv6-0"]["AllocationTime"] =
        json!("1969-12-31T23:59:59Z");
    let error = World::parse(&world.to_string()).unwrap_err();
    assert_eq!(error.message, "invalid time `1969-12-31T23:59:59Z`, expected 1970 or later");
}

#[test]
fn no_two_documents_share_a_unique_id() {
    let bandwidth = json!({
        "Ipv6InternetBandwidthId": "ipv6bw-00000000000000001",
        "InternetChargeType": "PayByBandwidth", "Bandwidth": 1
    });
    let mut sound = addresses(0..2);
    account(&mut sound)["Ipv6Addresses"]["ipv6-0"]["Ipv6InternetBandwidth"] = bandwidth.clone();
    assert!(World::parse(&sound.to_string()).is_ok());
    for (member, value, field, message) in [
        (
            "/1234567890123456/Ipv6Addresses/ipv6-1/Ipv6InternetBandwidth",
            bandwidth,
            "1234567890123456.Ipv6Addresses.ipv6-1.Ipv6InternetBandwidth.Ipv6InternetBandwidthId",
            "not unique: ipv6bw-00000000000000001",
        ),
        (
            "/1234567890123456/Ipv6Gateways/ipv6gw-2",
            json!({ "RegionId": "cn-huhehaote", "VpcId": "vpc-1" }),
            "1234567890123456.Ipv6Gateways.ipv6gw-2.VpcId",
            "not unique: 1234567890123456/cn-huhehaote/vpc-1",
        ),
        (
            "/1234567890123457",
            json!({ "AccessKeys": { "testid": { "AccessKeySecret": "s" } } }),
            "1234567890123457.AccessKeys.testid",
            "not unique: testid",
        ),
        (
            "/1234567890123457",
            json!({ "Ipv6Gateways": { "ipv6gw-1": { "RegionId": "cn-hangzhou", "VpcId": "vpc-1" } } }),
            "1234567890123457.Ipv6Gateways.ipv6gw-1",
            "not unique: ipv6gw-1",
        ),
    ] {
        let mut world = sound.clone();
        let (parent, name) = member.rsplit_once('/').unwrap();
        world.pointer_mut(&format!("/Accounts{parent}")).unwrap()[name] = value;
        let error = World::parse(&world.to_string()).unwrap_err();
        assert_eq!(error.field, format!("Accounts.{field}"));
        assert_eq!(error.message, message);
    }
}

#[test]
fn an_error_in_an_identity_says_its_field() {
    let sound: Value = serde_json::from_str(&demo()).unwrap();
    let account = "/Accounts/1234567890123456";
    let user = &format!("{account}/RamUsers/allowed");
    let role = &format!("{account}/RamRoles/deployer");
    let session = &format!("{role}/Sessions/STS.demo");
    let key = json!({ "AccessKeySecret": "testsecret" });
    for (object, field, value, message) in [
        (user, "UserId", json!("alice"), "invalid id `alice`, expected digits"),
        (user, "UserId", json!("200000000000000002"), "not unique: 200000000000000002"),
        (role, "Policies", json!({ "": { "Version": "1", "Statement": [] } }), "at least one"),
        (session, "RoleSessionName", json!("a:b"), "invalid name `a:b`"),
        (session, "Expiration", json!("2099-01-01"), "expected 2026-01-02T03:04:05Z"),
        (session, "MFAPresent", json!("yes"), "expected a boolean"),
        (session, "Expires", json!("2099-01-01T00:00:00Z"), "unknown member"),
        (&format!("{account}/AccessKeys/disabled"), "Status", json!("active"), "expected `Active`"),
        (&format!("{account}/AccessKeys"), "allowed", key.clone(), "not unique: allowed"),
        (&format!("{account}/AccessKeys"), "STS.x", key.clone(), "does not begin with STS."),
        (
            &format!("{role}/Sessions"),
            "temporary",
            sound.pointer(session).unwrap().clone(),
            "expected an id that begins with STS.",
        ),
    ] {
        let mut world = sound.clone();
        world.pointer_mut(object).unwrap()[field] = value;
        let error = World::parse(&format!("{world:#}")).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        // A duplicate is reported at its second place.
        let is_second = error.message.starts_with("not unique");
        assert!(error.field.contains(&format!(".{field}")) || is_second, "{error}");
    }
}

#[test]
fn a_malformed_policy_is_refused_by_its_statement_and_line() {
    let mut world: Value = serde_json::from_str(&demo()).unwrap();
    let document = "/Accounts/1234567890123456/RamUsers/allowed/Policies/AllocateInHuhehaote";
    let statement = json!({
        "Effect": "Allow", "Action": "vpc:*", "Resource": "*",
        "Condition": { "IpAddress": { "acs:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"] } }
    });
    world.pointer_mut(document).unwrap()["Statement"].as_array_mut().unwrap().push(statement);
    let text = format!("{world:#}");
    let error = World::parse(&text).unwrap_err();
    let place = "Statement[1].Condition.IpAddress.acs:SourceIp[1]";
    assert!(error.field.ends_with(&format!("Policies.AllocateInHuhehaote.{place}")), "{error}");
    assert!(error.message.contains("10.0.0.0/33"), "{error}");
    let line = text.lines().position(|line| line.contains("10.0.0.0/33")).unwrap() + 1;
    assert_eq!(error.line, line, "{error}");
}
