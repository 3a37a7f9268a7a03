//! The table of actions.

use allocation::{Error, Operation, Parameters, allocate_ipv6_internet_bandwidth};
use rpc::Elements;

/// An action of the API: what its rules are and how its answer looks.
#[derive(Debug)]
pub(crate) struct Action {
    /// The name, as `Action` and `x-acs-action` give it.
    pub(crate) name: &'static str,
    /// What of an account the action is about, as RAM names it (decision `denied`).
    pub(crate) ram_resource: &'static str,
    /// Parses the parameters of a call.
    pub(crate) parse: fn(&Parameters<'_>) -> Result<Box<dyn Operation>, Error>,
    /// The elements of its answer, in the order of the vendor's samples.
    pub(crate) elements: Elements,
}

/// Every action there is.
const ACTIONS: &[Action] = &[Action {
    name: allocate_ipv6_internet_bandwidth::ACTION,
    ram_resource: "ipv6bandwidth/*",
    parse: allocate_ipv6_internet_bandwidth::parse,
    elements: Elements {
        json: &["Ipv6AddressId", "RequestId", "InternetBandwidthId"],
        xml: &["RequestId", "InternetBandwidthId", "Ipv6AddressId"],
    },
}];

impl Action {
    /// The action of this name. Letter case counts.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|action| action.name == name)
    }
}
