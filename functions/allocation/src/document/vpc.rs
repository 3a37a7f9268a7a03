//! VPCs.

use serde::{Deserialize, Serialize};

use crate::key::{Key, Scope};
use crate::kind::{Kind, in_region};
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

impl Vpc {
    /// The key of the VPC of this id.
    #[must_use]
    pub fn key(scope: Scope<'_>, vpc_id: &str) -> Key {
        Key::listed(Self::NAME, scope, vpc_id)
    }
}

impl Kind for Vpc {
    in_region!(vpc_id);
}
