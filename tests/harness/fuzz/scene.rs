//! The worlds that calls are tried in.
//!
//! The ids are always the same, so that a call can be made up without knowing its world; what they
//! stand for differs.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::Keys;
use super::generate::maybe;

/// The addresses: three of the first account, one of the second.
pub(super) const ADDRESSES: [&str; 4] = ["ipv6-1", "ipv6-2", "ipv6-3", "ipv6-other"];

/// The gateways: three of the first account, the last in another region, and one of the second.
pub(super) const GATEWAYS: [&str; 4] = ["ipv6gw-1", "ipv6gw-2", "ipv6gw-elsewhere", "ipv6gw-other"];

/// Another region, in which a few addresses are.
const ELSEWHERE: &str = "cn-shanghai";

/// The region of nearly everything.
pub(super) const REGION: &str = "cn-huhehaote";

/// What a session's caller sends.
pub(super) const SECURITY_TOKEN: &str = "c2Vzc2lvbg==";

/// The temporary access key of a session.
pub(super) const SESSION_KEY_ID: &str = "STS.session";

/// One that has ended.
pub(super) const ENDED_KEY_ID: &str = "STS.ended";

/// The keys beside the first account's own: a user who may, one who may not, a disabled key, and the
/// second account's.
pub(super) const KEY_IDS: [&str; 4] = ["user-allowed", "user-denied", "inactive", "other-account"];

/// A world: two accounts, and what each has.
pub(super) fn scene(keys: &Keys) -> impl Strategy<Value = Value> + use<> {
    let keys = keys.clone();
    let address = |number: usize| address(number);
    let addresses = (address(0), address(1), address(2), address(3));
    let gateways = prop_oneof![9 => Just(true), 1 => Just(false)];
    (billing(), billing(), addresses, gateways).prop_map(
        move |(billing, other_billing, (first, second, third, other), has_gateway)| {
            let secret = || json!({ "AccessKeySecret": keys.secret });
            let mut account = json!({
                "AccessKeys": {
                    &*keys.id: secret(),
                    "inactive": { "AccessKeySecret": keys.secret, "Status": "Inactive" },
                },
                "RamUsers": {
                    "user-allowed": user("201234567890123456", "user-allowed", &secret(), true),
                    "user-denied": user("201234567890123457", "user-denied", &secret(), false),
                },
                "RamRoles": { "role": role(&keys) },
                "Ipv6Gateways": {
                    GATEWAYS[1]: gateway(REGION, "vpc-2"),
                    GATEWAYS[2]: gateway(ELSEWHERE, "vpc-elsewhere"),
                },
                "Ipv6Addresses": { ADDRESSES[0]: first, ADDRESSES[1]: second, ADDRESSES[2]: third },
            });
            if has_gateway {
                account["Ipv6Gateways"][GATEWAYS[0]] = gateway(REGION, "vpc-1");
            }
            let mut other_account = json!({
                "AccessKeys": { "other-account": secret() },
                "Ipv6Gateways": { GATEWAYS[3]: gateway(REGION, "vpc-other") },
                "Ipv6Addresses": { ADDRESSES[3]: other },
            });
            for (account, billing) in [(&mut account, billing), (&mut other_account, other_billing)]
            {
                if let Some(billing) = billing {
                    account["Billing"] = billing;
                }
            }
            json!({ "Accounts": {
                "1234567890123456": account, "2234567890123456": other_account
            } })
        },
    )
}

fn gateway(region_id: &str, vpc_id: &str) -> Value {
    json!({ "RegionId": region_id, "VpcId": vpc_id })
}

fn user(id: &str, key_id: &str, key: &Value, may: bool) -> Value {
    let mut user = json!({ "UserId": id, "AccessKeys": { key_id: key } });
    if may {
        user["Policies"] = everything();
    }
    user
}

fn role(keys: &Keys) -> Value {
    let session = |key_id: &str, end: &str| {
        json!({
            "RoleSessionName": key_id.trim_start_matches("STS."),
            "AccessKeySecret": keys.secret,
            "SecurityToken": SECURITY_TOKEN,
            "Expiration": end,
        })
    };
    json!({
        "RoleId": "301234567890123456",
        "Policies": everything(),
        "Sessions": {
            SESSION_KEY_ID: session(SESSION_KEY_ID, "2099-01-01T00:00:00Z"),
            ENDED_KEY_ID: session(ENDED_KEY_ID, "2020-01-01T00:00:00Z"),
        },
    })
}

