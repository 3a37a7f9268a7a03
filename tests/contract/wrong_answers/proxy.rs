//! A proxy that changes an answer, down to the bytes on the wire.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An answer that a change applies to.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) status: u16,
    /// The headers, with names as they were sent.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The answer before this one, if there was one.
    pub(super) before: Option<Box<Self>>,
}

/// A change to the answer of a case's last call.
#[derive(Clone)]
pub(super) enum Change {
    /// The answer is changed.
    Answer(Arc<dyn Fn(&mut Sent) + Send + Sync>),
    /// The answer is transferred in another way.
    Transfer(Transfer),
    /// The answer is right, and the world is changed.
    World(fn(&mut Value)),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Transfer {
    /// Less of the body than its length says.
    Truncated,
    /// In chunks of one byte.
    Chunks,
    /// In chunks, without the last one.
    ChunksWithoutEnd,
    /// The connection is closed instead of an answer.
    Nothing,
}

/// The number of calls to pass on, and the change after them.
type Plan = Arc<Mutex<(usize, Option<Change>, Option<Sent>)>>;

pub(super) struct Proxy {
    url: String,
    plan: Plan,
}

impl Proxy {
    /// Starts in front of the endpoint at `address`.
    pub(super) async fn start(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Plan::default();
        let (planned, address) = (Arc::clone(&plan), address.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (plan, address) = (Arc::clone(&planned), address.clone());
                tokio::spawn(async move { serve(stream, &address, &plan).await });
            }
        });
        Self { url, plan }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Changes the answer after so many others.
    pub(super) fn plan(&self, passed: usize, change: Change) {
        *self.plan.lock().unwrap() = (passed, Some(change), None);
    }
}

/// Serves one connection, a request at a time.
async fn serve(mut stream: TcpStream, address: &str, plan: &Plan) {
    while let Some((line, headers, body)) = read(&mut stream).await {
        let is_control = line.contains(" /_control/");
        let mut sent = forward(address, &line, &headers, &body).await;
        let mut transfer = None;
        if !is_control {
            let change = {
                let mut plan = plan.lock().unwrap();
                let change = if plan.0 == 0 { plan.1.take() } else { None };
                plan.0 = plan.0.saturating_sub(1);
                sent.before = plan.2.replace(sent.clone()).map(Box::new);
                change
            };
            match change {
                None => {}
                Some(Change::Answer(change)) => change(&mut sent),
                Some(Change::Transfer(chosen)) => transfer = Some(chosen),
                Some(Change::World(change)) => change_world(address, &headers, change).await,
            }
        }
        if !write(&mut stream, &sent, transfer).await {
            return;
        }
    }
}

type Headers = Vec<(String, String)>;

async fn read(stream: &mut TcpStream) -> Option<(String, Headers, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((line, headers, body))
}

async fn forward(address: &str, line: &str, headers: &Headers, body: &[u8]) -> Sent {
    let [method, target, _] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let client = harness::http::local_client().unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request =
        client.request(method, format!("http://{address}{target}")).body(body.to_vec());
    for (name, value) in headers.iter().filter(|(name, _)| name != "content-length") {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()));
    Sent {
        status: answer.status().as_u16(),
        headers: headers.filter(|(name, _)| name != "content-length").collect(),
        body: answer.bytes().await.unwrap().to_vec(),
        before: None,
    }
}

/// Changes the world of a call with these headers.
async fn change_world(address: &str, headers: &Headers, change: fn(&mut Value)) {
    let (_, name) = headers.iter().find(|(name, _)| name == "x-local-world").unwrap();
    let line = |method: &str| format!("{method} /_control/worlds/{name} HTTP/1.1");
    let world = forward(address, &line("GET"), &Vec::new(), b"").await;
    let mut world = serde_json::from_slice(&world.body).unwrap();
    change(&mut world);
    let put = forward(address, &line("PUT"), &Vec::new(), world.to_string().as_bytes()).await;
    assert_eq!(put.status, 200, "{}", String::from_utf8_lossy(&put.body));
}

/// Writes an answer, and returns whether the connection persists.
async fn write(stream: &mut TcpStream, sent: &Sent, transfer: Option<Transfer>) -> bool {
    let Sent { status, headers, body, .. } = sent;
    let mut head = format!("HTTP/1.1 {status} \r\n");
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let length = format!("content-length: {}\r\n\r\n", body.len());
    let chunks = |body: &[u8]| {
        let chunks = body.chunks(1).map(|chunk| [b"1\r\n", chunk, b"\r\n"].concat());
        chunks.collect::<Vec<_>>().concat()
    };
    let chunked = "transfer-encoding: chunked\r\n\r\n".to_owned();
    let (rest, body, is_kept) = match transfer {
        None => (length, body.clone(), true),
        Some(Transfer::Nothing) => return false,
        Some(Transfer::Truncated) => (length, body[..body.len() / 2].to_vec(), false),
        Some(Transfer::Chunks) => (chunked, [&chunks(body)[..], b"0\r\n\r\n"].concat(), true),
        Some(Transfer::ChunksWithoutEnd) => (chunked, chunks(body), false),
    };
    let bytes = [head.as_bytes(), rest.as_bytes(), &body].concat();
    stream.write_all(&bytes).await.is_ok() && is_kept
}
