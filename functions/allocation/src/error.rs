//! The documented errors.
//!
//! This file has the errors that several operations or the readers of parameters use. The errors of
//! one operation are in that operation's file. Each operation lists its errors in checking order.

use std::fmt;

/// A documented error.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRow {
    /// The code in the answer.
    pub code: &'static str,
    /// The HTTP status. Clients retry a 5xx and never a 4xx.
    pub status: u16,
    /// The documented message, with `%s` as placeholders.
    pub message: &'static str,
    /// The values of the placeholders. If empty, they are the part of the code after its dot, then
    /// the subject (decision `fills`).
    pub fills: &'static [&'static str],
}

impl ErrorRow {
    /// A row whose placeholders are filled by decision `fills`.
    #[must_use]
    pub const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { code, status, message, fills: &[] }
    }

    /// Whether the message names the call's resource.
    #[must_use]
    pub fn names_a_resource(&self) -> bool {
        self.fills.is_empty() && self.message.matches("%s").count() > 1
    }
}

/// Rows with the same code are equal: within an operation a code has one row.
impl PartialEq for ErrorRow {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for ErrorRow {}

/// A call that a rule refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The documented error.
    pub row: &'static ErrorRow,
    /// The id of the resource, if the message names it.
    pub subject: Option<Box<str>>,
}

impl Refusal {
    /// The error `row` about the resource `subject`.
    #[must_use]
    pub fn about(row: &'static ErrorRow, subject: &str) -> Self {
        Self { row, subject: Some(subject.into()) }
    }
}

impl From<&'static ErrorRow> for Refusal {
    fn from(row: &'static ErrorRow) -> Self {
        Self { row, subject: None }
    }
}

/// Writes the documented message with its placeholders filled (decision `fills`).
impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.row.code.split_once('.').map_or("", |(_, reason)| reason);
        let of_code = [reason, self.subject.as_deref().unwrap_or_default()];
        let fills = if self.row.fills.is_empty() { &of_code[..] } else { self.row.fills };
        let mut parts = self.row.message.split("%s");
        formatter.write_str(parts.next().unwrap_or_default())?;
        for (fill, part) in fills.iter().zip(parts) {
            write!(formatter, "{fill}{part}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Declares rows that several operations share: the name, status, code and message of each, and the
/// values of the placeholders where decision `fills` does not give them.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident =
        $status:literal, $code:literal, $message:literal $(, $fill:literal)*;)+) => {
        $($(#[$doc])*
        pub static $name: ErrorRow =
            ErrorRow { fills: &[$($fill),*], ..ErrorRow::new($status, $code, $message) };)+
    };
}

/// Declares the errors of an operation, `ERRORS`, in checking order: rows of its own, in the syntax
/// of [`rows`], and the names of shared ones.
macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident
        $(= $status:literal, $code:literal, $message:literal $(, $fill:literal)*)?;)+) => {
        $($(#[$doc])*
        $(static $name: ErrorRow =
            ErrorRow { fills: &[$($fill),*], ..ErrorRow::new($status, $code, $message) };)?)+

        const ERRORS: &[&ErrorRow] = &[$(&$name),+];
    };
}
pub(crate) use errors;

