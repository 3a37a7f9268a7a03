//! VPCs.

use serde::{Deserialize, Serialize};

use crate::key::{Key, Scope};
use crate::kind::{Kind, Writer};
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
    const NAME: &'static str = "vpc";
    /// Its gateway implies it.
    const WORLD: Option<&'static str> = None;
    const WRITER: Writer = Writer::Operator;

    fn key(&self) -> Key {
        let scope = Scope { account_id: &self.account_id, region_id: self.region_id.id() };
        Self::key(scope, &self.vpc_id)
    }

    fn id(&self) -> String {
        self.vpc_id.as_ref().to_owned()
    }

    fn account_id(&self) -> &str {
        &self.account_id
    }

    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String> {
        (self.account_id, self.vpc_id) = (account_id.into(), id.into());
        Ok(())
    }
}
