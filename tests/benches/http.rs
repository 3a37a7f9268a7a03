//! Signed calls over HTTP: `local-endpoint` compared with a bare hyper server that computes one
//! HMAC-SHA1, and the endpoint with its documents in a directory compared with itself with
//! documents in memory.
//!
//! Each server is a process of its own and gets the same bytes from the same client, in turns. The
//! client signs beforehand and parses no more of an answer than it must, yet it takes its share of
//! the machine. The ratio is valid because the client takes the same share from both.

mod calls;
mod measure;

use std::convert::Infallible;
use std::ffi::OsStr;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use harness::case::Style;
use harness::client::Wire;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sha1::Sha1;
use suites::endpoint::built;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use measure::{Comparison, now};

/// The number of rounds: each measures ours, then the baseline.
const ROUNDS: u32 = 5;

/// How many calls a round times, each to an address of its own.
const CALLS: u32 = 50_000;

/// The number of concurrent calls, each on a persistent connection.
const CONNECTIONS: usize = 64;

/// The argument that makes this program the baseline; the length of its answers in bytes follows.
const SERVE_BASELINE: &str = "--serve-baseline";

fn main() -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let mut arguments = std::env::args().skip_while(|argument| argument != SERVE_BASELINE).skip(1);
    match arguments.next() {
        Some(answer_bytes) => {
            let answer_bytes = answer_bytes.parse().map_err(|error| format!("{error}"))?;
            runtime.block_on(serve_baseline(answer_bytes))
        }
        None => runtime.block_on(compare()),
    }
}

async fn compare() -> Result<(), String> {
    let endpoint = built("local-endpoint")?;
    let world_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http-world.json");
    std::fs::write(&world_file, calls::world(CALLS)).map_err(|error| error.to_string())?;
    let start = |more: &[&OsStr]| {
        let mut command = Command::new(&endpoint);
        command.args(["--listen", "127.0.0.1:0", "--world"]).arg(&world_file).args(more);
        Server::start(command.env("RUST_LOG", "off"))
    };
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
    let durable = start(&[
        OsStr::new("--allow-replace"),
        OsStr::new("--data"),
        folder.path().join("kept").as_os_str(),
    ])?;
    let endpoint = start(&[])?;
    let v1 = requests(Style::V1)?;
    let v3 = requests(Style::V3)?;
    let answer = probe(&endpoint.address, &v1[0]).await?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let baseline =
        Server::start(Command::new(this).args([SERVE_BASELINE, &answer.body_bytes.to_string()]))?;

    let goal = || Some(0.6..=f64::INFINITY);
    let mut comparisons = [
        (Comparison::new("signed V1 calls / bare hyper and 1 HMAC-SHA1", "/s", goal()), v1),
        (Comparison::new("signed V3 calls / bare hyper and 1 HMAC-SHA1", "/s", goal()), v3),
    ];
    for _ in 0..ROUNDS {
        for (comparison, requests) in &mut comparisons {
            probe(&endpoint.address, b"POST /_control/reset HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
                .await?;
            let ours = calls_per_second(&endpoint.address, requests).await?;
            comparison.add(ours, calls_per_second(&baseline.address, requests).await?);
        }
    }
    let goal = Some(0.5..=f64::INFINITY);
    let mut kept = Comparison::new("signed V3 calls, kept in a directory / in memory", "/s", goal);
    let (_, requests) = &comparisons[1];
    for _ in 0..ROUNDS {
        let mut rates = [0.0; 2];
        for (server, rate) in [&durable, &endpoint].into_iter().zip(&mut rates) {
            probe(&server.address, b"POST /_control/reset HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
                .await?;
            *rate = calls_per_second(&server.address, requests).await?;
        }
        kept.add(rates[0], rates[1]);
    }
    let mut printed: Vec<Comparison> = comparisons.into_iter().map(|(kind, _)| kind).collect();
    printed.push(kept);
    measure::print(&printed);
    Ok(())
}

/// Requests as bytes on the wire, signed now.
fn requests(style: Style) -> Result<Arc<Vec<Vec<u8>>>, String> {
    Ok(Arc::new(calls::signed(style, CALLS)?.iter().map(serialized).collect()))
}

fn serialized(call: &Wire) -> Vec<u8> {
    let mut request = format!("{} /?{} HTTP/1.1\r\n", call.method, call.query_string());
    for (name, value) in &call.headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("content-length: 0\r\n\r\n");
    request.into_bytes()
}

/// The length of an answer; all answers to one kind of call have it.
#[derive(Clone, Copy)]
struct AnswerLength {
    bytes: usize,
    body_bytes: usize,
}

/// Sends one request and reads the length of the answer.
async fn probe(address: &str, request: &[u8]) -> Result<AnswerLength, String> {
    let failed = |error: std::io::Error| format!("{address}: {error}");
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.write_all(request).await.map_err(failed)?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
            return Err(format!("{address} ended the connection"));
        }
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{address} answered {text}"));
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.and_then(|length| length.parse().ok()).ok_or("no content-length")?;
        if body.len() == length {
            return Ok(AnswerLength { bytes: answer.len(), body_bytes: length });
        }
    }
}

/// Sends all `requests` over many connections at a time.
async fn calls_per_second(address: &str, requests: &Arc<Vec<Vec<u8>>>) -> Result<f64, String> {
    // The last call measures the length, too; 1 in 50,000 does not show.
    let last = requests.len() - 1;
    let AnswerLength { bytes: answer_bytes, .. } = probe(address, &requests[last]).await?;
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let start = now();
    let connections: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            let requests = Arc::clone(requests);
            let next = Arc::clone(&next);
            tokio::spawn(async move {
                let mut answer = vec![0; answer_bytes];
                while let Some(request) = requests[..last].get(next.fetch_add(1, Ordering::Relaxed))
                {
                    stream.write_all(request).await?;
                    stream.read_exact(&mut answer).await?;
                    if !answer.starts_with(b"HTTP/1.1 200") {
                        return Err(std::io::Error::other(String::from_utf8_lossy(&answer)));
                    }
                }
                Ok(())
            })
        })
        .collect();
    for connection in connections {
        let outcome = connection.await.map_err(|error| error.to_string())?;
        outcome.map_err(|error: std::io::Error| format!("{address}: {error}"))?;
    }
    Ok(f64::from(CALLS - 1) / start.elapsed().as_secs_f64())
}

/// A server process, which ends with this value.
struct Server {
    address: String,
    process: Child,
    #[expect(dead_code, reason = "it may print more than the first line")]
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `command`, whose first line of output has its address.
    fn start(command: &mut Command) -> Result<Self, String> {
        let mut process = command.stdout(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        stdout.read_line(&mut line).map_err(|error| error.to_string())?;
        let (_, address) =
            line.rsplit_once("http://").ok_or_else(|| format!("no address in: {line}"))?;
        Ok(Self { address: address.trim().to_owned(), process, stdout })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Serves as the baseline of the ratio.
async fn serve_baseline(answer_bytes: usize) -> Result<(), String> {
    let answer = Bytes::from(vec![b' '; answer_bytes]);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "http://{address}").map_err(|error| error.to_string())?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let answer = answer.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let query = request.uri().query().unwrap_or_default();
            let mac = Hmac::<Sha1>::new_from_slice(b"testsecret&");
            black_box(mac.map(|mac| mac.chain_update(query).finalize())).ok();
            let mut response = Response::new(Full::new(answer.clone()));
            let json = HeaderValue::from_static("application/json;charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, json);
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}
