//! The documented errors, in the order in which the rules check them.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* ($status:literal, $variant:ident, $code:literal, $message:literal);)+) => {
        /// A documented error code.
        ///
        /// The variants stand in checking order: where several apply, the one listed first is
        /// answered. The page gives no order between its codes; decision `rule-order` does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)+
        }

        impl ErrorCode {
            /// Every code, in checking order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it goes over the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status. Clients retry a 5xx and never a 4xx.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The message as documented, its `%s` not yet filled.
            #[must_use]
            pub const fn template(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

error_codes! {
    /// `RegionId` is absent or empty. The page names no code for it: decision `missing`.
    (400, MissingRegionId, "MissingRegionId", "RegionId is mandatory for this action.");
    /// `RegionId` is not one of the vendor's regions (decision `region`).
    (404, InvalidRegionIdNotFound, "InvalidRegionId.NotFound",
        "The specified RegionId does not exist in our records.");
    /// "The error message returned because `Ipv6InstanceId` is not set."
    (400, MissingParamIpv6InstanceId, "MissingParam.Ipv6InstanceId",
        "The param of Ipv6InstanceId is missing.");
    /// `Bandwidth` is absent or empty. The page names no code for it: decision `missing`.
    (400, MissingBandwidth, "MissingBandwidth", "Bandwidth is mandatory for this action.");
    /// "The IPv6 address is invalid.": the id has not the form of one (decision `id-form`).
    (400, IllegalParamIpv6Address, "IllegalParam.Ipv6Address", "The param of %s is illegal.");
    /// "Invalid `ChargeType` value.": of the older parameter `InstanceChargeType` (decision
    /// `charge-type`).
    (400, IllegalParamChargeType, "IllegalParam.ChargeType", "The param of %s is illegal.");
    /// "Invalid `InternetChargeType` value."
    (400, IllegalParamInternetChargeType, "IllegalParam.InternetChargeType",
        "The param of %s is illegal.");
    /// "IPv6 Internet bandwidth does not support the subscription billing method."
    (400, OperationUnsupportedPrePaid, "OperationUnsupported.PrePaid", "%s is unsupported.");
    /// "Invalid Bandwidth value.": no whole number (decision `bandwidth-form`), or outside the
    /// range of the charge type.
    (400, IllegalParamBandwidth, "IllegalParam.Bandwidth", "The param of %s is illegal.");
    /// `ClientToken` holds more than ASCII or is longer than 64 characters (decision `token`).
    (400, InvalidClientTokenValueNotSupported, "InvalidClientToken.ValueNotSupported",
        "The ClientToken provided is invalid.");
    /// `DryRun` is neither true nor false (decision `boolean-form`).
    (400, InvalidDryRun, "InvalidDryRun", "Specified parameter DryRun is not valid.");
    /// A remembered `ClientToken` came back with other parameters (decision `token`).
    (400, IdempotentParameterMismatch, "IdempotentParameterMismatch",
        "The request is retried with updated parameters.");
    /// No such address in the caller's account and region (decision `not-found`).
    (400, InvalidIpv6InstanceNotFound, "InvalidIpv6Instance.NotFound",
        "The specified Ipv6AddressId or Ipv6InternetBandwidthId is not found.");
    /// "The IPv6 address is not found.": it was there and has been released (decision
    /// `not-found`).
    (404, ResourceNotFoundIpv6Address, "ResourceNotFound.Ipv6Address",
        "The specified resource of %s is not found.");
    /// "The IPv6 address is in an unstable state." (decision `unstable`).
    (400, IncorrectStatusIpv6Instance, "IncorrectStatus.Ipv6Instance",
        "The status of %s [%s] is incorrect.");
    /// "This operation does not support ULA addresses." (decision `ula`).
    (400, OperationUnsupportedUla, "OperationUnsupported.ULA", "%s is unsupported.");
    /// "This operation does not support private GUA addresses." (decision `private-gua`).
    (400, OperationUnsupportedPrivateGua, "OperationUnsupported.PrivateGUA",
        "This operation does not support private GUA addresses.");
    /// The address is bound to a cloud service instance (decision `bind-type`).
    (400, OperationDeniedUnSupportedBindTypeCloudInstance,
        "OperationDenied.UnSupportedBindTypeCloudInstance",
        "Internet bandwidth cannot be allocated to the IPv6 address bound to the cloud service instance.");
    /// "No IPv6 gateway exists in the VPC to which the IPv6 address belongs."
    (400, OperationFailedIpv6GatewayNotExist, "OperationFailed.Ipv6GatewayNotExist",
        "The operation is failed because of %s.");
    /// "The IPv6 address and IPv6 gateway do not belong to the same VPC."
    (400, OperationFailedIpv6GatewayDisMatchIpv6Address,
        "OperationFailed.Ipv6GatewayDisMatchIpv6Address", "The operation is failed because of %s.");
    /// "Internet bandwidth is already enabled for the IPv6 address."
    (400, OperationFailedInternetBandwidthAlreadyExisted,
        "OperationFailed.InternetBandwidthAlreadyExisted", "The operation is failed because of %s.");
    /// "The status of the IPv6 address does not support the billing method." (decision
    /// `free-address`).
    (400, UnsupportedFeatureInternetChargeTypeOnFreeIpv6Address,
        "UnsupportedFeature.InternetChargeTypeOnFreeIpv6Address",
        "The feature of %s is not supported.");
    /// "The IPv6 address is of the single ISP type and does not support the billing method."
    /// (decision `static-isp`).
    (400, UnsupportedFeatureInternetChargeTypeOnStaticIsp,
        "UnsupportedFeature.InternetChargeTypeOnStaticIsp", "The feature of %s is not supported.");
    /// "Failed to query the account information when the order is placed." (decision `billing`).
    (500, OperationFailedQueryAccountInfo, "OperationFailed.QueryAccountInfo",
        "Query account info failed when create order.");
    /// "The billing method requires CDT billing enabled." (decision `cdt`).
    (400, OperationFailedOpenCdtServiceFirst, "OperationFailed.OpenCdtServiceFirst",
        "The operation is failed because of %s.");
    /// "The instance type you specified to purchase needs to be upgraded to CDT billing."
    (400, OperationFailedUpgradeCdtServiceFirst, "OperationFailed.UpgradeCdtServiceFirst",
        "The operation is failed because of cdt is not upgraded.");
    /// The account may not buy. The page describes this row not at all: decision `billing`.
    (500, OperationFailedSaleValidate, "OperationFailed.SaleValidate",
        "Validate sale condition with subArticle failed.");
    /// "If the check succeeds, the error code `DryRunOperation` is returned." (decision `dry-run`).
    (400, DryRunOperation, "DryRunOperation",
        "Request validation has been passed with DryRun flag set.");
    /// "The system is busy. Please try again later.": the store failed or was too contended
    /// (decision `busy`). No rule answers it.
    (500, SystemBusy, "SystemBusy", "The system is busy. Please try again later.");
}

impl ErrorCode {
    /// Finds a code by its wire form.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == code)
    }

    /// What the first `%s` is filled with: the part of the code after its dot (decision `fills`).
    fn reason(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(_, reason)| reason)
    }
}

