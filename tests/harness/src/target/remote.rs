//! An endpoint over HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::{Wire, quoted};
use crate::error::{At as _, Error, Result, bail};
use crate::http::{client, is_transient, proxy};
use crate::secrets;

/// The header that names the world of a call, where the endpoint has separate worlds.
const WORLD_HEADER: &str = "x-local-world";

/// The statuses that a gateway answers with while the endpoint behind it does not listen.
const ABSENT: [StatusCode; 3] =
    [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
/// The time limit of one attempt to reach an endpoint, and the pause between attempts.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(10);
const ATTEMPT_PAUSE: Duration = Duration::from_millis(200);

/// The options for the control paths of an endpoint.
#[derive(Clone, Debug, Default, Args)]
pub struct ControlOptions {
    /// The token for the endpoint's control paths
    #[arg(
        long,
        value_name = "TOKEN",
        env = "LOCAL_ENDPOINT_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
}

/// An endpoint over HTTP.
#[derive(Clone, Debug)]
pub struct Remote {
    /// `http://host:port`, without a path.
    url: String,
    client: reqwest::Client,
    /// The file of the trusted certificate authorities, which replace the system's.
    cacert: Option<PathBuf>,
    /// The proxy of the calls, without user and password.
    proxy: Option<String>,
    /// The token for the control paths. A secret.
    control_token: Option<String>,
    world: World,
}

/// The world of the calls.
#[derive(Clone, Debug)]
enum World {
    /// The endpoint's main world.
    Main,
    /// A separate world of this name, which control paths make and drop.
    Apart(String),
    /// The endpoint's existing world, which can be neither set nor read.
    Given,
}

impl Remote {
    /// The endpoint at `url`, whose main world is set and read by its control paths.
    pub fn new(url: &str, time_max: Option<Duration>) -> Result<Self> {
        Self::trusting(url, time_max, None)
    }

    /// As [`Remote::new`], but trusts the certificate authorities in the file `cacert`, not the system's.
    pub fn trusting(url: &str, time_max: Option<Duration>, cacert: Option<&Path>) -> Result<Self> {
        // SDKs accept a host and a port without a scheme.
        let is_bare = !url.contains("://") && url.contains(':');
        let scheme = if is_bare { "http://" } else { "" };
        let url = &format!("{scheme}{url}");
        // The text before an `@` may be a password, so it is not shown.
        let shown = if url.contains('@') { "the URL" } else { url };
        let parsed = Url::parse(url).map_err(Error::other).at(shown)?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            bail!("the URL: it must not name a user or a password");
        }
        if !["http", "https"].contains(&parsed.scheme()) || parsed.host_str().is_none() {
            bail!("{shown}: not a URL like http://127.0.0.1:8787");
        }
        if parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
            bail!("{shown}: the URL must not have a path: operations are at /");
        }
        let client = client(&parsed, time_max, cacert)?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self {
            url,
            client,
            cacert: cacert.map(Path::to_owned),
            proxy: proxy(&parsed),
            control_token: None,
            world: World::Main,
        })
    }

    /// The same endpoint, with `options` for its control paths.
    #[must_use]
    pub fn controlled_by(self, options: &ControlOptions) -> Self {
        let control_token = options.control_token.clone();
        if let Some(token) = &control_token {
            secrets::remember(token);
        }
        Self { control_token, ..self }
    }

    /// The same endpoint, with a separate world for these calls.
    #[must_use]
    pub fn apart(&self, name: &str) -> Self {
        Self { world: World::Apart(name.to_owned()), ..self.clone() }
    }

    /// The same endpoint, with its existing world.
    #[must_use]
    pub fn as_given(&self) -> Self {
        Self { world: World::Given, ..self.clone() }
    }

    /// The options that select this endpoint.
    #[must_use]
    pub fn options(&self) -> String {
        let url = format!("--endpoint {}", self.url);
        match &self.cacert {
            None => url,
            Some(file) => format!("{url} --cacert {}", quoted(&file.display().to_string())),
        }
    }

    /// The URL, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host and port, as in a request's `host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.split_once("://").map_or(&self.url, |(_, authority)| authority)
    }

    /// The name of the separate world; empty if there is none.
    #[must_use]
    pub fn world_name(&self) -> &str {
        match &self.world {
            World::Apart(name) => name,
            World::Main | World::Given => "",
        }
    }

    /// The proxy of the calls, without user and password.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Waits until an HTTP server answers. A gateway's answer for an absent endpoint does not count.
    ///
    /// # Errors
    ///
    /// No server answers within `time_max`, or waiting longer cannot help.
    pub async fn wait(&self, time_max: Duration) -> Result<()> {
        let mut why = "no answer".to_owned();
        let attempts = async {
            loop {
                let request = self.control_request(Method::GET, "worlds").timeout(ATTEMPT_TIME_MAX);
                match request.send().await {
                    Ok(answer) if !ABSENT.contains(&answer.status()) => return Ok::<(), Error>(()),
                    Ok(answer) => why = answer.status().to_string(),
                    Err(error) if is_transient(&error) => why = Error::from(error).to_string(),
                    Err(error) => return Err(error.into()),
                }
                tokio::time::sleep(ATTEMPT_PAUSE).await;
            }
        };
        let attempts = tokio::time::timeout(time_max, attempts).await;
        let secs = time_max.as_secs();
        attempts
            .unwrap_or_else(|_| Err(format!("within {secs} s: {why}").into()))
            .at(self.no_server())
    }

    /// Whether the endpoint has separate worlds.
    ///
    /// # Errors
    ///
    /// No HTTP server answers, or its control paths refuse the call.
    pub async fn has_worlds(&self) -> Result<bool> {
        let request = self.control_request(Method::GET, "worlds");
        let answer = request.send().await.at(self.no_server())?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        // Only the local endpoint writes errors in this form.
        match body["Error"].as_str() {
            Some(error) => Err(format!("{}/_control/worlds: {status}: {error}", self.url).into()),
            None => Ok(status.is_success() && body["Worlds"].is_array()),
        }
    }

    fn no_server(&self) -> String {
        format!("{}: no HTTP server answers", self.url)
    }

    fn control_request(&self, method: Method, name: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/_control/{name}", self.url));
        match &self.control_token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Whether the world can be set and read.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        match self.world {
            World::Main | World::Apart(_) => true,
            World::Given => false,
        }
    }

    /// Calls a control path.
    ///
    /// # Errors
    ///
    /// The endpoint does not answer, or answers with an error.
    pub async fn control(&self, method: Method, name: &str, body: &str) -> Result<Value> {
        let request = self.control_request(method, name).body(body.to_owned());
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("_control/{name}: {status}: {text}");
        }
        serde_json::from_str(&text).at(format_args!("_control/{name}"))
    }

    /// Calls a control path of this world.
    pub async fn control_world(&self, method: Method, name: &str, body: &str) -> Result<Value> {
        self.control(method, &self.of_world(name), body).await
    }

    /// The name of a control path of this world.
    fn of_world(&self, name: &str) -> String {
        match &self.world {
            World::Main | World::Given => name.to_owned(),
            World::Apart(world) => format!("worlds/{world}/{name}"),
        }
    }

    /// Sets the world and the throttling.
    pub(crate) async fn begin(&self, world: &Value, throttling: Option<Throttling>) -> Result<()> {
        let document = match &self.world {
            World::Given => return Ok(()),
            // In lines, so that an error can name the line.
            World::Main | World::Apart(_) => format!("{world:#}"),
        };
        if let World::Apart(name) = &self.world {
            self.control(Method::PUT, &format!("worlds/{name}"), &document).await?;
        } else {
            self.control(Method::POST, "reset", "").await?;
            self.control(Method::PUT, "world", &document).await?;
        }
        if let Some(throttling) = throttling {
            self.control_world(Method::PUT, "throttling", &throttling.document()).await?;
        }
        Ok(())
    }

    /// Drops the separate world, unless it has expired.
    pub async fn end(&self) -> Result<()> {
        let World::Apart(name) = &self.world else { return Ok(()) };
        let request = self.control_request(Method::DELETE, &format!("worlds/{name}"));
        let answer = request.send().await?;
        match answer.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            status => Err(Error::other(status)),
        }
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer> {
        if let Some(fault) = fault {
            let faults = fault.document(wire.action());
            self.control_world(Method::PUT, "faults", &faults).await?;
        }
        self.exchange(wire, &wire.query_string(), wire.body.clone()).await
    }

    /// Sends a request with this encoding of its query and body, and reads the answer.
    pub async fn exchange(&self, wire: &Wire, query: &str, body: String) -> Result<Answer> {
        let url = format!("{}/?{query}", self.url);
        let method = Method::from_bytes(wire.method.as_bytes()).map_err(Error::other)?;
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        if let World::Apart(name) = &self.world {
            request = request.header(WORLD_HEADER, name);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            let known = headers.entry(name.as_str().to_owned()).or_default();
            // A repeated header must not look like a single one.
            let separator = if known.is_empty() { "" } else { ", " };
            known.extend([separator, &value]);
        }
        let body = answer.bytes().await?;
        Ok(Answer::new(status, headers, &body))
    }

    /// The world; `None` if it cannot be read.
    pub async fn world(&self) -> Result<Option<Value>> {
        match &self.world {
            World::Given => Ok(None),
            World::Main => self.control(Method::GET, "world", "").await.map(Some),
            World::Apart(name) => {
                self.control(Method::GET, &format!("worlds/{name}"), "").await.map(Some)
            }
        }
    }
}
