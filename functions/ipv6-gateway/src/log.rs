//! The filter of the log.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// The most verbose levels of libraries that log requests and rows, which hold signatures, security
/// tokens and secrets. Each name covers all targets that begin with it.
const CARRIERS: [(&str, LevelFilter); 8] = [
    ("lambda_runtime", LevelFilter::INFO),
    ("aws", LevelFilter::INFO),
    ("hyper", LevelFilter::INFO),
    ("h2", LevelFilter::INFO),
    ("rustls", LevelFilter::INFO),
    ("fjall", LevelFilter::WARN),
    ("lsm_tree", LevelFilter::WARN),
    ("sfa", LevelFilter::WARN),
];

/// The filter that `wanted` describes, as in `warn,store=debug`, without the messages in which the Lambda
/// runtime, the SDK and the engine of the embedded store log requests and rows. `info` if `wanted` is absent
/// or invalid.
#[must_use]
pub fn log_filter(wanted: Option<&str>) -> Targets {
    // It knows no spans and fields, as `EnvFilter` does, and so needs no regular expressions.
    let wanted = wanted.and_then(|wanted| wanted.parse().ok());
    wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)).with_targets(CARRIERS)
}
