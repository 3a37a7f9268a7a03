//! The filter of the log.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// The most verbose levels of libraries that log requests and rows, which hold signatures, security
/// tokens and secrets. Each name covers all targets that begin with it.
const CARRIERS: [&str; 8] = [
    "lambda_runtime=info",
    "aws=info",
    "hyper=info",
    "h2=info",
    "rustls=info",
    "fjall=warn",
    "lsm_tree=warn",
    "sfa=warn",
];

/// The filter `wanted`, by default `info`, without the messages in which the Lambda runtime, the SDK
/// and the engine of the embedded store log requests and rows.
///
/// # Errors
///
/// A directive of this function is invalid: a defect.
pub fn log_filter(wanted: Option<EnvFilter>) -> Result<EnvFilter, ParseError> {
    let wanted = wanted.unwrap_or_else(|| EnvFilter::new("info"));
    CARRIERS.iter().try_fold(wanted, |filter, carrier| Ok(filter.add_directive(carrier.parse()?)))
}
