//! Runs the function on AWS Lambda: reads the environment, the clock and the system's randomness,
//! opens the store and serves events.

use std::sync::Arc;
use std::time::SystemTime;

use ipv6_gateway::{Event, Function, Ids, RateLimit};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use store::{MemoryStore, World};
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_ansi(false)
        .with_env_filter(log_filter()?)
        .init();
    ipv6_gateway::log_panics();
    let function = Function::new(open_store()?, clock(), Ids::from_system()?);
    function.limit_rate(rate_limit()?);
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let function = Arc::clone(&function);
        async move {
            let event = Event::parse(event.payload.get().as_bytes()).inspect_err(|unknown| {
                tracing::error!(invocation = event.context.request_id, "{unknown}");
            })?;
            Ok::<_, Error>(function.handle(event).await)
        }
    }))
    .await
}

/// What is logged: what `RUST_LOG` says, but never the runtime's own look into events, which hold
/// signatures and security tokens.
fn log_filter() -> Result<EnvFilter, Error> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    Ok(filter.add_directive("lambda_runtime=info".parse()?))
}

/// The store in memory, holding the world document that `WORLD_FILE` names.
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
fn open_store() -> Result<MemoryStore, Error> {
    let Ok(path) = std::env::var("WORLD_FILE") else {
        tracing::warn!("WORLD_FILE is not set: the store is empty and knows no access key");
        return Ok(MemoryStore::default());
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("WORLD_FILE {path}: {error}"))?;
    let world = World::parse(&text).map_err(|error| format!("WORLD_FILE {path}: {error}"))?;
    Ok(MemoryStore::holding(world.into_documents()))
}

/// How often each account may call each action: `RATE_LIMIT`, as `300/60`.
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
fn rate_limit() -> Result<Option<RateLimit>, Error> {
    let Ok(text) = std::env::var("RATE_LIMIT") else { return Ok(None) };
    let limit = text.parse().map_err(|error| format!("RATE_LIMIT {text}: {error}"))?;
    Ok(Some(limit))
}

#[expect(clippy::disallowed_methods, reason = "main is where the clock is read")]
fn clock() -> ipv6_gateway::Clock {
    Box::new(SystemTime::now)
}
