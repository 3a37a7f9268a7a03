//! A world accepts exactly the documents that the published schema accepts.

use std::collections::BTreeSet;

use ::store::World;
use harness::contract::Contract;
use harness::judge::compiled;
use ipv6_gateway::Operations;
use serde_json::{Value, json};

use crate::tightness::collect;
use crate::tightness::near::Near;

/// Texts that fit patterns of the schema, or nearly do, and that are not in [`full`].
const TEXTS: [&str; 17] = [
    "2016-12-31T23:59:60Z",
    "2026-01-02t03:04:05.5+01:00",
    "2026-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59Z",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05.123456789012-00:00",
    "a\u{0}b",
    "::1",
    "2001:db8::/32",
    "1:2:3:4:5:6:7::",
    "1:2:3:4:5:6:7::8",
    "::ffff:10.0.0.1/96",
    "1::2::3/0",
    "12345::/1",
    "1:2:3:4:5:6:1.2.3.4/128",
];

/// The message about a world that breaks a rule of the schema's `x-rules`.
const RULES: [(&str, &str); 7] = [
    ("member-once", ": repeated member"),
    ("id-once", ": not unique: "),
    ("gateway-once", ": not unique: "),
    ("condition-key-once", "letter case does not count"),
    ("number-size", ": number out of range"),
    ("action-known", ": unknown operation"),
    ("answer-of-action", ": invalid Answer, expected "),
];

/// A world with every member.
fn full() -> Value {
    let policy = json!({ "Version": "1", "Statement": [
        { "Effect": "Allow", "Action": "vpc:*", "Resource": ["*", "acs:vpc:*:*:ipv6bandwidth/*"] },
        { "Effect": "Deny", "NotAction": ["vpc:Describe*"], "Resource": "*", "Condition": {
            "StringEquals": { "acs:PrincipalARN": ["a", 1, true] },
            "NumericLessThan": { "n": ["10", 5] },
            "DateLessThan": { "acs:CurrentTime": "2026-01-02T03:04:05Z" },
            "Bool": { "acs:MFAPresent": "true" },
            "IpAddress": { "acs:SourceIp": ["10.0.0.0/8", "2408::1"] }
        } }
    ] });
    json!({ "Accounts": { "1234567890123456": {
        "AccessKeys": { "testid": { "AccessKeySecret": "testsecret", "Status": "Inactive" } },
        "RamUsers": { "user": {
            "UserId": "1",
            "AccessKeys": { "user-key": { "AccessKeySecret": "testsecret" } },
            "Policies": { "P": policy }
        } },
        "RamRoles": { "role": {
            "RoleId": "2",
            "Policies": { "P": policy },
            "Sessions": { "STS.x": {
                "RoleSessionName": "x", "AccessKeySecret": "testsecret", "SecurityToken": "TESTTOKEN",
                "Expiration": "2099-01-01T00:00:00Z", "MFAPresent": true, "Policy": policy
            } }
        } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": { "ipv6gw-1": { "RegionId": "cn-huhehaote", "VpcId": "vpc-1" } },
        "Ipv6Addresses": { "ipv6-1": {
            "RegionId": "cn-huhehaote", "Ipv6Address": "2408::1", "VpcId": "vpc-1", "VSwitchId": "vsw-1",
            "Ipv6AddressName": "n", "Ipv6AddressDescription": "d",
            "AllocationTime": "2026-01-02T03:04:05Z", "Status": "Pending", "Ipv6Isp": "ChinaMobile",
            "AddressType": "IPv6Prefix", "PrivateGua": true, "ServiceManaged": true,
            "AssociatedInstanceType": "EcsInstance", "AssociatedInstanceId": "i-1",
            "ResourceGroupId": "rg-1", "Tags": { "k": "v" },
            "Ipv6InternetBandwidth": {
                "Ipv6InternetBandwidthId": "ipv6bw-00000000000000001",
                "InternetChargeType": "PayByTraffic", "Bandwidth": 1000,
                "InstanceChargeType": "PostPaid", "BusinessStatus": "SecurityLocked"
            }
        } },
        "ClientTokens": { "cn-huhehaote/AllocateIpv6InternetBandwidth/t/1": {
            "ExpiresAt": "2026-01-02T03:04:05Z", "Parameters": { "a": "b" }, "Answer": {}
        } }
    } } })
}

/// The values that replace a value, at any place.
fn values(old: &Value) -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!("true"),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.0),
        json!(200.0),
        json!(1.5),
        json!(1001),
        json!(2001),
        json!(70_000),
        json!(5_000_000_000_u64),
        json!(""),
        json!("x"),
        json!("\u{0}"),
        json!("1"),
        json!("2"),
        json!("*"),
        json!("PayByBandwidth"),
        json!("cn-hangzhou"),
        json!("2026-02-30T00:00:00Z"),
        json!("1969-12-31T23:59:59Z"),
        json!("2026-01-01T24:00:00Z"),
        json!("2026-01-01T00:00:60Z"),
        json!("2026-13-01T00:00:00Z"),
        json!("2026-01-01T00:00:00+08:00"),
        json!("10.0.0.0/33"),
        json!("10.0.0.0/032"),
        json!("::ffff:10.0.0.1"),
        json!("-1.50"),
        json!([]),
        json!({}),
        json!([old]),
        json!([[old]]),
        json!({ "x": old }),
    ];
    if let Value::String(text) = old {
        values.extend([
            json!(text.to_uppercase()),
            json!(format!("{text}x")),
            json!(format!("{text} ")),
            json!(format!("{text}\n")),
            json!(format!("{text}é")),
            json!(text.get(1..)),
            // serde accepts this as the name of a variant.
            json!({ text.clone(): null }),
            json!([text, text]),
        ]);
    }
    if let Value::Object(members) = old {
        // serde accepts a list of a struct's members in place of the struct.
        values.push(members.values().cloned().collect());
    }
    values
}

