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
mod error;
mod fault;
mod record;
mod server;
mod transfer;
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
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use access::Access;
use backend::Backend;
use clock::Clock;
use command::{Command, Export, Import, Serve, Storage, Subcommand};
use endpoint::Endpoint;
use error::Error;
use worlds::Worlds;

/// A call makes many small allocations and frees some of them on another thread, which is slow with the
/// system's allocator. With this one the endpoint answers about a quarter more calls.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The initial world, unless `--world` names another.
const DEMO_WORLD: &str = include_str!("demo-world.json");

fn main() -> ExitCode {
    let Command { subcommand, serve } = Command::parse();
    let outcome = tokio::runtime::Runtime::new().map_err(Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match subcommand {
                Some(Subcommand::Call(call)) => call::call(call, now()).await,
                Some(Subcommand::Import(Import { world, storage, replace, create_table })) => {
                    let backend = open(&storage)?;
                    if create_table {
                        backend.create_table().await?;
                    }
                    transfer::import(&backend, &world, replace).await.map(|()| ExitCode::SUCCESS)
                }
                Some(Subcommand::Export(Export { storage, file })) => {
                    let backend = open(&storage)?;
                    transfer::export(&backend, file.as_deref()).await.map(|()| ExitCode::SUCCESS)
                }
                None => listen(serve).await,
            }
        })
    });
    outcome.unwrap_or_else(|error| {
        // If standard error is closed, there is nowhere else to report it.
        let _ = writeln!(anstream::stderr(), "error: {}", store::with_causes(&error));
        ExitCode::from(2)
    })
}

/// Serves until a signal ends the process. The exit code says whether every write succeeded.
async fn listen(serve: Serve) -> Result<ExitCode, Error> {
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(ipv6_gateway::log_filter(variable("RUST_LOG").as_deref()))
        .with(lines)
        .init();
    ipv6_gateway::log_panics();
    let nonces = NonceBudget::new(NonceBudget::IN_ALL, serve.nonces_per_account);
    let backend = open(&serve.storage)?.sharing(&nonces);
    let world = match &serve.world {
        Some(path) => Some(transfer::read(path)?),
        // The keys of the demo world are public.
        None if backend.is_shared() => None,
        None => Some(transfer::parse(DEMO_WORLD)?),
    };
    let ids = match serve.seed {
        Some(seed) => Ids::from_seed(seed),
        None => Ids::from_system().map_err(Error::failed)?,
    };
    let listeners = bind(&serve.listen)
        .await
        .map_err(|error| Error::Invalid(format!("cannot listen on {}: {error}", serve.listen)))?;
    let address = listeners[0].local_addr()?;
    let key = serve.world.as_ref().and(world.as_deref()).and_then(banner::usable_key);
    let key_id = key.map(|key| key.access_key_id.clone());
    let endpoint = Endpoint::start(backend, world, Clock::new(now), ids, serve.throttle).await?;
    // Existing documents stay, so the key of the file's world may be missing.
    let key_id = match key_id {
        Some(id) if endpoint.has_access_key(&id).await => Some(id),
        Some(_) | None => None,
    };
    let world = serve.world.as_deref();
    match banner::print(address, world, key_id.as_deref(), endpoint.backend()) {
        // `local-endpoint | head` closes the pipe after some lines.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed?,
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
    tracing::error!("a write failed, and later ones were refused: {}", failure.with_causes());
    Ok(ExitCode::FAILURE)
}

/// Listens on `address`. `localhost` means the IPv4 and the IPv6 address: some clients try only one.
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

/// Opens the store of the options.
fn open(storage: &Storage) -> Result<Backend, Error> {
    if let Some(folder) = &storage.data {
        let store = EmbeddedStore::open(folder).map_err(Error::failed)?;
        warn_if_readable_by_others(folder);
        return Ok(Backend::Embedded { store: Box::new(store), folder: folder.clone() });
    }
    let Some(name) = &storage.dynamodb_table else {
        return Ok(Backend::Memory(Box::default()));
    };
    // DynamoDB Local needs any region and credentials.
    let is_local = storage.dynamodb_endpoint.is_some();
    let required = |name: &str, of_local: &str| match variable(name) {
        Some(value) => Ok(value),
        None if is_local => Ok(of_local.to_owned()),
        None => Err(Error::Invalid(format!("--dynamodb-table needs {name} in the environment"))),
    };
    let table = Table {
        name: name.clone(),
        region: required("AWS_REGION", "us-east-1")?,
        endpoint_url: storage.dynamodb_endpoint.clone(),
        credentials: Credentials::new(
            required("AWS_ACCESS_KEY_ID", "local")?,
            required("AWS_SECRET_ACCESS_KEY", "local")?,
            variable("AWS_SESSION_TOKEN"),
            None,
            "environment",
        ),
        call_time_max: CALL_TIME_MAX,
    };
    let random = random().map_err(Error::failed)?;
    let store = DynamoDbStore::new(table, random)?;
    Ok(Backend::DynamoDb { store: Box::new(store), table_name: name.clone() })
}

/// Warns if other users may read the directory. A new directory is readable only by its owner.
fn warn_if_readable_by_others(folder: &Path) {
    let mode = std::fs::metadata(folder).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        let folder = folder.display();
        tracing::warn!("{folder} holds secrets and other users may read it: chmod 700 {folder}");
    }
}

/// A variable of the environment; an empty value counts as absent.
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
