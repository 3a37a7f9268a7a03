//! A proxy that sends every request twice, and passes on the second answer.
//!
//! So an unmodified client makes a call whose nonce is used already, which no client does by
//! itself.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The proxy, which serves as long as the test's runtime runs.
#[derive(Debug)]
pub(super) struct Replayer {
    address: SocketAddr,
    withheld: Arc<Mutex<Vec<String>>>,
}

impl Replayer {
    /// Starts on a free port, in front of the endpoint at `upstream`.
    pub(super) async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let withheld = Arc::new(Mutex::default());
        let (upstream, answers) = (upstream.to_owned(), Arc::clone(&withheld));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream.clone(), Arc::clone(&answers)));
            }
        });
        Self { address, withheld }
    }

    /// Its address, as `127.0.0.1:PORT`.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The status lines of the first answers, which no client saw.
    pub(super) fn withheld(&self) -> Vec<String> {
        self.withheld.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves one client connection until the client closes it.
async fn serve(mut client: TcpStream, upstream: String, withheld: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_message(&mut client).await {
        let first = exchange(&upstream, &request).await;
        let status = String::from_utf8_lossy(&first).lines().next().unwrap_or_default().to_owned();
        withheld.lock().unwrap_or_else(PoisonError::into_inner).push(status);
        let second = exchange(&upstream, &request).await;
        client.write_all(&second).await.unwrap();
    }
}

/// Sends a request's bytes unchanged on a connection of its own, and reads the answer's bytes.
async fn exchange(upstream: &str, request: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(upstream).await.unwrap();
    connection.write_all(request).await.unwrap();
    read_message(&mut connection).await.unwrap()
}

/// The bytes of one HTTP/1.1 message, request or answer; none if the other side has closed. Neither
/// side sends ahead, so the received bytes are never more than one message.
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    while !is_whole(&message) {
        if stream.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
    }
    Some(message)
}

/// Whether a message is complete. Its body has no line breaks, as in forms and compact JSON.
fn is_whole(message: &[u8]) -> bool {
    let Some(end) = message.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = message.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = |name| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if value("transfer-encoding:") == Some("chunked") {
        return body.ends_with(b"0\r\n\r\n");
    }
    body.len() >= value("content-length:").map_or(0, |length| length.parse().unwrap())
}

#[test]
fn a_message_is_whole_when_its_body_is() {
    for message in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b",
        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n3\r\n&c=\r\n0\r\n\r\n",
    ] {
        for cut in 0..message.len() {
            assert!(!is_whole(&message.as_bytes()[..cut]), "{message:?} until {cut}");
        }
        assert!(is_whole(message.as_bytes()), "{message:?}");
    }
}
