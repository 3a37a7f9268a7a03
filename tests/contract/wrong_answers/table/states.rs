//! Right answers with a wrong state behind them.

use serde_json::{Value, json};
use suites::support::ALLOCATE;

use super::{DENIED, ERROR, REPLAY, SECOND, SUCCESS, Wrong};
use crate::wrong_answers::proxy::Change;

/// The first account of a world.
fn account(world: &mut Value) -> &mut Value {
    world["Accounts"].as_object_mut().unwrap().values_mut().next().unwrap()
}

/// Its first address.
fn address(world: &mut Value) -> &mut Value {
    account(world)["Ipv6Addresses"].as_object_mut().unwrap().values_mut().next().unwrap()
}

/// Makes another account.
pub(super) fn another_account(world: &mut Value) {
    world["Accounts"]["9000000000000009"] = json!({ "AccessKeys": {} });
}

/// Adds them.
pub(super) fn add(all: &mut Vec<Wrong>) {
    let mut add = |name: &str, case: &'static str, change: Change| {
        for format in ["JSON", "XML"] {
            all.push(Wrong {
                name: format!("{name} ({case})"),
                case,
                format,
                names: vec!["state".to_owned()],
                change: change.clone(),
            });
        }
    };
    let bandwidth = |world: &mut Value| {
        address(world)["Ipv6InternetBandwidth"] = json!({
            "Ipv6InternetBandwidthId": "ipv6bw-hhhhhhhhhhhhhhhhh", "Bandwidth": 5,
            "InternetChargeType": "PayByTraffic"
        });
    };
    add("an error behind which bandwidth is bought", ERROR, Change::World(bandwidth));
    add("a denial behind which bandwidth is bought", DENIED, Change::World(bandwidth));
    add("a replay behind which bandwidth is bought anew", REPLAY, Change::World(bandwidth));
    add("a purchase of another bandwidth than the answer says", SUCCESS, Change::World(bandwidth));
    add(
        "a purchase of nothing",
        SUCCESS,
        Change::World(|world| {
            address(world).as_object_mut().unwrap().remove("Ipv6InternetBandwidth").unwrap();
        }),
    );
    add(
        "a purchase of another size",
        SUCCESS,
        Change::World(|world| {
            address(world)["Ipv6InternetBandwidth"]["Bandwidth"] = json!(201);
        }),
    );
    add(
        "a purchase with another charge type",
        SUCCESS,
        Change::World(|world| {
            address(world)["Ipv6InternetBandwidth"]["InternetChargeType"] = json!("PayByTraffic");
        }),
    );
    add(
        "a purchase that remembers no token",
        SUCCESS,
        Change::World(|world| {
            account(world).as_object_mut().unwrap().remove("ClientTokens").unwrap();
        }),
    );
    add(
        "a purchase that remembers another answer",
        SUCCESS,
        Change::World(|world| {
            let tokens = account(world)["ClientTokens"].as_object_mut().unwrap();
            for token in tokens.values_mut() {
                token["Answer"]["InternetBandwidthId"] = json!("ipv6bw-hhhhhhhhhhhhhhhhh");
            }
        }),
    );
    add(
        "a second allocation",
        SECOND,
        Change::World(|world| {
            let mut other = address(world).clone();
            other["Ipv6Address"] = json!("2408:4004:1::99");
            other["Ipv6InternetBandwidth"]["Ipv6InternetBandwidthId"] =
                json!("ipv6bw-hhhhhhhhhhhhhhhhh");
            account(world)["Ipv6Addresses"]["ipv6-hidden"] = other;
        }),
    );
    add(
        "an error that spends the token",
        ERROR,
        Change::World(|world| {
            let token = format!("cn-huhehaote/{ALLOCATE}/spent");
            account(world)["ClientTokens"] = json!({ token: {
                "ExpiresAt": "2999-12-31T23:59:59Z",
                "Parameters": { "Bandwidth": "5", "InternetChargeType": "PayByTraffic",
                    "Ipv6AddressId": "ipv6-case", "Ipv6GatewayId": "ipv6gw-case" },
                "Answer": { "Ipv6AddressId": "ipv6-case",
                    "InternetBandwidthId": "ipv6bw-hhhhhhhhhhhhhhhhh" }
            } });
        }),
    );
    add(
        "an error that drops the gateway",
        ERROR,
        Change::World(|world| {
            account(world).as_object_mut().unwrap().remove("Ipv6Gateways").unwrap();
        }),
    );
    add_to_purchases(&mut add);
}

/// Adds wrong states that concern what a purchase does not say.
fn add_to_purchases(add: &mut dyn FnMut(&str, &'static str, Change)) {
    add(
        "a purchase in arrears",
        SUCCESS,
        Change::World(|world| {
            address(world)["Ipv6InternetBandwidth"]["BusinessStatus"] = json!("FinancialLocked");
        }),
    );
    add(
        "a purchase that is remembered for ever",
        SUCCESS,
        Change::World(|world| {
            let tokens = account(world)["ClientTokens"].as_object_mut().unwrap();
            for token in tokens.values_mut() {
                token["ExpiresAt"] = json!("2999-12-31T23:59:59Z");
            }
        }),
    );
    add("a purchase behind which another account is made", SUCCESS, Change::World(another_account));
}
