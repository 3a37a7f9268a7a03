//! IPv6 addresses.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::{InternetBandwidthOwner, Resource, check_id, has_id_form, is_default};
use crate::kind::{Flaw, Kind, found_in_region, in_region};
use crate::region::Region;
use crate::texts::Texts;
use crate::timestamp::Timestamp;

/// An IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipv6Address {
    /// `ipv6-…`.
    #[serde(skip)]
    pub ipv6_address_id: Box<str>,
    /// The account that owns the address.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region of the address.
    pub region_id: Region,
    /// The address itself.
    pub ipv6_address: Ipv6Addr,
    /// The VPC of the address.
    pub vpc_id: Box<str>,
    /// The vSwitch of the address.
    #[serde(default, rename = "VSwitchId", skip_serializing_if = "is_default")]
    pub vswitch_id: Box<str>,
    /// The name that the user gave.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ipv6_address_name: Box<str>,
    /// The description that the user gave.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ipv6_address_description: Box<str>,
    /// The time of allocation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allocation_time: Timestamp,
    /// The status of the address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub status: Ipv6AddressStatus,
    /// The line of the address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ipv6_isp: Ipv6Isp,
    /// Whether this is one address or a range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub address_type: AddressType,
    /// Whether this is a global address used privately (decision `private-gua`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub private_gua: bool,
    /// Whether another cloud service manages the address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub service_managed: bool,
    /// The type of the associated instance: `EcsInstance`, `NetworkInterface`, or the type of a
    /// cloud service instance; empty for an unassociated address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub associated_instance_type: Box<str>,
    /// The id of the associated instance; empty for an unassociated address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub associated_instance_id: Box<str>,
    /// The resource group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resource_group_id: Box<str>,
    /// The tags.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Tags,
    /// The Internet bandwidth, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_internet_bandwidth: Option<InternetBandwidth>,
}

found_in_region!(Ipv6Address, listed);

impl Ipv6Address {
    /// Whether the address is associated with an instance.
    #[must_use]
    pub fn is_associated(&self) -> bool {
        !self.associated_instance_type.is_empty()
    }

    /// Whether the page allows bandwidth for the type of the associated instance: "IPv6 addresses
    /// assigned to elastic network interfaces (ENIs) of ECS instances" (decision `bind-type`).
    #[must_use]
    pub fn takes_internet_bandwidth(&self) -> bool {
        matches!(&*self.associated_instance_type, "" | "EcsInstance" | "NetworkInterface")
    }

    /// `Public` for an address with a bandwidth, otherwise `Private`.
    #[must_use]
    pub fn network_type(&self) -> NetworkType {
        match self.ipv6_internet_bandwidth {
            Some(_) => NetworkType::Public,
            None => NetworkType::Private,
        }
    }
}

impl Kind for Ipv6Address {
    in_region!(ipv6_address_id);

    /// The owner of the address's bandwidth.
    fn implied(&self) -> Option<Resource> {
        let owner = InternetBandwidthOwner {
            internet_bandwidth_id: self
                .ipv6_internet_bandwidth
                .as_ref()?
                .internet_bandwidth_id
                .clone(),
            account_id: self.account_id.clone(),
            region_id: self.region_id,
            ipv6_address_id: self.ipv6_address_id.clone(),
        };
        Some(owner.into())
    }

    fn check(&self) -> Result<(), Flaw> {
        check_id("", "ipv6-", &self.ipv6_address_id)?;
        check_id("VpcId", "vpc-", &self.vpc_id)?;
        match (self.is_associated(), self.associated_instance_id.is_empty()) {
            (true, true) => {
                let message = "missing AssociatedInstanceId".to_owned();
                return Err(Flaw { field: "AssociatedInstanceType", message });
            }
            (false, false) => {
                let message = "missing AssociatedInstanceType".to_owned();
                return Err(Flaw { field: "AssociatedInstanceId", message });
            }
            (true, false) | (false, true) => {}
        }
        let Some(bandwidth) = &self.ipv6_internet_bandwidth else { return Ok(()) };
        let id = &bandwidth.internet_bandwidth_id;
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let tail = id.strip_prefix("ipv6bw-").unwrap_or_default();
        if tail.len() != 17 || !tail.bytes().all(is_plain) {
            let message = format!(
                "invalid id `{id}`, expected `ipv6bw-` and 17 lower-case letters and digits"
            );
            return Err(Flaw { field: "Ipv6InternetBandwidth.Ipv6InternetBandwidthId", message });
        }
        let mbps_max = bandwidth.internet_charge_type.bandwidth_mbps_max();
        if !(1..=mbps_max).contains(&bandwidth.bandwidth_mbps) {
            let mbps = bandwidth.bandwidth_mbps;
            let message = format!("invalid bandwidth {mbps}, expected 1 to {mbps_max}");
            return Err(Flaw { field: "Ipv6InternetBandwidth.Bandwidth", message });
        }
        Ok(())
    }

