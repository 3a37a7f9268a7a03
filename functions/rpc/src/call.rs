//! A call: the action, version, format and parameters of a request, and its kind of signature.

use std::borrow::Cow;
use std::fmt;

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderName, HeaderValue, Method};

use crate::error::{self, Error};
use crate::limits::{self, Excess, PARAMETERS_MAX};
use crate::parameters::{Parameters, Source};
use crate::request::{Request, X_ACS_ACTION, X_ACS_VERSION};
use crate::response::Format;

/// The API of a server.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// The product's code, as in `Recommend`.
    pub product: &'static str,
    /// The API version.
    pub version: &'static str,
    /// The `HostId` of an answer to a request without a `Host` header.
    pub host: &'static str,
}

/// Which kind of signature a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Common parameters among the others, signed with HMAC-SHA1.
    V1,
    /// Common parameters in `x-acs-` headers, signed in `Authorization: ACS3-…`.
    V3,
}

/// The parameters of an oversized request that are kept: its answer needs them.
const KEPT_WHEN_OVERSIZED: [&str; 2] = ["Action", "Format"];

/// A request with its parameters decoded and merged, not yet checked.
pub struct Call {
    request: Request,
    style: Style,
    parameters: Parameters,
    repeated: Option<String>,
    /// The limit that the request exceeds.
    excess: Option<Excess>,
}

/// Leaves the values out: signatures and security tokens are among them.
impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("request", &self.request)
            .field("style", &self.style)
            .field("parameters", &self.parameters)
            .field("repeated", &self.repeated)
            .field("excess", &self.excess)
            .finish_non_exhaustive()
    }
}

impl Call {
    /// Merges the parameters of query and form body; the body's value wins (decision `twice`).
    /// Time and memory are bounded for a request that exceeds a limit.
    #[must_use]
    pub fn read(request: Request) -> Self {
        let mut parameters = Parameters::default();
        parameters.decode(request.query.as_bytes(), Source::Query, usize::MAX);
        let mut excess = Excess::of_request(&request, &parameters);
        if excess.is_none() {
            // One more than the limit shows that the limit is exceeded.
            parameters.decode(request.form(), Source::Form, PARAMETERS_MAX + 1);
            excess = Excess::of_parameters(&parameters);
        }
        if excess.is_some() {
            parameters.retain(&KEPT_WHEN_OVERSIZED);
        }
        let repeated = parameters.sort().map(str::to_owned);

        let authorization = request.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let signs_acs3 = authorization.is_some_and(|a| a.trim_ascii_start().starts_with(b"ACS3-"));
        // A V1 call always has the parameter `Action` and may have the header x-acs-action too. A
        // call with the header alone is a V3 call without `Authorization`.
        let style = if signs_acs3
            || (parameters.get("Action").is_none() && request.headers.contains_key(&X_ACS_ACTION))
        {
            Style::V3
        } else {
            Style::V1
        };
        Self { request, style, parameters, repeated, excess }
    }

