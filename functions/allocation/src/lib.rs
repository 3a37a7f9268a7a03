//! The rules of the IPv6 gateway operations: from a parsed request and the documents it names to
//! what shall be written, or to one documented error.
//!
//! It does no I/O, reads no clock, draws no random numbers and knows neither HTTP nor JSON, so the
//! same arguments always give the same answer. One file holds one operation; start with
//! [`allocate_ipv6_internet_bandwidth`]. The documented errors stand in [`error`], in checking
//! order.

pub mod allocate_ipv6_internet_bandwidth;
mod document;
pub mod error;
mod operation;
mod region;

pub use document::{
    Account, AssociatedInstance, Billing, BusinessStatus, CdtStatus, ClientToken,
    InstanceChargeType, InternetBandwidth, InternetBandwidthOwner, InternetChargeType, Ipv6Address,
    Ipv6AddressStatus, Ipv6Gateway, Ipv6Isp, Name, NetworkType, Resource, SaleStatus,
    is_ipv6_address_id,
};
pub use error::{Error, ErrorCode};
pub use operation::{Answer, Caller, Decision, Documents, Fresh, Operation, Parameters};
pub use region::is_known_region;
