//! IPv6 gateways.

use serde::{Deserialize, Serialize};

use crate::document::{Resource, Vpc, check_id};
use crate::key::{Key, Scope};
use crate::kind::{Flaw, Kind, Writer};
use crate::region::Region;

/// An IPv6 gateway. A VPC has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ipv6Gateway {
    /// `ipv6gw-…`.
    #[serde(skip)]
    pub ipv6_gateway_id: Box<str>,
    /// The account that owns it.
    #[serde(skip)]
    pub account_id: Box<str>,
    /// The region it is in.
    pub region_id: Region,
    /// The VPC it belongs to.
    pub vpc_id: Box<str>,
}

impl Ipv6Gateway {
    /// The key of the gateway of this id.
    #[must_use]
    pub fn key(scope: Scope<'_>, ipv6_gateway_id: &str) -> Key {
        Key::listed(Self::NAME, scope, ipv6_gateway_id)
    }
}

impl Kind for Ipv6Gateway {
    const NAME: &'static str = "ipv6-gateway";
    const WORLD: Option<&'static str> = Some("Ipv6Gateways");
    const WRITER: Writer = Writer::Operator;

    fn key(&self) -> Key {
        let scope = Scope { account_id: &self.account_id, region_id: self.region_id.id() };
        Self::key(scope, &self.ipv6_gateway_id)
    }

    fn id(&self) -> String {
        self.ipv6_gateway_id.as_ref().to_owned()
    }

    fn account_id(&self) -> &str {
        &self.account_id
    }

    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String> {
        (self.account_id, self.ipv6_gateway_id) = (account_id.into(), id.into());
        Ok(())
    }

    /// The VPC's row, which names its gateway.
    fn implied(&self) -> Vec<Resource> {
        vec![
            Vpc {
                vpc_id: self.vpc_id.clone(),
                account_id: self.account_id.clone(),
                region_id: self.region_id,
                ipv6_gateway_id: Some(self.ipv6_gateway_id.clone()),
            }
            .into(),
        ]
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
