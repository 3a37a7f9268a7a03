//! Tests each fault alone and with each other fault.

use serde_json::{Value, json};

use super::*;
use crate::document::{InternetChargeType, Resource};
use crate::trial::{Passed, Trial, check_order};

type Op = ModifyIpv6InternetBandwidth;

/// A successful call in Terraform's form. The account has a second address without bandwidth, and a
/// third with one.
fn sound() -> Trial {
    let address = |number: u8, bandwidth: Value| {
        json!({
            "RegionId": "cn-huhehaote",
            "Ipv6Address": format!("2408:4004:1::{number}"),
            "VpcId": "vpc-1",
            "Ipv6AddressName": "name",
            "Ipv6InternetBandwidth": bandwidth,
        })
    };
    let bandwidth = |id: &str| {
        json!({
            "Ipv6InternetBandwidthId": id,
            "InternetChargeType": "PayByBandwidth",
            "Bandwidth": 200,
        })
    };
    Trial::new(json!({
        "Parameters": {
            "RegionId": "cn-huhehaote",
            "Ipv6AddressId": "ipv6-1",
            "Ipv6InternetBandwidthId": "ipv6bw-1",
            "Bandwidth": "300",
        },
        "account": {"": {"Billing": {"CdtStatus": "NotOpened", "SaleStatus": "Allowed"}}},
        "ipv6-address": {
            "ipv6-1": address(1, bandwidth("ipv6bw-1")),
            "ipv6-2": address(2, Value::Null),
            "ipv6-3": address(3, bandwidth("ipv6bw-3")),
        },
    }))
}

fn parameters(parameters: &Value) -> Value {
    json!({"Parameters": parameters})
}

fn address(members: &Value) -> Value {
    json!({"ipv6-address": {"ipv6-1": members}})
}

fn by_address(mut change: Value) -> Value {
    change["Parameters"] = json!({"Ipv6InternetBandwidthId": null});
    change
}

fn faults() -> Vec<(&'static str, Value)> {
    let neither = json!({"Ipv6AddressId": null, "Ipv6InternetBandwidthId": null});
    vec![
        ("MissingRegionId", parameters(&json!({"RegionId": null}))),
        ("InvalidRegionId.NotFound", parameters(&json!({"RegionId": "cn-nowhere"}))),
        ("MissingParam.Ipv6InstanceId", parameters(&neither)),
        ("MissingBandwidth", parameters(&json!({"Bandwidth": null}))),
        ("IllegalParam.Bandwidth", parameters(&json!({"Bandwidth": "0"}))),
        ("InvalidClientToken.ValueNotSupported", parameters(&json!({"ClientToken": "é"}))),
        ("InvalidDryRun", parameters(&json!({"DryRun": "maybe"}))),
        ("InvalidIpv6Instance.NotFound", address(&Value::Null)),
        (
            "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
            parameters(&json!({"Ipv6AddressId": "ipv6-2", "Ipv6InternetBandwidthId": "ipv6bw-1"})),
        ),
        (
            "OperationFailed.InternetBandwidthNonExist",
            by_address(address(&json!({"Ipv6InternetBandwidth": null}))),
        ),
        ("OperationFailed.InternetBandwidthUnstable", address(&json!({"Status": "Pending"}))),
        (
            "OperationUnsupported.FinancialLocked",
            address(&json!({"Ipv6InternetBandwidth": {"BusinessStatus": "FinancialLocked"}})),
        ),
        ("OperationFailed.BandwidthExceedLimit", parameters(&json!({"Bandwidth": "2001"}))),
        ("OperationFailed.QueryAccountInfo", json!({"account": null})),
        (
            "OperationFailed.SaleValidate",
            json!({"account": {"": {"Billing": {"SaleStatus": "RiskControl"}}}}),
        ),
        ("DryRunOperation", parameters(&json!({"DryRun": "true"}))),
    ]
}

/// Errors that no rule returns.
const ELSEWHERE: &[&str] = &[
    "IdempotentParameterMismatch",
    "OperationFailed.QuerySpInfo",
    "OperationFailed.SyncTradeResource",
];

fn run(change: &Value) -> Result<Passed, &'static str> {
    sound().with(change).run::<Op>()
}

fn code(change: &Value) -> Result<(), &'static str> {
    run(change).map(drop)
}

/// The keys of each round of reading.
fn rounds(change: &Value) -> Vec<Vec<String>> {
    sound().with(change).run_in_rounds::<Op>().0
}

const ADDRESS_KEY: &str = "ipv6-address#1234567890123456#cn-huhehaote#ipv6-1";
const OWNER_KEY: &str = "internet-bandwidth#1234567890123456#cn-huhehaote#ipv6bw-1";

