//! The place where cases are tried, and its options.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tempfile::TempDir;

use super::given::{check_key, masked};
use super::roles::Caller;
use crate::client;
use crate::command::print_error;
use crate::contract::Contract;
use crate::credentials::KeyOptions;
use crate::error::{At as _, Result, bail};
use crate::operations::Operations;
use crate::secrets;
#[cfg(feature = "in-process")]
use crate::target::InProcess;
use crate::target::{Bootstrap, ControlOptions, Remote, Target};

/// The options for the place.
#[derive(Debug, Args)]
pub struct Where {
    #[command(flatten)]
    place: PlaceOptions,
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    control: ControlOptions,
    /// The region of the calls, where worlds cannot be set
    #[arg(long, value_name = "ID", default_value = "cn-huhehaote")]
    region: String,
    /// The time limit of an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    timeout: u64,
    /// Wait up to this time until the endpoint answers. Any HTTP answer but 502, 503 and 504 counts; a TLS
    /// error ends the wait
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["function", "in_process"])]
    #[arg(value_parser = clap::value_parser!(u32))]
    wait: Option<u32>,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["function", "in_process"])]
    cacert: Option<PathBuf>,
    /// A real id for a role in cases, like ipv6-free=ipv6-2zexxxx; may be repeated
    #[arg(long = "bind", value_name = "ROLE=ID")]
    pub(crate) bindings: Vec<String>,
    /// Do not set worlds, even if the endpoint has control paths
    #[arg(long)]
    as_given: bool,
}

/// The options that select the place.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct PlaceOptions {
    /// The endpoint's URL, like `http://127.0.0.1:8787`. Calls use the proxy that `HTTP_PROXY`,
    /// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` select, unless the endpoint is on this machine
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A built bootstrap, which runs under an emulated Lambda Runtime API
    #[arg(long, value_name = "PATH")]
    function: Option<PathBuf>,
    /// The function in this program, if it was built with the feature `in-process`
    #[arg(long)]
    in_process: bool,
}

impl Where {
    /// Finds the place, and the caller if worlds cannot be set there.
    ///
    /// # Errors
    ///
    /// The place does not exist, or refuses the access key.
    pub async fn find(&self, contract: &Contract) -> Result<(Place, Option<Caller>)> {
        let PlaceOptions { endpoint, function, in_process: _ } = &self.place;
        if let Some(binary) = function {
            if !binary.is_file() {
                bail!("--function {}: no such file", binary.display());
            }
            return Ok((Place::Function(binary.clone()), None));
        }
        let Some(url) = endpoint else {
            if cfg!(feature = "in-process") {
                return Ok((Place::InProcess, None));
            }
            let why = "--in-process: this program was built without the feature `in-process`";
            bail!("{why}");
        };
        let time_max = Duration::from_secs(self.timeout.max(1));
        let remote = Remote::trusting(url, Some(time_max), self.cacert.as_deref());
        let remote = remote.map_err(|error| format!("--endpoint {error}"))?;
        let remote = remote.controlled_by(&self.control);
        if let Some(secs) = self.wait {
            remote.wait(Duration::from_secs(secs.into())).await?;
        }
        if !self.as_given && remote.has_worlds().await? {
            return Ok((Place::Apart(remote), None));
        }
        let remote = remote.as_given();
        let key = self.key.find()?;
        secrets::remember(&key.access_key_secret);
        if let Some(token) = &key.security_token {
            secrets::remember(token);
        }
        print_error(&format!("signed with {} of {}", masked(&key.access_key_id), key.source));
        let caller = Caller {
            access_key_id: key.access_key_id,
            access_key_secret: key.access_key_secret,
            security_token: key.security_token,
            region: self.region.clone(),
            host: remote.authority().to_owned(),
        };
        let operations = Operations::read(contract)?;
        let operation = operations.all().first().ok_or("the contract has no operation")?;
        check_key(&remote, &caller, &operation.action).await?;
        Ok((Place::Given(remote), Some(caller)))
    }
}

/// The place where cases are tried.
#[derive(Clone, Debug)]
pub enum Place {
    /// An endpoint with separate worlds.
    Apart(Remote),
    /// An endpoint whose world cannot be set.
    Given(Remote),
    /// A built bootstrap.
    Function(PathBuf),
    /// The function in this process.
    InProcess,
}

impl Place {
    /// The options that select the place.
    #[must_use]
    pub fn option(&self) -> String {
        match self {
            Self::Apart(remote) => remote.options(),
            Self::Given(remote) => format!("{} --as-given", remote.options()),
            Self::Function(binary) => format!("--function {}", binary.display()),
            Self::InProcess => "--in-process".to_owned(),
        }
    }

    /// The proxy of the calls, from the environment.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        match self {
            Self::Apart(remote) | Self::Given(remote) => remote.proxy(),
            Self::Function(_) | Self::InProcess => None,
        }
    }

    /// The target of the worker of this number, which writes below `folder`.
    pub fn target(&self, worker: usize, folder: &TempDir) -> Result<Target> {
        Ok(match self {
            Self::Apart(remote) => {
                let name = format!("contract-{}-{worker}", client::fresh_run());
                Target::Remote(remote.apart(&name))
            }
            Self::Given(remote) => Target::Remote(remote.clone()),
            Self::Function(binary) => {
                let folder = folder.path().join(worker.to_string());
                std::fs::create_dir_all(&folder).at(folder.display())?;
                Target::Bootstrap(Box::new(Bootstrap::new(binary, &folder)))
            }
            #[cfg(feature = "in-process")]
            Self::InProcess => Target::InProcess(Box::new(InProcess::new(worker))),
            #[cfg(not(feature = "in-process"))]
            Self::InProcess => bail!("this program has no function"),
        })
    }
}
