//! HTTP clients, and the servers of fakes.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

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

/// Trusts no certificate, and so needs none of the system, which may have none.
fn plain() -> Result<ClientBuilder, String> {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(config))
}

/// How long an idle connection is kept: less than servers wait for the next request. One that the
/// server closes at the moment when a request is sent fails that request.
const IDLE_MAX: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "here it is")]
fn build(builder: ClientBuilder) -> Result<Client, String> {
    let builder = builder.no_proxy().redirect(Policy::none()).pool_idle_timeout(IDLE_MAX);
    builder.build().map_err(|error| error.to_string())
}

/// Why a fake does not answer: its connection breaks.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An HTTP server on a free port of loopback, ended with this value.
#[derive(Debug)]
pub struct Server {
    url: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// The system does not let it listen.
    pub async fn start<F, A>(answer: F) -> Result<Self, String>
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<Full<Bytes>>, Failure>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Answers are small, and their readers wait for them.
                drop(stream.set_nodelay(true));
                let http = hyper::server::conn::http1::Builder::new();
                let service = service_fn(answer.clone());
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { url: format!("http://{address}"), task })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
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
