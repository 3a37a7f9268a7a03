//! The rules of the IPv6 gateway operations: from a parsed call and the documents it needs to what
//! shall be written, or to one documented error.
//!
//! It does no I/O, reads no clock, draws no random numbers and knows neither HTTP nor JSON, so the
//! same arguments always give the same answer. One file under `operations` holds one operation: its
//! parameters, its errors in checking order, its answer and its rules. One file under `document`
//! holds one kind of document. The errors that several operations share are in [`error`], the
//! readers of parameters in [`parameters`].

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
