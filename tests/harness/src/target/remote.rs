//! Any endpoint over HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::case::{Fault, Throttling};
use crate::client::{Wire, quoted};
use crate::http::{client, may_pass, proxy};
use crate::secrets;

/// The header that names the world of a call, for an endpoint that has worlds apart.
const WORLD_HEADER: &str = "x-local-world";

/// What a gateway answers for an endpoint that does not listen yet.
const ABSENT: [StatusCode; 3] =
    [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
/// How long an endpoint that is waited for may take to answer, and how long after that it is asked again.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(10);
const ATTEMPT_PAUSE: Duration = Duration::from_millis(200);

/// What the control paths of an endpoint demand.
#[derive(Clone, Debug, Default, Args)]
pub struct ControlOptions {
    /// The token that the endpoint's control paths demand
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
    /// The file with the certificate authorities that are trusted in place of the system's.
    cacert: Option<PathBuf>,
    /// The proxy that calls go through, without its user and password.
    proxy: Option<String>,
    /// What its control paths demand. A secret.
    control_token: Option<String>,
    world: World,
}

/// Which world the calls meet.
#[derive(Clone, Debug)]
enum World {
    /// The only one that the endpoint tells of.
    Main,
    /// One of this name, made and dropped by control paths.
    Apart(String),
    /// The existing one, which can be neither set nor read.
    Given,
}

impl Remote {
    /// The endpoint at `url`, whose one world is set and read by its control paths.
    ///
    /// # Errors
    ///
    /// `url` is none.
    pub fn new(url: &str, time_max: Option<Duration>) -> Result<Self, String> {
        Self::trusting(url, time_max, None)
    }

    /// The same, which trusts the certificate authorities in the file `cacert` in place of the system's.
    ///
    /// # Errors
    ///
    /// `url` is none, or the file has none.
    pub fn trusting(
        url: &str,
        time_max: Option<Duration>,
        cacert: Option<&Path>,
    ) -> Result<Self, String> {
        // As SDKs take it: a host and a port, without a scheme.
        let is_bare = !url.contains("://") && url.contains(':');
        let scheme = if is_bare { "http://" } else { "" };
        let url = &format!("{scheme}{url}");
        // What may be a password is not shown.
        let shown = if url.contains('@') { "the URL" } else { url };
        let parsed = Url::parse(url).map_err(|error| format!("{shown}: {error}"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("the URL: name no user and password in it".to_owned());
        }
        if !["http", "https"].contains(&parsed.scheme()) || parsed.host_str().is_none() {
            return Err(format!("{shown}: not a URL like http://127.0.0.1:8787"));
        }
        if parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(format!("{shown}: the operation is at the path /, so name none"));
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

    /// The same endpoint, whose control paths are called with what `options` say.
    #[must_use]
    pub fn controlled_by(self, options: &ControlOptions) -> Self {
        let control_token = options.control_token.clone();
        if let Some(token) = &control_token {
            secrets::remember(token);
        }
        Self { control_token, ..self }
    }

    /// The same endpoint, with a world of its own for these calls.
    #[must_use]
    pub fn apart(&self, name: &str) -> Self {
        Self { world: World::Apart(name.to_owned()), ..self.clone() }
    }

    /// The same endpoint, with the world that it has.
    #[must_use]
    pub fn as_given(&self) -> Self {
        Self { world: World::Given, ..self.clone() }
    }

    /// The options that name it.
    #[must_use]
    pub fn options(&self) -> String {
        let url = format!("--endpoint {}", self.url);
        match &self.cacert {
            None => url,
            Some(file) => format!("{url} --cacert {}", quoted(&file.display().to_string())),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port, as a request names them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.split_once("://").map_or(&self.url, |(_, authority)| authority)
    }

    /// The name of the world that was made; none if there is none.
    #[must_use]
    pub fn world_name(&self) -> &str {
        match &self.world {
            World::Apart(name) => name,
            World::Main | World::Given => "",
        }
    }

    /// The proxy that calls go through, without its user and password.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Waits until an HTTP server answers. What a gateway answers for an absent one does not count.
    ///
    /// # Errors
    ///
    /// Why none does, once `time_max` is over or waiting longer cannot help.
    pub async fn wait(&self, time_max: Duration) -> Result<(), String> {
        let mut why = "no answer".to_owned();
        let attempts = async {
            loop {
                let request = self.control_request(Method::GET, "worlds").timeout(ATTEMPT_TIME_MAX);
                match request.send().await {
                    Ok(answer) if !ABSENT.contains(&answer.status()) => return Ok(()),
                    Ok(answer) => why = answer.status().to_string(),
                    Err(error) if may_pass(&error) => why = with_causes(&error),
                    Err(error) => return Err(with_causes(&error)),
                }
                tokio::time::sleep(ATTEMPT_PAUSE).await;
            }
        };
        let attempts = tokio::time::timeout(time_max, attempts).await;
        let secs = time_max.as_secs();
        attempts
            .unwrap_or_else(|_| Err(format!("within {secs} s: {why}")))
            .map_err(|why| format!("{}: no HTTP server answers: {why}", self.url))
    }

    /// Whether the endpoint has worlds apart.
    ///
    /// # Errors
    ///
    /// There is no HTTP server, or its control paths refuse these calls.
    pub async fn has_worlds(&self) -> Result<bool, String> {
        let request = self.control_request(Method::GET, "worlds");
        let answer = request.send().await.map_err(|error| {
            format!("{}: no HTTP server answers: {}", self.url, with_causes(&error))
        })?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        // As only the local endpoint writes errors.
        match told["Error"].as_str() {
            Some(error) => Err(format!("{}/_control/worlds: {status}: {error}", self.url)),
            None => Ok(status.is_success() && told["Worlds"].is_array()),
        }
    }

    fn control_request(&self, method: Method, name: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/_control/{name}", self.url));
        match &self.control_token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Whether its world can be set and read.
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
    /// No answer, or one that is no success.
    pub async fn control(&self, method: Method, name: &str, body: &str) -> Result<Value, String> {
        let request = self.control_request(method, name).body(body.to_owned());
        let answer = request.send().await.map_err(|error| with_causes(&error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| with_causes(&error))?;
        if !status.is_success() {
            return Err(format!("_control/{name}: {status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("_control/{name}: {error}"))
    }

    /// Calls a control path of the world of these calls.
    ///
    /// # Errors
    ///
    /// See [`Remote::control`].
    pub async fn control_world(
        &self,
        method: Method,
        name: &str,
        body: &str,
    ) -> Result<Value, String> {
        self.control(method, &self.of_world(name), body).await
    }

    /// The name of a control path of the world of these calls.
    fn of_world(&self, name: &str) -> String {
        match &self.world {
            World::Main | World::Given => name.to_owned(),
            World::Apart(world) => format!("worlds/{world}/{name}"),
        }
    }

    /// Begins with a world.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) async fn begin(
        &self,
        world: &Value,
        throttling: Option<Throttling>,
    ) -> Result<(), String> {
        let document = match &self.world {
            World::Given => return Ok(()),
            // As text of many lines, so that an error names the line.
            World::Main | World::Apart(_) => format!("{world:#}"),
        };
        if let World::Apart(name) = &self.world {
            self.control(Method::PUT, &format!("worlds/{name}"), &document).await?;
        } else {
            self.control(Method::POST, "reset", "").await?;
            self.control(Method::PUT, "world", &document).await?;
        }
        if let Some(Throttling { calls, seconds }) = throttling {
            let throttling = json!({ "Calls": calls, "Seconds": seconds }).to_string();
            self.control_world(Method::PUT, "throttling", &throttling).await?;
        }
        Ok(())
    }

    /// Drops the world that was made, unless it ended by itself.
    ///
    /// # Errors
    ///
    /// It is still there.
    pub async fn end(&self) -> Result<(), String> {
        let World::Apart(name) = &self.world else { return Ok(()) };
        let request = self.control_request(Method::DELETE, &format!("worlds/{name}"));
        let answer = request.send().await.map_err(|error| with_causes(&error))?;
        match answer.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            status => Err(status.to_string()),
        }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn send(&self, wire: &Wire, fault: Option<Fault>) -> Result<Answer, String> {
        if let Some(fault) = fault {
            let kind = match fault {
                Fault::StoreUnavailable => "StoreUnavailable",
                Fault::StorePanics => "StorePanics",
            };
            let fault = json!({ "Action": wire.action(), "Times": 1, "Kind": kind });
            let faults = json!({ "Faults": [fault] }).to_string();
            self.control_world(Method::PUT, "faults", &faults).await?;
        }
        self.exchange(wire, &wire.query_string(), wire.body.clone()).await
    }

    /// Sends a request whose query and body are written in a way of their own, and reads the answer.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn exchange(&self, wire: &Wire, query: &str, body: String) -> Result<Answer, String> {
        let url = format!("{}/?{query}", self.url);
        let method = Method::from_bytes(wire.method.as_bytes()).map_err(|e| e.to_string())?;
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        if let World::Apart(name) = &self.world {
            request = request.header(WORLD_HEADER, name);
        }
        let answer = request.send().await.map_err(|error| with_causes(&error))?;
        let status = answer.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            let known = headers.entry(name.as_str().to_owned()).or_default();
            // A header that occurs twice differs from one that occurs once.
            let separator = if known.is_empty() { "" } else { ", " };
            known.extend([separator, &value]);
        }
        let body = answer.bytes().await.map_err(|error| with_causes(&error))?;
        Ok(Answer::new(status, headers, &body))
    }

    /// The documents that there are, if the endpoint tells.
    ///
    /// # Errors
    ///
    /// Why it does not, although it should.
    pub async fn world(&self) -> Result<Option<Value>, String> {
        match &self.world {
            World::Given => Ok(None),
            World::Main => self.control(Method::GET, "world", "").await.map(Some),
            World::Apart(name) => {
                self.control(Method::GET, &format!("worlds/{name}"), "").await.map(Some)
            }
        }
    }
}

/// What failed, and why. The URL is left out: its query has a signature.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        text.extend([separator, &error.to_string()]);
        cause = error.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
