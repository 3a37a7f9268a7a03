//! `DescribeIpv6Addresses`: lists the IPv6 addresses of a region.

use std::net::Ipv6Addr;

use serde::{Serialize, Serializer};

use crate::document::{
    AddressType, BusinessStatus, InstanceChargeType, InternetBandwidthOwner, InternetChargeType,
    Ipv6Address, Ipv6AddressStatus, Ipv6Isp, NetworkType, Resource, Vpc,
};
use crate::error::{
    ErrorRow, ILLEGAL_PARAM_IPV6_ADDRESS, INVALID_PAGE_NUMBER, INVALID_PAGE_SIZE,
    INVALID_REGION_ID_NOT_FOUND, MISSING_REGION_ID, Refusal, errors,
};
use crate::key::{Key, Partition, Scope};
use crate::kind::AsKind;
use crate::operation::{Fresh, Halt, Listing, Operation, Outcome, Seen};
use crate::parameters::{Page, Parameters, Tag};
use crate::timestamp::Timestamp;

// Decision `describe-order`.
errors! {
    MISSING_REGION_ID;
    INVALID_REGION_ID_NOT_FOUND;
    INVALID_PAGE_NUMBER;
    INVALID_PAGE_SIZE;
    /// `Ipv6AddressId` names more than [`IDS_MAX`] addresses (decision `describe-ids`).
    INVALID_IPV6_ADDRESS_ID = 400, "InvalidIpv6AddressId",
        "Specified parameter Ipv6AddressId is not valid.";
    ILLEGAL_PARAM_IPV6_ADDRESS;
    /// `NetworkType` is neither Public nor Private.
    ILLEGAL_PARAM_NETWORK_TYPE = 400, "IllegalParam.NetworkType", "The param of %s is illegal.";
    /// `ServiceManaged` is neither true nor false (decision `boolean-form`).
    INVALID_SERVICE_MANAGED = 400, "InvalidServiceManaged",
        "Specified parameter ServiceManaged is not valid.";
    /// `IncludeReservationData` is neither true nor false (decision `boolean-form`).
    INVALID_INCLUDE_RESERVATION_DATA = 400, "InvalidIncludeReservationData",
        "Specified parameter IncludeReservationData is not valid.";
}

/// "You can enter at most 20 IPv6 address IDs in each API request."
const IDS_MAX: usize = 20;

/// A member of an address.
type Member = fn(&Ipv6Address) -> &str;

/// The filters that compare a member of the address with a value.
const EQUAL: [(&str, Member); 7] = [
    ("Name", |address| &address.ipv6_address_name),
    ("VSwitchId", |address| &address.vswitch_id),
    ("VpcId", |address| &address.vpc_id),
    ("AssociatedInstanceId", |address| &address.associated_instance_id),
    ("AssociatedInstanceType", |address| &address.associated_instance_type),
    ("ResourceGroupId", |address| &address.resource_group_id),
    ("AddressType", |address| address.address_type.as_str()),
];

/// The operation.
#[derive(Debug)]
pub struct DescribeIpv6Addresses;

/// The parameters of a call, all valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'p> {
    page: Page,
    /// Sorted, without duplicates.
    ids: Option<Vec<&'p str>>,
    filter: Filter<'p>,
}

/// The filters of a call. An address is listed if it passes all of them (decision
/// `describe-filters`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter<'p> {
    bandwidth_id: Option<&'p str>,
    ipv6_address: Option<Ipv6Addr>,
    network_type: Option<NetworkType>,
    service_managed: Option<bool>,
    /// The values of [`EQUAL`].
    equal: [Option<&'p str>; EQUAL.len()],
    tags: Vec<Tag<'p>>,
}

/// The elements of a successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer<'s> {
    page_number: u32,
    page_size: u32,
    total_count: usize,
    ipv6_addresses: Ipv6Addresses<'s>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Addresses<'s> {
    ipv6_address: Vec<Entry<'s>>,
}

