//! The control paths: what a test suite may do to the endpoint, and the function never offers.

use std::ops::RangeInclusive;

use http::{Method, StatusCode};
use ipv6_gateway::RateLimit;
use ipv6_gateway::rpc::{format_timestamp, parse_timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Document, World};

use crate::access::Access;
use crate::endpoint::Endpoint;
use crate::fault::Planned;
use crate::moving;
use crate::worlds::Worlds;

/// Where they begin.
pub(crate) const PREFIX: &str = "/_control/";

/// What a control path answers: a status and a JSON body.
pub(crate) type Answer = (StatusCode, Value);

/// Where anybody may ask whether the endpoint can do its work.
pub(crate) const HEALTH: &str = "/_control/health";

/// Whether the main world takes writes: 503 with the first that failed, if one did.
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
        if replaces && backend.outlives_the_endpoint() && !access.may_replace {
            let message = format!(
                "the world is kept in {backend}: start the endpoint with --allow-replace to have \
                 {path} replace it, or make a world apart"
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
            Err(message) => Err(message),
        },
        "DELETE" if is_whole => match worlds.drop_world(world) {
            Ok(()) => Ok(json!({})),
            Err(message) => return error(StatusCode::NOT_FOUND, &message),
        },
        _ => match worlds.get(world) {
            Ok(endpoint) => return of_world(&endpoint, method, path, name, body).await,
            Err(message) => return error(StatusCode::NOT_FOUND, &message),
        },
    };
    match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    }
}

/// How long a world that was made lasts after its last call.
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
            return error(StatusCode::METHOD_NOT_ALLOWED, &format!("{path} takes no {method}"));
        }
        _ => {
            let message = "no such control path: there are world, reset, clock, calls, faults, \
                           throttling and worlds";
            return error(StatusCode::NOT_FOUND, message);
        }
    };
    match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    }
}

pub(crate) fn error(status: StatusCode, message: &str) -> Answer {
    (status, json!({ "Error": message }))
}

/// The answer to a body larger than `bytes_max`.
pub(crate) fn too_large(bytes_max: usize) -> Answer {
    let message = format!("the body is larger than {bytes_max} bytes");
    error(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

async fn world(endpoint: &Endpoint) -> Result<Value, String> {
    let documents = endpoint.backend().documents().await.map_err(|error| error.with_causes())?;
    let world = World::from_documents(documents);
    serde_json::to_value(world).map_err(|error| error.to_string())
}

fn parse(body: &[u8]) -> Result<Vec<Document>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    moving::parse(text)
}

async fn replace_world(endpoint: &Endpoint, body: &[u8]) -> Result<Value, String> {
    let replaced = endpoint.backend().replace(parse(body)?, &|_| ()).await;
    replaced.map(|()| json!({})).map_err(|error| error.with_causes())
}

fn clock(endpoint: &Endpoint) -> Value {
    let secs = i64::try_from(endpoint.clock.now_secs()).unwrap_or(i64::MAX);
    json!({ "Now": format_timestamp(secs) })
}

/// The years that the clock can be set to.
const CLOCK_YEARS: RangeInclusive<&str> = "1970"..="9998";

fn set_clock(endpoint: &Endpoint, body: &[u8]) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        now: String,
    }
    let Setting { now } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let secs = parse_timestamp(&now)
        .ok_or_else(|| format!("Now: not a time like 2026-01-02T03:04:05Z: {now}"))?;
    // A store has no time before 1970, and what a call dates ahead of the clock needs a year to go.
    if !CLOCK_YEARS.contains(&now.get(..4).unwrap_or_default()) {
        let (first, last) = (CLOCK_YEARS.start(), CLOCK_YEARS.end());
        return Err(format!("Now: not in the years {first} to {last}: {now}"));
    }
    endpoint.clock.set(secs);
    Ok(clock(endpoint))
}

fn plan_faults(endpoint: &Endpoint, body: &[u8]) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        faults: Vec<Value>,
    }
    let Setting { faults } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let operations = endpoint.function.operations();
    let planned = faults.iter().enumerate().map(|(position, fault)| {
        let planned = Planned::read(fault);
        let checked = planned.and_then(|planned| planned.check(operations).map(|()| planned));
        checked.map_err(|message| format!("Faults[{position}]{message}"))
    });
    let faults = planned.collect::<Result<Vec<_>, String>>()?;
    endpoint.plan.replace(faults);
    Ok(json!({ "Faults": endpoint.plan.planned() }))
}

fn throttling(endpoint: &Endpoint) -> Value {
    endpoint.function.rate_limit().map_or_else(
        || json!({}),
        |limit| json!({ "Calls": limit.calls_max, "Seconds": limit.window_secs }),
    )
}

fn set_throttling(endpoint: &Endpoint, body: &[u8]) -> Result<Value, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Setting {
        calls: u32,
        seconds: u64,
    }
    let Setting { calls, seconds } =
        serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if seconds == 0 {
        return Err("Seconds: a window of no length".to_owned());
    }
    endpoint.function.limit_rate(Some(RateLimit { calls_max: calls, window_secs: seconds }));
    Ok(throttling(endpoint))
}
