//! Connections to DynamoDB: HTTP/1.1, the only version that it supports, over TLS.
//!
//! The SDK's own client supports HTTP/2 and proxies too, which adds more than a megabyte.

use std::fmt;

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_sdk_dynamodb::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Connections(Client<HttpsConnector<connect::HttpConnector>, SdkBody>);

impl Connections {
    /// An empty pool.
    ///
    /// # Errors
    ///
    /// The cryptography supports no version of TLS.
    pub(super) fn new() -> Result<Self, rustls::Error> {
        let mut tcp = connect::HttpConnector::new();
        tcp.enforce_http(false);
        // Requests are small, and a caller waits for each.
        tcp.set_nodelay(true);
        // The roots are compiled in: to read and parse the system's roots would be the longest step of
        // an instance's start.
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(tls);
        Ok(Self(client))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl HttpClient for Connections {
    /// Ignores the settings: they are for timeouts, which `attempts` has.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connections {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connections = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(user)?;
            let response = connections.request(request).await;
            let response = response.map_err(|error| ConnectorError::io(Box::new(error)))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x)).map_err(user)
        })
    }
}

/// The error for a request or response that the SDK or HTTP cannot represent.
fn user(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}
