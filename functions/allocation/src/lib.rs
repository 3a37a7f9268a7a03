#![doc = include_str!("../README.md")]

mod bandwidth_of;
mod document;
pub mod error;
mod key;
mod kind;
mod operation;
pub mod operations;
pub mod parameters;
mod region;
mod texts;
mod timestamp;
#[cfg(test)]
#[path = "tests/trial.rs"]
mod trial;

pub use document::{
    Account, AddressType, Billing, BusinessStatus, CdtStatus, ClientToken, InstanceChargeType,
    InternetBandwidth, InternetBandwidthOwner, InternetChargeType, Ipv6Address, Ipv6AddressStatus,
    Ipv6Gateway, Ipv6Isp, KINDS, NetworkType, Resource, SaleStatus, Tags, Vpc, is_ipv6_address_id,
};
pub use error::{ErrorRow, Refusal};
pub use key::{Key, Partition, Parts, Scope};
pub use kind::{AsKind, Flaw, Kind, KindRow, Writer};
pub use operation::{Common, Done, Fresh, Halt, Listed, Listing, Operation, Outcome, Seen, Write};
pub use parameters::Parameters;
pub use region::Region;
pub use texts::Texts;
pub use timestamp::Timestamp;
