//! With which access key calls are signed.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::contract::utf8;

/// The access key: the options before the environment, the environment before the current profile.
#[derive(Args)]
pub struct KeyOptions {
    /// The access key. Without it that of --profile, else of `ALIBABA_CLOUD_ACCESS_KEY_ID`, else of the
    /// current profile in ~/.aliyun/config.json
    #[arg(long, value_name = "ID", conflicts_with = "profile", requires = "access_key_secret")]
    access_key_id: Option<String>,
    /// Its secret. Other processes see the arguments of this one: the environment is a better place
    #[arg(long, value_name = "SECRET", requires = "access_key_id")]
    access_key_secret: Option<String>,
    /// The token of a temporary access key
    #[arg(long, value_name = "TOKEN", requires = "access_key_id")]
    security_token: Option<String>,
    /// The profile of ~/.aliyun/config.json; without it that of `ALIBABA_CLOUD_PROFILE`, or the current one
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    environment: Environment,
}

/// What the environment says. Read apart from the options, which precede it.
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
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The token that goes with a temporary key.
    pub security_token: Option<String>,
    /// Where the key is from.
    pub source: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl KeyOptions {
    /// The access key of the options, of the environment, or of the configuration file of the official
    /// command line, in this order. A profile that the options name precedes a key of the environment.
    ///
    /// # Errors
    ///
    /// There is none, only half of one, or what is wrong with it or with the file.
    pub fn find(&self) -> Result<Credentials, String> {
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
            return Err(format!(
                "{source}: the access key, its secret or its token has a blank, a line end or another \
                 control character in it"
            ));
        }
        Ok(found)
    }

    fn of_file(&self) -> Result<Credentials, String> {
        let Environment { home, environment_profile, .. } = &self.environment;
        let missing = "there is no access key: give --access-key-id and --access-key-secret, or set \
                       ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET";
        let home = home.as_ref().ok_or(missing)?;
        let path = home.join(".aliyun/config.json");
        let Ok(bytes) = std::fs::read(&path) else {
            return Err(format!("{missing}, or run aliyun configure"));
        };
        let path = path.display();
        let text = utf8(&bytes).map_err(|_| format!("{path}: not UTF-8 text"))?;
        // An error names the place and shows nothing of
        // the file, which holds secrets.
        let config: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{path}:{}:{}: no JSON", error.line(), error.column()))?;
        let named = self.profile.as_deref().or(environment_profile.as_deref());
        let name = named.filter(|name| !name.is_empty()).or_else(|| config["current"].as_str());
        let name = name.unwrap_or("default");
        let source = format!("{path}: the profile {name}");
        let mut profiles = config["profiles"].as_array().into_iter().flatten();
        let profile = profiles
            .find(|profile| profile["name"] == name)
            .ok_or_else(|| format!("{path}: there is no profile {name}"))?;
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
            mode => Err(format!("{source} is of mode {mode}, and only AK and StsToken are read")),
        }
    }
}

/// The key that these texts are, if they are given; empty ones are not.
fn pair(texts: [&Option<String>; 3], names: [&str; 2]) -> Result<Option<Credentials>, String> {
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
        (Some(_), None) => Err(format!("{id_name} is given, and {secret_name} is not")),
        (None, Some(_)) => Err(format!("{secret_name} is given, and {id_name} is not")),
        (None, None) => Ok(None),
    }
}
