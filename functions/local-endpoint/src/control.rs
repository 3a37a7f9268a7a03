//! The control paths, by which test suites control the endpoint. The Lambda function has none of them.

use std::ops::RangeInclusive;

use http::{Method, StatusCode};
use ipv6_gateway::RateLimit;
use ipv6_gateway::rpc::{format_timestamp, parse_timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Document, World};

use crate::access::Access;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::fault::Planned;
use crate::transfer;
use crate::worlds::Worlds;

/// The prefix of all control paths.
pub(crate) const PREFIX: &str = "/_control/";

/// The answer of a control path: a status and a JSON body.
pub(crate) type Answer = (StatusCode, Value);

/// The path of the health check, which needs no token.
pub(crate) const HEALTH: &str = "/_control/health";

/// Whether the main world accepts writes: 503 with the cause after a failed write.
pub(crate) fn health(worlds: &Worlds) -> Answer {
    match worlds.main().backend().failure() {
        None => (StatusCode::OK, json!({})),
        Some(failure) => error(StatusCode::SERVICE_UNAVAILABLE, &failure.with_causes()),
    }
}

/// Answers a request to a control path.
pub(crate) async fn answer(
    worlds: &Worlds,
    access: &Access,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Answer {
    let name = path.strip_prefix(PREFIX).unwrap_or(path);
    if name == "worlds" && method == Method::GET {
        return (StatusCode::OK, json!({ "Worlds": worlds.names() }));
    }
    let Some(rest) = name.strip_prefix("worlds/") else {
        let backend = worlds.main().backend();
        let replaces = matches!((method.as_str(), name), ("PUT", "world") | ("POST", "reset"));
        if replaces && backend.is_durable() && !access.may_replace {
            let message = format!(
                "{path} would replace the world in {backend}: start the endpoint with \
                 --allow-replace, or create a named world"
            );
            return error(StatusCode::FORBIDDEN, &message);
        }
        return of_world(worlds.main(), method, path, name, body).await;
    };
    let (world, name) = rest.split_once('/').unwrap_or((rest, "world"));
    let is_whole = !rest.contains('/');
    let outcome = match method.as_str() {
        "PUT" if is_whole => match parse(body) {
            Ok(documents) => worlds.put(world, documents).await.map(|()| lease(worlds)),
            Err(invalid) => Err(invalid),
        },
        "DELETE" if is_whole => worlds.drop_world(world).map(|()| json!({})),
        _ => match worlds.get(world) {
            Ok(endpoint) => return of_world(&endpoint, method, path, name, body).await,
            Err(no_world) => Err(no_world),
        },
    };
    respond(outcome)
}

/// The answer to a request with this outcome.
fn respond(outcome: Result<Value, Error>) -> Answer {
    outcome.map_or_else(|failure| failed(&failure), |body| (StatusCode::OK, body))
}

/// The answer to a request that failed.
pub(crate) fn failed(failure: &Error) -> Answer {
    let status = match failure {
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::NoWorld(_) => StatusCode::NOT_FOUND,
        Error::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    error(status, &store::with_causes(failure))
}

/// How long a new named world lasts without a call.
fn lease(worlds: &Worlds) -> Value {
    worlds.lease().map_or_else(|| json!({}), |lease| json!({ "LeaseSeconds": lease.as_secs() }))
}

/// Answers a request to a control path of one world.
async fn of_world(
    endpoint: &Endpoint,
    method: &Method,
    path: &str,
    name: &str,
    body: &[u8],
) -> Answer {
    let outcome = match (method.as_str(), name) {
        ("GET", "world") => world(endpoint).await,
        ("PUT", "world") => replace_world(endpoint, body).await,
        ("POST", "reset") => endpoint.reset().await.map(|()| json!({})),
        ("GET", "clock") => Ok(clock(endpoint)),
        ("PUT", "clock") => set_clock(endpoint, body),
        ("DELETE", "clock") => {
            endpoint.clock.reset();
            Ok(clock(endpoint))
        }
        ("GET", "calls") => Ok(endpoint.record.to_json()),
        ("DELETE", "calls") => {
            endpoint.record.clear();
            Ok(json!({}))
        }
        ("GET", "faults") => Ok(json!({ "Faults": endpoint.plan.planned() })),
        ("PUT", "faults") => plan_faults(endpoint, body),
        ("DELETE", "faults") => {
            endpoint.plan.replace(Vec::new());
            Ok(json!({}))
        }
        ("GET", "throttling") => Ok(throttling(endpoint)),
        ("PUT", "throttling") => set_throttling(endpoint, body),
        ("DELETE", "throttling") => {
            endpoint.function.limit_rate(None);
            Ok(throttling(endpoint))
        }
        (_, "world" | "reset" | "clock" | "calls" | "faults" | "throttling") => {
            let message = format!("{path} does not support {method}");
            return error(StatusCode::METHOD_NOT_ALLOWED, &message);
        }
        _ => {
            let message = "unknown control path, expected world, reset, clock, calls, faults, \
                           throttling or worlds";
            return error(StatusCode::NOT_FOUND, message);
        }
    };
    respond(outcome)
}

pub(crate) fn error(status: StatusCode, message: &str) -> Answer {
    (status, json!({ "Error": message }))
}

/// The answer to a body larger than `bytes_max`.
pub(crate) fn too_large(bytes_max: usize) -> Answer {
    let message = format!("the body is larger than {bytes_max} bytes");
    error(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

async fn world(endpoint: &Endpoint) -> Result<Value, Error> {
    let world = World::from_documents(endpoint.backend().documents().await?);
    serde_json::to_value(world).map_err(Error::failed)
}

fn parse(body: &[u8]) -> Result<Vec<Document>, Error> {
    transfer::parse(std::str::from_utf8(body).map_err(Error::invalid)?)
}

async fn replace_world(endpoint: &Endpoint, body: &[u8]) -> Result<Value, Error> {
    endpoint.backend().replace(parse(body)?, &|_| ()).await?;
    Ok(json!({}))
}

fn clock(endpoint: &Endpoint) -> Value {
    let secs = i64::try_from(endpoint.clock.now_secs()).unwrap_or(i64::MAX);
    json!({ "Now": format_timestamp(secs) })
}

/// The years to which the clock can be set.
const CLOCK_YEARS: RangeInclusive<&str> = "1970"..="9998";

fn set_clock(endpoint: &Endpoint, body: &[u8]) -> Result<Value, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        now: String,
    }
    let Setting { now } = serde_json::from_slice(body).map_err(Error::invalid)?;
    let invalid =
        |expected: &str| Error::Invalid(format!("Now: invalid time `{now}`, expected {expected}"));
    let secs = parse_timestamp(&now).ok_or_else(|| invalid("2026-01-02T03:04:05Z"))?;
    // A store has no times before 1970, and times after the clock's must not exceed the year 9999.
    if !CLOCK_YEARS.contains(&now.get(..4).unwrap_or_default()) {
        let (first, last) = (CLOCK_YEARS.start(), CLOCK_YEARS.end());
        return Err(invalid(&format!("a year from {first} to {last}")));
    }
    endpoint.clock.set(secs);
    Ok(clock(endpoint))
}

fn plan_faults(endpoint: &Endpoint, body: &[u8]) -> Result<Value, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        faults: Vec<Value>,
    }
    let Setting { faults } = serde_json::from_slice(body).map_err(Error::invalid)?;
    let operations = endpoint.function.operations();
    let planned = faults.iter().enumerate().map(|(position, fault)| {
        let planned = Planned::read(fault);
        let checked = planned.and_then(|planned| planned.check(operations).map(|()| planned));
        checked.map_err(|message| Error::Invalid(format!("Faults[{position}]{message}")))
    });
    let faults = planned.collect::<Result<Vec<_>, Error>>()?;
    endpoint.plan.replace(faults);
    Ok(json!({ "Faults": endpoint.plan.planned() }))
}

fn throttling(endpoint: &Endpoint) -> Value {
    endpoint.function.rate_limit().map_or_else(
        || json!({}),
        |limit| json!({ "Calls": limit.calls_max, "Seconds": limit.window_secs }),
    )
}

fn set_throttling(endpoint: &Endpoint, body: &[u8]) -> Result<Value, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        calls: u32,
        seconds: u64,
    }
    let Setting { calls, seconds } = serde_json::from_slice(body).map_err(Error::invalid)?;
    if seconds == 0 {
        return Err(Error::invalid("Seconds: invalid value 0, expected at least 1"));
    }
    endpoint.function.limit_rate(Some(RateLimit { calls_max: calls, window_secs: seconds }));
    Ok(throttling(endpoint))
}
