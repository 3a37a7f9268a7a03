//! What is logged.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// What others log of what they carry: signatures, security tokens and the secrets of access keys.
/// Each name covers all targets that begin with it.
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

/// What is logged: what `wanted` says, or all that is worth knowing; but never the look that the
/// Lambda runtime, the SDK and the engine of a directory take into what they carry.
///
/// # Errors
///
/// None in practice: a directive of ours cannot be read.
pub fn log_filter(wanted: Option<EnvFilter>) -> Result<EnvFilter, ParseError> {
    let wanted = wanted.unwrap_or_else(|| EnvFilter::new("info"));
    CARRIERS.iter().try_fold(wanted, |filter, carrier| Ok(filter.add_directive(carrier.parse()?)))
}
