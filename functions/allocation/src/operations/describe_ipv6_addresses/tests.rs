//! Tests each filter, the pages and each member of the answer.

use serde_json::{Value, json};

use super::*;
use crate::trial::{Passed, Trial, check_order};

type Op = DescribeIpv6Addresses;

/// Three addresses, a released one, and one of another region. The first has every member, the others
/// few.
fn sound() -> Trial {
    let region = json!("cn-huhehaote");
    Trial::new(json!({
        "Parameters": {"RegionId": region},
        "ipv6-gateway": {"ipv6gw-1": {"RegionId": region, "VpcId": "vpc-1"}},
        "ipv6-address": {
            "ipv6-1": {
                "RegionId": region,
                "Ipv6Address": "2408:4004:0001::00A1",
                "VpcId": "vpc-1",
                "VSwitchId": "vsw-1",
                "Ipv6AddressName": "one",
                "Ipv6AddressDescription": "the first",
                "AllocationTime": "2026-01-02T03:04:05Z",
                "Ipv6Isp": "ChinaMobile",
                "AddressType": "IPv6Prefix",
                "ServiceManaged": true,
                "AssociatedInstanceType": "NetworkInterface",
                "AssociatedInstanceId": "eni-1",
                "ResourceGroupId": "rg-1",
                "Tags": {"env": "demo", "team": "", "a": "1"},
                "Ipv6InternetBandwidth": {
                    "Ipv6InternetBandwidthId": "ipv6bw-1",
                    "InternetChargeType": "PayByTraffic",
                    "Bandwidth": 200,
                    "BusinessStatus": "FinancialLocked",
                },
            },
            "ipv6-2": {
                "RegionId": region,
                "Ipv6Address": "2408:4004:1::2",
                "VpcId": "vpc-2",
                "Status": "Pending",
                "Tags": {"env": "live"},
            },
            "ipv6-3": {"RegionId": region, "Ipv6Address": "2408:4004:1::3", "VpcId": "vpc-1"},
            "ipv6-4": {
                "RegionId": region,
                "Ipv6Address": "2408:4004:1::4",
                "VpcId": "vpc-1",
                "Status": "Released",
            },
            "ipv6-5": {
                "RegionId": "cn-hangzhou",
                "Ipv6Address": "2408:4004:1::5",
                "VpcId": "vpc-1",
            },
        },
    }))
}

fn with(parameters: &Value) -> Trial {
    sound().with(&json!({"Parameters": parameters}))
}

fn answer(parameters: &Value) -> Value {
    match with(parameters).run::<Op>() {
        Ok(Passed { answer, changes, taken }) if changes.is_empty() && taken.is_empty() => answer,
        other => unreachable!("a call in form is answered, and nothing written: {other:?}"),
    }
}

/// The last digits of the listed ids, and the total number.
fn listed(parameters: &Value) -> (String, u64) {
    let answer = answer(parameters);
    let addresses = answer["Ipv6Addresses"]["Ipv6Address"].as_array().unwrap().iter();
    let ids = addresses.map(|address| address["Ipv6AddressId"].as_str().unwrap());
    let digits = ids.map(|id| id.strip_prefix("ipv6-").unwrap()).collect();
    (digits, answer["TotalCount"].as_u64().unwrap())
}

/// The keys of each round of reading, without the account.
fn rounds(parameters: &Value) -> Vec<Vec<String>> {
    let rounds = with(parameters).run_in_rounds::<Op>().0.into_iter();
    rounds
        .map(|keys| {
            keys.iter().map(|key| key.replace("#1234567890123456#cn-huhehaote", "")).collect()
        })
        .collect()
}

