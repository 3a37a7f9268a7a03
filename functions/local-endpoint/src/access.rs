//! Who may use the control paths. They read a world with its secrets, and replace it; so no page of a
//! browser may reach them, and nobody beyond this machine without a token.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, StatusCode};
use subtle::ConstantTimeEq as _;

use crate::control::{Answer, error};

/// What a browser says of the page that makes a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What must hold of a request to a control path.
#[derive(Debug)]
pub(crate) struct Access {
    /// The token that requests must carry, if there is one. A secret.
    pub(crate) token: Option<String>,
    /// Whether the endpoint listens on this machine alone.
    pub(crate) is_loopback: bool,
    /// Whether documents that outlive the endpoint may be replaced.
    pub(crate) may_replace: bool,
}

impl Access {
    /// Lets a request pass, or says why not.
    ///
    /// The token alone suffices: no page of another origin has it. Without one a browser is recognised by what it
    /// always sends with a request of a page (`Origin`, `Sec-Fetch-Site`), and a name that was made
    /// to resolve to this machine by `Host`. Clients that are no browsers send neither of the first two.
    /// `Sec-Fetch-Mode` says nothing, as Node's `fetch` sends it too.
    pub(crate) fn check(&self, parts: &Parts) -> Result<(), Answer> {
        let forbid = |message: &str| Err(error(StatusCode::FORBIDDEN, message));
        if let Some(token) = &self.token {
            let sent = parts.headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
            let is_right = sent.ct_eq(format!("Bearer {token}").as_bytes());
            return if is_right.into() {
                Ok(())
            } else {
                let message = "the control paths need the header `Authorization: Bearer TOKEN`, with \
                               the token of --control-token";
                Err(error(StatusCode::UNAUTHORIZED, message))
            };
        }
        if !self.is_loopback {
            return forbid(
                "the endpoint listens beyond this machine, so its control paths need a token: start \
                 it with --control-token TOKEN, or with --listen 127.0.0.1:PORT",
            );
        }
        let host = host(parts)?;
        if host.as_ref().is_some_and(|host| !is_of_this_machine(host.host())) {
            return forbid(
                "Host: the control paths answer only to localhost and to IP addresses, since a web \
                 page can have any other name resolve to this machine",
            );
        }
        let text = |name: &HeaderName| parts.headers.get(name).map(HeaderValue::as_bytes);
        let own_origin = host.map(|host| format!("http://{host}"));
        if text(&ORIGIN)
            .is_some_and(|origin| Some(origin) != own_origin.as_deref().map(str::as_bytes))
        {
            return forbid("Origin: the control paths are not for web pages of another origin");
        }
        if text(&SEC_FETCH_SITE).is_some_and(|site| ![&b"none"[..], b"same-origin"].contains(&site))
        {
            return forbid(
                "Sec-Fetch-Site: the control paths are not for web pages of another site",
            );
        }
        Ok(())
    }
}

/// The host that a request names: of its target, or else of the header.
fn host(parts: &Parts) -> Result<Option<Authority>, Answer> {
    if let Some(authority) = parts.uri.authority() {
        return Ok(Some(authority.clone()));
    }
    let bad = |message| error(StatusCode::BAD_REQUEST, message);
    let mut hosts = parts.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    match (hosts.next(), hosts.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => {
            Authority::try_from(host).map(Some).map_err(|_| bad("Host: not a host and a port"))
        }
        (Some(_), Some(_)) => Err(bad("Host: there are two")),
    }
}

/// Whether a host is a name that only this machine has, or an address, which nobody can have resolve
/// to another.
fn is_of_this_machine(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    is_address || host == "localhost" || host.ends_with(".localhost")
}
