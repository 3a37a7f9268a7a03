#![doc = include_str!("../README.md")]

mod access;
mod answering;
mod backend;
mod banner;
mod call;
mod clock;
mod command;
mod control;
mod endpoint;
mod fault;
mod moving;
mod record;
mod server;
mod worlds;

use std::io::{self, IsTerminal as _, Write as _};
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Parser as _;
use ipv6_gateway::{Ids, random};
use store::{CALL_TIME_MAX, Credentials, DynamoDbStore, EmbeddedStore, NonceBudget, Table};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use access::Access;
use backend::Backend;
use clock::Clock;
use command::{Command, Export, Import, Keeping, Serve, Subcommand};
use endpoint::Endpoint;
use worlds::Worlds;

/// A call allocates many small things, some of them freed on another thread, which the system's
/// allocator is slow at: with this one the endpoint answered about a quarter more calls.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The world that the endpoint begins with unless another is named.
const DEMO_WORLD: &str = include_str!("demo-world.json");

fn main() -> ExitCode {
    let Command { subcommand, serve } = Command::parse();
    let outcome =
        tokio::runtime::Runtime::new().map_err(|error| error.to_string()).and_then(|runtime| {
            runtime.block_on(async {
                match subcommand {
                    Some(Subcommand::Call(call)) => call::call(call, now()).await,
                    Some(Subcommand::Import(import)) => {
                        let Import { world, keeping, replace, create_table } = import;
                        let backend = open(&keeping)?;
                        if create_table {
                            backend.create_table().await.map_err(|error| error.with_causes())?;
                        }
                        moving::import(&backend, &world, replace).await.map(|()| ExitCode::SUCCESS)
                    }
                    Some(Subcommand::Export(Export { keeping, file })) => {
                        let backend = open(&keeping)?;
                        moving::export(&backend, file.as_deref()).await.map(|()| ExitCode::SUCCESS)
                    }
                    None => listen(serve).await,
                }
            })
        });
    outcome.unwrap_or_else(|message| {
        // There is nowhere else to tell it if this fails.
        let _ = writeln!(anstream::stderr(), "error: {message}");
        ExitCode::from(2)
    })
}

/// Serves until it is told to end. The exit code says whether all that was answered was kept.
async fn listen(serve: Serve) -> Result<ExitCode, String> {
    let filter = ipv6_gateway::log_filter(EnvFilter::try_from_default_env().ok());
    tracing_subscriber::fmt()
        .compact()
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .with_env_filter(filter.map_err(|error| error.to_string())?)
        .init();
    ipv6_gateway::log_panics();
    let nonces = NonceBudget::new(NonceBudget::IN_ALL, serve.nonces_per_account);
    let backend = open(&serve.keeping)?.sharing(&nonces);
    let world = match &serve.world {
        Some(path) => Some(moving::read(path)?),
        // Everybody knows its keys.
        None if backend.is_shared() => None,
        None => {
            Some(moving::parse(DEMO_WORLD).map_err(|error| format!("the demo world: {error}"))?)
        }
    };
    let ids = match serve.seed {
        Some(seed) => Ids::from_seed(seed),
        None => Ids::from_system().map_err(|error| error.to_string())?,
    };
    let listeners = bind(&serve.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", serve.listen))?;
    let address = listeners[0].local_addr().map_err(|error| error.to_string())?;
    let key = serve.world.as_ref().and(world.as_deref()).and_then(banner::usable_key);
    let key_id = key.map(|key| key.access_key_id.clone());
    let endpoint = Endpoint::begin(backend, world, Clock::new(now), ids, serve.throttle).await;
    let endpoint = endpoint.map_err(|error| error.with_causes())?;
    // Where documents were kept already, the world in the file is not used.
    let key_id = match key_id {
        Some(id) if endpoint.has_access_key(&id).await => Some(id),
        Some(_) | None => None,
    };
    let world = serve.world.as_deref();
    match banner::print(address, world, key_id.as_deref(), endpoint.backend()) {
        // Of `local-endpoint | head` the first lines are all that is wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed.map_err(|error| error.to_string())?,
    }
    let access = Access {
        token: serve.control_token,
        is_loopback: address.ip().is_loopback(),
        may_replace: serve.allow_replace,
    };
    if !access.is_loopback && access.token.is_none() {
        tracing::warn!(
            "listening beyond this machine without --control-token: the control paths answer 403"
        );
    }
    let lease = (serve.world_lease > 0).then(|| Duration::from_secs(serve.world_lease.into()));
    let worlds = Worlds::new(endpoint, lease, serve.seed, now, nonces);
    let main = Arc::clone(worlds.main());
    server::serve(listeners, worlds, access, serve.max_connections, shutdown()).await;
    let Some(failure) = main.backend().failure() else { return Ok(ExitCode::SUCCESS) };
    tracing::error!("a write failed, and none after it was tried: {}", failure.with_causes());
    Ok(ExitCode::FAILURE)
}

/// Listens on `address`. `localhost` is both of this machine's addresses: some clients try one of them
/// alone.
async fn bind(address: &str) -> io::Result<Vec<TcpListener>> {
    let Some(port) = address.strip_prefix("localhost:") else {
        return Ok(vec![TcpListener::bind(address).await?]);
    };
    let ipv4 = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let port = ipv4.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(ipv6) => Ok(vec![ipv4, ipv6]),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        // The system has no IPv6.
        Err(_) => Ok(vec![ipv4]),
    }
}

/// Opens the store that the options name.
fn open(keeping: &Keeping) -> Result<Backend, String> {
    if let Some(folder) = &keeping.data {
        let store = EmbeddedStore::open(folder).map_err(|error| error.to_string())?;
        warn_of_others(folder);
        return Ok(Backend::Embedded { store: Box::new(store), folder: folder.clone() });
    }
    let Some(name) = &keeping.dynamodb_table else {
        return Ok(Backend::Memory(Box::default()));
    };
    // DynamoDB Local wants to be told something.
    let is_local = keeping.dynamodb_endpoint.is_some();
    let set = |name: &str, of_local: &str| match variable(name) {
        Some(value) => Ok(value),
        None if is_local => Ok(of_local.to_owned()),
        None => Err(format!("{name} is not set in the environment, and --dynamodb-table needs it")),
    };
    let table = Table {
        name: name.clone(),
        region: set("AWS_REGION", "us-east-1")?,
        endpoint_url: keeping.dynamodb_endpoint.clone(),
        credentials: Credentials::new(
            set("AWS_ACCESS_KEY_ID", "local")?,
            set("AWS_SECRET_ACCESS_KEY", "local")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        ),
        call_time_max: CALL_TIME_MAX,
    };
    let random = random().map_err(|error| error.to_string())?;
    let store = DynamoDbStore::new(table, random).map_err(|error| error.with_causes())?;
    Ok(Backend::DynamoDb { store: Box::new(store), table_name: name.clone() })
}

/// Warns if others than the owner may read the directory: one that is made is the owner's alone.
fn warn_of_others(folder: &Path) {
    let mode = std::fs::metadata(folder).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        let folder = folder.display();
        tracing::warn!("{folder} holds secrets and others may read it: chmod 700 {folder}");
    }
}

/// A variable of the environment; an empty one is none.
#[expect(clippy::disallowed_methods, reason = "main is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "main is where the clock is read")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Resolves on Ctrl-C or SIGTERM.
async fn shutdown() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
