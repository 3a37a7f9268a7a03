//! Plays API Gateway on localhost: every request becomes an event, the function answers it, and the
//! answer goes back over HTTP, just as it does in the cloud.
//!
//! Beyond that it has what test suites need and the function never has: a world to begin with, and
//! control paths under `/_control/`. Start at [`server`].

mod banner;
mod call;
mod clock;
mod command;
mod control;
mod endpoint;
mod fault;
mod record;
mod server;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use ipv6_gateway::Ids;
use store::World;
use tracing_subscriber::EnvFilter;

use clock::Clock;
use command::{Command, Serve, Subcommand};
use endpoint::Endpoint;

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
                    None => listen(serve).await.map(|()| ExitCode::SUCCESS),
                }
            })
        });
    outcome.unwrap_or_else(|message| {
        // There is nowhere else to tell it if this fails.
        let _ = writeln!(anstream::stderr(), "error: {message}");
        ExitCode::from(2)
    })
}

async fn listen(serve: Serve) -> Result<(), String> {
    tracing_subscriber::fmt()
        .compact()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    ipv6_gateway::log_panics();
    let world = match &serve.world {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            World::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => World::parse(DEMO_WORLD).map_err(|error| format!("the demo world: {error}"))?,
    };
    let ids = match serve.seed {
        Some(seed) => Ids::from_seed(seed),
        None => Ids::from_system().map_err(|error| error.to_string())?,
    };
    let listener = tokio::net::TcpListener::bind(&serve.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", serve.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    banner::print(address, serve.world.as_deref()).map_err(|error| error.to_string())?;
    let endpoint = Endpoint::new(world, Clock::new(now), ids, serve.throttle);
    server::serve(listener, endpoint, shutdown()).await;
    Ok(())
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
