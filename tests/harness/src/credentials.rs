//! The access key that signs calls.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::contract::utf8;
use crate::error::{Result, bail};

/// The options for the access key. They override the environment, which overrides the current profile.
#[derive(Args)]
pub struct KeyOptions {
    /// The access key's id [default: that of --profile, of `ALIBABA_CLOUD_ACCESS_KEY_ID`, or of the current
    /// profile in ~/.aliyun/config.json]
    #[arg(long, value_name = "ID", conflicts_with = "profile", requires = "access_key_secret")]
    access_key_id: Option<String>,
    /// The access key's secret. Other processes can read arguments: prefer the environment
    #[arg(long, value_name = "SECRET", requires = "access_key_id")]
    access_key_secret: Option<String>,
    /// The token of a temporary access key
    #[arg(long, value_name = "TOKEN", requires = "access_key_id")]
    security_token: Option<String>,
    /// The profile in ~/.aliyun/config.json [default: that of `ALIBABA_CLOUD_PROFILE`, or the current one]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    environment: Environment,
}

/// The environment's values. They are separate arguments because the options override them.
#[derive(Args)]
struct Environment {
    #[arg(long, hide = true, env = "ALIBABA_CLOUD_ACCESS_KEY_ID", hide_env_values = true)]
    environment_key_id: Option<String>,
    #[arg(long, hide = true, env = "ALIBABA_CLOUD_ACCESS_KEY_SECRET", hide_env_values = true)]
    environment_key_secret: Option<String>,
    #[arg(long, hide = true, env = "ALIBABA_CLOUD_SECURITY_TOKEN", hide_env_values = true)]
    environment_token: Option<String>,
    #[arg(long, hide = true, env = "ALIBABA_CLOUD_PROFILE")]
    environment_profile: Option<String>,
    #[arg(long, hide = true, env = "HOME")]
    home: Option<PathBuf>,
}

impl std::fmt::Debug for KeyOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("KeyOptions").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// An access key with its secret.
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub access_key_secret: String,
    /// The token of a temporary key.
    pub security_token: Option<String>,
    /// The origin of the key: an option, a variable or a profile.
    pub source: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl KeyOptions {
    /// The access key of the options, of the environment, or of the configuration file of the official
    /// command line, in this order. A profile in the options overrides a key in the environment.
    ///
    /// # Errors
    ///
    /// No access key is configured, its secret is missing, or the file is malformed.
    pub fn find(&self) -> Result<Credentials> {
        let Environment { environment_key_id, environment_key_secret, environment_token, .. } =
            &self.environment;
        let of_options = [&self.access_key_id, &self.access_key_secret, &self.security_token];
        let of_environment = [environment_key_id, environment_key_secret, environment_token];
        let options = ["--access-key-id", "--access-key-secret"];
        let variables = ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"];
        let found = match pair(of_options, options)? {
            Some(found) => found,
            None if self.profile.is_some() => self.of_file()?,
            None => match pair(of_environment, variables)? {
                Some(found) => found,
                None => self.of_file()?,
            },
        };
        let Credentials { access_key_id, access_key_secret, security_token, source } = &found;
        let texts = [access_key_id, access_key_secret].into_iter().chain(security_token);
        if texts.into_iter().any(|text| text.contains(|c: char| c.is_control() || c == ' ')) {
            bail!(
                "{source}: the access key, its secret or its token contains a space, a line end or \
                 another control character"
            );
        }
        Ok(found)
    }

    fn of_file(&self) -> Result<Credentials> {
        let Environment { home, environment_profile, .. } = &self.environment;
        let missing = "no access key: give --access-key-id and --access-key-secret, or set \
                       ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET";
        let home = home.as_ref().ok_or(missing)?;
        let path = home.join(".aliyun/config.json");
        let Ok(bytes) = std::fs::read(&path) else {
            bail!("{missing}, or run aliyun configure");
        };
        let path = path.display();
        let text = utf8(&bytes).map_err(|_| format!("{path}: not UTF-8 text"))?;
        // The file holds secrets, so an error shows only the place.
        let config: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{path}:{}:{}: not JSON", error.line(), error.column()))?;
        let named = self.profile.as_deref().or(environment_profile.as_deref());
        let name = named.filter(|name| !name.is_empty()).or_else(|| config["current"].as_str());
        let name = name.unwrap_or("default");
        let source = format!("{path}: the profile {name}");
        let mut profiles = config["profiles"].as_array().into_iter().flatten();
        let profile = profiles
            .find(|profile| profile["name"] == name)
            .ok_or_else(|| format!("{path}: no profile is named {name}"))?;
        let text = |field: &str| {
            let text = profile[field].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let needed = |field: &str| text(field).ok_or_else(|| format!("{source} has no {field}"));
        match profile["mode"].as_str().unwrap_or_default() {
            "AK" | "StsToken" | "" => Ok(Credentials {
                access_key_id: needed("access_key_id")?,
                access_key_secret: needed("access_key_secret")?,
                security_token: text("sts_token"),
                source,
            }),
            mode => {
                Err(format!("{source} has the mode {mode}; only AK and StsToken are supported")
                    .into())
            }
        }
    }
}

/// The key made of these texts. Empty texts count as absent.
fn pair(texts: [&Option<String>; 3], names: [&str; 2]) -> Result<Option<Credentials>> {
    let [id, secret, token] = texts.map(|text| text.clone().filter(|text| !text.is_empty()));
    let [id_name, secret_name] = names;
    match (id, secret) {
        (Some(access_key_id), Some(access_key_secret)) => {
            let source = id_name.to_owned();
            Ok(Some(Credentials {
                access_key_id,
                access_key_secret,
                security_token: token,
                source,
            }))
        }
        (Some(_), None) => Err(format!("{id_name} is set, but {secret_name} is not").into()),
        (None, Some(_)) => Err(format!("{secret_name} is set, but {id_name} is not").into()),
        (None, None) => Ok(None),
    }
}
