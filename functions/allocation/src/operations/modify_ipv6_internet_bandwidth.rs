//! `ModifyIpv6InternetBandwidth`: changes the Internet bandwidth of an IPv6 address.

use std::borrow::Cow;

use crate::bandwidth_of::BandwidthOf;
use crate::document::{Account, BusinessStatus, InternetBandwidth, Ipv6Address};
use crate::error::{
    DRY_RUN_OPERATION, ErrorRow, IDEMPOTENT_PARAMETER_MISMATCH,
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED, INVALID_DRY_RUN, INVALID_IPV6_INSTANCE_NOT_FOUND,
    INVALID_REGION_ID_NOT_FOUND, MISSING_BANDWIDTH, MISSING_PARAM_IPV6_INSTANCE_ID,
    MISSING_REGION_ID, OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST,
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE, OPERATION_FAILED_QUERY_ACCOUNT_INFO,
    PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH, Refusal, errors,
};
use crate::key::{Key, Scope};
use crate::operation::{Done, Fresh, Halt, Operation, Outcome, Seen, Write};
use crate::parameters::{Parameters, whole_number};

// Decision `modify-order`.
errors! {
    MISSING_REGION_ID;
    INVALID_REGION_ID_NOT_FOUND;
    MISSING_PARAM_IPV6_INSTANCE_ID;
    MISSING_BANDWIDTH;
    /// `Bandwidth` is 0 or not a whole number (decision `modify-bandwidth`).
    ILLEGAL_PARAM_BANDWIDTH = 400, "IllegalParam.Bandwidth", "The param of bandwidth is illegal.";
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED;
    INVALID_DRY_RUN;
    IDEMPOTENT_PARAMETER_MISMATCH;
    INVALID_IPV6_INSTANCE_NOT_FOUND;
    PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH;
    OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST;
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE;
    /// The bandwidth is locked for an overdue bill (decision `modify-locked`).
    OPERATION_UNSUPPORTED_FINANCIAL_LOCKED = 400, "OperationUnsupported.FinancialLocked",
        "The operation is forbidden because of financialLocked.";
    /// `Bandwidth` exceeds the maximum of the charge type (decision `modify-bandwidth`).
    OPERATION_FAILED_BANDWIDTH_EXCEED_LIMIT = 400, "OperationFailed.BandwidthExceedLimit",
        "The operation is forbidden because of BandwidthExceedLimit.";
    OPERATION_FAILED_QUERY_ACCOUNT_INFO;
    /// The account may not buy (decision `modify-billing`). The status is this operation's own.
    OPERATION_FAILED_SALE_VALIDATE = 404, "OperationFailed.SaleValidate",
        "Validate sale condition with subArticle failed.";
    DRY_RUN_OPERATION;
    /// A part of the vendor's service failed that is not modelled here. No rule answers it.
    OPERATION_FAILED_QUERY_SP_INFO = 500, "OperationFailed.QuerySpInfo",
        "query resource by sp error";
    /// A part of the vendor's service failed that is not modelled here. No rule answers it.
    OPERATION_FAILED_SYNC_TRADE_RESOURCE = 500, "OperationFailed.SyncTradeResource",
        "Resource transaction information synchronization failed";
}

/// The operation.
#[derive(Debug)]
pub struct ModifyIpv6InternetBandwidth;

/// The parameters of a call, all valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'p> {
    bandwidth_of: BandwidthOf<'p>,
    /// At least 1, in Mbit/s; it may exceed the maximum of the charge type.
    bandwidth_mbps: u64,
}

impl Operation for ModifyIpv6InternetBandwidth {
    const NAME: &'static str = "ModifyIpv6InternetBandwidth";
    const ERRORS: &'static [&'static ErrorRow] = ERRORS;
    const JSON: &'static [&'static str] = &["RequestId"];
    const XML: &'static [&'static str] = Self::JSON;

    const CHANGES: bool = true;

    type Call<'p> = Call<'p>;
    type Answer<'s> = Done;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Call<'p>, Refusal> {
        let bandwidth_of = BandwidthOf::parse(parameters, &MISSING_PARAM_IPV6_INSTANCE_ID)?;
        let bandwidth = parameters.required("Bandwidth", &MISSING_BANDWIDTH)?;
        let bandwidth_mbps = whole_number(bandwidth)
            .filter(|bandwidth_mbps| *bandwidth_mbps > 0)
            .ok_or(&ILLEGAL_PARAM_BANDWIDTH)?;
        Ok(Call { bandwidth_of, bandwidth_mbps })
    }

    fn first(call: &Call<'_>, scope: Scope<'_>) -> Vec<Key> {
        let account = Account::key(scope.account_id);
        [account].into_iter().chain(call.bandwidth_of.keys(scope)).collect()
    }

    fn resources(parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        BandwidthOf::resources(parameters, scope, seen)
    }

    fn compared<'c>(call: &'c Call<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        let bandwidth = ("Bandwidth", Cow::Owned(call.bandwidth_mbps.to_string()));
        call.bandwidth_of.parameters().chain([bandwidth]).collect()
    }

    fn decide<'s>(
        call: &'s Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        _fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Done>, Halt> {
        let (address, bandwidth) = call.bandwidth_of.find(scope, seen)?;
        match bandwidth.business_status {
            BusinessStatus::FinancialLocked => {
                return Err((&OPERATION_UNSUPPORTED_FINANCIAL_LOCKED).into());
            }
            BusinessStatus::Normal | BusinessStatus::SecurityLocked => {}
        }
        let bandwidth_mbps = u16::try_from(call.bandwidth_mbps)
            .ok()
            .filter(|mbps| *mbps <= bandwidth.internet_charge_type.bandwidth_mbps_max())
            .ok_or(&OPERATION_FAILED_BANDWIDTH_EXCEED_LIMIT)?;
        let billing = seen
            .get::<Account>(Account::at(scope.account_id))?
            .and_then(|account| account.billing)
            .ok_or(&OPERATION_FAILED_QUERY_ACCOUNT_INFO)?;
        if !billing.sale_status.allows_sale() {
            return Err((&OPERATION_FAILED_SALE_VALIDATE).into());
        }
        let changed = Ipv6Address {
            ipv6_internet_bandwidth: Some(InternetBandwidth {
                bandwidth_mbps,
                ..bandwidth.clone()
            }),
            ..address.clone()
        };
        Ok(Outcome::Commit {
            changes: vec![Write::Put(changed.into())],
            answer: Done {},
            taken: Vec::new(),
        })
    }
}

#[cfg(test)]
#[path = "modify_ipv6_internet_bandwidth/tests.rs"]
mod tests;
