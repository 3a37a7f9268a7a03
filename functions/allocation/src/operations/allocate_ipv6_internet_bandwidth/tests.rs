//! Tests each fault alone and with each other fault.

use serde_json::{Value, json};

use super::*;
use crate::trial::{ACCOUNT_ID, Passed, Trial, check_order};

type Op = AllocateIpv6InternetBandwidth;

/// A successful call.
fn sound() -> Trial {
    Trial::new(json!({
        "Parameters": {"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200"},
        "account": {"": {"Billing": {"CdtStatus": "Upgraded", "SaleStatus": "Allowed"}}},
        "ipv6-gateway": {"ipv6gw-1": {"RegionId": "cn-huhehaote", "VpcId": "vpc-1"}},
        "ipv6-address": {"ipv6-1": {
            "RegionId": "cn-huhehaote",
            "Ipv6Address": "2408:4004:1::1",
            "VpcId": "vpc-1",
            "AssociatedInstanceType": "NetworkInterface",
            "AssociatedInstanceId": "eni-1",
        }},
    }))
}

fn parameter(name: &str, value: &str) -> Value {
    json!({"Parameters": {name: value}})
}

fn address(members: &Value) -> Value {
    json!({"ipv6-address": {"ipv6-1": members}})
}

fn billing(member: &str, value: &str) -> Value {
    json!({"account": {"": {"Billing": {member: value}}}})
}

/// A change to a call that pays by traffic.
fn by_traffic(mut change: Value) -> Value {
    change["Parameters"] = json!({"InternetChargeType": "PayByTraffic"});
    change
}

fn bandwidth() -> Value {
    json!({
        "Ipv6InternetBandwidthId": "ipv6bw-earlier",
        "InternetChargeType": "PayByBandwidth",
        "Bandwidth": 5,
    })
}

/// For every error of a rule, a change that causes it.
fn faults() -> Vec<(&'static str, Value)> {
    let free = json!({"AssociatedInstanceType": null, "AssociatedInstanceId": null});
    vec![
        ("MissingRegionId", json!({"Parameters": {"RegionId": null}})),
        ("InvalidRegionId.NotFound", parameter("RegionId", "cn-nowhere")),
        ("MissingParam.Ipv6InstanceId", json!({"Parameters": {"Ipv6AddressId": null}})),
        ("MissingBandwidth", json!({"Parameters": {"Bandwidth": null}})),
        ("IllegalParam.Ipv6Address", parameter("Ipv6AddressId", "IPV6-1")),
        ("IllegalParam.ChargeType", parameter("InstanceChargeType", "Weekly")),
        ("IllegalParam.InternetChargeType", parameter("InternetChargeType", "PayByHour")),
        ("OperationUnsupported.PrePaid", parameter("ChargeType", "PrePaid")),
        ("IllegalParam.Bandwidth", parameter("Bandwidth", "2001")),
        ("InvalidClientToken.ValueNotSupported", parameter("ClientToken", "é")),
        ("InvalidDryRun", parameter("DryRun", "maybe")),
        ("InvalidIpv6Instance.NotFound", json!({"ipv6-address": null})),
        ("ResourceNotFound.Ipv6Address", address(&json!({"Status": "Released"}))),
        ("IncorrectStatus.Ipv6Instance", address(&json!({"Status": "Pending"}))),
        ("OperationUnsupported.ULA", address(&json!({"Ipv6Address": "fd00::1"}))),
        ("OperationUnsupported.PrivateGUA", address(&json!({"PrivateGua": true}))),
        (
            "OperationDenied.UnSupportedBindTypeCloudInstance",
            address(&json!({"AssociatedInstanceType": "NatGateway"})),
        ),
        ("OperationFailed.Ipv6GatewayNotExist", json!({"ipv6-gateway": null})),
        (
            "OperationFailed.Ipv6GatewayDisMatchIpv6Address",
            parameter("Ipv6GatewayId", "ipv6gw-other"),
        ),
        (
            "OperationFailed.InternetBandwidthAlreadyExisted",
            address(&json!({"Ipv6InternetBandwidth": bandwidth()})),
        ),
        ("UnsupportedFeature.InternetChargeTypeOnFreeIpv6Address", by_traffic(address(&free))),
        (
            "UnsupportedFeature.InternetChargeTypeOnStaticIsp",
            by_traffic(address(&json!({"Ipv6Isp": "ChinaMobile"}))),
        ),
        ("OperationFailed.QueryAccountInfo", json!({"account": null})),
        ("OperationFailed.OpenCdtServiceFirst", by_traffic(billing("CdtStatus", "NotOpened"))),
        ("OperationFailed.UpgradeCdtServiceFirst", by_traffic(billing("CdtStatus", "Opened"))),
        ("OperationFailed.SaleValidate", billing("SaleStatus", "InArrears")),
        ("DryRunOperation", parameter("DryRun", "true")),
    ]
}

