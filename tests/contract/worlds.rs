//! World documents: the demo world, and what is told of one that is wrong.

use std::path::Path;

use ::store::World;
use harness::contract::Contract;
use harness::judge::validator;
use serde_json::{Value, json};

/// A world of one address, `ipv6-1`, that is attached to nothing.
pub(crate) fn one_address() -> Value {
    json!({ "Accounts": [{
        "AccountId": "1234567890123456",
        "AccessKeys": [{ "AccessKeyId": "testid", "AccessKeySecret": "testsecret" }],
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": [
            { "Ipv6GatewayId": "ipv6gw-1", "RegionId": "cn-huhehaote", "VpcId": "vpc-1" }
        ],
        "Ipv6Addresses": [{
            "Ipv6AddressId": "ipv6-1", "RegionId": "cn-huhehaote", "VpcId": "vpc-1",
            "Ipv6Address": "2408:4004:1::1"
        }]
    }] })
}

/// The same with so many addresses, `ipv6-0` and so on.
pub(crate) fn many_addresses(count: usize) -> Value {
    let mut world = one_address();
    let address = world["Accounts"][0]["Ipv6Addresses"][0].clone();
    let addresses = (0..count).map(|number| {
        let mut address = address.clone();
        address["Ipv6AddressId"] = json!(format!("ipv6-{number}"));
        address["Ipv6Address"] =
            json!(format!("2408:4004:{:x}::{:x}", number >> 16, number & 0xffff));
        address
    });
    world["Accounts"][0]["Ipv6Addresses"] = addresses.collect();
    world
}

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
fn a_world_is_read_back_as_it_was_written() {
    let world = World::parse(&demo()).unwrap();
    let written = World::from_documents(world.into_documents()).to_json().unwrap();
    let read = World::parse(&written).unwrap();
    assert_eq!(World::from_documents(read.into_documents()).to_json().unwrap(), written);
    for lost in ["ipv6gw-other", "ipv6-released", "quota-exceeded", "ipv6bw-demo0000000000000"] {
        assert!(written.contains(lost), "{lost} was lost");
    }
}

#[test]
fn what_is_wrong_with_a_world_is_told_with_its_line_and_field() {
    let address = |fields: &str| {
        format!(
            "{{\n \"Accounts\": [\n  {{ \"AccountId\": \"1234567890123456\",\n   \"Ipv6Addresses\": [\n    {{ \
             \"Ipv6AddressId\": \"ipv6-1\", \"RegionId\": \"cn-huhehaote\",\n      \"VpcId\": \"v\", {fields} }}\n   ]\n  }}\n ]\n}}"
        )
    };
    let sound = "\"Ipv6Address\": \"2408::1\"";
    assert!(World::parse(&address(sound)).is_ok());
    let at = |field: &str| format!("Accounts[0].Ipv6Addresses[0].{field}");
    for (text, line, field) in [
        ("{".to_owned(), 1, "the document".to_owned()),
        ("{}".to_owned(), 1, "the document".to_owned()),
        ("{ \"\": 1 }".to_owned(), 1, "the document".to_owned()),
        ("{\n \"Accounts\": 1\n}".to_owned(), 2, "Accounts".to_owned()),
        (
            "{\n \"Accounts\": [\n  { \"AccountId\": \"1\" }\n ]\n}".to_owned(),
            3,
            "Accounts[0].AccountId".to_owned(),
        ),
        ("{ \"Accounts\": [] }\n x".to_owned(), 2, "the document".to_owned()),
        (address("\"Ipv6Address\": \"2408::g\""), 6, at("Ipv6Address")),
        (address(&format!("{sound}, \"Status\": \"Gone\"")), 6, at("Status")),
        (address(&format!("{sound}, \"Colour\": 1")), 6, at("Colour")),
        (address(&format!("{sound}, \"NetworkType\": \"Public\"")), 6, at("NetworkType")),
        (
            address(&format!("{sound}, \"AssociatedInstanceId\": \"i\"")),
            6,
            at("AssociatedInstanceId"),
        ),
        (
            address(&format!(
                "{sound},\n \"Ipv6InternetBandwidth\": {{ \"Ipv6InternetBandwidthId\": \"b\",\n \
                 \"InternetChargeType\": \"PayByTraffic\", \"Bandwidth\": 1001 }}"
            )),
            8,
            at("Ipv6InternetBandwidth.Bandwidth"),
        ),
        (address(sound).replace("cn-huhehaote", "cn-nowhere"), 5, at("RegionId")),
        (address(sound).replace("ipv6-1", "IPV6-1"), 5, at("Ipv6AddressId")),
    ] {
        let error = World::parse(&text).unwrap_err();
        assert_eq!((error.line, error.field.as_str()), (line, field.as_str()), "{error}\n{text}");
        assert!(error.to_string().starts_with(&format!("line {line}, {field}: ")), "{error}");
    }
}

