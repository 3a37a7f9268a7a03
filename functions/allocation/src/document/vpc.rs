//! VPCs.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, found_in_region, in_region};
use crate::region::Region;

/// A VPC, as far as its addresses and gateway need it. There is a row for each VPC that has a
/// gateway; a VPC without a row has none (decision `gateway-of-address`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Vpc {
    /// `vpc-…`.
    #[serde(skip)]
    pub vpc_id: Box<str>,
    /// The account that owns it.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region it is in.
    pub region_id: Region,
    /// Its IPv6 gateway. A VPC has at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_gateway_id: Option<Box<str>>,
}

found_in_region!(Vpc, listed);

impl Kind for Vpc {
    in_region!(vpc_id);
}