#[test]
fn of_two_invalid_parameters_the_first_checked_is_answered() {
    let ids = (1..=21).map(|number| format!("ipv6-{number}")).collect::<Vec<_>>().join(",");
    let faults: Vec<_> = [
        ("MissingRegionId", json!({"RegionId": null})),
        ("InvalidRegionId.NotFound", json!({"RegionId": "cn-nowhere"})),
        ("InvalidPageNumber", json!({"PageNumber": "0"})),
        ("InvalidPageSize", json!({"PageSize": "0"})),
        ("InvalidIpv6AddressId", json!({"Ipv6AddressId": ids})),
        ("IllegalParam.Ipv6Address", json!({"Ipv6Address": "2408:4004:1"})),
        ("IllegalParam.NetworkType", json!({"NetworkType": "public"})),
        ("InvalidServiceManaged", json!({"ServiceManaged": "1"})),
        ("InvalidIncludeReservationData", json!({"IncludeReservationData": "no"})),
    ]
    .map(|(code, parameters)| (code, json!({"Parameters": parameters})))
    .into();
    // Of the 36 pairs, one gives RegionId two values and cannot be combined.
    assert_eq!(check_order::<Op>(&sound(), &faults, &[]), 35);
}

#[test]
fn an_answer_has_every_element_of_every_address() {
    assert_eq!(
        answer(&json!({})),
        json!({
            "PageNumber": 1,
            "PageSize": 10,
            "TotalCount": 3,
            "Ipv6Addresses": {"Ipv6Address": [
                {
                    "Ipv6AddressId": "ipv6-1",
                    "Ipv6Address": "2408:4004:1::a1",
                    "Ipv6AddressName": "one",
                    "Ipv6AddressDescription": "the first",
                    "AddressType": "IPv6Prefix",
                    "Status": "Available",
                    "VSwitchId": "vsw-1",
                    "VpcId": "vpc-1",
                    "Ipv6GatewayId": "ipv6gw-1",
                    "NetworkType": "Public",
                    "Ipv6Isp": "ChinaMobile",
                    "RealBandwidth": 200,
                    "AllocationTime": "2026-01-02T03:04:05Z",
                    "AssociatedInstanceId": "eni-1",
                    "AssociatedInstanceType": "NetworkInterface",
                    "ServiceManaged": 1,
                    "ResourceGroupId": "rg-1",
                    "Tags": {"Tag": [
                        {"Key": "a", "Value": "1"},
                        {"Key": "env", "Value": "demo"},
                        {"Key": "team", "Value": ""},
                    ]},
                    "Ipv6InternetBandwidth": {
                        "Ipv6InternetBandwidthId": "ipv6bw-1",
                        "Bandwidth": 200,
                        "InternetChargeType": "PayByTraffic",
                        "InstanceChargeType": "PostPaid",
                        "BusinessStatus": "FinancialLocked",
                    },
                },
                {
                    "Ipv6AddressId": "ipv6-2",
                    "Ipv6Address": "2408:4004:1::2",
                    "Ipv6AddressName": "",
                    "Ipv6AddressDescription": "",
                    "AddressType": "IPv6Address",
                    "Status": "Pending",
                    "VSwitchId": "",
                    "VpcId": "vpc-2",
                    "Ipv6GatewayId": "",
                    "NetworkType": "Private",
                    "Ipv6Isp": "BGP",
                    "RealBandwidth": 0,
                    "AllocationTime": "1970-01-01T00:00:00Z",
                    "AssociatedInstanceId": "",
                    "AssociatedInstanceType": "",
                    "ServiceManaged": 0,
                    "ResourceGroupId": "",
                    "Tags": {"Tag": [{"Key": "env", "Value": "live"}]},
                    "Ipv6InternetBandwidth": {
                        "Ipv6InternetBandwidthId": "",
                        "Bandwidth": 0,
                        "InternetChargeType": "",
                        "InstanceChargeType": "",
                        "BusinessStatus": "",
                    },
                },
                {
                    "Ipv6AddressId": "ipv6-3",
                    "Ipv6Address": "2408:4004:1::3",
                    "Ipv6AddressName": "",
                    "Ipv6AddressDescription": "",
                    "AddressType": "IPv6Address",
                    "Status": "Available",
                    "VSwitchId": "",
                    "VpcId": "vpc-1",
                    "Ipv6GatewayId": "ipv6gw-1",
                    "NetworkType": "Private",
                    "Ipv6Isp": "BGP",
                    "RealBandwidth": 0,
                    "AllocationTime": "1970-01-01T00:00:00Z",
                    "AssociatedInstanceId": "",
                    "AssociatedInstanceType": "",
                    "ServiceManaged": 0,
                    "ResourceGroupId": "",
                    "Tags": {"Tag": []},
                    "Ipv6InternetBandwidth": {
                        "Ipv6InternetBandwidthId": "",
                        "Bandwidth": 0,
                        "InternetChargeType": "",
                        "InstanceChargeType": "",
                        "BusinessStatus": "",
                    },
                },
            ]},
        })
    );
}

