//! HTTP in, an event to the function, HTTP out.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use ipv6_gateway::Event;
use ipv6_gateway::event::Shape;
use ipv6_gateway::rpc::limits::REQUEST_BYTES_MAX;
use ipv6_gateway::rpc::{self, Format};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::access::Access;
use crate::answering;
use crate::control;
use crate::record;
use crate::worlds::{self, Worlds};

/// The largest body of a request to a control path, in bytes: a world may be large.
const CONTROL_BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How much of a body that is too large is read and discarded at most, in bytes, and for how long.
const DISCARDED_BYTES_MAX: usize = 8 * 1024 * 1024;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(5);

/// The most that a request's line and headers may take, in bytes: enough to tell a client over a
/// limit which one. What is still larger gets a bare 414 or 431 from the HTTP server.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// How long a request's head may take to arrive, and so how long a connection may idle: what the
/// answers' `Keep-Alive` promises.
const HEAD_TIME_MAX: Duration = Duration::from_secs(25);

/// How long a request's body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(25);

/// How long calls may go on after the endpoint was told to end.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(3);

/// How often documents and worlds whose time is up are dropped.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The connection is to be broken instead of answered.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection was broken as planned")
    }
}

impl std::error::Error for Broken {}

/// What all connections share.
struct Serving {
    worlds: Worlds,
    access: Access,
    /// Whether connections end with the answers under way.
    is_draining: AtomicBool,
}

/// Serves `worlds` until `shutdown` resolves, then lets calls under way end.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    worlds: Worlds,
    access: Access,
    connections_max: usize,
    shutdown: impl Future<Output = ()>,
) {
    let serving = Arc::new(Serving { worlds, access, is_draining: AtomicBool::new(false) });
    // Apart from the connections: what has expired may be much.
    let sweeping = tokio::spawn(sweep(Arc::clone(&serving)));
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(connections_max));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = accept(&listeners, &slots) => match accepted {
                Ok((stream, peer, slot)) => connect(stream, peer, slot, &serving, &connections),
                Err(error) => {
                    // Most often too many open files: the next connection may fare better.
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    drop(listeners);
    sweeping.abort();
    serving.is_draining.store(true, Ordering::Relaxed);
    if timeout(SHUTDOWN_TIME_MAX, connections.shutdown()).await.is_err() {
        tracing::warn!("some calls were still under way");
    }
}

/// Takes the next connection to any of `listeners`, once a slot is free. Until then new connections wait in
/// the system's queue.
async fn accept(
    listeners: &[TcpListener],
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = std::future::poll_fn(|context| {
        let mut accepted = listeners.iter().map(|listener| listener.poll_accept(context));
        accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await?;
    Ok((stream, peer, slot))
}

/// Drops what has expired in every world, now and then.
async fn sweep(serving: Arc<Serving>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        serving.worlds.end_unused();
        for endpoint in serving.worlds.all() {
            if let Err(error) = endpoint.backend().drop_expired(endpoint.clock.now_secs()).await {
                tracing::error!("expired documents were not dropped: {}", error.with_causes());
            }
        }
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
    serving: &Arc<Serving>,
    connections: &GracefulShutdown,
) {
    // An answer is one small write; it shall not wait for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{peer}: {error}");
    }
    let serving = Arc::clone(serving);
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = Arc::clone(&serving);
        async move {
            let keeps = keeps_connection(request.version(), request.headers());
            let mut response = answer(&serving, request, peer).await?;
            if keeps && !serving.is_draining.load(Ordering::Relaxed) {
                say_it_is_kept(response.headers_mut());
            }
            Ok::<_, Broken>(response)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("{peer}: {error}");
        }
        drop(slot);
    });
}

/// Whether a client keeps its connection after a request.
fn keeps_connection(version: Version, headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let options: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let has = |option: &str| options.iter().any(|it| it.eq_ignore_ascii_case(option));
    !has("close") && (version > Version::HTTP_10 || has("keep-alive"))
}

/// Adds what the vendor's servers say of a connection that is kept, unless the answer closes it.
fn say_it_is_kept(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) {
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.insert("keep-alive", HeaderValue::from_static("timeout=25"));
    }
}

