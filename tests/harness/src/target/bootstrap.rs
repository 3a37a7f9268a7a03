//! The built `bootstrap`, under an emulated Runtime API.

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
use crate::error::{At as _, Result};

/// Runs one `bootstrap` process for each world. Dropping the value ends the process.
#[derive(Debug)]
pub struct Bootstrap {
    binary: PathBuf,
    folder: PathBuf,
    running: Option<(RuntimeApi, Child)>,
    written: Output,
}

impl Bootstrap {
    /// Runs `binary`, and writes its world documents to `folder`.
    #[must_use]
    pub fn new(binary: &Path, folder: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            running: None,
            written: Output::default(),
        }
    }

    /// The output lines that show a secret.
    pub(super) fn leaks(&self) -> Vec<String> {
        self.written.leaks()
    }

    pub(super) async fn begin(
        &mut self,
        world: &Value,
        throttling: Option<Throttling>,
    ) -> Result<()> {
        if let Some((_, mut process)) = self.running.take() {
            process.kill().await?;
        }
        let file = self.folder.join("world.json");
        std::fs::write(&file, format!("{world:#}")).at(file.display())?;
        let runtime_api = RuntimeApi::start().await?;
        let rate_limit = throttling
            .map(|Throttling { calls, seconds }| ("RATE_LIMIT", format!("{calls}/{seconds}")));
        let mut process = command(&self.binary, &runtime_api)
            .env("WORLD_FILE", &file)
            // Every log line is searched for secrets.
            .env("RUST_LOG", "trace")
            .envs(rate_limit)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .at(self.binary.display())?;
        self.written.read(process.stdout.take().ok_or("no stdout")?);
        self.written.read(process.stderr.take().ok_or("no stderr")?);
        self.running = Some((runtime_api, process));
        Ok(())
    }

    pub(super) async fn send(&self, wire: &Wire) -> Result<Answer> {
        let (runtime_api, _) = self.running.as_ref().ok_or("no case has begun")?;
        let response = runtime_api.invoke(http_api_payload(wire).to_string()).await?;
        let response = response.map_err(|error| format!("the invocation failed: {error}"))?;
        read_event_response(&response)
    }
}

/// Runs `binary` as Lambda does, with the world in `world_file`.
pub fn spawn(binary: &Path, runtime_api: &RuntimeApi, world_file: &Path) -> Result<Child> {
    command(binary, runtime_api).env("WORLD_FILE", world_file).spawn().at(binary.display())
}

/// The command that runs `binary` under `runtime_api`, with an empty store unless the environment names one.
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
