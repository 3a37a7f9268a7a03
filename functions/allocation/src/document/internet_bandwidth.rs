//! Which address an Internet bandwidth belongs to.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, found_in_region, in_region};
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

found_in_region!(InternetBandwidthOwner, unlisted);

impl Kind for InternetBandwidthOwner {
    in_region!(internet_bandwidth_id);
}
