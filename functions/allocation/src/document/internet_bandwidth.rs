//! Which address an Internet bandwidth belongs to.

use serde::{Deserialize, Serialize};

use crate::key::{Key, Scope};
use crate::kind::{Kind, in_region};
use crate::region::Region;

/// The address that holds an Internet bandwidth, so that the bandwidth's id finds the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InternetBandwidthOwner {
    /// `ipv6bw-…`.
    #[serde(skip)]
    pub internet_bandwidth_id: Box<str>,
    /// The account that owns it.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region it is in.
    pub region_id: Region,
    /// The address that holds it.
    pub ipv6_address_id: Box<str>,
}

impl InternetBandwidthOwner {
    /// The key of the owner of the bandwidth of this id.
    #[must_use]
    pub fn key(scope: Scope<'_>, internet_bandwidth_id: &str) -> Key {
        Key::single(Self::NAME, &[scope.account_id, scope.region_id, internet_bandwidth_id])
    }
}

impl Kind for InternetBandwidthOwner {
    in_region!(internet_bandwidth_id);
}
