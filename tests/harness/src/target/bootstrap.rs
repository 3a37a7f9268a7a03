//! The built `bootstrap`, under a Runtime API emulation.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::output::Output;
use super::runtime_api::RuntimeApi;
use super::{http_api_payload, read_event_response};
use crate::answer::Answer;
use crate::case::Throttling;
use crate::client::Wire;

/// A `bootstrap` of its own for each world, ended with this value.
#[derive(Debug)]
pub struct Bootstrap {
    binary: PathBuf,
    folder: PathBuf,
    running: Option<(RuntimeApi, Child)>,
    written: Output,
}

impl Bootstrap {
    /// Will run `binary`, its world documents written to `folder`.
    #[must_use]
    pub fn new(binary: &Path, folder: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            running: None,
            written: Output::default(),
        }
    }

    /// The lines in which it wrote a secret so far.
    pub(super) fn leaks(&self) -> Vec<String> {
        self.written.leaks()
    }

    pub(super) async fn begin(
        &mut self,
        world: &Value,
        throttling: Option<Throttling>,
    ) -> Result<(), String> {
        if let Some((_, mut process)) = self.running.take() {
            process.kill().await.map_err(|error| error.to_string())?;
        }
        let file = self.folder.join("world.json");
        std::fs::write(&file, format!("{world:#}"))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let runtime_api = RuntimeApi::start().await?;
        let rate_limit = throttling
            .map(|Throttling { calls, seconds }| ("RATE_LIMIT", format!("{calls}/{seconds}")));
        let mut process = command(&self.binary, &runtime_api)
            .env("WORLD_FILE", &file)
            // All of it, so that all of it is searched for secrets.
            .env("RUST_LOG", "trace")
            .envs(rate_limit)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.binary.display()))?;
        self.written.read(process.stdout.take().ok_or("no stdout")?);
        self.written.read(process.stderr.take().ok_or("no stderr")?);
        self.running = Some((runtime_api, process));
        Ok(())
    }

    pub(super) async fn send(&self, wire: &Wire) -> Result<Answer, String> {
        let (runtime_api, _) = self.running.as_ref().ok_or("no case was begun")?;
        let response = runtime_api.invoke(http_api_payload(wire).to_string()).await?;
        let response = response.map_err(|error| format!("the invocation failed: {error}"))?;
        read_event_response(&response)
    }
}

/// Runs `binary` as Lambda would, with the world of `world_file`.
///
/// # Errors
///
/// Why it does not start.
pub fn spawn(binary: &Path, runtime_api: &RuntimeApi, world_file: &Path) -> Result<Child, String> {
    command(binary, runtime_api)
        .env("WORLD_FILE", world_file)
        .spawn()
        .map_err(|error| format!("{}: {error}", binary.display()))
}

/// How `binary` is started under `runtime_api`, with an empty store until the environment names one.
#[must_use]
pub fn command(binary: &Path, runtime_api: &RuntimeApi) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
        .env("AWS_LAMBDA_FUNCTION_NAME", "ipv6-gateway")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}
