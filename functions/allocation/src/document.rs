//! The documents that the operations read and write, in the vendor's words.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// What a document is found by.
///
/// No name of a shared resource needs the account that owns it, so that the documents of a call
/// can be read together with the access key that tells whose call it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// An account, by its id.
    Account(String),
    /// An IPv6 gateway, by its id.
    Ipv6Gateway(String),
    /// An IPv6 address, by its id.
    Ipv6Address(String),
    /// An Internet bandwidth, by its id.
    InternetBandwidth(String),
    /// A remembered client token (decision `token`: scope account, region, action).
    ClientToken {
        /// The account that sent it.
        account_id: String,
        /// The region it was sent to.
        region_id: String,
        /// The operation it was sent to.
        action: String,
        /// The token. Letter case counts.
        client_token: String,
    },
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Resource {
    /// An account.
    Account(Account),
    /// An IPv6 gateway.
    Ipv6Gateway(Ipv6Gateway),
    /// An IPv6 address.
    Ipv6Address(Box<Ipv6Address>),
    /// An Internet bandwidth's owner.
    InternetBandwidth(InternetBandwidthOwner),
    /// A remembered client token.
    ClientToken(Box<ClientToken>),
}

impl Resource {
    /// What the document is found by.
    #[must_use]
    pub fn name(&self) -> Name {
        match self {
            Self::Account(account) => Name::Account(account.account_id.clone()),
            Self::Ipv6Gateway(gateway) => Name::Ipv6Gateway(gateway.ipv6_gateway_id.clone()),
            Self::Ipv6Address(address) => Name::Ipv6Address(address.ipv6_address_id.clone()),
            Self::InternetBandwidth(owner) => {
                Name::InternetBandwidth(owner.internet_bandwidth_id.clone())
            }
            Self::ClientToken(token) => token.name(),
        }
    }

    /// When the document counts as gone, in seconds since 1970 UTC; most never do.
    #[must_use]
    pub fn expires_at_secs(&self) -> Option<u64> {
        match self {
            Self::ClientToken(token) => Some(token.expires_at_secs),
            Self::Account(_)
            | Self::Ipv6Gateway(_)
            | Self::Ipv6Address(_)
            | Self::InternetBandwidth(_) => None,
        }
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Account {
    /// 16 digits.
    pub account_id: String,
    /// The billing record; `None` when it is missing or unreadable (decision `billing`).
    pub billing: Option<Billing>,
}

/// What billing knows of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "PascalCase", deny_unknown_fields))]
pub struct Billing {
    /// Cloud Data Transfer billing, through which pay-by-traffic goes (decision `cdt`).
    pub cdt_status: CdtStatus,
    /// Whether the account may buy (decision `billing`).
    pub sale_status: SaleStatus,
}

/// The state of an account's CDT billing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CdtStatus {
    /// Not opened.
    NotOpened,
    /// Opened, but not upgraded to cover this product.
    Opened,
    /// Opened and upgraded.
    Upgraded,
}

/// Whether an account may buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SaleStatus {
    /// It may.
    Allowed,
    /// It may not: bills are overdue.
    InArrears,
    /// It may not: it is under risk control.
    RiskControl,
    /// It may not: it holds as many bandwidths as its quota allows.
    QuotaExceeded,
}

/// An IPv6 gateway. A VPC has at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ipv6Gateway {
    /// `ipv6gw-…`.
    pub ipv6_gateway_id: String,
    /// The account that owns it.
    pub account_id: String,
    /// The region it lives in.
    pub region_id: String,
    /// The VPC it belongs to.
    pub vpc_id: String,
}

/// An IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ipv6Address {
    /// `ipv6-…`.
    pub ipv6_address_id: String,
    /// The account that owns it.
    pub account_id: String,
    /// The region it lives in.
    pub region_id: String,
    /// The address itself.
    pub ipv6_address: Ipv6Addr,
    /// The VPC it belongs to.
    pub vpc_id: String,
    /// The gateway of that VPC, if it has one (decision `gateway-of-address`).
    pub ipv6_gateway_id: Option<String>,
    /// Its status.
    pub status: Ipv6AddressStatus,
    /// The line it is reached over.
    pub ipv6_isp: Ipv6Isp,
    /// Whether it is a global address used privately (decision `private-gua`).
    pub private_gua: bool,
    /// What it is attached to; `None` for an unassociated address.
    pub associated_instance: Option<AssociatedInstance>,
    /// Whether it can be reached from the Internet: [`NetworkType::Public`] with a bandwidth.
    pub network_type: NetworkType,
    /// Its Internet bandwidth, if it has one.
    pub ipv6_internet_bandwidth: Option<InternetBandwidth>,
}

