//! Signed calls, each to an address of its own, and the world that has these addresses.

use std::time::SystemTime;

use harness::case::{Request, Style, Variant};
use harness::client::{self, Wire};
use serde_json::{Map, json};

/// A world of so many addresses without bandwidth.
pub(crate) fn world(addresses: u32) -> String {
    let address = |number: u32| {
        let address = json!({
            "RegionId": "cn-huhehaote",
            "Ipv6Address": format!("2408:4004:1::{:x}:{:x}", number >> 16, number & 0xffff),
            "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8",
            "AssociatedInstanceType": "NetworkInterface",
            "AssociatedInstanceId": "eni-hp3ceghq1hhk6d0zyc5w8"
        });
        (address_id(number), address)
    };
    let gateway = json!({ "RegionId": "cn-huhehaote", "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8" });
    let account = json!({
        "AccessKeys": { "testid": { "AccessKeySecret": "testsecret" } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": { "ipv6gw-hp3y0l3ln89j8cdvfm3my": gateway },
        "Ipv6Addresses": (0..addresses).map(address).collect::<Map<_, _>>()
    });
    json!({ "Accounts": { "1234567890123456": account } }).to_string()
}

/// The calls that allocate bandwidth for each of so many addresses, signed now.
pub(crate) fn signed(style: Style, addresses: u32) -> Result<Vec<Wire>, String> {
    let now_secs = now_secs().cast_signed();
    (0..addresses).map(|number| call(style, number, now_secs)).collect()
}

fn call(style: Style, number: u32, now_secs: i64) -> Result<Wire, String> {
    let request = json!({
        "action": "AllocateIpv6InternetBandwidth",
        "query": {
            "RegionId": "cn-huhehaote",
            "Ipv6AddressId": address_id(number),
            "Ipv6GatewayId": "ipv6gw-hp3y0l3ln89j8cdvfm3my",
            "InternetChargeType": "PayByBandwidth",
            "Bandwidth": "200",
            "ClientToken": format!("02fb3da4-130e-11e9-8e44-{number:012}")
        }
    });
    let request: Request = serde_json::from_value(request).map_err(|e| e.to_string())?;
    let variant = Variant { style, format: Some("JSON".to_owned()) };
    let nonce = format!("15215528852396{number:018}");
    Ok(client::sign(&request, &variant, now_secs, &nonce))
}

fn address_id(number: u32) -> String {
    format!("ipv6-hp3{number:017}")
}

/// The time, by the clock that the servers read too.
#[expect(clippy::disallowed_methods, reason = "calls are signed for the servers' own clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970 UTC.
pub(crate) fn now_secs() -> u64 {
    now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