fn code(change: &Value) -> Result<(), &'static str> {
    sound().with(change).run::<Op>().map(drop)
}

#[test]
fn each_fault_is_answered_by_its_error_and_of_two_the_one_that_is_checked_first() {
    let pairs = check_order::<Op>(&sound(), &faults(), &["IdempotentParameterMismatch"]);
    // Of the 351 pairs, 22 change the same value in two ways and cannot be combined.
    assert_eq!(pairs, 329);
}

#[test]
fn a_sound_call_writes_the_address_with_its_bandwidth_and_the_bandwidth_s_owner() {
    let passed = sound().run::<Op>();
    let Ok(Passed { answer, changes, taken }) = passed else {
        unreachable!("a sound call is committed: {passed:?}")
    };
    let id = "ipv6bw-abcdefghij0123456";
    assert_eq!(answer, json!({"Ipv6AddressId": "ipv6-1", "InternetBandwidthId": id}));
    assert_eq!(taken, [("Ipv6GatewayId", "ipv6gw-1".to_owned())]);
    let [Write::Put(Resource::Ipv6Address(address)), Write::Put(owner)] = changes.as_slice() else {
        unreachable!("address and owner are written together: {changes:?}")
    };
    assert_eq!(
        address.ipv6_internet_bandwidth,
        Some(InternetBandwidth {
            internet_bandwidth_id: id.into(),
            internet_charge_type: InternetChargeType::PayByBandwidth,
            bandwidth_mbps: 200,
            instance_charge_type: InstanceChargeType::PostPaid,
            business_status: BusinessStatus::Normal,
        })
    );
    assert_eq!(address.associated_instance_id.as_ref(), "eni-1", "the rest stays as it was");
    assert_eq!(
        owner.key().text(),
        format!("internet-bandwidth#{ACCOUNT_ID}#cn-huhehaote#ipv6bw-abcdefghij0123456")
    );
}

#[test]
fn a_call_that_names_the_gateway_reads_once_and_one_that_does_not_reads_the_vpc_too() {
    let first = [
        "account#1234567890123456".to_owned(),
        "ipv6-address#1234567890123456#cn-huhehaote#ipv6-1".to_owned(),
    ];
    let (rounds, _) = sound().run_in_rounds::<Op>();
    assert_eq!(
        rounds,
        [first.to_vec(), vec!["vpc#1234567890123456#cn-huhehaote#vpc-1".to_owned()]]
    );
    let named = sound().with(&parameter("Ipv6GatewayId", "ipv6gw-1"));
    let (rounds, _) = named.run_in_rounds::<Op>();
    let gateway = "ipv6-gateway#1234567890123456#cn-huhehaote#ipv6gw-1".to_owned();
    assert_eq!(rounds, [[first.as_slice(), &[gateway]].concat()]);
}

#[test]
fn ram_checks_all_bandwidths_for_any_parameters() {
    for change in [json!({}), json!({"Parameters": null}), parameter("Bandwidth", "x")] {
        assert_eq!(sound().with(&change).resources::<Op>(), ["ipv6bandwidth/*"], "{change}");
    }
}

#[test]
fn the_token_compares_the_parameters_with_their_defaults_but_not_the_gateway_left_out() {
    let compared = |change: &Value| sound().with(change).compared::<Op>();
    let defaults = [
        ("Ipv6AddressId", "ipv6-1"),
        ("InternetChargeType", "PayByBandwidth"),
        ("Bandwidth", "200"),
    ];
    let defaults = defaults.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(compared(&json!({})), defaults);
    assert_eq!(compared(&parameter("InternetChargeType", "PayByBandwidth")), defaults);
    assert_eq!(compared(&parameter("InstanceChargeType", "PostPaid")), defaults);
    let gateway = [("Ipv6GatewayId", "ipv6gw-1".to_owned())];
    assert_eq!(
        compared(&parameter("Ipv6GatewayId", "ipv6gw-1")),
        [defaults.as_slice(), &gateway].concat()
    );
}

