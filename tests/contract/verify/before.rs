//! Fakes in front of an endpoint, which pass on the requests that they do not answer.

use bytes::Bytes;
use harness::http::{Failure, Server, local_client};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};

/// An answer, or a broken connection.
pub(super) type Answered = Result<Response<Full<Bytes>>, Failure>;

/// The endpoint behind a fake.
#[derive(Clone)]
pub(super) struct Behind {
    client: reqwest::Client,
    address: String,
}

impl Behind {
    /// Passes a request on to the endpoint, and its answer back.
    pub(super) async fn pass(&self, request: Request<Bytes>) -> Answered {
        let (parts, body) = request.into_parts();
        let url = format!("http://{}{}", self.address, parts.uri.path_and_query().unwrap());
        let request = self.client.request(parts.method, url).headers(parts.headers);
        let answered = request.body(body).send().await?;
        let mut response = Response::builder().status(answered.status());
        *response.headers_mut().unwrap() = answered.headers().clone();
        Ok(response.body(Full::new(answered.bytes().await?))?)
    }
}

/// Starts a fake in front of the endpoint at `address`, which handles each request by `answer`.
pub(super) async fn before<F, A>(address: &str, answer: F) -> Server
where
    F: Fn(Behind, Request<Bytes>) -> A + Clone + Send + 'static,
    A: Future<Output = Answered> + Send + 'static,
{
    let behind = Behind { client: local_client().unwrap(), address: address.to_owned() };
    let server = Server::start(move |request: Request<hyper::body::Incoming>| {
        let (behind, answer) = (behind.clone(), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            answer(behind, Request::from_parts(parts, body)).await
        }
    });
    server.await.unwrap()
}

/// Whether a request is for a control path.
pub(super) fn is_control(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with("/_control/")
}
