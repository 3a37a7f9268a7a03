//! Tests each fault alone and with each other fault.

use serde_json::{Value, json};

use super::*;
use crate::document::Resource;
use crate::trial::{Passed, Trial, check_order};

type Op = DeleteIpv6InternetBandwidth;

/// A successful call in Terraform's form. The account has a second address without bandwidth.
fn sound() -> Trial {
    let address = |number: u8| {
        json!({
            "RegionId": "cn-huhehaote",
            "Ipv6Address": format!("2408:4004:1::{number}"),
            "VpcId": "vpc-1",
            "Ipv6AddressName": "name",
        })
    };
    let bandwidth = json!({
        "Ipv6InternetBandwidthId": "ipv6bw-1",
        "InternetChargeType": "PayByTraffic",
        "Bandwidth": 200,
    });
    let sound = Trial::new(json!({
        "Parameters": {
            "RegionId": "cn-huhehaote",
            "Ipv6AddressId": "ipv6-1",
            "Ipv6InternetBandwidthId": "ipv6bw-1",
        },
        "ipv6-address": {"ipv6-1": address(1), "ipv6-2": address(2)},
    }));
    sound.with(&json!({"ipv6-address": {"ipv6-1": {"Ipv6InternetBandwidth": bandwidth}}}))
}

fn parameters(parameters: &Value) -> Value {
    json!({"Parameters": parameters})
}

fn address(members: &Value) -> Value {
    json!({"ipv6-address": {"ipv6-1": members}})
}

fn faults() -> Vec<(&'static str, Value)> {
    let neither = json!({"Ipv6AddressId": null, "Ipv6InternetBandwidthId": null});
    let without_bandwidth = json!({
        "Parameters": {"Ipv6InternetBandwidthId": null},
        "ipv6-address": {"ipv6-1": {"Ipv6InternetBandwidth": null}},
    });
    vec![
        ("MissingRegionId", parameters(&json!({"RegionId": null}))),
        ("InvalidRegionId.NotFound", parameters(&json!({"RegionId": "cn-nowhere"}))),
        ("BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId", parameters(&neither)),
        ("InvalidClientToken.ValueNotSupported", parameters(&json!({"ClientToken": "é"}))),
        ("InvalidDryRun", parameters(&json!({"DryRun": "maybe"}))),
        ("InvalidIpv6Instance.NotFound", address(&Value::Null)),
        (
            "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
            parameters(&json!({"Ipv6AddressId": "ipv6-2", "Ipv6InternetBandwidthId": "ipv6bw-1"})),
        ),
        ("OperationFailed.InternetBandwidthNonExist", without_bandwidth),
        ("OperationFailed.InternetBandwidthUnstable", address(&json!({"Status": "Pending"}))),
        ("OperationFailed.ServiceManaged", address(&json!({"ServiceManaged": true}))),
        ("DryRunOperation", parameters(&json!({"DryRun": "true"}))),
    ]
}

/// The ways to name the bandwidth.
fn ways() -> [Value; 3] {
    [
        json!({}),
        parameters(&json!({"Ipv6AddressId": null})),
        parameters(&json!({"Ipv6InternetBandwidthId": null})),
    ]
}

#[test]
fn each_fault_is_answered_by_its_error_and_of_two_the_one_that_is_checked_first() {
    let pairs = check_order::<Op>(&sound(), &faults(), &["IdempotentParameterMismatch"]);
    // Of the 55 pairs, 7 change the same value in two ways and cannot be combined.
    assert_eq!(pairs, 48);
}

#[test]
fn the_address_is_written_without_its_bandwidth_and_the_owner_is_deleted() {
    for way in ways() {
        let passed = sound().with(&way).run::<Op>();
        let Ok(Passed { answer, changes, taken }) = passed else {
            unreachable!("a sound call is committed: {passed:?}")
        };
        assert_eq!((answer, taken), (json!({}), vec![]), "{way}");
        let [Write::Put(Resource::Ipv6Address(address)), Write::Delete(owner)] = &*changes else {
            unreachable!("the address is written and the owner removed: {changes:?}")
        };
        assert_eq!((&*address.ipv6_address_id, &*address.ipv6_address_name), ("ipv6-1", "name"));
        assert_eq!(address.ipv6_internet_bandwidth, None);
        assert_eq!(owner.text(), "internet-bandwidth#1234567890123456#cn-huhehaote#ipv6bw-1");
    }
}

#[test]
fn a_call_that_names_both_reads_once_and_one_that_names_one_reads_the_other_next() {
    let owner = "internet-bandwidth#1234567890123456#cn-huhehaote#ipv6bw-1";
    let address = "ipv6-address#1234567890123456#cn-huhehaote#ipv6-1";
    let [both, by_bandwidth, by_address] =
        ways().map(|way| sound().with(&way).run_in_rounds::<Op>().0);
    assert_eq!(both, [[owner, address]]);
    assert_eq!(by_bandwidth, [[owner], [address]]);
    assert_eq!(by_address, [[address], [owner]]);
}

#[test]
fn the_message_about_two_empty_ids_names_both() {
    let neither = parameters(&json!({"Ipv6AddressId": "", "Ipv6InternetBandwidthId": null}));
    let refusal = sound().with(&neither).run_in_rounds::<Op>().1.unwrap_err();
    let message = "Either Ipv6AddressId or Ipv6InternetBandwidthId should be specified.";
    assert_eq!(refusal.to_string(), message);
}

#[test]
fn a_locked_bandwidth_can_be_deleted() {
    for status in ["Normal", "FinancialLocked", "SecurityLocked"] {
        let change = address(&json!({"Ipv6InternetBandwidth": {"BusinessStatus": status}}));
        assert!(sound().with(&change).run::<Op>().is_ok(), "{status}");
    }
}

#[test]
fn ram_checks_the_bandwidth_for_each_way_to_name_it() {
    for way in ways() {
        let resources = sound().with(&way).resources::<Op>();
        assert_eq!(resources, ["ipv6bandwidth/ipv6bw-1"], "{way}");
    }
}

#[test]
fn the_token_compares_the_ids_given() {
    let address = ("Ipv6AddressId", "ipv6-1".to_owned());
    let bandwidth = ("Ipv6InternetBandwidthId", "ipv6bw-1".to_owned());
    let [both, by_bandwidth, by_address] = ways().map(|way| sound().with(&way).compared::<Op>());
    assert_eq!(both, [address.clone(), bandwidth.clone()]);
    assert_eq!((by_bandwidth, by_address), (vec![bandwidth], vec![address]));
}
