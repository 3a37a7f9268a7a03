//! `AllocateIpv6InternetBandwidth`: enables Internet bandwidth for an IPv6 address.

use std::borrow::Cow;

use serde::Serialize;

use crate::document::{
    Account, BusinessStatus, CdtStatus, InstanceChargeType, InternetBandwidth, InternetChargeType,
    Ipv6Address, Ipv6AddressStatus, Ipv6Gateway, Resource, Vpc, is_ipv6_address_id,
};
use crate::error::{
    DRY_RUN_OPERATION, ErrorRow, IDEMPOTENT_PARAMETER_MISMATCH, ILLEGAL_PARAM_IPV6_ADDRESS,
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED, INVALID_DRY_RUN, INVALID_IPV6_INSTANCE_NOT_FOUND,
    INVALID_REGION_ID_NOT_FOUND, MISSING_BANDWIDTH, MISSING_PARAM_IPV6_INSTANCE_ID,
    MISSING_REGION_ID, OPERATION_FAILED_QUERY_ACCOUNT_INFO, Refusal, errors,
};
use crate::key::{Key, Scope};
use crate::kind::Kind as _;
use crate::operation::{Fresh, Halt, Operation, Outcome, Seen, Write};
use crate::parameters::{Parameters, whole_number};
use crate::texts::Texts;

// The page gives no order between its codes; decision `rule-order` does.
errors! {
    MISSING_REGION_ID;
    INVALID_REGION_ID_NOT_FOUND;
    MISSING_PARAM_IPV6_INSTANCE_ID;
    MISSING_BANDWIDTH;
    ILLEGAL_PARAM_IPV6_ADDRESS;
    /// "Invalid `ChargeType` value.": of the older parameter `InstanceChargeType` (decision
    /// `charge-type`).
    ILLEGAL_PARAM_CHARGE_TYPE = 400, "IllegalParam.ChargeType", "The param of %s is illegal.";
    /// "Invalid `InternetChargeType` value."
    ILLEGAL_PARAM_INTERNET_CHARGE_TYPE = 400, "IllegalParam.InternetChargeType",
        "The param of %s is illegal.";
    /// "IPv6 Internet bandwidth does not support the subscription billing method."
    OPERATION_UNSUPPORTED_PRE_PAID = 400, "OperationUnsupported.PrePaid", "%s is unsupported.";
    /// "Invalid Bandwidth value.": not a whole number (decision `bandwidth-form`), or outside the
    /// range of the charge type.
    ILLEGAL_PARAM_BANDWIDTH = 400, "IllegalParam.Bandwidth", "The param of %s is illegal.";
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED;
    INVALID_DRY_RUN;
    IDEMPOTENT_PARAMETER_MISMATCH;
    INVALID_IPV6_INSTANCE_NOT_FOUND;
    /// "The IPv6 address is not found.": the address has been released (decision `not-found`).
    RESOURCE_NOT_FOUND_IPV6_ADDRESS = 404, "ResourceNotFound.Ipv6Address",
        "The specified resource of %s is not found.";
    /// "The IPv6 address is in an unstable state." (decision `unstable`).
    INCORRECT_STATUS_IPV6_INSTANCE = 400, "IncorrectStatus.Ipv6Instance",
        "The status of %s [%s] is incorrect.";
    /// "This operation does not support ULA addresses." (decision `ula`).
    OPERATION_UNSUPPORTED_ULA = 400, "OperationUnsupported.ULA", "%s is unsupported.";
    /// "This operation does not support private GUA addresses." (decision `private-gua`).
    OPERATION_UNSUPPORTED_PRIVATE_GUA = 400, "OperationUnsupported.PrivateGUA",
        "This operation does not support private GUA addresses.";
    /// The address is bound to a cloud service instance (decision `bind-type`).
    OPERATION_DENIED_BIND_TYPE = 400, "OperationDenied.UnSupportedBindTypeCloudInstance",
        "Internet bandwidth cannot be allocated to the IPv6 address bound to the cloud service instance.";
    /// "No IPv6 gateway exists in the VPC to which the IPv6 address belongs."
    OPERATION_FAILED_GATEWAY_NOT_EXIST = 400, "OperationFailed.Ipv6GatewayNotExist",
        "The operation is failed because of %s.";
    /// "The IPv6 address and IPv6 gateway do not belong to the same VPC."
    OPERATION_FAILED_GATEWAY_DIS_MATCH = 400, "OperationFailed.Ipv6GatewayDisMatchIpv6Address",
        "The operation is failed because of %s.";
    /// "Internet bandwidth is already enabled for the IPv6 address."
    OPERATION_FAILED_ALREADY_EXISTED = 400, "OperationFailed.InternetBandwidthAlreadyExisted",
        "The operation is failed because of %s.";
    /// "The status of the IPv6 address does not support the billing method." (decision
    /// `free-address`).
    UNSUPPORTED_ON_FREE_ADDRESS = 400, "UnsupportedFeature.InternetChargeTypeOnFreeIpv6Address",
        "The feature of %s is not supported.";
    /// "The IPv6 address is of the single ISP type and does not support the billing method."
    /// (decision `static-isp`).
    UNSUPPORTED_ON_STATIC_ISP = 400, "UnsupportedFeature.InternetChargeTypeOnStaticIsp",
        "The feature of %s is not supported.";
    OPERATION_FAILED_QUERY_ACCOUNT_INFO;
    /// "The billing method requires CDT billing enabled." (decision `cdt`).
    OPERATION_FAILED_OPEN_CDT = 400, "OperationFailed.OpenCdtServiceFirst",
        "The operation is failed because of %s.";
    /// "The instance type you specified to purchase needs to be upgraded to CDT billing."
    OPERATION_FAILED_UPGRADE_CDT = 400, "OperationFailed.UpgradeCdtServiceFirst",
        "The operation is failed because of cdt is not upgraded.";
    /// The account may not buy. The page does not describe this row: decision `billing`.
    OPERATION_FAILED_SALE_VALIDATE = 500, "OperationFailed.SaleValidate",
        "Validate sale condition with subArticle failed.";
    DRY_RUN_OPERATION;
}

