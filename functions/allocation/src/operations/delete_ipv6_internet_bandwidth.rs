//! `DeleteIpv6InternetBandwidth`: disables the Internet bandwidth of an IPv6 address.

use std::borrow::Cow;

use crate::bandwidth_of::BandwidthOf;
use crate::document::{InternetBandwidthOwner, Ipv6Address};
use crate::error::{
    DRY_RUN_OPERATION, ErrorRow, IDEMPOTENT_PARAMETER_MISMATCH,
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED, INVALID_DRY_RUN, INVALID_IPV6_INSTANCE_NOT_FOUND,
    INVALID_REGION_ID_NOT_FOUND, MISSING_REGION_ID, OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST,
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE, PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH, Refusal,
    errors,
};
use crate::key::{Key, Scope};
use crate::operation::{Done, Fresh, Halt, Operation, Outcome, Seen, Write};
use crate::parameters::Parameters;

// Decision `delete-order`.
errors! {
    MISSING_REGION_ID;
    INVALID_REGION_ID_NOT_FOUND;
    /// Both ids are absent.
    BOTH_EMPTY_PARAM = 400, "BothEmptyParam.Ipv6AddressIdAndIpv6InternetBandwidthId",
        "Either %s or %s should be specified.", "Ipv6AddressId", "Ipv6InternetBandwidthId";
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED;
    INVALID_DRY_RUN;
    IDEMPOTENT_PARAMETER_MISMATCH;
    INVALID_IPV6_INSTANCE_NOT_FOUND;
    PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH;
    OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST;
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE;
    /// Another cloud service manages the address (decision `service-managed`).
    OPERATION_FAILED_SERVICE_MANAGED = 404, "OperationFailed.ServiceManaged",
        "Operation is forbidden because this instance belongs to Service manager.";
    DRY_RUN_OPERATION;
}

/// The operation.
#[derive(Debug)]
pub struct DeleteIpv6InternetBandwidth;

/// The parameters of a call, all valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'p> {
    bandwidth_of: BandwidthOf<'p>,
}

impl Operation for DeleteIpv6InternetBandwidth {
    const NAME: &'static str = "DeleteIpv6InternetBandwidth";
    const ERRORS: &'static [&'static ErrorRow] = ERRORS;
    const JSON: &'static [&'static str] = &["RequestId"];
    const XML: &'static [&'static str] = Self::JSON;

    const CHANGES: bool = true;

    type Call<'p> = Call<'p>;
    type Answer<'s> = Done;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Call<'p>, Refusal> {
        Ok(Call { bandwidth_of: BandwidthOf::parse(parameters, &BOTH_EMPTY_PARAM)? })
    }

    fn first(call: &Call<'_>, scope: Scope<'_>) -> Vec<Key> {
        call.bandwidth_of.keys(scope).collect()
    }

    fn resources(parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        BandwidthOf::resources(parameters, scope, seen)
    }

    fn compared<'c>(call: &'c Call<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        call.bandwidth_of.parameters().collect()
    }

    /// A bandwidth that is locked for an overdue bill can be deleted (decision `delete-locked`).
    fn decide<'s>(
        call: &'s Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        _fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Done>, Halt> {
        let (address, bandwidth) = call.bandwidth_of.find(scope, seen)?;
        if address.service_managed {
            return Err((&OPERATION_FAILED_SERVICE_MANAGED).into());
        }
        let owner = InternetBandwidthOwner::key(scope, &bandwidth.internet_bandwidth_id);
        let changed = Ipv6Address { ipv6_internet_bandwidth: None, ..address.clone() };
        Ok(Outcome::Commit {
            changes: vec![Write::Put(changed.into()), Write::Delete(owner)],
            answer: Done {},
            taken: Vec::new(),
        })
    }
}

#[cfg(test)]
#[path = "delete_ipv6_internet_bandwidth/tests.rs"]
mod tests;
