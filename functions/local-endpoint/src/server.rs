//! The HTTP server: converts requests to events, and the function's answers to HTTP responses.

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

/// The largest body of a request to a control path, in bytes. A world may be large.
const CONTROL_BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The most bytes that are read and discarded of an oversized body, and the longest time for it.
const DISCARDED_BYTES_MAX: usize = 8 * 1024 * 1024;
const DISCARD_TIME_MAX: Duration = Duration::from_secs(5);

/// The largest request line and headers, in bytes: larger than the API's limits, so that the function
/// can answer which limit is exceeded. Beyond it the HTTP server answers a bare 414 or 431.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// The longest time until a request's head has arrived, which is also the longest idle time of a
/// connection. The header `Keep-Alive` promises it.
const HEAD_TIME_MAX: Duration = Duration::from_secs(25);

/// The longest time until a request's body has arrived.
const BODY_TIME_MAX: Duration = Duration::from_secs(25);

/// The longest time that calls may take after the signal to end.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(3);

/// The pause between two sweeps of expired documents and worlds.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The error that breaks the connection instead of answering.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection was broken as planned")
    }
}

impl std::error::Error for Broken {}

/// The state that all connections share.
struct Serving {
    worlds: Worlds,
    access: Access,
    /// Whether connections end after their current answers.
    is_draining: AtomicBool,
}

/// Serves `worlds` until `shutdown` resolves, then waits for the current calls.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    worlds: Worlds,
    access: Access,
    connections_max: usize,
    shutdown: impl Future<Output = ()>,
) {
    let serving = Arc::new(Serving { worlds, access, is_draining: AtomicBool::new(false) });
    // In a task of its own: a sweep may take long.
    let sweeping = tokio::spawn(sweep(Arc::clone(&serving)));
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(connections_max));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = accept(&listeners, &slots) => match accepted {
                Ok((stream, peer, slot)) => connect(stream, peer, slot, &serving, &connections),
                Err(error) => {
                    // Usually too many open files, which may pass.
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
        tracing::warn!("some calls were not finished");
    }
}

/// Accepts the next connection to any of `listeners` once a slot is free. Until then, connections wait
/// in the system's queue.
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

/// Periodically drops unused worlds, and expired documents and nonces in every world.
async fn sweep(serving: Arc<Serving>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        serving.worlds.drop_unused();
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
    // An answer is one small write and must not wait for more data.
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
                add_keep_alive(response.headers_mut());
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

/// Adds the headers of the vendor's servers for a persistent connection, unless the answer closes it.
fn add_keep_alive(headers: &mut HeaderMap) {
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
        // Before the access check: process supervisors have no token.
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
        Err(no_world) => {
            let (status, json) = control::failed(&no_world);
            return Ok(respond(status, Bytes::from(format!("{json:#}\n"))));
        }
    };
    parts.headers.remove(worlds::HEADER);
    let is_too_large = body.is_none();
    // For an oversized request the function checks only its size.
    let body = body.unwrap_or_else(|| Bytes::from(vec![0; REQUEST_BYTES_MAX + 1]));

    let mut call = record::Call::new(endpoint.clock.now_secs(), &parts, &body);
    let answered = answering::answer(&endpoint, event(parts, body, peer)).await;
    let mut response = answered.map(respond_as).ok_or(Broken);
    if let Ok(response) = &response {
        call.answered(response.status(), &response.body().clone().into_inner().unwrap_or_default());
    }
    endpoint.record.add(call);
    if is_too_large && let Ok(response) = &mut response {
        // The rest of the body may not be read.
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
            // The client has disconnected or stalled.
            Ok(Err(_)) | Err(_) => return Err(Broken),
        }
    }
    tokio::spawn(timeout(DISCARD_TIME_MAX, discard(body)));
    Ok(None)
}

/// Discards the rest of an oversized body, up to [`DISCARDED_BYTES_MAX`], while the request is answered.
/// Otherwise the connection would close while the client still writes, and most clients would report
/// the broken connection instead of the answer.
async fn discard(mut body: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > DISCARDED_BYTES_MAX {
            break;
        }
    }
}

/// The HTTP response with the function's answer.
fn respond_as(answer: ipv6_gateway::Response) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(answer.status_code).unwrap_or_default();
    let mut response = respond(status, Bytes::from(answer.body));
    for (name, value) in answer.headers {
        let value = match value {
            Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
            Cow::Owned(value) => HeaderValue::from_maybe_shared(Bytes::from(value)),
        };
        // All headers of the function are valid.
        if let Ok(value) = value {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The event that API Gateway's HTTP API would send for this request, which came without TLS.
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

/// A response in JSON.
fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static(Format::Json.content_type());
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