/// The operation.
#[derive(Debug)]
pub struct AllocateIpv6InternetBandwidth;

/// The parameters of a call, all valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'p> {
    /// The gateway; by default that of the address's VPC.
    ipv6_gateway_id: Option<&'p str>,
    /// `ipv6-…`.
    ipv6_address_id: &'p str,
    /// How the bandwidth is billed. The page: "`PayByBandwidth` (default)".
    internet_charge_type: InternetChargeType,
    /// Within the range of the charge type, in Mbit/s.
    bandwidth_mbps: u16,
}

/// The elements of a successful answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer<'s> {
    ipv6_address_id: &'s str,
    internet_bandwidth_id: Box<str>,
}

impl Operation for AllocateIpv6InternetBandwidth {
    const NAME: &'static str = "AllocateIpv6InternetBandwidth";
    const ERRORS: &'static [&'static ErrorRow] = ERRORS;
    const JSON: &'static [&'static str] = &["Ipv6AddressId", "RequestId", "InternetBandwidthId"];
    const XML: &'static [&'static str] = &["RequestId", "InternetBandwidthId", "Ipv6AddressId"];
    /// By default the VPC's gateway.
    const DEFAULTED_FROM_STATE: &'static [&'static str] = &["Ipv6GatewayId"];

    const CHANGES: bool = true;

    type Call<'p> = Call<'p>;
    type Answer<'s> = Answer<'s>;

    /// Checks first for missing parameters, then for invalid ones (decisions `missing-order` and
    /// `charge-type-order`).
    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Call<'p>, Refusal> {
        let ipv6_address_id =
            parameters.required("Ipv6AddressId", &MISSING_PARAM_IPV6_INSTANCE_ID)?;
        let bandwidth = parameters.required("Bandwidth", &MISSING_BANDWIDTH)?;

        if !is_ipv6_address_id(ipv6_address_id) {
            return Err((&ILLEGAL_PARAM_IPV6_ADDRESS).into());
        }
        // The page keeps the rows of a parameter that it no longer lists (decision `charge-type`).
        let instance_charge_types =
            [parameters.given("InstanceChargeType"), parameters.given("ChargeType")];
        let mut instance_charge_types = instance_charge_types.into_iter().flatten();
        if instance_charge_types.clone().any(|value| !matches!(value, "PostPaid" | "PrePaid")) {
            return Err((&ILLEGAL_PARAM_CHARGE_TYPE).into());
        }
        let internet_charge_type = match parameters.given("InternetChargeType") {
            Some(value) => {
                InternetChargeType::parse(value).ok_or(&ILLEGAL_PARAM_INTERNET_CHARGE_TYPE)?
            }
            None => InternetChargeType::default(),
        };
        if instance_charge_types.any(|value| value == "PrePaid") {
            return Err((&OPERATION_UNSUPPORTED_PRE_PAID).into());
        }
        let bandwidth_mbps = whole_number(bandwidth)
            .and_then(|mbps| u16::try_from(mbps).ok())
            .filter(|mbps| (1..=internet_charge_type.bandwidth_mbps_max()).contains(mbps))
            .ok_or(&ILLEGAL_PARAM_BANDWIDTH)?;
        Ok(Call {
            ipv6_gateway_id: parameters.given("Ipv6GatewayId"),
            ipv6_address_id,
            internet_charge_type,
            bandwidth_mbps,
        })
    }

    fn first(call: &Call<'_>, scope: Scope<'_>) -> Vec<Key> {
        let gateway = call.ipv6_gateway_id.map(|id| Ipv6Gateway::key(scope, id));
        [Account::key(scope.account_id), Ipv6Address::key(scope, call.ipv6_address_id)]
            .into_iter()
            .chain(gateway)
            .collect()
    }

    /// `*`, for the bandwidth does not exist yet.
    fn resources(_: &Parameters<'_>, _: Scope<'_>, _: &Seen) -> Vec<String> {
        vec!["ipv6bandwidth/*".to_owned()]
    }

    fn compared<'c>(call: &'c Call<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        let gateway = call.ipv6_gateway_id.map(|id| ("Ipv6GatewayId", Cow::Borrowed(id)));
        let parameters = [
            ("Ipv6AddressId", Cow::Borrowed(call.ipv6_address_id)),
            ("InternetChargeType", Cow::Borrowed(call.internet_charge_type.as_str())),
            ("Bandwidth", Cow::Owned(call.bandwidth_mbps.to_string())),
        ];
        parameters.into_iter().chain(gateway).collect()
    }

    fn decide<'s>(
        call: &'s Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Answer<'s>>, Halt> {
        // An address of another account or region has another key (decisions `not-found` and
        // `region`).
        let address = seen
            .get::<Ipv6Address>(Ipv6Address::at(scope, call.ipv6_address_id))?
            .ok_or(&INVALID_IPV6_INSTANCE_NOT_FOUND)?;
        call.check_address(address)?;
        let gateway_id = call.gateway_of(address, scope, seen)?;
        if address.ipv6_internet_bandwidth.is_some() {
            return Err((&OPERATION_FAILED_ALREADY_EXISTED).into());
        }
        call.check_billing(address, scope, seen)?;

        // One atomic commit writes address, bandwidth and owner, so a crash cannot leave a half or
        // a second bandwidth.
        let internet_bandwidth_id: Box<str> = fresh.id("ipv6bw-").into();
        let address = Ipv6Address {
            ipv6_internet_bandwidth: Some(InternetBandwidth {
                internet_bandwidth_id: internet_bandwidth_id.clone(),
                internet_charge_type: call.internet_charge_type,
                bandwidth_mbps: call.bandwidth_mbps,
                instance_charge_type: InstanceChargeType::PostPaid,
                business_status: BusinessStatus::Normal,
            }),
            ..address.clone()
        };
        let owner = address.implied();
        Ok(Outcome::Commit {
            changes: [Resource::from(address)].into_iter().chain(owner).map(Write::Put).collect(),
            answer: Answer { ipv6_address_id: call.ipv6_address_id, internet_bandwidth_id },
            taken: vec![("Ipv6GatewayId", gateway_id.to_owned())],
        })
    }

    fn remember(answer: &Answer<'_>) -> Texts {
        let Answer { ipv6_address_id, internet_bandwidth_id } = answer;
        [("Ipv6AddressId", *ipv6_address_id), ("InternetBandwidthId", internet_bandwidth_id)]
            .into_iter()
            .collect()
    }
}

