//! The owners of Internet bandwidths.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, found_in_region, in_region};
use crate::region::Region;

/// The address that has an Internet bandwidth. It makes the address readable by the bandwidth's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InternetBandwidthOwner {
    /// `ipv6bw-…`.
    #[serde(skip)]
    pub internet_bandwidth_id: Box<str>,
    /// The account that owns the bandwidth.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region of the bandwidth.
    pub region_id: Region,
    /// The address that has the bandwidth.
    pub ipv6_address_id: Box<str>,
}

found_in_region!(InternetBandwidthOwner, unlisted);

impl Kind for InternetBandwidthOwner {
    in_region!(internet_bandwidth_id);
}
