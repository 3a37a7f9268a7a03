//! `bootstrap` under a Runtime API emulation, compared with a bare `lambda_runtime` echo: from exec
//! to the first poll, and a warm invocation.
//!
//! This program is the Runtime API and, as a child process, the echo. All processes are pinned to
//! one core; otherwise the scheduler's noise is four times the work.

mod calls;
mod measure;

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use harness::case::Style;
use harness::target::http_api_payload;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use suites::endpoint::built;

use measure::{Comparison, now, spread};

/// The number of rounds: each measures ours, then the baseline.
const ROUNDS: u32 = 20;

/// How often each is started in a round; the median counts.
const STARTS: u32 = 10;

/// How often each is invoked in a round, for a new address each time; the median counts.
const INVOCATIONS: u32 = 500;

/// The largest size of `bootstrap`, in megabytes.
const SIZE_MB_MAX: f64 = 8.0;

/// The argument that makes this program the echo.
const ECHO: &str = "--echo";

fn main() -> Result<(), String> {
    if std::env::args().any(|argument| argument == ECHO) {
        return echo();
    }
    let bootstrap = built("bootstrap")?;
    pin();
    let size_mb = {
        let bytes = std::fs::metadata(&bootstrap).map_err(|error| error.to_string())?.len();
        Duration::from_micros(bytes).as_secs_f64()
    };
    let mut size = Comparison::new("size of bootstrap / what it may be", "MB", Some(0.0..=1.0));
    size.add(size_mb, SIZE_MB_MAX);
    let table = [starts(&bootstrap)?, invocations(&bootstrap)?, size];
    measure::print(&table);
    Ok(())
}

/// The baseline of the ratios.
fn echo() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let echo = |event: LambdaEvent<Box<RawValue>>| async move {
        Ok::<_, lambda_runtime::Error>(event.payload)
    };
    runtime
        .map_err(|error| error.to_string())?
        .block_on(lambda_runtime::run(service_fn(echo)))
        .map_err(|error| error.to_string())
}

/// Pins this process and its children to the last core that it may run on.
#[expect(clippy::print_stdout, reason = "whoever reads the figures has to know")]
fn pin() {
    let taskset = |arguments: &[&str]| {
        let pid = std::process::id().to_string();
        let output =
            Command::new("taskset").args(arguments).arg(pid).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let pinned = taskset(&["--cpu-list", "--pid"]).and_then(|allowed| {
        let last = allowed.trim().rsplit([' ', ',', '-']).next()?;
        taskset(&["--all-tasks", "--cpu-list", "--pid", last])
    });
    if pinned.is_none() {
        println!("Not pinned to one core, as taskset (util-linux) is missing: mind the noise.");
    }
}

/// From exec to the first poll, with a world of one address.
fn starts(bootstrap: &Path) -> Result<Comparison, String> {
    let world_file = world_file("start", 1)?;
    let mut comparison = Comparison::new("start, exec to first poll / echo", "ms", Some(0.0..=1.2));
    for _ in 0..ROUNDS {
        let (mut ours, mut baseline) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            ours.push(start(|api| spawn_bootstrap(bootstrap, api, &world_file))?);
            baseline.push(start(spawn_echo)?);
        }
        comparison.add(spread(&ours)[1], spread(&baseline)[1]);
    }
    Ok(comparison)
}

/// Milliseconds until the process of `spawn` has polled.
fn start(spawn: impl FnOnce(&str) -> Result<Child, String>) -> Result<f64, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    let start = now();
    let mut process = spawn(&address)?;
    let polled = listener
        .accept()
        .and_then(|(mut stream, _)| read_request(&mut stream, &mut Vec::new()))
        .map_err(|error| error.to_string())?;
    let took = start.elapsed();
    drop(process.kill());
    drop(process.wait());
    if polled.is_none() {
        return Err("the function ended before it polled".to_owned());
    }
    Ok(took.as_secs_f64() * 1e3)
}