#[test]
fn an_id_that_stands_twice_is_refused() {
    let twice = demo().replacen("\"ipv6-demo02\"", "\"ipv6-demo01\"", 1);
    let error = World::parse(&twice).unwrap_err();
    assert_eq!(error.field, "Accounts[0].Ipv6Addresses[1].Ipv6AddressId");
    assert_eq!(error.message, "stands twice: ipv6-demo01");
}

#[test]
fn what_is_wrong_with_an_identity_is_told_with_its_field() {
    let sound: Value = serde_json::from_str(&demo()).unwrap();
    let user = "/Accounts/0/RamUsers/0";
    let role = "/Accounts/0/RamRoles/0";
    let session = "/Accounts/0/RamRoles/0/Sessions/0";
    for (object, field, value, message) in [
        (user, "UserId", json!("alice"), "not digits: alice"),
        (user, "UserId", json!("200000000000000002"), "stands twice: 200000000000000002"),
        (user, "UserName", json!("a b"), "not letters, digits"),
        (user, "UserName", json!("denied"), "stands twice: denied"),
        (role, "RoleName", json!(""), "not letters, digits"),
        (session, "RoleSessionName", json!("a:b"), "not letters, digits"),
        (session, "AccessKeyId", json!("temporary"), "not STS. and more: temporary"),
        (session, "AccessKeyId", json!("STS.expired"), "stands twice: STS.expired"),
        (session, "Expiration", json!("2099-01-01"), "not a time like"),
        (session, "MFAPresent", json!("yes"), "expected a boolean"),
        (session, "Expires", json!("2099-01-01T00:00:00Z"), "unknown field"),
        ("/Accounts/0/AccessKeys/0", "Status", json!("active"), "unknown variant"),
        ("/Accounts/0/AccessKeys/0", "AccessKeyId", json!("allowed"), "stands twice: allowed"),
        ("/Accounts/0/AccessKeys/0", "AccessKeyId", json!("STS.x"), "only a role's session"),
    ] {
        let mut world = sound.clone();
        world.pointer_mut(object).unwrap()[field] = value;
        let error = World::parse(&format!("{world:#}")).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        // What stands twice is told where it stands the second time.
        let is_second = error.message.starts_with("stands twice");
        let field = format!(".{field}");
        assert!(error.field.ends_with(&field) || is_second, "{error}");
    }
}

#[test]
fn a_malformed_policy_is_refused_by_its_statement_and_line() {
    let mut world: Value = serde_json::from_str(&demo()).unwrap();
    let document = "/Accounts/0/RamUsers/0/Policies/0/PolicyDocument";
    let statement = json!({
        "Effect": "Allow", "Action": "vpc:*", "Resource": "*",
        "Condition": { "IpAddress": { "acs:SourceIp": ["10.0.0.0/8", "10.0.0.0/33"] } }
    });
    world.pointer_mut(document).unwrap()["Statement"].as_array_mut().unwrap().push(statement);
    let text = format!("{world:#}");
    let error = World::parse(&text).unwrap_err();
    let place = "Statement[1].Condition.IpAddress.acs:SourceIp[1]";
    assert!(error.field.ends_with(&format!("Policies[0].PolicyDocument.{place}")), "{error}");
    assert!(error.message.contains("10.0.0.0/33"), "{error}");
    let line = text.lines().position(|line| line.contains("10.0.0.0/33")).unwrap() + 1;
    assert_eq!(error.line, line, "{error}");
}