rows! {
    /// `RegionId` is absent or empty. The page names no code for it: decision `missing`.
    MISSING_REGION_ID = 400, "MissingRegionId", "RegionId is mandatory for this action.";
    /// `RegionId` is not one of the vendor's regions (decision `region`).
    INVALID_REGION_ID_NOT_FOUND = 404, "InvalidRegionId.NotFound",
        "The specified RegionId does not exist in our records.";
    /// "The error message returned because `Ipv6InstanceId` is not set."
    MISSING_PARAM_IPV6_INSTANCE_ID = 400, "MissingParam.Ipv6InstanceId",
        "The param of Ipv6InstanceId is missing.";
    /// `Bandwidth` is absent or empty. The page names no code for it: decision `missing`.
    MISSING_BANDWIDTH = 400, "MissingBandwidth", "Bandwidth is mandatory for this action.";
    /// "The IPv6 address is invalid.": the id is malformed (decision `id-form`).
    ILLEGAL_PARAM_IPV6_ADDRESS = 400, "IllegalParam.Ipv6Address", "The param of %s is illegal.";
    /// `ClientToken` is not ASCII or is longer than 64 characters (decision `token`).
    INVALID_CLIENT_TOKEN_VALUE_NOT_SUPPORTED = 400, "InvalidClientToken.ValueNotSupported",
        "The ClientToken provided is invalid.";
    /// `DryRun` is neither true nor false (decision `boolean-form`).
    INVALID_DRY_RUN = 400, "InvalidDryRun", "Specified parameter DryRun is not valid.";
    /// `PageNumber` is not a whole number of at least 1 (decision `page-size`).
    INVALID_PAGE_NUMBER = 400, "InvalidPageNumber", "Specified parameter PageNumber is not valid.";
    /// `PageSize` is not a whole number of at least 1 (decision `page-size`).
    INVALID_PAGE_SIZE = 400, "InvalidPageSize", "Specified parameter PageSize is not valid.";
    /// The call repeats a `ClientToken` with other parameters (decision `token`).
    IDEMPOTENT_PARAMETER_MISMATCH = 400, "IdempotentParameterMismatch",
        "The request is retried with updated parameters.";
    /// The address or bandwidth does not exist in the caller's account and region (decisions
    /// `not-found` and `bandwidth-ids`).
    INVALID_IPV6_INSTANCE_NOT_FOUND = 400, "InvalidIpv6Instance.NotFound",
        "The specified Ipv6AddressId or Ipv6InternetBandwidthId is not found.";
    /// The address and the bandwidth belong to different instances (decision `bandwidth-ids`).
    PARAM_EXCLUSIVE_ADDRESS_AND_BANDWIDTH = 400,
        "ParamExclusive.Ipv6AddressIdAndIpv6InternetBandwidthId",
        "Ipv6AddressId and Ipv6InternetBandwidthId is mutually exclusive.";
    /// The address has no bandwidth (decision `no-bandwidth`).
    OPERATION_FAILED_INTERNET_BANDWIDTH_NON_EXIST = 400,
        "OperationFailed.InternetBandwidthNonExist",
        "The operation is forbidden because of InternetBandwidthNonExist.";
    /// The address that has the bandwidth is being changed (decision `bandwidth-unstable`).
    OPERATION_FAILED_INTERNET_BANDWIDTH_UNSTABLE = 400, "OperationFailed.InternetBandwidthUnstable",
        "The operation is forbidden because of InternetBandwidthUnstable.";
    /// "Failed to query the account information when the order is placed." (decision `billing`).
    OPERATION_FAILED_QUERY_ACCOUNT_INFO = 500, "OperationFailed.QueryAccountInfo",
        "Query account info failed when create order.";
    /// "If the check succeeds, the error code `DryRunOperation` is returned." (decision `dry-run`).
    DRY_RUN_OPERATION = 400, "DryRunOperation",
        "Request validation has been passed with DryRun flag set.";
    /// "The system is busy. Please try again later.": the store failed or commits kept conflicting
    /// (decision `busy`). No operation returns it.
    SYSTEM_BUSY = 500, "SystemBusy", "The system is busy. Please try again later.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_filled_with_the_part_of_the_code_after_its_dot() {
        let message = Refusal::from(&ILLEGAL_PARAM_IPV6_ADDRESS).to_string();
        assert_eq!(message, "The param of Ipv6Address is illegal.");
    }

    #[test]
    fn a_second_placeholder_is_filled_with_the_subject_or_with_what_the_row_says() {
        static STATUS: ErrorRow =
            ErrorRow::new(400, "Incorrect.X", "The status of %s [%s] is bad.");
        static EITHER: ErrorRow =
            ErrorRow { fills: &["A", "B"], ..ErrorRow::new(400, "E.F", "Either %s or %s.") };
        let refusal = Refusal::about(&STATUS, "ipv6-1");
        assert_eq!(refusal.to_string(), "The status of X [ipv6-1] is bad.");
        assert_eq!(Refusal::from(&EITHER).to_string(), "Either A or B.");
    }
}
