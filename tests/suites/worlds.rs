//! World documents that tests begin with.

use serde_json::{Value, json};

/// A world of one address, `ipv6-1`, that is attached to nothing.
pub fn one_address() -> Value {
    json!({ "Accounts": { "1234567890123456": {
        "AccessKeys": { "testid": { "AccessKeySecret": "testsecret" } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": { "ipv6gw-1": { "RegionId": "cn-huhehaote", "VpcId": "vpc-1" } },
        "Ipv6Addresses": { "ipv6-1": {
            "RegionId": "cn-huhehaote", "VpcId": "vpc-1", "Ipv6Address": "2408:4004:1::1"
        } }
    } } })
}

/// The account of these worlds.
pub fn account(world: &mut Value) -> &mut Value {
    &mut world["Accounts"]["1234567890123456"]
}

/// The same with the addresses of these numbers, `ipv6-NUMBER`.
pub fn addresses(numbers: impl IntoIterator<Item = usize>) -> Value {
    let mut world = one_address();
    let address = account(&mut world)["Ipv6Addresses"]["ipv6-1"].clone();
    let addresses = numbers.into_iter().map(|number| {
        let mut address = address.clone();
        address["Ipv6Address"] =
            json!(format!("2408:4004:{:x}::{:x}", number >> 16, number & 0xffff));
        (format!("ipv6-{number}"), address)
    });
    account(&mut world)["Ipv6Addresses"] = addresses.collect();
    world
}
