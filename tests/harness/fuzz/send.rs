//! Sends calls into one world of an endpoint, and has that world set and read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::plan::{Call, Encoding};
use crate::answer::Answer;
use crate::client::Wire;
use crate::http;
use crate::target::{Remote, Target};

/// How long an answer is waited for.
pub(super) const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// One world of an endpoint.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    remote: Remote,
    client: reqwest::Client,
    /// The world's name; `None` if the endpoint has but one.
    name: Option<String>,
}

impl Sender {
    /// The world `name` of an endpoint, or its only one.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) fn new(remote: &Remote, name: Option<String>) -> Result<Self, String> {
        let client = http::client(remote.url(), Some(ANSWER_TIME_MAX))?;
        let remote = name.as_ref().map_or_else(|| remote.clone(), |name| remote.apart(name));
        Ok(Self { remote, client, name })
    }

    /// Begins with a world.
    pub(super) async fn begin(&self, world: &Value) -> Result<(), String> {
        Target::Remote(self.remote.clone()).begin(world, None).await
    }

    /// The world as it is now.
    pub(super) async fn world(&self) -> Result<Value, String> {
        self.remote.world().await?.ok_or_else(|| "the world is not told".to_owned())
    }

    /// Drops the world, if it is one of several.
    pub(super) async fn end(&self) -> Result<(), String> {
        self.remote.end().await
    }

    /// Calls a control path of the world.
    pub(super) async fn control(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Value, String> {
        let path = match &self.name {
            None => path.to_owned(),
            Some(name) => format!("worlds/{name}/{path}"),
        };
        self.remote.control(method, &path, body).await
    }

    /// Sends a call and reads the answer.
    pub(super) async fn send(&self, call: &Call, wire: &Wire) -> Result<Answer, String> {
        let query = written(&wire.query_string(), call.encoding);
        // A V3 signature covers the bytes of a body, a V1 signature what they say.
        let encoding = if call.signature.is_v3() { Encoding::Plain } else { call.encoding };
        let body = written(&wire.body, encoding);
        let method = Method::from_bytes(wire.method.as_bytes()).map_err(|e| e.to_string())?;
        let url = format!("{}/?{query}", self.remote.url());
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in &wire.headers {
            request = request.header(name, value);
        }
        if let Some(name) = &self.name {
            request = request.header("x-local-world", name);
        }
        // Without its URL, for that has a signature in it.
        let failed = |error: reqwest::Error| format!("{:#}", Chain(&error.without_url()));
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in answer.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            let known = headers.entry(name.as_str().to_owned()).or_default();
            // A header that stands twice is no header that stands once.
            let separator = if known.is_empty() { "" } else { ", " };
            known.extend([separator, &value]);
        }
        // As it came: what is decoded is mended, too.
        let body = answer.bytes().await.map_err(failed)?;
        let body = String::from_utf8(body.into()).map_err(|_| "the body is not in UTF-8")?;
        Ok(Answer { status, headers, body })
    }
}

/// An error and its causes.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Pairs that are encoded as the vendor's pages say, written in another way that says the same.
fn written(pairs: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Plain => pairs.to_owned(),
        Encoding::Plus => pairs.replace("%20", "+"),
        Encoding::LowerCase => {
            let mut text = String::new();
            let mut left = 0;
            for c in pairs.chars() {
                text.push(if left > 0 { c.to_ascii_lowercase() } else { c });
                left = if c == '%' { 2 } else { u8::saturating_sub(left, 1) };
            }
            text
        }
        Encoding::Everything => {
            let mut text = String::new();
            let mut left = 0;
            for c in pairs.chars() {
                if c == '%' {
                    left = 3;
                }
                if left > 0 || c == '=' || c == '&' {
                    text.push(c);
                } else {
                    // A text takes whatever is written to it.
                    let _ = write!(text, "%{:02X}", u32::from(c));
                }
                left = u8::saturating_sub(left, 1);
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_pairs_says_the_same() {
        let pairs = "a%C3%A9=b%20c-1&%25=%2B&=";
        let read =
            |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        for (encoding, expected) in [
            (Encoding::Plain, pairs),
            (Encoding::Plus, "a%C3%A9=b+c-1&%25=%2B&="),
            (Encoding::LowerCase, "a%c3%a9=b%20c-1&%25=%2b&="),
            (Encoding::Everything, "%61%C3%A9=%62%20%63%2D%31&%25=%2B&="),
        ] {
            assert_eq!(written(pairs, encoding), expected);
            assert_eq!(read(expected), read(pairs));
        }
    }
}
