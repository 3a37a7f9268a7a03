//! Access to the control paths. They read and replace a world with its secrets, so they refuse web pages
//! in a browser, and clients beyond this machine without a token.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, StatusCode};
use subtle::ConstantTimeEq as _;

use crate::control::{Answer, error};

/// The relation of a request to the page that makes it; browsers send it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The conditions for requests to control paths.
#[derive(Debug)]
pub(crate) struct Access {
    /// The token that requests must have, if any. A secret.
    pub(crate) token: Option<String>,
    /// Whether the endpoint listens only on this machine.
    pub(crate) is_loopback: bool,
    /// Whether requests may replace durable documents.
    pub(crate) may_replace: bool,
}

impl Access {
    /// Checks a request. An error is the answer to it.
    ///
    /// The token suffices: pages of other origins do not have it. Without a token, `Origin` and
    /// `Sec-Fetch-Site` reveal a page's request: browsers always send them and other clients do not.
    /// `Host` reveals a foreign name that resolves to this machine. `Sec-Fetch-Mode` reveals nothing:
    /// Node's `fetch` sends it too.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Answer> {
        let forbid = |message: &str| Err(error(StatusCode::FORBIDDEN, message));
        if let Some(token) = &self.token {
            let sent = parts.headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
            let is_right = sent.ct_eq(format!("Bearer {token}").as_bytes());
            return if is_right.into() {
                Ok(())
            } else {
                let message = "control paths need the header `Authorization: Bearer TOKEN` with the \
                               token of --control-token";
                Err(error(StatusCode::UNAUTHORIZED, message))
            };
        }
        if !self.is_loopback {
            return forbid(
                "control paths need a token, for the endpoint listens beyond this machine: start it \
                 with --control-token TOKEN, or with --listen 127.0.0.1:PORT",
            );
        }
        let host = host(parts)?;
        if host.as_ref().is_some_and(|host| !is_of_this_machine(host.host())) {
            return forbid(
                "Host: control paths accept only localhost and IP addresses, for a web page can make \
                 any other name resolve to this machine",
            );
        }
        let text = |name: &HeaderName| parts.headers.get(name).map(HeaderValue::as_bytes);
        let own_origin = host.map(|host| format!("http://{host}"));
        if text(&ORIGIN)
            .is_some_and(|origin| Some(origin) != own_origin.as_deref().map(str::as_bytes))
        {
            return forbid("Origin: control paths refuse web pages of another origin");
        }
        if text(&SEC_FETCH_SITE).is_some_and(|site| ![&b"none"[..], b"same-origin"].contains(&site))
        {
            return forbid("Sec-Fetch-Site: control paths refuse web pages of another site");
        }
        Ok(())
    }
}

/// The host of a request: of its target, or else of the header `Host`.
fn host(parts: &Parts) -> Result<Option<Authority>, Answer> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(Some(authority.clone()));
    }
    let bad = |message| error(StatusCode::BAD_REQUEST, message);
    let mut hosts = parts.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => {
            Authority::try_from(host).map(Some).map_err(|_| bad("Host: expected a host and a port"))
        }
        (Some(_), Some(_)) => Err(bad("Host: repeated header")),
    }
}

/// Whether a host is a name of this machine or an IP address, which no page can make resolve to another
/// address.
fn is_of_this_machine(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    is_address || host == "localhost" || host.ends_with(".localhost")
}