impl Call<'_> {
    /// Checks that the address's status and kind allow bandwidth.
    fn check_address(&self, address: &Ipv6Address) -> Result<(), Refusal> {
        match address.status {
            Ipv6AddressStatus::Available => {}
            Ipv6AddressStatus::Released => return Err((&RESOURCE_NOT_FOUND_IPV6_ADDRESS).into()),
            Ipv6AddressStatus::Pending => {
                return Err(Refusal::about(&INCORRECT_STATUS_IPV6_INSTANCE, self.ipv6_address_id));
            }
        }
        if address.ipv6_address.is_unique_local() {
            return Err((&OPERATION_UNSUPPORTED_ULA).into());
        }
        if address.private_gua {
            return Err((&OPERATION_UNSUPPORTED_PRIVATE_GUA).into());
        }
        if !address.takes_internet_bandwidth() {
            return Err((&OPERATION_DENIED_BIND_TYPE).into());
        }
        Ok(())
    }

    /// The gateway of the address (decision `gateway`). A call that names the gateway needs no
    /// second read, for the gateway names its VPC.
    fn gateway_of<'s>(
        &'s self,
        address: &Ipv6Address,
        scope: Scope<'_>,
        seen: &'s Seen,
    ) -> Result<&'s str, Halt> {
        if let Some(id) = self.ipv6_gateway_id
            && let Some(gateway) = seen.get::<Ipv6Gateway>(Ipv6Gateway::at(scope, id))?
            && gateway.vpc_id == address.vpc_id
        {
            return Ok(id);
        }
        let vpc = seen.get::<Vpc>(Vpc::at(scope, &address.vpc_id))?;
        let gateway_id = vpc
            .and_then(|vpc| vpc.ipv6_gateway_id.as_deref())
            .ok_or(&OPERATION_FAILED_GATEWAY_NOT_EXIST)?;
        match self.ipv6_gateway_id {
            // The same answer whether or not the gateway exists in another VPC.
            Some(id) if id != gateway_id => Err((&OPERATION_FAILED_GATEWAY_DIS_MATCH).into()),
            Some(_) | None => Ok(gateway_id),
        }
    }

    /// Checks that the address and the account allow the charge type.
    fn check_billing(
        &self,
        address: &Ipv6Address,
        scope: Scope<'_>,
        seen: &Seen,
    ) -> Result<(), Halt> {
        let by_traffic = match self.internet_charge_type {
            InternetChargeType::PayByTraffic => true,
            InternetChargeType::PayByBandwidth => false,
        };
        if by_traffic && !address.is_associated() {
            return Err((&UNSUPPORTED_ON_FREE_ADDRESS).into());
        }
        if by_traffic && address.ipv6_isp.is_single() {
            return Err((&UNSUPPORTED_ON_STATIC_ISP).into());
        }
        let billing = seen
            .get::<Account>(Account::at(scope.account_id))?
            .and_then(|account| account.billing)
            .ok_or(&OPERATION_FAILED_QUERY_ACCOUNT_INFO)?;
        match billing.cdt_status {
            CdtStatus::NotOpened if by_traffic => return Err((&OPERATION_FAILED_OPEN_CDT).into()),
            CdtStatus::Opened if by_traffic => return Err((&OPERATION_FAILED_UPGRADE_CDT).into()),
            CdtStatus::NotOpened | CdtStatus::Opened | CdtStatus::Upgraded => {}
        }
        if !billing.sale_status.allows_sale() {
            return Err((&OPERATION_FAILED_SALE_VALIDATE).into());
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "allocate_ipv6_internet_bandwidth/tests.rs"]
mod tests;