/// The range of `Bandwidth` at every edge.
#[test]
fn bandwidth_is_a_whole_number_within_the_range_of_the_charge_type() {
    let of = |charge_type: &str, bandwidth: &str| {
        code(&json!({"Parameters": {"InternetChargeType": charge_type, "Bandwidth": bandwidth}}))
    };
    for (charge_type, legal, illegal) in [
        ("", ["1", "1000", "2000"], ["0", "2001", "5000"]),
        ("PayByBandwidth", ["1", "1001", "2000"], ["0", "2001", "65537"]),
        ("PayByTraffic", ["1", "999", "1000"], ["0", "1001", "2000"]),
    ] {
        for bandwidth in legal {
            assert_eq!(of(charge_type, bandwidth), Ok(()), "{charge_type:?} {bandwidth}");
        }
        for bandwidth in illegal.into_iter().chain(["abc", "-1", "01", "99999999999999999999"]) {
            let illegal = Err("IllegalParam.Bandwidth");
            assert_eq!(of(charge_type, bandwidth), illegal, "{charge_type:?} {bandwidth}");
        }
    }
}

#[test]
fn an_address_of_another_region_is_no_such_address() {
    let elsewhere = address(&json!({"RegionId": "cn-hangzhou"}));
    assert_eq!(code(&elsewhere), Err("InvalidIpv6Instance.NotFound"));
}

#[test]
fn what_the_page_allows_is_allowed() {
    let free = json!({"AssociatedInstanceType": null, "AssociatedInstanceId": null});
    for change in [
        address(&json!({"AssociatedInstanceType": "EcsInstance"})),
        address(&free),
        address(&json!({"Ipv6Isp": "ChinaTelecom"})),
        billing("CdtStatus", "NotOpened"),
        billing("CdtStatus", "Opened"),
        by_traffic(json!({})),
        parameter("Ipv6GatewayId", "ipv6gw-1"),
        address(&json!({"Ipv6Address": "fbff:ffff::1"})),
        address(&json!({"Ipv6Address": "fe00::1"})),
    ] {
        assert_eq!(code(&change), Ok(()), "{change}");
    }
}

#[test]
fn every_single_line_every_bar_to_a_sale_and_every_unique_local_address_is_refused() {
    for isp in ["ChinaMobile", "ChinaUnicom", "ChinaTelecom"] {
        let refused = code(&by_traffic(address(&json!({"Ipv6Isp": isp}))));
        assert_eq!(refused, Err("UnsupportedFeature.InternetChargeTypeOnStaticIsp"), "{isp}");
    }
    for sale in ["InArrears", "RiskControl", "QuotaExceeded"] {
        let refused = code(&billing("SaleStatus", sale));
        assert_eq!(refused, Err("OperationFailed.SaleValidate"), "{sale}");
    }
    for ula in ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
        let refused = code(&address(&json!({"Ipv6Address": ula})));
        assert_eq!(refused, Err("OperationUnsupported.ULA"), "{ula}");
    }
}

#[test]
fn a_gateway_of_another_vpc_is_a_mismatch_whether_or_not_it_exists() {
    let other = json!({"RegionId": "cn-huhehaote", "VpcId": "vpc-2"});
    let exists = json!({
        "Parameters": {"Ipv6GatewayId": "ipv6gw-2"},
        "ipv6-gateway": {"ipv6gw-2": other},
    });
    let mismatch = Err("OperationFailed.Ipv6GatewayDisMatchIpv6Address");
    assert_eq!(code(&exists), mismatch);
    assert_eq!(code(&parameter("Ipv6GatewayId", "ipv6gw-3")), mismatch);
    let none = json!({"Parameters": {"Ipv6GatewayId": "ipv6gw-1"}, "ipv6-gateway": null});
    assert_eq!(code(&none), Err("OperationFailed.Ipv6GatewayNotExist"));
}

#[test]
fn the_message_about_an_unstable_address_names_it() {
    let pending = sound().with(&address(&json!({"Status": "Pending"})));
    let (_, refused) = pending.run_in_rounds::<Op>();
    assert_eq!(
        refused.unwrap_err().to_string(),
        "The status of Ipv6Instance [ipv6-1] is incorrect."
    );
}

#[test]
fn an_empty_value_counts_as_absent() {
    for (name, expected) in [
        ("RegionId", Err("MissingRegionId")),
        ("Ipv6AddressId", Err("MissingParam.Ipv6InstanceId")),
        ("Bandwidth", Err("MissingBandwidth")),
        ("InternetChargeType", Ok(())),
        ("InstanceChargeType", Ok(())),
        ("ChargeType", Ok(())),
        ("Ipv6GatewayId", Ok(())),
        ("ClientToken", Ok(())),
        ("DryRun", Ok(())),
    ] {
        assert_eq!(code(&parameter(name, "")), expected, "{name}");
    }
}