/// One documented error, ready to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which documented error.
    pub code: ErrorCode,
    /// What the second `%s` of the message is filled with: the id of the resource, where the
    /// message names one.
    pub subject: Option<String>,
}

impl Error {
    /// The error `code` about the resource `subject`.
    #[must_use]
    pub fn about(code: ErrorCode, subject: &str) -> Self {
        Self { code, subject: Some(subject.to_owned()) }
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self { code, subject: None }
    }
}

/// The documented message, its `%s` filled (decision `fills`).
impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = self.code.template().split("%s");
        formatter.write_str(parts.next().unwrap_or_default())?;
        let fills = [self.code.reason(), self.subject.as_deref().unwrap_or_default()];
        for (fill, part) in fills.into_iter().zip(parts) {
            write!(formatter, "{fill}{part}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_filled_with_the_part_of_the_code_after_its_dot() {
        let message = Error::from(ErrorCode::OperationUnsupportedUla).to_string();
        assert_eq!(message, "ULA is unsupported.");
    }

    #[test]
    fn the_status_message_names_the_instance_then_the_address() {
        let error = Error::about(ErrorCode::IncorrectStatusIpv6Instance, "ipv6-1");
        assert_eq!(error.to_string(), "The status of Ipv6Instance [ipv6-1] is incorrect.");
    }

    #[test]
    fn no_message_leaves_a_placeholder_behind() {
        for code in ErrorCode::ALL {
            let message = Error::about(*code, "ipv6-1").to_string();
            assert!(!message.contains("%s") && !message.contains("[]"), "{code:?}: {message}");
        }
    }

    #[test]
    fn every_code_is_found_by_its_wire_form() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::parse("illegalparam.bandwidth"), None);
    }
}