/// An address in the list. It has no element for pending orders: there are none (decision
/// `reservations`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'s> {
    ipv6_address_id: &'s str,
    /// Written in the form of RFC 5952.
    ipv6_address: Ipv6Addr,
    ipv6_address_name: &'s str,
    ipv6_address_description: &'s str,
    address_type: AddressType,
    status: Ipv6AddressStatus,
    #[serde(rename = "VSwitchId")]
    vswitch_id: &'s str,
    vpc_id: &'s str,
    /// The gateway of the VPC; empty if the VPC has none.
    ipv6_gateway_id: &'s str,
    network_type: NetworkType,
    ipv6_isp: Ipv6Isp,
    /// In Mbit/s; 0 without bandwidth.
    real_bandwidth: u16,
    allocation_time: Timestamp,
    associated_instance_id: &'s str,
    associated_instance_type: &'s str,
    /// 1 if another cloud service manages the address, otherwise 0.
    service_managed: u8,
    resource_group_id: &'s str,
    tags: EntryTags<'s>,
    ipv6_internet_bandwidth: EntryBandwidth<'s>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntryTags<'s> {
    tag: Vec<EntryTag<'s>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntryTag<'s> {
    key: &'s str,
    value: &'s str,
}

/// The bandwidth in the list. Its members are empty for an address without bandwidth: Terraform
/// crashes if the element is missing (decision `describe-elements`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntryBandwidth<'s> {
    ipv6_internet_bandwidth_id: &'s str,
    bandwidth: u16,
    #[serde(serialize_with = "empty_if_none")]
    internet_charge_type: Option<InternetChargeType>,
    #[serde(serialize_with = "empty_if_none")]
    instance_charge_type: Option<InstanceChargeType>,
    #[serde(serialize_with = "empty_if_none")]
    business_status: Option<BusinessStatus>,
}

impl Operation for DescribeIpv6Addresses {
    const NAME: &'static str = "DescribeIpv6Addresses";
    const ERRORS: &'static [&'static ErrorRow] = ERRORS;
    const JSON: &'static [&'static str] =
        &["RequestId", "PageNumber", "PageSize", "TotalCount", "Ipv6Addresses"];
    const XML: &'static [&'static str] = Self::JSON;

    const CHANGES: bool = false;

    type Call<'p> = Call<'p>;
    type Answer<'s> = Answer<'s>;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Call<'p>, Refusal> {
        let page = parameters.page()?;
        let mut ids = parameters.ids("Ipv6AddressId");
        if let Some(ids) = &mut ids {
            if ids.len() > IDS_MAX {
                return Err((&INVALID_IPV6_ADDRESS_ID).into());
            }
            ids.sort_unstable();
            ids.dedup();
        }
        let ipv6_address = parameters
            .given("Ipv6Address")
            .map(|text| text.parse().map_err(|_| &ILLEGAL_PARAM_IPV6_ADDRESS))
            .transpose()?;
        let network_type = parameters
            .given("NetworkType")
            .map(|value| NetworkType::parse(value).ok_or(&ILLEGAL_PARAM_NETWORK_TYPE))
            .transpose()?;
        let service_managed = parameters.boolean("ServiceManaged", &INVALID_SERVICE_MANAGED)?;
        // Checked and ignored: there are no pending orders (decision `reservations`).
        parameters.boolean("IncludeReservationData", &INVALID_INCLUDE_RESERVATION_DATA)?;
        let filter = Filter {
            bandwidth_id: parameters.given("Ipv6InternetBandwidthId"),
            ipv6_address,
            network_type,
            service_managed,
            equal: EQUAL.map(|(name, _)| parameters.given(name)),
            tags: parameters.tags("Tag"),
        };
        Ok(Call { page, ids, filter })
    }

    fn first(call: &Call<'_>, scope: Scope<'_>) -> Vec<Key> {
        match (&call.ids, call.filter.bandwidth_id) {
            (Some(ids), _) => ids.iter().map(|id| Ipv6Address::key(scope, id)).collect(),
            (None, Some(id)) => vec![InternetBandwidthOwner::key(scope, id)],
            (None, None) => Vec::new(),
        }
    }

    /// Decision `describe-ram`.
    fn resources(_: &Parameters<'_>, _: Scope<'_>, _: &Seen) -> Vec<String> {
        vec!["vpc/*".to_owned()]
    }

    fn listing<'c>(call: &'c Call<'_>, scope: Scope<'_>) -> Option<Listing<'c>> {
        Some(Listing {
            partition: Partition::of(Ipv6Address::NAME, scope),
            matches: Box::new(|document: &Resource| {
                document.as_kind().is_some_and(|address| call.filter.allows(address))
            }),
            page: call.page,
        })
    }

    fn decide<'s>(
        call: &'s Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        _fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Answer<'s>>, Halt> {
        let (total_count, addresses) = call.find(scope, seen)?;
        let vpcs = addresses.iter().map(|address| Vpc::at(scope, &address.vpc_id));
        let gateways = seen
            .all::<Vpc>(vpcs)?
            .into_iter()
            .map(|vpc| vpc.and_then(|vpc| vpc.ipv6_gateway_id.as_deref()).unwrap_or_default());
        let entries = addresses.into_iter().zip(gateways);
        Ok(Outcome::Answer(Answer {
            page_number: call.page.number,
            page_size: call.page.size,
            total_count,
            ipv6_addresses: Ipv6Addresses {
                ipv6_address: entries.map(|(address, id)| Entry::of(address, id)).collect(),
            },
        }))
    }
}

