//! The documents that the operations read and write, one file per kind. Names are the vendor's.

mod account;
mod client_token;
mod internet_bandwidth;
mod ipv6_address;
mod ipv6_gateway;
mod vpc;

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use serde::Deserialize as _;

pub use account::{Account, Billing, CdtStatus, SaleStatus};
pub use client_token::ClientToken;
pub use internet_bandwidth::InternetBandwidthOwner;
pub use ipv6_address::{
    AddressType, BusinessStatus, InstanceChargeType, InternetBandwidth, InternetChargeType,
    Ipv6Address, Ipv6AddressStatus, Ipv6Isp, NetworkType, Tags, is_ipv6_address_id,
};
pub use ipv6_gateway::Ipv6Gateway;
pub use vpc::Vpc;

use crate::kind::{AsKind, Flaw, Kind, KindRow, Writer, kinds};

kinds! {
    Account: kind("account", Some(""), Writer::Operator),
    // Implied by its gateway.
    Vpc: kind("vpc", None, Writer::Operator),
    Ipv6Gateway: kind("ipv6-gateway", Some("Ipv6Gateways"), Writer::Operator),
    Ipv6Address: kind("ipv6-address", Some("Ipv6Addresses"), Writer::Function),
    // Implied by the address that has the bandwidth.
    InternetBandwidthOwner: kind("internet-bandwidth", None, Writer::Function),
    ClientToken: kind("client-token", Some("ClientTokens"), Writer::Function),
}

/// A kind whose rows have schema 1.
const fn kind(name: &'static str, world: Option<&'static str>, writer: Writer) -> KindRow {
    KindRow { name, schema: 1, world, writer }
}

/// Checks that `id`, the value of `field`, is `prefix` followed by lower-case letters, digits and
/// hyphens.
fn check_id(field: &'static str, prefix: &str, id: &str) -> Result<(), Flaw> {
    if has_id_form(prefix, id) {
        return Ok(());
    }
    let message = format!(
        "invalid id `{id}`, expected `{prefix}` and lower-case letters, digits and hyphens"
    );
    Err(Flaw { field, message })
}

/// Whether `id` is `prefix` followed by lower-case letters, digits and hyphens.
fn has_id_form(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|tail| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        !tail.is_empty() && tail.bytes().all(is_plain)
    })
}

