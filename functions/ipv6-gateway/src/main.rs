//! Runs the function on AWS Lambda: reads the environment, the clock and the system's randomness,
//! opens the store and serves events.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ipv6_gateway::event::{UnsupportedEvent, is_scheduled};
use ipv6_gateway::{Event, Function, Ids, Operations, RateLimit, Response, log_filter, random};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;
use store::{CALL_TIME_MAX, Credentials, DynamoDbStore, MemoryStore, Store, Table, World};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The time reserved for the answer to reach Lambda.
const TIME_TO_HAND_OVER: Duration = Duration::from_millis(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::registry()
        .with(log_filter(variable("RUST_LOG").as_deref()))
        .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_ansi(false))
        .init();
    ipv6_gateway::log_panics();
    match (variable("TABLE_NAME"), variable("WORLD_FILE")) {
        (Some(_), Some(_)) => Err("TABLE_NAME and WORLD_FILE are both set: set one of them".into()),
        (Some(table_name), None) => serve(DynamoDbStore::new(table(table_name)?, random()?)?).await,
        (None, world_file) => serve(memory(world_file)?).await,
    }
}

/// Serves events until Lambda ends the process.
async fn serve(store: impl Store + 'static) -> Result<(), Error> {
    let function = Function::new(store, Operations::all(), Box::new(now), Ids::from_system()?);
    function.limit_rate(rate_limit()?);
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        let function = Arc::clone(&function);
        async move {
            let time_left = time_left(event.context.deadline());
            let payload = event.payload.get().as_bytes();
            match Event::parse(payload) {
                Ok(event) if event.is_health_check() => Ok(Some(Response::healthy(event.shape))),
                Ok(event) => Ok(Some(function.handle_within(time_left, event).await)),
                Err(UnsupportedEvent::Shape) if is_scheduled(payload) => Ok(None),
                Err(unknown) => {
                    tracing::error!(invocation = event.context.request_id, "{unknown}");
                    Err(Error::from(unknown))
                }
            }
        }
    }))
    .await
}

/// The time for an answer that Lambda awaits until `deadline`.
fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(now()).unwrap_or_default().saturating_sub(TIME_TO_HAND_OVER)
}

/// A variable of the environment; an empty value counts as absent.
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A store in memory with the world document at this path.
fn memory(world_file: Option<String>) -> Result<MemoryStore, Error> {
    let Some(path) = world_file else {
        tracing::warn!(
            "neither TABLE_NAME nor WORLD_FILE is set: the store is empty and has no access key"
        );
        return Ok(MemoryStore::default());
    };
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("WORLD_FILE {path}: {error}"))?;
    let world = World::parse(&text).map_err(|error| format!("WORLD_FILE {path}: {error}"))?;
    let documents = world.into_documents();
    Operations::all().fit(&documents).map_err(|error| format!("WORLD_FILE {path}: {error}"))?;
    Ok(MemoryStore::holding(documents))
}

/// The table of this name, with the region and credentials that Lambda sets in the environment.
fn table(name: String) -> Result<Table, Error> {
    let required = |variable_name: &str| {
        variable(variable_name)
            .ok_or_else(|| format!("TABLE_NAME is set, but {variable_name} is not"))
    };
    Ok(Table {
        name,
        region: required("AWS_REGION")?,
        endpoint_url: variable("AWS_ENDPOINT_URL_DYNAMODB"),
        credentials: Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            variable("AWS_SESSION_TOKEN"),
            // They stay valid as long as the process runs.
            None,
            "environment",
        ),
        call_time_max: CALL_TIME_MAX,
    })
}

/// The rate limit of `RATE_LIMIT`, as in `300/60`.
fn rate_limit() -> Result<Option<RateLimit>, Error> {
    let Some(text) = variable("RATE_LIMIT") else { return Ok(None) };
    let limit = text.parse().map_err(|error| format!("RATE_LIMIT {text}: {error}"))?;
    Ok(Some(limit))
}

#[expect(clippy::disallowed_methods, reason = "main is where the clock is read")]
fn now() -> SystemTime {
    SystemTime::now()
}