/// Names that replace the name of a member.
fn names(name: &str) -> Vec<String> {
    let cut = name.char_indices().nth(1).map_or("", |(position, _)| &name[position..]);
    let edited = [name.to_uppercase(), name.to_lowercase(), format!("{name}x"), format!("{name} ")];
    let others =
        ["", "x", "\u{0}", "STS.y", "cn-nowhere/A/t", "cn-hangzhou/A/", "cn-hangzhou//t", cut];
    edited.into_iter().chain(others.map(str::to_owned)).collect()
}

/// The pointers to a value and to each value in it.
fn pointers(value: &Value) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
            members.iter().map(|(name, member)| (escaped(name), member)).collect()
        }
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(position, it)| (position.to_string(), it)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let below = below.into_iter().flat_map(|(name, value)| {
        pointers(value).into_iter().map(move |rest| format!("/{name}{rest}"))
    });
    [String::new()].into_iter().chain(below).collect()
}

/// The worlds that differ from `world` in the value at `pointer`, or in the name of one of its
/// members.
fn changed(world: &Value, pointer: &str) -> Vec<Value> {
    let old = world.pointer(pointer).unwrap();
    let mut new = values(old);
    if let Value::Object(members) = old {
        let mut added = members.clone();
        added.insert("Colour".to_owned(), json!(1));
        new.push(added.into());
        for (name, member) in members {
            let mut without = members.clone();
            without.remove(name);
            new.extend(names(name).into_iter().map(|name| {
                let mut renamed = without.clone();
                renamed.insert(name, member.clone());
                renamed.into()
            }));
            new.push(without.into());
        }
    }
    let with = |new: Value| {
        let mut world = world.clone();
        *world.pointer_mut(pointer).unwrap() = new;
        world
    };
    new.into_iter().map(with).collect()
}

/// Documents made from the schema, each right or with one fault.
fn near(schema: &Value) -> Vec<Value> {
    let mut texts = BTreeSet::from(TEXTS.map(str::to_owned));
    collect(&full(), &mut texts);
    let texts: Vec<String> = texts.into_iter().collect();
    Near::new(schema, &texts).documents()
}

#[test]
fn a_world_accepts_exactly_what_the_schema_accepts() {
    let written = Contract::embedded().json("common/schemas/world.json").unwrap();
    let schema = compiled(&written).unwrap();
    let full = full();
    let once = pointers(&full).into_iter().flat_map(|pointer| changed(&full, &pointer));
    let mut worlds: Vec<Value> = once.chain(near(&written)).collect();
    assert!(worlds.len() > 15_000, "{}", worlds.len());
    // A second change to the worlds that are still right, at a place that differs from world to
    // world.
    let right = worlds.iter().filter(|world| schema.is_valid(world));
    let twice = right.enumerate().flat_map(|(position, world)| {
        let pointers = pointers(world);
        changed(world, &pointers[position % pointers.len()]).into_iter().step_by(29)
    });
    let twice: Vec<Value> = twice.collect();
    assert!(twice.len() > 8_000, "{}", twice.len());
    worlds.extend(twice);

    let mut taken = 0;
    let mut wrong = Vec::new();
    for world in &worlds {
        let read = World::parse(&world.to_string()).map_err(|error| error.to_string());
        taken += usize::from(read.is_ok());
        if read.as_ref().is_err_and(|error| RULES.iter().any(|(_, says)| error.contains(says))) {
            continue;
        }
        let fits = schema.validate(world).map_err(|error| error.to_string());
        if fits.is_ok() != read.is_ok() {
            wrong.push(format!("{:?} but {:?}: {world}", read.err(), fits.err()));
        }
    }
    assert!(taken > 5_000, "{taken}");
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), worlds.len(), wrong.join("\n"));
}

