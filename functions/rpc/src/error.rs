//! The errors that all actions share, in the order in which a call is checked (decision
//! `check-order`).

use std::borrow::Cow;
use std::fmt;

/// A gateway error: its code, status and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// The HTTP status.
    pub status: u16,
    /// The code in the answer.
    pub code: &'static str,
    /// The default message.
    pub message: &'static str,
}

macro_rules! gateway_errors {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $message:literal;)+) => {
        $(
            $(#[$doc])*
            pub const $name: ErrorCode = ErrorCode { status: $status, code: $code, message: $message };
        )+

        /// Every gateway error, in checking order.
        pub const ALL: &[ErrorCode] = &[$($name),+];
    };
}

gateway_errors! {
    /// The method is neither GET nor POST (decision `unknown-method`).
    UNSUPPORTED_HTTP_METHOD = 400, "UnsupportedHTTPMethod", "This http method is not supported.";
    /// The request is larger than 1 MiB (decision `limits`).
    REQUEST_TOO_LARGE = 413, "RequestTooLarge", "The request is larger than 1048576 bytes.";
    /// The headers are larger than 32 KiB (decision `limits`).
    REQUEST_HEADERS_TOO_LARGE = 431, "RequestHeadersTooLarge", "The headers of the request are larger than 32768 bytes.";
    /// The request has more than 200 parameters or one larger than 8 KiB (decision `limits`),
    /// `Format` is neither JSON nor XML (decision `format`), or query or form repeats a parameter
    /// with another value (decisions `twice` and `repeated`). Only the message for `Format` is the
    /// default one.
    INVALID_PARAMETER_FORMAT = 400, "InvalidParameter.Format", "Specified parameter format is not valid.";
    /// The action is missing.
    MISSING_ACTION = 400, "MissingAction", "Action is mandatory for this action.";
    /// The action is unknown. Letter case counts. An action that only the product has gets a
    /// message of its own ([`not_built`]).
    INVALID_ACTION_NOT_FOUND = 404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.";
    /// The version is missing.
    MISSING_VERSION = 400, "MissingVersion", "Version is mandatory for this action.";
    /// The version is unknown (decision `unknown-version`).
    INVALID_VERSION = 404, "InvalidVersion", "Specified parameter Version is not valid.";
    /// The call authenticates by a bearer token or a key pair (decision `signature-method`).
    INVALID_SIGNATURE_TYPE = 400, "InvalidSignatureType", "Specified parameter SignatureType is not valid.";
    /// V1: the access key is missing.
    MISSING_ACCESS_KEY_ID = 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.";
    /// V1: the signature is missing.
    MISSING_SIGNATURE = 400, "MissingSignature", "Signature is mandatory for this action.";
    /// V1: the signature method is missing.
    MISSING_SIGNATURE_METHOD = 400, "MissingSignatureMethod", "SignatureMethod is mandatory for this action.";
    /// The signature's method or algorithm is unsupported (decision `signature-method`).
    INVALID_SIGNATURE_METHOD = 400, "InvalidSignatureMethod", "Specified signature method is not valid.";
    /// V1: the signature version is missing.
    MISSING_SIGNATURE_VERSION = 400, "MissingSignatureVersion", "SignatureVersion is mandatory for this action.";
    /// V1: the signature version is not 1.0 (decision `signature-method`).
    INVALID_SIGNATURE_VERSION = 400, "InvalidSignatureVersion", "Specified parameter SignatureVersion is not valid.";
    /// V3: the `Authorization` header is missing (decision `v3-missing`).
    MISSING_AUTHORIZATION = 400, "MissingAuthorization", "Authorization is mandatory for this action.";
    /// V3: the `Authorization` header is malformed or covers too little (decision
    /// `authorization-form`).
    INCOMPLETE_SIGNATURE = 400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.";
    /// The nonce is missing.
    MISSING_SIGNATURE_NONCE = 400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action.";
    /// The timestamp is missing.
    MISSING_TIMESTAMP = 400, "MissingTimestamp", "Timestamp is mandatory for this action.";
    /// The timestamp is not `YYYY-MM-DDThh:mm:ssZ`.
    INVALID_TIMESTAMP_FORMAT = 400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.";
    /// The timestamp is more than 15 minutes away from now.
    INVALID_TIMESTAMP_EXPIRED = 400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.";
    /// The access key does not exist.
    INVALID_ACCESS_KEY_ID_NOT_FOUND = 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.";
    /// The access key is disabled (decision `inactive-key`).
    INVALID_ACCESS_KEY_ID_INACTIVE = 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.";
    /// The access key is temporary and the security token is missing (decision `security-token`,
    /// as the next three).
    MISSING_SECURITY_TOKEN = 400, "MissingSecurityToken", "SecurityToken is mandatory for this action.";
    /// The security token is not base64.
    INVALID_SECURITY_TOKEN_MALFORMED = 400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.";
    /// The security token differs from the access key's.
    INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY = 400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.";
    /// The temporary access key has expired.
    INVALID_SECURITY_TOKEN_EXPIRED = 400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.";
    /// The signature differs from the server's. The message shows the texts that the server signed
    /// (decision `mismatch-text`).
    SIGNATURE_DOES_NOT_MATCH = 400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.";
    /// The access key has signed with this nonce before (decision `nonce`).
    SIGNATURE_NONCE_USED = 400, "SignatureNonceUsed", "Specified signature nonce was used already.";
    /// The account calls the action too often (decision `throttling`).
    THROTTLING_USER = 400, "Throttling.User", "Request was denied due to user flow control.";
    /// The caller's policies do not allow the call (decision `denied`).
    FORBIDDEN_RAM = 403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM.";
    /// The function failed unexpectedly (decision `internal-error`).
    INTERNAL_ERROR = 500, "InternalError", "The request processing has failed due to some unknown error, exception or failure.";
}

/// A gateway error and its message.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// Which gateway error.
    pub code: ErrorCode,
    /// Its message.
    pub message: Cow<'static, str>,
}

impl Error {
    /// The error `code` with a message of its own.
    pub(crate) fn with_message(code: ErrorCode, message: String) -> Self {
        Self { code, message: Cow::Owned(message) }
    }
}

/// `InvalidAction.NotFound` for an action of `product` that this server does not have (decision
/// `unbuilt-action`).
#[must_use]
pub fn not_built(product: &str, action: &str) -> Error {
    let sentence = INVALID_ACTION_NOT_FOUND.message;
    let message =
        format!("{sentence} {action} is an action of {product} that this server does not have.");
    Error::with_message(INVALID_ACTION_NOT_FOUND, message)
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message) }
    }
}

/// Writes the message. `SignatureDoesNotMatch` is written with its default message: its full
/// message holds the caller's security token, and errors are logged.
impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_mismatch = self.code == SIGNATURE_DOES_NOT_MATCH;
        formatter.write_str(if is_mismatch { self.code.message } else { &self.message })
    }
}

/// Shows what [`Display`](fmt::Display) writes.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = format_args!("{self}");
        formatter
            .debug_struct("Error")
            .field("code", &self.code.code)
            .field("message", &message)
            .finish()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_its_message() {
        assert_eq!(Error::from(MISSING_ACTION).to_string(), "Action is mandatory for this action.");
    }

    #[test]
    fn an_unimplemented_action_has_the_code_of_an_unknown_one() {
        let error = not_built("Vpc", "CreateVpc");
        assert_eq!(error.code, INVALID_ACTION_NOT_FOUND);
        assert_eq!(
            error.to_string(),
            "Specified api is not found, please check your url and method. CreateVpc is an action \
             of Vpc that this server does not have."
        );
    }
}
