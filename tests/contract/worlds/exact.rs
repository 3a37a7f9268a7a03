//! A world takes exactly the documents that the published schema takes.

use ::store::World;
use harness::contract::Contract;
use serde_json::{Value, json};

/// A world with every member that there is.
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

/// What a value is exchanged for, wherever it is.
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
            json!(text[1..]),
            // serde takes the name of a variant so.
            json!({ text.clone(): null }),
            json!([text, text]),
        ]);
    }
    if let Value::Object(members) = old {
        // serde takes a list of a struct's members for the struct.
        values.push(members.values().cloned().collect());
    }
    values
}

/// Names that a member gets instead of `name`.
fn names(name: &str) -> Vec<String> {
    let cut = name.char_indices().nth(1).map_or("", |(position, _)| &name[position..]);
    let edited = [name.to_uppercase(), name.to_lowercase(), format!("{name}x"), format!("{name} ")];
    let others =
        ["", "x", "\u{0}", "STS.y", "cn-nowhere/A/t", "cn-hangzhou/A/", "cn-hangzhou//t", cut];
    edited.into_iter().chain(others.map(str::to_owned)).collect()
}

/// Every document that differs from `value` in one place.
fn mutants(value: &Value) -> Vec<Value> {
    let mut mutants = values(value);
    match value {
        Value::Object(members) => {
            let mut added = members.clone();
            added.insert("Colour".to_owned(), json!(1));
            mutants.push(added.into());
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                mutants.push(without.clone().into());
                let with = |name: String, member: Value| {
                    let mut members = without.clone();
                    members.insert(name, member);
                    Value::Object(members)
                };
                mutants.extend(names(name).into_iter().map(|name| with(name, member.clone())));
                mutants.extend(
                    self::mutants(member).into_iter().map(|member| with(name.clone(), member)),
                );
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                mutants.extend(self::mutants(element).into_iter().map(|element| {
                    let mut elements = elements.clone();
                    elements[position] = element;
                    Value::Array(elements)
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    mutants
}

#[test]
fn a_world_takes_exactly_what_the_schema_takes() {
    let schema = Contract::embedded().json("common/schemas/world.json").unwrap();
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let schema = options.build(&schema).unwrap();
    let mutants = mutants(&full());
    assert!(mutants.len() > 5_000, "{}", mutants.len());
    let mut taken = 0;
    let mut wrong = Vec::new();
    for world in [full()].iter().chain(&mutants) {
        let read = World::parse(&world.to_string());
        taken += usize::from(read.is_ok());
        // A schema cannot compare one document with another.
        if read.as_ref().is_err_and(|error| error.message.starts_with("not unique")) {
            continue;
        }
        let fits = schema.validate(world).map_err(|error| error.to_string());
        if fits.is_ok() != read.is_ok() {
            wrong.push(format!(
                "{:?} but {:?}",
                read.err().map(|error| error.to_string()),
                fits.err()
            ));
        }
    }
    assert!(taken > 500, "{taken}");
    assert!(wrong.is_empty(), "{} wrong of {}:\n{}", wrong.len(), mutants.len(), wrong.join("\n"));
}