/// Whether a member has its default value, which is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ACCOUNT_ID: &str = "1234567890123456";

    /// A document of each kind: kind, id, key and members; the second of a kind has few members.
    fn documents() -> Vec<(&'static str, &'static str, &'static str, Value)> {
        vec![
            ("account", "", "account#1234567890123456", json!({})),
            (
                "account",
                "",
                "account#1234567890123456",
                json!({"Billing": {"CdtStatus": "Opened", "SaleStatus": "InArrears"}}),
            ),
            (
                "vpc",
                "vpc-1",
                "vpc#1234567890123456#cn-huhehaote#vpc-1",
                json!({"RegionId": "cn-huhehaote", "Ipv6GatewayId": "ipv6gw-1"}),
            ),
            (
                "ipv6-gateway",
                "ipv6gw-1",
                "ipv6-gateway#1234567890123456#cn-huhehaote#ipv6gw-1",
                json!({"RegionId": "cn-huhehaote", "VpcId": "vpc-1"}),
            ),
            (
                "ipv6-address",
                "ipv6-1",
                "ipv6-address#1234567890123456#cn-huhehaote#ipv6-1",
                json!({
                    "RegionId": "cn-huhehaote",
                    "Ipv6Address": "2408:4004:1::1",
                    "VpcId": "vpc-1",
                    "VSwitchId": "vsw-1",
                    "Ipv6AddressName": "name",
                    "Ipv6AddressDescription": "description",
                    "AllocationTime": "2026-01-02T03:04:05Z",
                    "Status": "Released",
                    "Ipv6Isp": "ChinaTelecom",
                    "AddressType": "IPv6Prefix",
                    "PrivateGua": true,
                    "ServiceManaged": true,
                    "AssociatedInstanceType": "EcsInstance",
                    "AssociatedInstanceId": "i-1",
                    "ResourceGroupId": "rg-1",
                    "Tags": {"a": "1"},
                    "Ipv6InternetBandwidth": {
                        "Ipv6InternetBandwidthId": "ipv6bw-1",
                        "InternetChargeType": "PayByTraffic",
                        "Bandwidth": 5,
                        "BusinessStatus": "SecurityLocked",
                    },
                }),
            ),
            (
                "ipv6-address",
                "ipv6-2",
                "ipv6-address#1234567890123456#cn-huhehaote#ipv6-2",
                json!({
                    "RegionId": "cn-huhehaote",
                    "Ipv6Address": "2408:4004:1::2",
                    "VpcId": "vpc-1",
                }),
            ),
            (
                "internet-bandwidth",
                "ipv6bw-1",
                "internet-bandwidth#1234567890123456#cn-huhehaote#ipv6bw-1",
                json!({"RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1"}),
            ),
            (
                "client-token",
                "cn-huhehaote/Act/t/1#2",
                "client-token#1234567890123456#cn-huhehaote#Act#t/1#2",
                json!({
                    "ExpiresAt": "2026-01-02T03:04:05Z",
                    "Parameters": {"Bandwidth": "5"},
                    "Answer": {},
                }),
            ),
        ]
    }

    #[test]
    fn a_document_of_every_kind_is_written_as_it_was_read_in_a_world_and_in_a_row() {
        for (kind, id, key, members) in documents() {
            let document = Resource::read(kind, ACCOUNT_ID, id, &members).unwrap();
            assert_eq!((&*document.id(), document.account_id()), (id, ACCOUNT_ID));
            assert_eq!((document.key().text(), document.kind().name), (key, kind));
            assert_eq!(serde_json::to_value(&document).unwrap(), members, "{key}");
            assert_eq!(Resource::read_row(key, &members).unwrap(), document, "{key}");
        }
        let mut kinds: Vec<_> = documents().iter().map(|(kind, ..)| *kind).collect();
        kinds.dedup();
        assert_eq!(kinds, KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>());
    }

    #[test]
    fn members_of_a_later_form_are_passed_over() {
        for (kind, id, key, members) in documents() {
            let mut later = members.clone();
            later["OfALaterForm"] = json!({"Any": [1]});
            let document = Resource::read(kind, ACCOUNT_ID, id, later).unwrap();
            assert_eq!(serde_json::to_value(&document).unwrap(), members, "{key}");
        }
    }

    #[test]
    fn a_document_of_an_unknown_kind_or_with_an_invalid_id_is_refused() {
        let read = |kind, id, members: Value| Resource::read(kind, ACCOUNT_ID, id, members);
        let address = json!({"RegionId": "cn-huhehaote", "Ipv6Address": "::1", "VpcId": "vpc-1"});
        let checked = |id| read("ipv6-address", id, address.clone()).unwrap().check();
        assert_eq!(checked("ipv6-1"), Ok(()));
        assert_eq!(checked("eni-1").unwrap_err().field, "");
        assert!(read("ipv6-addresses", "ipv6-1", address).is_err());
        let token = json!({"ExpiresAt": "2026-01-02T03:04:05Z", "Parameters": {}, "Answer": {}});
        for id in ["cn-huhehaote/Act", "cn-nowhere/Act/t"] {
            assert!(read("client-token", id, token.clone()).is_err(), "{id}");
        }
    }

    #[test]
    fn a_gateway_implies_its_vpc_and_an_address_its_bandwidth_s_owner() {
        let implied: Vec<_> = documents()
            .into_iter()
            .filter_map(|(kind, id, _, members)| {
                Resource::read(kind, ACCOUNT_ID, id, members).unwrap().implied()
            })
            .collect();
        let [Resource::Vpc(vpc), Resource::InternetBandwidthOwner(owner)] = implied.as_slice()
        else {
            unreachable!("one of each: {implied:?}")
        };
        assert_eq!((&*vpc.vpc_id, vpc.ipv6_gateway_id.as_deref()), ("vpc-1", Some("ipv6gw-1")));
        assert_eq!(
            (&*owner.internet_bandwidth_id, &*owner.ipv6_address_id),
            ("ipv6bw-1", "ipv6-1")
        );
    }
}
