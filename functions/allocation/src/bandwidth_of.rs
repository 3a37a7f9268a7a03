//! Finds the Internet bandwidth that a call names by its own id, by its address's id, or by both.

use std::borrow::Cow;

use crate::document::{InternetBandwidth, InternetBandwidthOwner, Ipv6Address, Ipv6AddressStatus};
use crate::error::{
    ErrorRow, INVALID_IPV6_INSTANCE_NOT_FOUND, OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST,
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE, PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH, Refusal,
};
use crate::key::{Key, Scope};
use crate::operation::{Halt, Seen};
use crate::parameters::Parameters;

const ADDRESS_ID: &str = "Ipv6AddressId";
const BANDWIDTH_ID: &str = "Ipv6InternetBandwidthId";

/// The ids by which a call names an Internet bandwidth. Their form is not checked: an id of any
/// other form is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BandwidthOf<'p> {
    /// The id of the address that has the bandwidth.
    Address(&'p str),
    /// The id of the bandwidth, and optionally that of its address: Terraform sends both.
    Id(&'p str, Option<&'p str>),
}

impl<'p> BandwidthOf<'p> {
    /// Reads `Ipv6AddressId` and `Ipv6InternetBandwidthId`.
    ///
    /// # Errors
    ///
    /// `missing`: both are absent.
    pub(crate) fn parse(
        parameters: &Parameters<'p>,
        missing: &'static ErrorRow,
    ) -> Result<Self, Refusal> {
        match (parameters.given(BANDWIDTH_ID), parameters.given(ADDRESS_ID)) {
            (Some(id), address_id) => Ok(Self::Id(id, address_id)),
            (None, Some(address_id)) => Ok(Self::Address(address_id)),
            (None, None) => Err(missing.into()),
        }
    }

    fn address_id(self) -> Option<&'p str> {
        match self {
            Self::Address(address_id) => Some(address_id),
            Self::Id(_, address_id) => address_id,
        }
    }

    fn id(self) -> Option<&'p str> {
        match self {
            Self::Address(_) => None,
            Self::Id(id, _) => Some(id),
        }
    }

    /// The given ids by parameter name.
    pub(crate) fn parameters(self) -> impl Iterator<Item = (&'static str, Cow<'p, str>)> {
        [(ADDRESS_ID, self.address_id()), (BANDWIDTH_ID, self.id())]
            .into_iter()
            .filter_map(|(name, id)| Some((name, Cow::Borrowed(id?))))
    }

    /// The keys of the documents that the ids name.
    pub(crate) fn keys(self, scope: Scope<'_>) -> impl Iterator<Item = Key> {
        let owner = self.id().map(|id| InternetBandwidthOwner::key(scope, id));
        let address = self.address_id().map(|id| Ipv6Address::key(scope, id));
        owner.into_iter().chain(address)
    }

    /// The resources that RAM checks: the given bandwidth and the bandwidth of the given address.
    /// Naming the address therefore does not bypass a Deny on its bandwidth (decision
    /// `deny-by-address`).
    pub(crate) fn resources(
        parameters: &Parameters<'_>,
        scope: Scope<'_>,
        seen: &Seen,
    ) -> Vec<String> {
        let given = parameters.given(BANDWIDTH_ID);
        let address = parameters.given(ADDRESS_ID).map(|id| Ipv6Address::at(scope, id));
        let of_address = address
            .and_then(|at| seen.get::<Ipv6Address>(at).ok().flatten())
            .and_then(|address| address.ipv6_internet_bandwidth.as_ref())
            .map(|bandwidth| bandwidth.internet_bandwidth_id.as_ref())
            .filter(|id| given != Some(*id));
        let resources: Vec<_> =
            given.into_iter().chain(of_address).map(|id| format!("ipv6bandwidth/{id}")).collect();
        if resources.is_empty() { vec!["ipv6bandwidth/*".to_owned()] } else { resources }
    }

    /// The bandwidth and the address that has it (decision `bandwidth-ids`).
    ///
    /// # Errors
    ///
    /// In this order: an id is not found in the account and region; the ids belong to different
    /// instances; the address has no bandwidth; the address is being changed.
    pub(crate) fn find<'s>(
        self,
        scope: Scope<'_>,
        seen: &'s Seen,
    ) -> Result<(&'s Ipv6Address, &'s InternetBandwidth), Halt> {
        let (address, bandwidth) = match self {
            Self::Address(address_id) => {
                let address = find_address(scope, address_id, seen)?;
                let bandwidth = address
                    .ipv6_internet_bandwidth
                    .as_ref()
                    .ok_or(&OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST)?;
                (address, bandwidth)
            }
            Self::Id(id, address_id) => {
                let owner = seen
                    .get::<InternetBandwidthOwner>(InternetBandwidthOwner::at(scope, id))?
                    .ok_or(&INVALID_IPV6_INSTANCE_NOT_FOUND)?;
                let named = address_id.map(|id| find_address(scope, id, seen)).transpose()?;
                let address = find_address(scope, &owner.ipv6_address_id, seen)?;
                if named.is_some_and(|named| named.ipv6_address_id != address.ipv6_address_id) {
                    return Err((&PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH).into());
                }
                // The bandwidth may have been deleted between the reads of owner and address.
                let bandwidth = address
                    .ipv6_internet_bandwidth
                    .as_ref()
                    .filter(|bandwidth| *bandwidth.internet_bandwidth_id == *id)
                    .ok_or(&INVALID_IPV6_INSTANCE_NOT_FOUND)?;
                (address, bandwidth)
            }
        };
        match address.status {
            Ipv6AddressStatus::Available => Ok((address, bandwidth)),
            Ipv6AddressStatus::Pending | Ipv6AddressStatus::Released => {
                Err((&OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE).into())
            }
        }
    }
}

/// The address with this id. A released address is not found (decision `bandwidth-ids`).
fn find_address<'s>(
    scope: Scope<'_>,
    address_id: &str,
    seen: &'s Seen,
) -> Result<&'s Ipv6Address, Halt> {
    seen.get::<Ipv6Address>(Ipv6Address::at(scope, address_id))?
        .filter(|address| address.status != Ipv6AddressStatus::Released)
        .ok_or_else(|| (&INVALID_IPV6_INSTANCE_NOT_FOUND).into())
}