fn everything() -> Value {
    json!({ "everything": {
        "Version": "1",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    } })
}

fn billing() -> impl Strategy<Value = Option<Value>> {
    let cdt = prop_oneof![8 => Just("Upgraded"), 1 => Just("NotOpened"), 1 => Just("Opened")];
    let sale = prop_oneof![
        9 => Just("Allowed"),
        1 => select(&["InArrears", "RiskControl", "QuotaExceeded"][..]),
    ];
    let billing =
        (cdt, sale).prop_map(|(cdt, sale)| json!({ "CdtStatus": cdt, "SaleStatus": sale }));
    prop_oneof![19 => billing.prop_map(Some), 1 => Just(None)]
}

/// What sets an address apart from a plain one.
#[derive(Clone, Debug)]
enum Trait {
    Field(&'static str, Value),
    Free,
    Elsewhere,
    Taken(Value),
}

/// A bandwidth that an address has already.
fn bandwidth() -> impl Strategy<Value = Value> {
    let charge = prop_oneof![
        2 => (1..=2000_u64).prop_map(|mbps| ("PayByBandwidth", mbps)),
        1 => (1..=1000_u64).prop_map(|mbps| ("PayByTraffic", mbps)),
    ];
    let is_locked = prop_oneof![3 => Just(false), 1 => Just(true)];
    (charge, is_locked).prop_map(|((charge_type, mbps), is_locked)| {
        let mut bandwidth = json!({ "InternetChargeType": charge_type, "Bandwidth": mbps });
        if is_locked {
            bandwidth["BusinessStatus"] = "FinancialLocked".into();
        }
        bandwidth
    })
}

fn address(number: usize) -> impl Strategy<Value = Value> {
    let field = |name: &'static str, value: &str| Just(Trait::Field(name, value.into()));
    let traits = prop_oneof![
        2 => Just(Trait::Free),
        6 => bandwidth().prop_map(Trait::Taken),
        1 => field("Status", "Pending"),
        1 => field("Status", "Released"),
        1 => field("Ipv6Address", "fd00::1"),
        1 => field("Ipv6Address", "FC00:0:0:0:0:0:0:1"),
        1 => field("Ipv6Address", "fbff::1"),
        1 => Just(Trait::Field("PrivateGua", true.into())),
        1 => Just(Trait::Field("ServiceManaged", true.into())),
        1 => field("AssociatedInstanceType", "NatGateway"),
        1 => field("AssociatedInstanceType", "EcsInstance"),
        1 => field("VpcId", "vpc-without-gateway"),
        1 => Just(Trait::Elsewhere),
        2 => select(&["ChinaMobile", "ChinaUnicom", "ChinaTelecom"][..])
            .prop_map(|isp| Trait::Field("Ipv6Isp", isp.into())),
    ];
    let traits = maybe(traits, 0.25, 3);
    traits.prop_map(move |traits| {
        let vpc = ["vpc-1", "vpc-1", "vpc-2", "vpc-other"][number];
        let mut address = json!({
            "RegionId": REGION,
            "Ipv6Address": format!("2408:4004:1::{number}"),
            "VpcId": vpc,
            "AssociatedInstanceType": "NetworkInterface",
            "AssociatedInstanceId": format!("eni-{number}"),
        });
        for each in traits {
            match each {
                Trait::Field(name, value) => address[name] = value,
                Trait::Free => {
                    let fields = address.as_object_mut();
                    let fields = fields.into_iter().flat_map(|fields| {
                        [
                            fields.remove("AssociatedInstanceType"),
                            fields.remove("AssociatedInstanceId"),
                        ]
                    });
                    drop(fields.collect::<Vec<_>>());
                }
                Trait::Elsewhere => {
                    address["RegionId"] = ELSEWHERE.into();
                    address["VpcId"] = "vpc-elsewhere".into();
                }
                Trait::Taken(bandwidth) => {
                    address["Ipv6InternetBandwidth"] = bandwidth;
                    address["Ipv6InternetBandwidth"]["Ipv6InternetBandwidthId"] =
                        format!("ipv6bw-{number:017}").into();
                }
            }
        }
        // What is attached to something is attached to one that has an id.
        if address.get("AssociatedInstanceType").is_some() {
            address["AssociatedInstanceId"] = format!("eni-{number}").into();
        }
        address
    })
}
