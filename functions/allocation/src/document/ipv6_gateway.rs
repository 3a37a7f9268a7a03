//! IPv6 gateways.

use serde::{Deserialize, Serialize};

use crate::document::{Resource, Vpc, check_id};
use crate::kind::{Flaw, Kind, found_in_region, in_region};
use crate::region::Region;

/// An IPv6 gateway. A VPC has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipv6Gateway {
    /// `ipv6gw-…`.
    #[serde(skip)]
    pub ipv6_gateway_id: Box<str>,
    /// The account that owns the gateway.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region of the gateway.
    pub region_id: Region,
    /// The VPC of the gateway.
    pub vpc_id: Box<str>,
}

found_in_region!(Ipv6Gateway, listed);

impl Kind for Ipv6Gateway {
    in_region!(ipv6_gateway_id);

    /// The gateway's VPC.
    fn implied(&self) -> Option<Resource> {
        let vpc = Vpc {
            vpc_id: self.vpc_id.clone(),
            account_id: self.account_id.clone(),
            region_id: self.region_id,
            ipv6_gateway_id: Some(self.ipv6_gateway_id.clone()),
        };
        Some(vpc.into())
    }

    fn check(&self) -> Result<(), Flaw> {
        check_id("", "ipv6gw-", &self.ipv6_gateway_id)?;
        check_id("VpcId", "vpc-", &self.vpc_id)
    }

    fn unique(&self) -> Vec<(&'static str, String)> {
        let Self { account_id, region_id, vpc_id, .. } = self;
        vec![("", self.id()), ("VpcId", format!("{account_id}/{}/{vpc_id}", region_id.id()))]
    }
}
