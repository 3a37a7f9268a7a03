//! HTTP clients, and the HTTP server of fakes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Url};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::{At as _, Error, Result, bail};
use crate::secrets;

/// A client for endpoints on this machine, without TLS.
pub fn local_client() -> Result<Client> {
    build(plain()?.no_proxy())
}

/// A client for the endpoint at `url`. It waits `time_max` for an answer, and trusts the certificate
/// authorities in the file `cacert`, or the system's. It follows no redirection: a redirection is an answer.
pub fn client(url: &Url, time_max: Option<Duration>, cacert: Option<&Path>) -> Result<Client> {
    let builder = if url.scheme() == "https" || proxy(url).is_some() {
        // This fails if a provider is already installed, which is fine.
        drop(ring::default_provider().install_default());
        Client::builder()
    } else {
        plain()?
    };
    let builder = if is_this_machine(url) { builder.no_proxy() } else { builder };
    let builder = match cacert {
        Some(file) => builder.tls_certs_only(authorities(file)?),
        None => builder,
    };
    build(match time_max {
        Some(time_max) => builder.timeout(time_max),
        None => builder,
    })
}

/// The proxy that the environment names for `url`, without user and password.
#[must_use]
pub fn proxy(url: &Url) -> Option<String> {
    if is_this_machine(url) {
        return None;
    }
    // The client reads the environment in the same way.
    let proxy = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    // An answer of the proxy may repeat the credentials that it received.
    let shown = proxy.basic_auth().and_then(|value| value.to_str().ok());
    if let Some(encoded) = shown.and_then(|value| value.strip_prefix("Basic ")) {
        secrets::remember(encoded);
        let decoded = BASE64_STANDARD.decode(encoded).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
            secrets::remember(password);
        }
    }
    let authority = proxy.uri().authority()?.as_str();
    let (_, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
    Some(format!("{}://{authority}", proxy.uri().scheme_str().unwrap_or("http")))
}

/// Whether the host is `localhost` or a loopback or unspecified address.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    match address.map(|address| address.to_canonical()) {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Reads the certificates in a PEM file.
fn authorities(file: &Path) -> Result<Vec<Certificate>> {
    let option = format!("--cacert {}", file.display());
    let text = std::fs::read(file).at(&option)?;
    let found = Certificate::from_pem_bundle(&text).map_err(Error::other).at(&option)?;
    if found.is_empty() {
        bail!("{option}: it has no PEM certificate");
    }
    Ok(found)
}

/// Whether an unreachable endpoint may become reachable: a wrong certificate or another protocol will stay.
pub(crate) fn is_transient(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let is_http = error.downcast_ref::<hyper::Error>().is_none_or(|error| {
            error.is_incomplete_message()
                || error.is_canceled()
                || error.is_closed()
                || error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>)
        });
        if is_tls(error) || !is_http {
            return false;
        }
        cause = error.source();
    }
    !error.is_builder()
}

/// Whether this is an error of TLS. I/O errors wrap it without naming it as their source.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|error| is_tls(error))
}

/// A client that trusts no certificate, so that the system needs none.
fn plain() -> Result<ClientBuilder> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(config))
}

/// How long an idle connection is kept. Servers keep it longer: a connection that the server closes just as a
/// request is sent fails that request.
const IDLE_MAX: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "every client is built here")]
fn build(builder: ClientBuilder) -> Result<Client> {
    let builder = builder.redirect(Policy::none()).pool_idle_timeout(IDLE_MAX);
    builder.build().map_err(Error::other)
}

/// The reason why a fake breaks the connection instead of answering.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An HTTP server on a free port of loopback. Dropping the value ends it.
#[derive(Debug)]
pub struct Server {
    url: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server.
    pub async fn start<F, A>(answer: F) -> Result<Self>
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<Full<Bytes>>, Failure>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Answers are small, and clients wait for them.
                drop(stream.set_nodelay(true));
                let http = hyper::server::conn::http1::Builder::new();
                let service = service_fn(answer.clone());
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { url: format!("http://{address}"), task })
    }

    /// The URL, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_the_url_decides_whether_it_is_this_machine() {
        for (url, expected) in [
            ("http://localhost:8787", true),
            ("HTTP://LocalHost.:8787", true),
            ("http://api.localhost", true),
            ("http://127.0.0.1", true),
            ("http://127.1:1", true),
            ("http://127.200.0.1", true),
            ("http://[::1]:8787", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://0.0.0.0:8787", true),
            ("http://localhost.example.com", false),
            ("http://notlocalhost", false),
            ("http://127.0.0.1.example.com", false),
            ("http://example.com/?localhost", false),
            ("http://192.0.2.1", false),
            ("https://[2001:db8::1]", false),
        ] {
            assert_eq!(is_this_machine(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