#[test]
fn each_fault_is_answered_by_its_error_and_of_two_the_one_that_is_checked_first() {
    let pairs = check_order::<Op>(&sound(), &faults(), ELSEWHERE);
    // Of the 120 pairs, 12 change the same value in two ways and cannot be combined.
    assert_eq!(pairs, 108);
}

#[test]
fn a_sound_call_writes_the_address_with_another_bandwidth_and_nothing_else() {
    for (change, mbps) in [
        (json!({}), 300),
        (parameters(&json!({"Ipv6AddressId": null})), 300),
        (parameters(&json!({"Ipv6InternetBandwidthId": null})), 300),
        (parameters(&json!({"Bandwidth": "200"})), 200),
    ] {
        let passed = run(&change);
        let Ok(Passed { answer, changes, taken }) = passed else {
            unreachable!("a sound call is committed: {passed:?}")
        };
        assert_eq!((answer, taken), (json!({}), vec![]), "{change}");
        let [Write::Put(Resource::Ipv6Address(address))] = changes.as_slice() else {
            unreachable!("the address alone is written: {changes:?}")
        };
        assert_eq!((&*address.ipv6_address_id, &*address.ipv6_address_name), ("ipv6-1", "name"));
        let bandwidth = address.ipv6_internet_bandwidth.as_ref().unwrap();
        assert_eq!(bandwidth.bandwidth_mbps, mbps, "{change}");
        assert_eq!(&*bandwidth.internet_bandwidth_id, "ipv6bw-1");
        assert_eq!(bandwidth.internet_charge_type, InternetChargeType::PayByBandwidth);
    }
}

#[test]
fn only_a_call_that_names_the_bandwidth_alone_reads_twice() {
    let account = "account#1234567890123456";
    assert_eq!(rounds(&json!({})), [[account, OWNER_KEY, ADDRESS_KEY]]);
    let by_address = parameters(&json!({"Ipv6InternetBandwidthId": null}));
    assert_eq!(rounds(&by_address), [[account, ADDRESS_KEY]]);
    let by_bandwidth = parameters(&json!({"Ipv6AddressId": null}));
    assert_eq!(rounds(&by_bandwidth), [vec![account, OWNER_KEY], vec![ADDRESS_KEY]]);
}

#[test]
fn an_id_that_nothing_has_is_not_found_before_the_ids_are_compared() {
    for (change, expected) in [
        (json!({"Ipv6AddressId": "ipv6-9"}), "InvalidIpv6Instance.NotFound"),
        (json!({"Ipv6AddressId": "no form"}), "InvalidIpv6Instance.NotFound"),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-9"}), "InvalidIpv6Instance.NotFound"),
        (
            json!({"Ipv6AddressId": null, "Ipv6InternetBandwidthId": "ipv6bw-9"}),
            "InvalidIpv6Instance.NotFound",
        ),
        (
            json!({"Ipv6AddressId": "ipv6-9", "Ipv6InternetBandwidthId": null}),
            "InvalidIpv6Instance.NotFound",
        ),
        (
            json!({"Ipv6AddressId": "ipv6-2"}),
            "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
        ),
        (
            json!({"Ipv6AddressId": "ipv6-3"}),
            "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
        ),
        (
            json!({"Ipv6AddressId": "ipv6-2", "Ipv6InternetBandwidthId": null}),
            "OperationFailed.InternetBandwidthNonExist",
        ),
    ] {
        assert_eq!(code(&parameters(&change)), Err(expected), "{change}");
    }
}

#[test]
fn a_released_address_is_not_found_by_any_id() {
    for ids in [json!({}), json!({"Ipv6AddressId": null}), json!({"Ipv6InternetBandwidthId": null})]
    {
        let released =
            json!({"Parameters": ids, "ipv6-address": {"ipv6-1": {"Status": "Released"}}});
        assert_eq!(code(&released), Err("InvalidIpv6Instance.NotFound"), "{ids}");
    }
}

/// The bandwidth was deleted between the reads of owner and address.
#[test]
fn a_bandwidth_that_its_address_no_longer_has_is_not_found() {
    let owner = json!({"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-2"});
    for (address_id, owned) in [(Value::Null, "ipv6bw-8"), (json!("ipv6-2"), "ipv6bw-8")] {
        let stale = json!({
            "Parameters": {"Ipv6AddressId": address_id, "Ipv6InternetBandwidthId": owned},
            "internet-bandwidth": {owned: owner},
        });
        assert_eq!(code(&stale), Err("InvalidIpv6Instance.NotFound"), "{address_id}");
    }
    let another = json!({
        "Parameters": {"Ipv6AddressId": null, "Ipv6InternetBandwidthId": "ipv6bw-8"},
        "internet-bandwidth": {
            "ipv6bw-8": {"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-3"},
        },
    });
    assert_eq!(code(&another), Err("InvalidIpv6Instance.NotFound"));
}