#[test]
fn every_filter_lists_what_equals_it() {
    for (parameters, ids) in [
        (json!({"Name": "one"}), "1"),
        (json!({"Name": "on"}), ""),
        (json!({"Name": "One"}), ""),
        (json!({"VSwitchId": "vsw-1"}), "1"),
        (json!({"VSwitchId": "vsw-2"}), ""),
        (json!({"VpcId": "vpc-1"}), "13"),
        (json!({"VpcId": "vpc-1,vpc-2"}), ""),
        (json!({"AssociatedInstanceId": "eni-1"}), "1"),
        (json!({"AssociatedInstanceId": "NetworkInterface"}), ""),
        (json!({"AssociatedInstanceType": "NetworkInterface"}), "1"),
        (json!({"AssociatedInstanceType": "EcsInstance"}), ""),
        (json!({"ResourceGroupId": "rg-1"}), "1"),
        (json!({"ResourceGroupId": "rg-2"}), ""),
        (json!({"AddressType": "IPv6Prefix"}), "1"),
        (json!({"AddressType": "IPv6Address"}), "23"),
        (json!({"AddressType": "Ipv6Address"}), ""),
        (json!({"NetworkType": "Public"}), "1"),
        (json!({"NetworkType": "Private"}), "23"),
        (json!({"ServiceManaged": "True"}), "1"),
        (json!({"ServiceManaged": "false"}), "23"),
        (json!({"IncludeReservationData": "true"}), "123"),
        (json!({"Ipv6Address": "2408:4004:1:0:0:0:0:A1"}), "1"),
        (json!({"Ipv6Address": "2408:4004:1::4"}), ""),
        (json!({"Tag.1.Key": "env"}), "12"),
        (json!({"Tag.1.Key": "env", "Tag.1.Value": "demo"}), "1"),
        (json!({"Tag.1.Key": "env", "Tag.1.Value": ""}), "12"),
        (json!({"Tag.1.Key": "env", "Tag.1.Value": "demo", "Tag.3.Value": "no key"}), "1"),
        (json!({"Tag.1.Key": "env", "Tag.2.Key": "a", "Tag.2.Value": "1"}), "1"),
        (json!({"Tag.1.Key": "env", "Tag.2.Key": "b"}), ""),
        (json!({"VpcId": "vpc-1", "NetworkType": "Private"}), "3"),
        (json!({"VpcId": "", "Name": "", "Ipv6AddressId": "", "NetworkType": ""}), "123"),
    ] {
        assert_eq!(listed(&parameters), (ids.to_owned(), ids.len() as u64), "{parameters}");
    }
}