/// Reads a world as the endpoint and the function do.
fn read(text: &str) -> Result<(), String> {
    let world = World::parse(text).map_err(|error| error.to_string())?;
    Operations::all().fit(&world.into_documents()).map_err(|error| error.to_string())
}

#[test]
fn each_rule_beyond_the_schema_refuses_a_world_that_the_schema_takes() {
    let written = Contract::embedded().json("common/schemas/world.json").unwrap();
    let named: BTreeSet<&str> =
        written["x-rules"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, RULES.map(|(name, _)| name).into());
    let schema = compiled(&written).unwrap();

    let key = r#""AccessKeys": { "k": { "AccessKeySecret": "s" } }"#;
    let gateway = r#"{ "RegionId": "cn-huhehaote", "VpcId": "vpc-1" }"#;
    let bandwidth = r#"{ "RegionId": "cn-huhehaote", "VpcId": "vpc-1", "Ipv6Address": "2408::1",
        "Ipv6InternetBandwidth": { "Ipv6InternetBandwidthId": "ipv6bw-00000000000000001",
        "InternetChargeType": "PayByTraffic", "Bandwidth": 1 } }"#;
    let condition = |condition: &str| {
        format!(
            r#""RamUsers": {{ "u": {{ "UserId": "1", "Policies": {{ "p": {{ "Version": "1",
            "Statement": [{{ "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {{ {condition} }} }}] }} }} }} }}"#
        )
    };
    let token = |action: &str| {
        format!(
            r#""ClientTokens": {{ "cn-huhehaote/{action}/t": {{ "Parameters": {{}}, "Answer": {{}},
            "ExpiresAt": "2099-01-01T00:00:00Z" }} }}"#
        )
    };
    let mut met = BTreeSet::new();
    for (name, first, second) in [
        ("member-once", r#""Ipv6Gateways": {}, "Ipv6Gateways": {}"#.to_owned(), ""),
        ("id-once", key.to_owned(), key),
        ("id-once", r#""RamUsers": { "a": { "UserId": "1" }, "b": { "UserId": "1" } }"#.into(), ""),
        ("id-once", r#""RamRoles": { "a": { "RoleId": "1" }, "b": { "RoleId": "1" } }"#.into(), ""),
        (
            "id-once",
            format!(r#""Ipv6Gateways": {{ "ipv6gw-1": {gateway} }}"#),
            r#""Ipv6Gateways": { "ipv6gw-1": { "RegionId": "cn-hangzhou", "VpcId": "vpc-2" } }"#,
        ),
        (
            "id-once",
            format!(r#""Ipv6Addresses": {{ "ipv6-1": {bandwidth}, "ipv6-2": {bandwidth} }}"#),
            "",
        ),
        (
            "gateway-once",
            format!(r#""Ipv6Gateways": {{ "ipv6gw-1": {gateway}, "ipv6gw-2": {gateway} }}"#),
            "",
        ),
        ("condition-key-once", condition(r#""StringEquals": { "a": "x", "A": "x" }"#), ""),
        ("number-size", condition(r#""NumericEquals": { "a": 1e400 }"#), ""),
        ("answer-of-action", token("AllocateIpv6InternetBandwidth"), ""),
        ("action-known", token("AllocateEipAddress"), ""),
    ] {
        let text = format!(
            r#"{{ "Accounts": {{ "1234567890123456": {{ {first} }}, "1234567890123457": {{ {second} }} }} }}"#
        );
        // serde_json has no number of that size either.
        let value: Value = serde_json::from_str(&text.replace("1e400", "1e300")).unwrap();
        assert!(schema.is_valid(&value), "{name}: {:?}", schema.validate(&value));
        let says = RULES.iter().find(|(rule, _)| *rule == name).unwrap().1;
        let error = read(&text).unwrap_err();
        assert!(error.contains(says), "{name}: {error}");
        met.insert(name);
    }
    assert_eq!(met, named);
    assert_eq!(
        read(&format!(r#"{{ "Accounts": {{ "1234567890123456": {{ {key} }} }} }}"#)),
        Ok(())
    );
}

#[test]
fn an_integer_may_be_spelt_in_any_way() {
    let schema =
        compiled(&Contract::embedded().json("common/schemas/world.json").unwrap()).unwrap();
    let text = full().to_string();
    for (spelling, fits) in [
        ("1.0", true),
        ("1e2", true),
        ("10E+1", true),
        ("0.1e2", true),
        ("100000e-2", true),
        ("1001e0", false),
        ("15e-1", false),
        ("-0.0", false),
        ("18446744073709551617", false),
    ] {
        let text = text.replace("\"Bandwidth\":1000", &format!("\"Bandwidth\":{spelling}"));
        assert_eq!(schema.is_valid(&serde_json::from_str(&text).unwrap()), fits, "{spelling}");
        assert_eq!(World::parse(&text).is_ok(), fits, "{spelling}");
    }
}