#[test]
fn a_whole_number_above_the_limit_of_the_charge_type_is_refused_by_its_own_error() {
    let charged = |charge_type: &str, bandwidth: &str| {
        code(&json!({
            "Parameters": {"Bandwidth": bandwidth},
            "ipv6-address": {
                "ipv6-1": {"Ipv6InternetBandwidth": {"InternetChargeType": charge_type}},
            },
        }))
    };
    for (charge_type, last, first_beyond) in
        [("PayByBandwidth", "2000", "2001"), ("PayByTraffic", "1000", "1001")]
    {
        assert_eq!(charged(charge_type, "1"), Ok(()));
        assert_eq!(charged(charge_type, last), Ok(()));
        for bandwidth in [first_beyond, "65536", "65537", "99999999999999999999"] {
            let refused = Err("OperationFailed.BandwidthExceedLimit");
            assert_eq!(charged(charge_type, bandwidth), refused, "{charge_type} {bandwidth}");
        }
        for bandwidth in ["0", "-1", "+1", "01", "1.5", "1e3", "two", " 1"] {
            let refused = Err("IllegalParam.Bandwidth");
            assert_eq!(charged(charge_type, bandwidth), refused, "{charge_type} {bandwidth}");
        }
    }
}

#[test]
fn only_an_overdue_bill_locks_a_bandwidth_against_a_change() {
    for status in ["Normal", "SecurityLocked"] {
        let change = address(&json!({"Ipv6InternetBandwidth": {"BusinessStatus": status}}));
        assert_eq!(code(&change), Ok(()), "{status}");
    }
    assert_eq!(code(&address(&json!({"ServiceManaged": true}))), Ok(()));
}

#[test]
fn ram_checks_the_named_bandwidth_and_that_of_the_named_address() {
    let resources = |change: &Value| sound().with(&parameters(change)).resources::<Op>();
    for (change, expected) in [
        (json!({}), vec!["ipv6bandwidth/ipv6bw-1"]),
        (json!({"Ipv6InternetBandwidthId": null}), vec!["ipv6bandwidth/ipv6bw-1"]),
        (json!({"Ipv6AddressId": null}), vec!["ipv6bandwidth/ipv6bw-1"]),
        (
            json!({"Ipv6AddressId": "ipv6-3"}),
            vec!["ipv6bandwidth/ipv6bw-1", "ipv6bandwidth/ipv6bw-3"],
        ),
        (
            json!({"Ipv6InternetBandwidthId": "ipv6bw-9"}),
            vec!["ipv6bandwidth/ipv6bw-9", "ipv6bandwidth/ipv6bw-1"],
        ),
        (json!({"Ipv6AddressId": "ipv6-2"}), vec!["ipv6bandwidth/ipv6bw-1"]),
        (
            json!({"Ipv6AddressId": "ipv6-2", "Ipv6InternetBandwidthId": null}),
            vec!["ipv6bandwidth/*"],
        ),
        (
            json!({"Ipv6AddressId": "ipv6-9", "Ipv6InternetBandwidthId": null}),
            vec!["ipv6bandwidth/*"],
        ),
        (json!({"Ipv6AddressId": null, "Ipv6InternetBandwidthId": null}), vec!["ipv6bandwidth/*"]),
        // An invalid call has no first read.
        (json!({"Bandwidth": "x"}), vec!["ipv6bandwidth/ipv6bw-1"]),
        (json!({"RegionId": null}), vec!["ipv6bandwidth/ipv6bw-1"]),
    ] {
        assert_eq!(resources(&change), expected, "{change}");
    }
}

#[test]
fn the_token_compares_both_ids_and_the_bandwidth() {
    let compared = |change: &Value| sound().with(&parameters(change)).compared::<Op>();
    let text = str::to_owned;
    let address = ("Ipv6AddressId", text("ipv6-1"));
    let bandwidth_id = ("Ipv6InternetBandwidthId", text("ipv6bw-1"));
    let bandwidth = ("Bandwidth", text("300"));
    assert_eq!(compared(&json!({})), [address.clone(), bandwidth_id.clone(), bandwidth.clone()]);
    let by_address = compared(&json!({"Ipv6InternetBandwidthId": ""}));
    assert_eq!(by_address, [address, bandwidth.clone()]);
    let by_bandwidth = compared(&json!({"Ipv6AddressId": ""}));
    assert_eq!(by_bandwidth, [bandwidth_id, bandwidth]);
}