/// The status of an IPv6 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ipv6AddressStatus {
    /// It is being changed.
    Pending,
    /// It can be used.
    #[default]
    Available,
    /// It existed and was released; what is left is the memory of it (decision `not-found`).
    Released,
}

/// The line of an IPv6 address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ipv6Isp {
    /// The vendor's multi-line network.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "BGP"))]
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

/// What an IPv6 address is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AssociatedInstance {
    /// `EcsInstance`, `NetworkInterface`, or the kind of a cloud service instance.
    pub instance_type: String,
    /// Its id.
    pub instance_id: String,
}

impl AssociatedInstance {
    /// Whether the page allows bandwidth for an address attached to this: "IPv6 addresses
    /// assigned to elastic network interfaces (ENIs) of ECS instances" (decision `bind-type`).
    #[must_use]
    pub fn takes_internet_bandwidth(&self) -> bool {
        matches!(self.instance_type.as_str(), "EcsInstance" | "NetworkInterface")
    }
}

/// Where an IPv6 address can be reached from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum NetworkType {
    /// From its VPC only.
    #[default]
    Private,
    /// From the Internet.
    Public,
}

/// The Internet bandwidth of an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "PascalCase", deny_unknown_fields))]
pub struct InternetBandwidth {
    /// `ipv6bw-` and 17 lower-case letters and digits.
    #[cfg_attr(feature = "serde", serde(rename = "Ipv6InternetBandwidthId"))]
    pub internet_bandwidth_id: String,
    /// How it is billed.
    pub internet_charge_type: InternetChargeType,
    /// The bandwidth, in Mbit/s.
    #[cfg_attr(feature = "serde", serde(rename = "Bandwidth"))]
    pub bandwidth_mbps: u16,
    /// How the instance is paid for.
    #[cfg_attr(feature = "serde", serde(default))]
    pub instance_charge_type: InstanceChargeType,
    /// Whether it is in use or locked.
    #[cfg_attr(feature = "serde", serde(default))]
    pub business_status: BusinessStatus,
}

/// How an Internet bandwidth is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

    /// The largest bandwidth, in Mbit/s: "If `InternetChargeType` is set to `PayByTraffic`, the
    /// valid values of Internet bandwidth are 1 to 1000", for `PayByBandwidth` "1 to 2000".
    #[must_use]
    pub const fn bandwidth_mbps_max(self) -> u16 {
        match self {
            Self::PayByTraffic => 1000,
            Self::PayByBandwidth => 2000,
        }
    }
}

/// How an instance is paid for. The page: "does not support the subscription billing method".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum InstanceChargeType {
    /// Pay as you go.
    #[default]
    PostPaid,
}

/// Whether an Internet bandwidth is in use or locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum BusinessStatus {
    /// In use.
    #[default]
    Normal,
    /// Locked for an overdue bill.
    FinancialLocked,
    /// Locked for security.
    SecurityLocked,
}

/// Which address an Internet bandwidth belongs to, so that the bandwidth's id finds the address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InternetBandwidthOwner {
    /// `ipv6bw-…`.
    pub internet_bandwidth_id: String,
    /// The address that holds it.
    pub ipv6_address_id: String,
}

/// What a client token remembers: the call that succeeded under it (decision `token`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClientToken {
    /// The account that sent it.
    pub account_id: String,
    /// The region it was sent to.
    pub region_id: String,
    /// The operation it was sent to.
    pub action: String,
    /// The token.
    pub client_token: String,
    /// When it is forgotten, in seconds since 1970 UTC.
    pub expires_at_secs: u64,
    /// The operation's parameters, defaults filled in (decision `token-same`).
    pub parameters: BTreeMap<String, String>,
    /// The elements of the answer, without the `RequestId`.
    pub answer: BTreeMap<String, String>,
}

impl ClientToken {
    /// What the token is found by.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::ClientToken {
            account_id: self.account_id.clone(),
            region_id: self.region_id.clone(),
            action: self.action.clone(),
            client_token: self.client_token.clone(),
        }
    }
}

/// Whether `id` has the form of an IPv6 address's id (decision `id-form`).
#[must_use]
pub fn is_ipv6_address_id(id: &str) -> bool {
    id.strip_prefix("ipv6-").is_some_and(|tail| {
        !tail.is_empty()
            && tail.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    })
}