async fn answer(
    serving: &Serving,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Full<Bytes>>, Broken> {
    let Serving { worlds, access, .. } = serving;
    let (mut parts, body) = request.into_parts();
    if parts.uri.path() == control::HEALTH && parts.method == Method::GET {
        // What watches over processes has no token and knows no name.
        let (status, json) = control::health(worlds);
        return Ok(respond(status, Bytes::from(format!("{json:#}\n"))));
    }
    if parts.uri.path().starts_with(control::PREFIX) {
        let (status, json) = match access.check(&parts) {
            Err(refused) => {
                tokio::spawn(timeout(DISCARD_TIME_MAX, discard(body)));
                refused
            }
            Ok(()) => match read(body, CONTROL_BODY_BYTES_MAX).await? {
                Some(body) => {
                    control::answer(worlds, access, &parts.method, parts.uri.path(), &body).await
                }
                None => control::too_large(CONTROL_BODY_BYTES_MAX),
            },
        };
        return Ok(respond(status, Bytes::from(format!("{json:#}\n"))));
    }
    let body = read(body, REQUEST_BYTES_MAX).await?;
    let endpoint = match worlds.of(&parts.headers) {
        Ok(endpoint) => endpoint,
        Err(message) => {
            let (status, json) = control::error(StatusCode::NOT_FOUND, &message);
            return Ok(respond(status, Bytes::from(format!("{json:#}\n"))));
        }
    };
    parts.headers.remove(worlds::HEADER);
    let is_too_large = body.is_none();
    // Of a request over the limit the function looks at no more than its size.
    let body = body.unwrap_or_else(|| Bytes::from(vec![0; REQUEST_BYTES_MAX + 1]));

    let mut call = record::Call::new(endpoint.clock.now_secs(), &parts, &body);
    let answered = answering::answer(&endpoint, event(parts, body, peer)).await;
    let mut response = answered.map(respond_as).ok_or(Broken);
    if let Ok(response) = &response {
        call.answered(response.status(), &response.body().clone().into_inner().unwrap_or_default());
    }
    endpoint.record.add(call);
    if is_too_large && let Ok(response) = &mut response {
        // At most a part of the rest is read.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads a body of at most `bytes_max`; `None` if it is larger.
async fn read(mut body: Incoming, bytes_max: usize) -> Result<Option<Bytes>, Broken> {
    if body.size_hint().lower() <= u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        match timeout(BODY_TIME_MAX, Limited::new(&mut body, bytes_max).collect()).await {
            Ok(Ok(collected)) => return Ok(Some(collected.to_bytes())),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {}
            // The client is gone, or never finishes: there is nobody to answer.
            Ok(Err(_)) | Err(_) => return Err(Broken),
        }
    }
    tokio::spawn(timeout(DISCARD_TIME_MAX, discard(body)));
    Ok(None)
}

/// Discards the rest of a body that is too large, up to [`DISCARDED_BYTES_MAX`], while the request is
/// answered. Without this the connection closes under a client that still writes, and most clients then
/// report the broken connection instead of the answer.
async fn discard(mut body: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > DISCARDED_BYTES_MAX {
            break;
        }
    }
}

/// The function's answer, over HTTP.
fn respond_as(answer: ipv6_gateway::Response) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(answer.status_code).unwrap_or_default();
    let mut response = respond(status, Bytes::from(answer.body));
    for (name, value) in answer.headers {
        let value = match value {
            Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
            Cow::Owned(value) => HeaderValue::from_maybe_shared(Bytes::from(value)),
        };
        // Ours are all plain text.
        if let Ok(value) = value {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The event that API Gateway's HTTP API would send for this request, which never came over TLS.
fn event(parts: http::request::Parts, body: Bytes, peer: SocketAddr) -> Event {
    let request = rpc::Request {
        method: parts.method,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        source_ip: Some(peer.ip()),
        secure_transport: false,
    };
    Event { shape: Shape::HttpApi, request }
}

/// An answer in JSON.
fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static(Format::Json.content_type());
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