/// From the event to the whole response, when everything is warm.
fn invocations(bootstrap: &Path) -> Result<Comparison, String> {
    let calls = calls::signed(Style::V1, ROUNDS * INVOCATIONS)?;
    let payloads: Vec<String> =
        calls.iter().map(|call| http_api_payload(call).to_string()).collect();
    let world_file = world_file("warm", ROUNDS * INVOCATIONS)?;
    let ours =
        Lambda::start(r#""statusCode":200"#, |api| spawn_bootstrap(bootstrap, api, &world_file))?;
    let baseline = Lambda::start(r#""rawQueryString":"#, spawn_echo)?;
    let mut comparison =
        Comparison::new("a warm invocation, V1, allocating / echo", "us", Some(0.0..=1.6));
    for (round, payloads) in payloads.chunks(INVOCATIONS as usize).enumerate() {
        let (ours, baseline) = (ours.invoke(payloads)?, baseline.invoke(payloads)?);
        // The first round warms up.
        if round > 0 {
            comparison.add(spread(&ours)[1], spread(&baseline)[1]);
        }
    }
    Ok(comparison)
}

fn world_file(name: &str, addresses: u32) -> Result<PathBuf, String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bootstrap-{name}-world.json"));
    std::fs::write(&path, calls::world(addresses)).map_err(|error| error.to_string())?;
    Ok(path)
}

fn spawn_bootstrap(bootstrap: &Path, api: &str, world_file: &Path) -> Result<Child, String> {
    spawn(Command::new(bootstrap).env("WORLD_FILE", world_file), api)
}

fn spawn_echo(api: &str) -> Result<Child, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    spawn(Command::new(this).arg(ECHO), api)
}

fn spawn(command: &mut Command, api: &str) -> Result<Child, String> {
    command
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "f")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("RUST_LOG", "off")
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())
}

/// A function under a Runtime API of its own, ended with this value.
struct Lambda {
    process: Child,
    invocations: Sender<Vec<String>>,
    times: Receiver<Result<Vec<f64>, String>>,
}

impl Lambda {
    /// Starts a function whose every response has to contain `demanded`.
    fn start(
        demanded: &'static str,
        spawn: impl FnOnce(&str) -> Result<Child, String>,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
        let (invocations, waiting) = channel();
        let (done, times) = channel();
        let invocation =
            Invocation { waiting, done, queue: Vec::new(), since: now(), times: Vec::new() };
        let invocation = Arc::new(Mutex::new(invocation));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let invocation = Arc::clone(&invocation);
                std::thread::spawn(move || drop(serve(stream, &invocation, demanded)));
            }
        });
        Ok(Self { process: spawn(&address)?, invocations, times })
    }

    /// The microseconds for each of `payloads`.
    fn invoke(&self, payloads: &[String]) -> Result<Vec<f64>, String> {
        self.invocations.send(payloads.to_vec()).map_err(|error| error.to_string())?;
        self.times.recv_timeout(Duration::from_mins(1)).map_err(|error| error.to_string())?
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The state of a Runtime API, which has one invocation at a time.
struct Invocation {
    waiting: Receiver<Vec<String>>,
    done: Sender<Result<Vec<f64>, String>>,
    queue: Vec<String>,
    since: Instant,
    times: Vec<f64>,
}

/// Serves one connection of the runtime, which polls and responds over it.
fn serve(mut stream: TcpStream, invocation: &Mutex<Invocation>, demanded: &str) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    while let Some(body) = read_request(&mut stream, &mut request)? {
        let arrived = now();
        let mut invocation = invocation.lock().unwrap_or_else(PoisonError::into_inner);
        if request.starts_with(b"GET") {
            if invocation.queue.is_empty() {
                let times = std::mem::take(&mut invocation.times);
                if !times.is_empty() {
                    drop(invocation.done.send(Ok(times)));
                }
                let Ok(queue) = invocation.waiting.recv() else { return Ok(()) };
                invocation.queue = queue;
            }
            let payload = invocation.queue.pop().unwrap_or_default();
            let next = format!(
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 lambda-runtime-deadline-ms: 4102444800000\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{payload}",
                payload.len()
            );
            invocation.since = now();
            stream.write_all(next.as_bytes())?;
        } else {
            let took = arrived.saturating_duration_since(invocation.since);
            invocation.times.push(took.as_secs_f64() * 1e6);
            let response = String::from_utf8_lossy(&request[body..]);
            if !response.contains(demanded) {
                drop(invocation.done.send(Err(format!("not {demanded} in {response}"))));
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
    Ok(())
}

/// Reads one request into `request` and returns where its body begins; `None` at the end.
fn read_request(stream: &mut TcpStream, request: &mut Vec<u8>) -> io::Result<Option<usize>> {
    request.clear();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        request.extend_from_slice(&buffer[..count]);
        let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or_default();
        if request.len() >= end + 4 + length {
            return Ok(Some(end + 4));
        }
    }
}
