//! The documents that the operations read and write, in the vendor's words; one file a kind.

mod account;
mod client_token;
mod internet_bandwidth;
mod ipv6_address;
mod ipv6_gateway;
mod vpc;

use std::borrow::Cow;
use std::sync::Arc;

pub use account::{Account, Billing, CdtStatus, SaleStatus};
pub use client_token::ClientToken;
pub use internet_bandwidth::InternetBandwidthOwner;
pub use ipv6_address::{
    AddressType, BusinessStatus, InstanceChargeType, InternetBandwidth, InternetChargeType,
    Ipv6Address, Ipv6AddressStatus, Ipv6Isp, NetworkType, Tags, is_ipv6_address_id,
};
pub use ipv6_gateway::Ipv6Gateway;
pub use vpc::Vpc;

use crate::key::Key;
use crate::kind::{AsKind, Flaw, Kind, KindRow, kinds};

kinds! {
    Account,
    Vpc,
    Ipv6Gateway,
    Ipv6Address,
    InternetBandwidthOwner,
    ClientToken,
}

/// Checks that the member `field` is `prefix` and then lower-case letters, digits and hyphens.
fn check_id(field: &'static str, prefix: &str, id: &str) -> Result<(), Flaw> {
    if has_id_form(prefix, id) {
        return Ok(());
    }
    let message = format!("not {prefix} and lower-case letters, digits and hyphens: {id}");
    Err(Flaw { field, message })
}

/// Whether `id` is `prefix` and then lower-case letters, digits and hyphens.
fn has_id_form(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|tail| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        !tail.is_empty() && tail.bytes().all(is_plain)
    })
}

/// Whether a member has its default and need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