#[test]
fn named_addresses_are_filtered_too_and_unknown_ones_are_no_error() {
    for (parameters, ids) in [
        (json!({"Ipv6AddressId": "ipv6-2"}), "2"),
        (json!({"Ipv6AddressId": "ipv6-3, ipv6-1,ipv6-3,,ipv6-9"}), "13"),
        (json!({"Ipv6AddressId": "ipv6-9"}), ""),
        (json!({"Ipv6AddressId": "no form"}), ""),
        (json!({"Ipv6AddressId": ","}), ""),
        (json!({"Ipv6AddressId": "ipv6-4"}), ""),
        (json!({"Ipv6AddressId": "ipv6-5"}), ""),
        (json!({"Ipv6AddressId": "ipv6-1,ipv6-2", "VpcId": "vpc-2"}), "2"),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-1"}), "1"),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-9"}), ""),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-1", "Name": "two"}), ""),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-1", "Ipv6AddressId": "ipv6-1,ipv6-2"}), "1"),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-1", "Ipv6AddressId": "ipv6-2"}), ""),
        (json!({"Ipv6InternetBandwidthId": "ipv6bw-9", "Ipv6AddressId": "ipv6-1"}), ""),
    ] {
        assert_eq!(listed(&parameters), (ids.to_owned(), ids.len() as u64), "{parameters}");
    }
    let twenty = (0..20).map(|number| format!("ipv6-{number}")).collect::<Vec<_>>().join(",");
    assert_eq!(listed(&json!({"Ipv6AddressId": twenty})), ("123".to_owned(), 3));
}

/// The bandwidth was deleted between the reads of owner and address.
#[test]
fn an_address_that_no_longer_has_the_bandwidth_is_not_listed() {
    let stale = json!({
        "Parameters": {"Ipv6InternetBandwidthId": "ipv6bw-8"},
        "internet-bandwidth": {
            "ipv6bw-8": {"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-2"},
        },
    });
    let passed = sound().with(&stale).run::<Op>().unwrap();
    assert_eq!(passed.answer["TotalCount"], 0);
}

#[test]
fn a_page_shows_its_part_of_a_list_and_of_named_addresses() {
    let named = "ipv6-3,ipv6-1,ipv6-2";
    for parameters in [json!({}), json!({"Ipv6AddressId": named})] {
        for (number, size, ids) in [
            ("1", "2", "12"),
            ("2", "2", "3"),
            ("3", "2", ""),
            ("2", "1", "2"),
            ("1", "101", "123"),
            ("2147483647", "100", ""),
        ] {
            let mut parameters = parameters.clone();
            parameters["PageNumber"] = json!(number);
            parameters["PageSize"] = json!(size);
            assert_eq!(listed(&parameters), (ids.to_owned(), 3), "{parameters}");
        }
    }
    let cut = answer(&json!({"PageNumber": "7", "PageSize": "101"}));
    assert_eq!((&cut["PageNumber"], &cut["PageSize"]), (&json!(7), &json!(100)));
    assert_eq!(cut["Ipv6Addresses"], json!({"Ipv6Address": []}));
}

#[test]
fn ids_are_read_by_their_keys_and_everything_else_is_listed() {
    let vpcs = ["vpc#vpc-1", "vpc#vpc-2"];
    let addresses = ["ipv6-address#ipv6-1", "ipv6-address#ipv6-2"];
    assert_eq!(
        rounds(&json!({})),
        [vec![], vec!["list ipv6-address"], vpcs.to_vec()],
        "each VPC of the page is read once"
    );
    let named = json!({"Ipv6AddressId": "ipv6-2,ipv6-1"});
    assert_eq!(rounds(&named), [addresses.to_vec(), vpcs.to_vec()]);
    let by_bandwidth = json!({"Ipv6InternetBandwidthId": "ipv6bw-1"});
    assert_eq!(
        rounds(&by_bandwidth),
        [["internet-bandwidth#ipv6bw-1"], ["ipv6-address#ipv6-1"], ["vpc#vpc-1"]]
    );
    let both = json!({"Ipv6InternetBandwidthId": "ipv6bw-1", "Ipv6AddressId": "ipv6-1"});
    assert_eq!(rounds(&both), [["ipv6-address#ipv6-1"], ["vpc#vpc-1"]]);
    let none = json!({"PageNumber": "2"});
    assert_eq!(rounds(&none), [vec![], vec!["list ipv6-address"]], "an empty page has no VPC");
}

#[test]
fn ram_checks_all_vpcs_for_any_parameters() {
    for parameters in [json!({}), json!({"RegionId": null}), json!({"Ipv6AddressId": "ipv6-1"})] {
        assert_eq!(with(&parameters).resources::<Op>(), ["vpc/*"], "{parameters}");
    }
}