impl Call<'_> {
    /// The number of addresses that pass the filters, and those of the page in the order of ids.
    /// Addresses that the call names are read by key; otherwise those of the region are listed.
    fn find<'s>(
        &self,
        scope: Scope<'_>,
        seen: &'s Seen,
    ) -> Result<(usize, Vec<&'s Ipv6Address>), Halt> {
        let named: Vec<_> = match (&self.ids, self.filter.bandwidth_id) {
            (Some(ids), _) => ids.iter().map(|id| Ipv6Address::at(scope, id)).collect(),
            (None, Some(id)) => seen
                .get::<InternetBandwidthOwner>(InternetBandwidthOwner::at(scope, id))?
                .map(|owner| Ipv6Address::at(scope, &owner.ipv6_address_id))
                .into_iter()
                .collect(),
            (None, None) => {
                let listed = seen.listed()?;
                return Ok((
                    listed.total,
                    listed.page.iter().filter_map(AsKind::as_kind).collect(),
                ));
            }
        };
        let named = seen.all::<Ipv6Address>(named)?.into_iter().flatten();
        let allowed: Vec<_> = named.filter(|address| self.filter.allows(address)).collect();
        let shown = allowed.iter().enumerate().filter(|(position, _)| self.page.shows(*position));
        Ok((allowed.len(), shown.map(|(_, address)| *address).collect()))
    }
}

impl Filter<'_> {
    fn allows(&self, address: &Ipv6Address) -> bool {
        let bandwidth = address.ipv6_internet_bandwidth.as_ref();
        address.status != Ipv6AddressStatus::Released
            && self.bandwidth_id.is_none_or(|id| {
                bandwidth.is_some_and(|bandwidth| *bandwidth.internet_bandwidth_id == *id)
            })
            && self.ipv6_address.is_none_or(|ipv6_address| address.ipv6_address == ipv6_address)
            && self.network_type.is_none_or(|network_type| address.network_type() == network_type)
            && self.service_managed.is_none_or(|managed| address.service_managed == managed)
            && self
                .equal
                .iter()
                .zip(EQUAL)
                .all(|(value, (_, member))| value.is_none_or(|value| member(address) == value))
            && self.tags.iter().all(|tag| {
                let mut tags = address.tags.iter();
                tags.any(|(key, value)| key == tag.key && tag.value.is_none_or(|any| value == any))
            })
    }
}

impl<'s> Entry<'s> {
    fn of(address: &'s Ipv6Address, ipv6_gateway_id: &'s str) -> Self {
        let bandwidth = address.ipv6_internet_bandwidth.as_ref();
        Self {
            ipv6_address_id: &address.ipv6_address_id,
            ipv6_address: address.ipv6_address,
            ipv6_address_name: &address.ipv6_address_name,
            ipv6_address_description: &address.ipv6_address_description,
            address_type: address.address_type,
            status: address.status,
            vswitch_id: &address.vswitch_id,
            vpc_id: &address.vpc_id,
            ipv6_gateway_id,
            network_type: address.network_type(),
            ipv6_isp: address.ipv6_isp,
            real_bandwidth: bandwidth.map_or(0, |bandwidth| bandwidth.bandwidth_mbps),
            allocation_time: address.allocation_time,
            associated_instance_id: &address.associated_instance_id,
            associated_instance_type: &address.associated_instance_type,
            service_managed: address.service_managed.into(),
            resource_group_id: &address.resource_group_id,
            tags: EntryTags {
                tag: address.tags.iter().map(|(key, value)| EntryTag { key, value }).collect(),
            },
            ipv6_internet_bandwidth: bandwidth
                .map(|bandwidth| EntryBandwidth {
                    ipv6_internet_bandwidth_id: &bandwidth.internet_bandwidth_id,
                    bandwidth: bandwidth.bandwidth_mbps,
                    internet_charge_type: Some(bandwidth.internet_charge_type),
                    instance_charge_type: Some(bandwidth.instance_charge_type),
                    business_status: Some(bandwidth.business_status),
                })
                .unwrap_or_default(),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde hands the member by reference")]
fn empty_if_none<T: Serialize, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

#[cfg(test)]
#[path = "describe_ipv6_addresses/tests.rs"]
mod tests;
