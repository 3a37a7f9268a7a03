//! VPCs.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, found_in_region, in_region};
use crate::region::Region;

/// A VPC that has an IPv6 gateway. A VPC without a document has no gateway (decision
/// `gateway-of-address`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Vpc {
    /// `vpc-…`.
    #[serde(skip)]
    pub vpc_id: Box<str>,
    /// The account that owns the VPC.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region of the VPC.
    pub region_id: Region,
    /// The IPv6 gateway of the VPC; a VPC has at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_gateway_id: Option<Box<str>>,
}

found_in_region!(Vpc, listed);

impl Kind for Vpc {
    in_region!(vpc_id);
}