    /// Which kind of signature the call carries.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// All parameters.
    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The value of a parameter, from query or form; an empty value is returned too.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// The value of a common parameter: a parameter of a V1 call, a header of a V3 call. An empty
    /// value counts as absent.
    pub(crate) fn common(&self, parameter: &str, header: &HeaderName) -> Option<Cow<'_, str>> {
        let value = match self.style {
            Style::V1 => self.parameter(parameter).map(Cow::Borrowed),
            Style::V3 => self.request.header(header),
        };
        value.filter(|value| !value.is_empty())
    }

    /// The name of the action, known or unknown.
    #[must_use]
    pub fn action(&self) -> Option<Cow<'_, str>> {
        self.common("Action", &X_ACS_ACTION)
    }

    /// The format of the answer: the value of `Format`. If that is absent or unknown, XML for a V1
    /// call and JSON for a V3 call (decision `format-default`).
    #[must_use]
    pub fn format(&self) -> Format {
        let default = match self.style {
            Style::V1 => Format::Xml,
            Style::V3 => Format::Json,
        };
        self.parameter("Format").and_then(Format::parse).unwrap_or(default)
    }

    /// The host that the client called, without its port (decision `host-id`); `None` if the
    /// `Host` header is absent or not a host.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let host = self.request.header(HOST)?;
        let end = match host.find(']') {
            Some(bracket) => bracket + 1,
            None => host.find(':').unwrap_or(host.len()),
        };
        let host = &host[..end];
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_v6 = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
        let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plausible = match v6 {
            Some(v6) => !v6.is_empty() && v6.bytes().all(is_v6),
            None => !host.is_empty() && host.bytes().all(is_name),
        };
        plausible.then(|| host.to_owned())
    }

    /// Checks the method, the request's size, the parameters' form, and that `api` has the action.
    /// `find_action` looks up the action and fails with [`error::INVALID_ACTION_NOT_FOUND`] or
    /// [`error::not_built`].
    ///
    /// # Errors
    ///
    /// The first that applies: the method unsupported, a limit exceeded, a parameter repeated, the
    /// action missing or unknown, the version missing or unknown, the format unknown.
    pub fn route<A>(
        &self,
        api: &Api,
        find_action: impl FnOnce(&str) -> Result<A, Error>,
    ) -> Result<A, Error> {
        if ![Method::GET, Method::POST].contains(&self.request.method) {
            return Err(error::UNSUPPORTED_HTTP_METHOD.into());
        }
        if let Some(excess) = &self.excess {
            return Err(excess.error());
        }
        if let Some(name) = &self.repeated {
            return Err(limits::invalid_parameter(name));
        }
        let action = self.action().ok_or(error::MISSING_ACTION)?;
        let action = find_action(&action)?;
        let version = self.common("Version", &X_ACS_VERSION).ok_or(error::MISSING_VERSION)?;
        if version != api.version {
            return Err(error::INVALID_VERSION.into());
        }
        let format = self.parameter("Format").filter(|format| !format.is_empty());
        if format.is_some_and(|format| Format::parse(format).is_none()) {
            return Err(error::INVALID_PARAMETER_FORMAT.into());
        }
        Ok(action)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn call(query: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Call {
        let query = query.iter().flat_map(|(name, value)| [name, "=", value, "&"]).collect();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        Call::read(Request { query, headers, ..Request::default() })
    }

    #[test]
    fn the_host_has_no_port_and_is_absent_where_the_header_is_malformed() {
        for (header, host) in [
            ("vpc.aliyuncs.com", Some("vpc.aliyuncs.com")),
            ("127.0.0.1:8787", Some("127.0.0.1")),
            ("[::1]:8787", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("local_endpoint:8787", Some("local_endpoint")),
            ("[]", None),
            ("[x]", None),
            ("a[::1]", None),
            ("a]", None),
            ("", None),
            (":80", None),
            ("a b", None),
            ("<script>", None),
        ] {
            let read = call(&[], &[(HOST.as_str(), header)]).host();
            assert_eq!(read.as_deref(), host, "{header:?}");
        }
        assert_eq!(call(&[], &[]).host(), None);
    }

    #[test]
    fn the_action_and_the_authorization_show_the_kind_of_signature() {
        let action = ("Action", "A");
        let header = ("x-acs-action", "A");
        let acs3 = ("authorization", "ACS3-HMAC-SHA256 x");
        for (query, headers, style) in [
            (&[action][..], &[][..], Style::V1),
            // V1 clients send the header as well.
            (&[action], &[header], Style::V1),
            (&[], &[], Style::V1),
            (&[], &[header], Style::V3),
            (&[], &[header, acs3], Style::V3),
            (&[action], &[acs3], Style::V3),
            (&[], &[("authorization", "Basic x")], Style::V1),
        ] {
            assert_eq!(call(query, headers).style(), style, "{query:?} {headers:?}");
        }
    }
}
