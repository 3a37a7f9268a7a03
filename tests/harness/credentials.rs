//! With which access key calls are signed.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

/// The access key.
#[derive(Args)]
pub struct KeyOptions {
    /// The access key; without it the one of the profile in ~/.aliyun/config.json, if there is one
    #[arg(long, value_name = "ID", env = "ALIBABA_CLOUD_ACCESS_KEY_ID", hide_env_values = true)]
    access_key_id: Option<String>,
    /// Its secret. Other processes see the arguments of this one: the environment is a better place
    #[arg(
        long,
        value_name = "SECRET",
        env = "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        hide_env_values = true
    )]
    access_key_secret: Option<String>,
    /// The token of a temporary access key
    #[arg(
        long,
        value_name = "TOKEN",
        env = "ALIBABA_CLOUD_SECURITY_TOKEN",
        hide_env_values = true
    )]
    security_token: Option<String>,
    /// The profile of ~/.aliyun/config.json; without it the current one
    #[arg(long, value_name = "NAME", env = "ALIBABA_CLOUD_PROFILE")]
    profile: Option<String>,
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
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The token that goes with a temporary key.
    pub security_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl KeyOptions {
    /// The access key of the options, of the environment, or of the configuration file of the official
    /// command line, in this order.
    ///
    /// # Errors
    ///
    /// There is none, only half of one, or what is wrong with the file.
    pub fn find(&self) -> Result<Credentials, String> {
        let Self { access_key_id, access_key_secret, security_token, .. } = self;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (given(access_key_id), given(access_key_secret)) {
            (Some(access_key_id), Some(access_key_secret)) => Ok(Credentials {
                access_key_id,
                access_key_secret,
                security_token: given(security_token),
            }),
            (Some(_), None) => {
                Err("--access-key-id is given, and --access-key-secret is not".to_owned())
            }
            (None, Some(_)) => {
                Err("--access-key-secret is given, and --access-key-id is not".to_owned())
            }
            (None, None) => self.of_file(),
        }
    }

    fn of_file(&self) -> Result<Credentials, String> {
        let missing = "there is no access key: give --access-key-id and --access-key-secret, or set \
                       ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET";
        let home = self.home.as_ref().ok_or(missing)?;
        let path = home.join(".aliyun/config.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            return Err(format!("{missing}, or run aliyun configure"));
        };
        let path = path.display();
        // An error names the place and shows nothing of the file, which holds secrets.
        let config: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{path}:{}:{}: no JSON", error.line(), error.column()))?;
        let name = self.profile.as_deref().or_else(|| config["current"].as_str());
        let name = name.unwrap_or("default");
        let mut profiles = config["profiles"].as_array().into_iter().flatten();
        let profile = profiles
            .find(|profile| profile["name"] == name)
            .ok_or_else(|| format!("{path}: there is no profile {name}"))?;
        let text = |field: &str| {
            let text = profile[field].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let needed = |field: &str| {
            text(field).ok_or_else(|| format!("{path}: the profile {name} has no {field}"))
        };
        match profile["mode"].as_str().unwrap_or_default() {
            "AK" | "StsToken" | "" => Ok(Credentials {
                access_key_id: needed("access_key_id")?,
                access_key_secret: needed("access_key_secret")?,
                security_token: text("sts_token"),
            }),
            mode => Err(format!(
                "{path}: the profile {name} is of mode {mode}, and only AK and StsToken are read"
            )),
        }
    }
}