    fn unique(&self) -> Vec<(&'static str, String)> {
        let bandwidth = self.ipv6_internet_bandwidth.as_ref().map(|bandwidth| {
            let id = bandwidth.internet_bandwidth_id.as_ref().to_owned();
            ("Ipv6InternetBandwidth.Ipv6InternetBandwidthId", id)
        });
        [("", self.id())].into_iter().chain(bandwidth).collect()
    }
}

/// The status of an IPv6 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ipv6AddressStatus {
    /// The address is being changed.
    Pending,
    /// The address can be used.
    #[default]
    Available,
    /// The address was released and no longer exists (decision `not-found`).
    Released,
}

/// The line of an IPv6 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ipv6Isp {
    /// The vendor's multi-line network.
    #[default]
    #[serde(rename = "BGP")]
    Bgp,
    /// The single line of China Mobile.
    ChinaMobile,
    /// The single line of China Unicom.
    ChinaUnicom,
    /// The single line of China Telecom.
    ChinaTelecom,
}

impl Ipv6Isp {
    /// Whether this is a single ISP's line.
    #[must_use]
    pub const fn is_single(self) -> bool {
        match self {
            Self::Bgp => false,
            Self::ChinaMobile | Self::ChinaUnicom | Self::ChinaTelecom => true,
        }
    }
}

/// The network from which an IPv6 address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NetworkType {
    /// Its VPC.
    Private,
    /// The Internet.
    Public,
}

impl NetworkType {
    /// The network type of this documented value. Letter case counts.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "Private" => Some(Self::Private),
            "Public" => Some(Self::Public),
            _ => None,
        }
    }
}

/// The tags of a resource: values by key.
pub type Tags = Texts;

/// Whether an IPv6 address is one address or a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressType {
    /// One address.
    #[default]
    #[serde(rename = "IPv6Address")]
    Address,
    /// A range of addresses.
    #[serde(rename = "IPv6Prefix")]
    Prefix,
}

impl AddressType {
    /// The documented value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "IPv6Address",
            Self::Prefix => "IPv6Prefix",
        }
    }
}

/// The Internet bandwidth of an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InternetBandwidth {
    /// `ipv6bw-` and 17 lower-case letters and digits.
    #[serde(rename = "Ipv6InternetBandwidthId")]
    pub internet_bandwidth_id: Box<str>,
    /// How the bandwidth is billed.
    pub internet_charge_type: InternetChargeType,
    /// The bandwidth, in Mbit/s.
    #[serde(rename = "Bandwidth")]
    pub bandwidth_mbps: u16,
    /// How the instance is paid for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub instance_charge_type: InstanceChargeType,
    /// Whether the bandwidth is in use or locked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub business_status: BusinessStatus,
}

/// How an Internet bandwidth is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InternetChargeType {
    /// By the data transferred.
    PayByTraffic,
    /// By the bandwidth: "`PayByBandwidth` (default)".
    #[default]
    PayByBandwidth,
}

impl InternetChargeType {
    /// The charge type of this documented value. Letter case counts.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "PayByTraffic" => Some(Self::PayByTraffic),
            "PayByBandwidth" => Some(Self::PayByBandwidth),
            _ => None,
        }
    }

    /// The documented value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PayByTraffic => "PayByTraffic",
            Self::PayByBandwidth => "PayByBandwidth",
        }
    }

    /// The largest bandwidth, in Mbit/s. The page: "If `InternetChargeType` is set to
    /// `PayByTraffic`, the valid values of Internet bandwidth are 1 to 1000", for `PayByBandwidth`
    /// "1 to 2000".
    #[must_use]
    pub const fn bandwidth_mbps_max(self) -> u16 {
        match self {
            Self::PayByTraffic => 1000,
            Self::PayByBandwidth => 2000,
        }
    }
}

/// How an instance is paid for. The page: "does not support the subscription billing method".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceChargeType {
    /// Pay as you go.
    #[default]
    PostPaid,
}

/// Whether an Internet bandwidth is in use or locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BusinessStatus {
    /// In use.
    #[default]
    Normal,
    /// Locked for an overdue bill.
    FinancialLocked,
    /// Locked for security.
    SecurityLocked,
}

/// Whether `id` has the form of an IPv6 address's id (decision `id-form`).
#[must_use]
pub fn is_ipv6_address_id(id: &str) -> bool {
    has_id_form("ipv6-", id)
}
