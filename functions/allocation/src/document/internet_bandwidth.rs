//! Which address an Internet bandwidth belongs to.

use serde::{Deserialize, Serialize};

use crate::key::{Key, Scope};
use crate::kind::{Kind, Writer};
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
    const NAME: &'static str = "internet-bandwidth";
    /// The address that holds the bandwidth implies it.
    const WORLD: Option<&'static str> = None;
    const WRITER: Writer = Writer::Function;

    fn key(&self) -> Key {
        let scope = Scope { account_id: &self.account_id, region_id: self.region_id.id() };
        Self::key(scope, &self.internet_bandwidth_id)
    }

    fn id(&self) -> String {
        self.internet_bandwidth_id.as_ref().to_owned()
    }

    fn account_id(&self) -> &str {
        &self.account_id
    }

    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String> {
        (self.account_id, self.internet_bandwidth_id) = (account_id.into(), id.into());
        Ok(())
    }
}
