//! HTTP clients.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// A client for endpoints on this machine, which speak no TLS.
///
/// # Errors
///
/// The system does not let it be.
pub fn local_client() -> Result<Client, String> {
    build(plain()?)
}

/// A client for the endpoint at `url`, which waits so long for an answer if it says so. It follows no
/// redirection: that is an answer, too.
///
/// # Errors
///
/// The system does not let it be, or it has no certificates to judge others by.
pub fn client(url: &str, time_max: Option<Duration>) -> Result<Client, String> {
    let builder = if url.starts_with("https:") {
        // It fails if there is one already, which is as good.
        drop(ring::default_provider().install_default());
        Client::builder()
    } else {
        plain()?
    };
    let builder = match time_max {
        Some(time_max) => builder.timeout(time_max),
        None => builder,
    };
    build(builder)
}

/// Trusts nobody, and so needs no certificates of the system's, which may have none.
fn plain() -> Result<ClientBuilder, String> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(config))
}

/// How long a connection is kept that nobody uses: less than servers wait for the next request. One that the
/// server closes at the moment when a request is sent fails that request.
const IDLE_MAX: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "here it is")]
fn build(builder: ClientBuilder) -> Result<Client, String> {
    let builder = builder.no_proxy().redirect(Policy::none()).pool_idle_timeout(IDLE_MAX);
    builder.build().map_err(|error| error.to_string())
}
