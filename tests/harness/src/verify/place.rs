//! Where cases are tried, as options say it.

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
use crate::operations::Operations;
use crate::secrets;
#[cfg(feature = "in-process")]
use crate::target::InProcess;
use crate::target::{Bootstrap, ControlOptions, Remote, Target};

/// Where cases are tried.
#[derive(Debug, Args)]
pub struct Where {
    #[command(flatten)]
    place: PlaceOptions,
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    control: ControlOptions,
    /// The region that calls are made for, where worlds cannot be set
    #[arg(long, value_name = "ID", default_value = "cn-huhehaote")]
    region: String,
    /// How long an answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    timeout: u64,
    /// Wait until the endpoint answers, this long at most. Any HTTP answer but 502, 503 and 504 will do; an
    /// error of TLS ends the wait
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["function", "in_process"])]
    #[arg(value_parser = clap::value_parser!(u32))]
    wait: Option<u32>,
    /// Trust the certificate authorities in this PEM file in place of the system's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["function", "in_process"])]
    cacert: Option<PathBuf>,
    /// A real id for a role that cases name, as ipv6-free=ipv6-2zexxxx; may be given more than once
    #[arg(long = "bind", value_name = "ROLE=ID")]
    pub(crate) bindings: Vec<String>,
    /// Use the endpoint as it is, even if it has control paths
    #[arg(long)]
    as_given: bool,
}

/// What is checked.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
struct PlaceOptions {
    /// The endpoint, as `http://127.0.0.1:8787`. It is called through the proxy that `HTTP_PROXY`,
    /// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name for it, unless it is on this machine
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A built bootstrap, run under an emulation of the Lambda Runtime API
    #[arg(long, value_name = "PATH")]
    function: Option<PathBuf>,
    /// The function, if this program was built with the feature `in-process`
    #[arg(long)]
    in_process: bool,
}

impl Where {
    /// Looks at the place, and who calls if the worlds cannot be set there.
    ///
    /// # Errors
    ///
    /// There is no such place, or it does not take the access key.
    pub async fn find(&self, contract: &Contract) -> Result<(Place, Option<Caller>), String> {
        let PlaceOptions { endpoint, function, in_process: _ } = &self.place;
        if let Some(binary) = function {
            if !binary.is_file() {
                return Err(format!("--function {}: there is no such file", binary.display()));
            }
            return Ok((Place::Function(binary.clone()), None));
        }
        let Some(url) = endpoint else {
            if cfg!(feature = "in-process") {
                return Ok((Place::InProcess, None));
            }
            let why = "--in-process: this program was built without the feature `in-process`, and has no function";
            return Err(why.to_owned());
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

/// Where cases are tried.
#[derive(Clone, Debug)]
pub enum Place {
    /// An endpoint that has worlds apart.
    Apart(Remote),
    /// An endpoint as it is.
    Given(Remote),
    /// A built bootstrap.
    Function(PathBuf),
    /// The function in this process.
    InProcess,
}

impl Place {
    /// The option that names it.
    #[must_use]
    pub fn option(&self) -> String {
        match self {
            Self::Apart(remote) => remote.options(),
            Self::Given(remote) => format!("{} --as-given", remote.options()),
            Self::Function(binary) => format!("--function {}", binary.display()),
            Self::InProcess => "--in-process".to_owned(),
        }
    }

    /// The proxy of the environment that calls go through.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        match self {
            Self::Apart(remote) | Self::Given(remote) => remote.proxy(),
            Self::Function(_) | Self::InProcess => None,
        }
    }

    /// A target for the worker of this number, which writes below `folder`.
    ///
    /// # Errors
    ///
    /// The folder cannot be written to.
    pub fn target(&self, worker: usize, folder: &TempDir) -> Result<Target, String> {
        Ok(match self {
            Self::Apart(remote) => {
                let name = format!("contract-{}-{worker}", client::fresh_run());
                Target::Remote(remote.apart(&name))
            }
            Self::Given(remote) => Target::Remote(remote.clone()),
            Self::Function(binary) => {
                let folder = folder.path().join(worker.to_string());
                std::fs::create_dir_all(&folder)
                    .map_err(|error| format!("{}: {error}", folder.display()))?;
                Target::Bootstrap(Box::new(Bootstrap::new(binary, &folder)))
            }
            #[cfg(feature = "in-process")]
            Self::InProcess => Target::InProcess(Box::new(InProcess::new(worker))),
            #[cfg(not(feature = "in-process"))]
            Self::InProcess => return Err("this program has no function".to_owned()),
        })
    }
}
