//! The limits of a request's size (decision `limits`).

use crate::encoding::percent_encode;
use crate::error::{self, Error};
use crate::parameters::Parameters;
use crate::request::Request;

/// The most bytes of a request: query, body, and headers except those that gateways add.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of all headers, names and values, except those that gateways add.
pub const HEADERS_BYTES_MAX: usize = 32 * 1024;

/// The most parameters of query and form together; a repeated parameter counts each time.
pub const PARAMETERS_MAX: usize = 200;

/// The most bytes of a parameter's decoded name, and of its decoded value.
pub const PARAMETER_BYTES_MAX: usize = 8 * 1024;

/// The most bytes of a name in a message.
const SHOWN_BYTES_MAX: usize = 64;

/// The first limit that a request exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The request is too large.
    Request,
    /// Its headers are too large.
    Headers,
    /// It has too many parameters.
    Parameters,
    /// The parameter of this name is too large.
    Parameter(String),
}

impl Excess {
    /// The limit of size that `request` exceeds, if any; `query` has the parameters of its query.
    pub(crate) fn of_request(request: &Request, query: &Parameters) -> Option<Self> {
        let query_bytes: usize = query.bytes().map(|(name, value)| name + value).sum();
        let headers = request.headers.iter().filter(|(name, _)| !is_of_gateways(name.as_str()));
        let headers_bytes: usize = headers.map(|(name, v)| name.as_str().len() + v.len()).sum();
        if query_bytes + headers_bytes + request.body.len() > REQUEST_BYTES_MAX {
            return Some(Self::Request);
        }
        (headers_bytes > HEADERS_BYTES_MAX).then_some(Self::Headers)
    }

    /// The limit that the parameters exceed, if any. They must not be sorted yet.
    pub(crate) fn of_parameters(parameters: &Parameters) -> Option<Self> {
        let mut bytes = parameters.bytes();
        if bytes.len() > PARAMETERS_MAX {
            return Some(Self::Parameters);
        }
        let too_large = bytes.position(|(name, value)| name.max(value) > PARAMETER_BYTES_MAX)?;
        Some(Self::Parameter(parameters.names().nth(too_large)?.to_owned()))
    }

    /// The error that the caller gets.
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::Request => error::REQUEST_TOO_LARGE.into(),
            Self::Headers => error::REQUEST_HEADERS_TOO_LARGE.into(),
            Self::Parameters => {
                let message = format!("The request has more than {PARAMETERS_MAX} parameters.");
                Error::with_message(error::INVALID_PARAMETER_FORMAT, message)
            }
            Self::Parameter(name) => invalid_parameter(name),
        }
    }
}

/// Whether gateways and proxies add a header of this name. Limits ignore such headers, so that they
/// do not depend on a call's route.
fn is_of_gateways(name: &str) -> bool {
    name.starts_with("x-forwarded-") || ["forwarded", "via", "x-amzn-trace-id"].contains(&name)
}

/// The error for an invalid parameter. Its message shows the name encoded, for it may hold
/// characters that JSON or XML cannot show, and truncated.
pub(crate) fn invalid_parameter(name: &str) -> Error {
    let name = percent_encode(name);
    // An encoded name is ASCII, so each byte is a boundary of characters.
    let (shown, cut) = match name.get(..SHOWN_BYTES_MAX) {
        Some(shown) if shown.len() < name.len() => (shown, "..."),
        _ => (&*name, ""),
    };
    let message = format!("Specified parameter {shown}{cut} is not valid.");
    Error::with_message(error::INVALID_PARAMETER_FORMAT, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::HOST;

    use super::*;
    use crate::parameters::Source;

    #[test]
    fn a_name_in_a_message_is_encoded_and_cut_after_64_bytes() {
        for (name, shown) in [
            ("Bandwidth", "Bandwidth".to_owned()),
            ("a b<c>", "a%20b%3Cc%3E".to_owned()),
            (&"n".repeat(64), "n".repeat(64)),
            (&"n".repeat(65), format!("{}...", "n".repeat(64))),
            (&"é".repeat(11), format!("{}%C3%...", "%C3%A9".repeat(10))),
        ] {
            let message = invalid_parameter(name).message;
            assert_eq!(message, format!("Specified parameter {shown} is not valid."), "{name}");
        }
    }

    fn parameters(query: &str, form: &str) -> Parameters {
        let mut parameters = Parameters::default();
        parameters.decode(query.as_bytes(), Source::Query, usize::MAX);
        parameters.decode(form.as_bytes(), Source::Form, usize::MAX);
        parameters
    }

    fn request(headers_bytes: usize, body_bytes: usize) -> Request {
        let mut headers = HeaderMap::new();
        if headers_bytes > 0 {
            let value = "v".repeat(headers_bytes - "host".len());
            headers.insert(HOST, value.parse().unwrap());
        }
        Request { headers, body: vec![0; body_bytes].into(), ..Request::default() }
    }

    fn pairs(count: usize, name_bytes: usize, value_bytes: usize) -> String {
        format!("{}={}&", "n".repeat(name_bytes), "v".repeat(value_bytes)).repeat(count)
    }

    #[test]
    fn a_request_at_a_limit_is_within_it_and_one_byte_more_is_not() {
        let all = REQUEST_BYTES_MAX;
        let of_headers = HEADERS_BYTES_MAX;
        for (query_bytes, headers_bytes, body_bytes, excess) in [
            (0, 0, all, None),
            (0, 0, all + 1, Some(Excess::Request)),
            (all, 0, 0, None),
            (all + 1, 0, 0, Some(Excess::Request)),
            (100, 1000, all - 1100, None),
            (100, 1000, all - 1099, Some(Excess::Request)),
            (0, of_headers, 0, None),
            (0, of_headers + 1, 0, Some(Excess::Headers)),
            (0, of_headers + 1, all, Some(Excess::Request)),
        ] {
            // Decoded bytes count.
            let name_bytes = query_bytes / 2;
            let query = pairs(1, name_bytes, query_bytes - name_bytes).replace('v', "%76");
            let request = request(headers_bytes, body_bytes);
            let context = (query_bytes, headers_bytes, body_bytes);
            assert_eq!(
                Excess::of_request(&request, &parameters(&query, "")),
                excess,
                "{context:?}"
            );
        }
    }

    #[test]
    fn parameters_at_a_limit_are_within_it_and_one_more_is_not() {
        let of_one = PARAMETER_BYTES_MAX;
        let too_large = |bytes: usize| Some(Excess::Parameter("n".repeat(bytes)));
        for (query, form, excess) in [
            (pairs(200, 1, 1), pairs(0, 0, 0), None),
            (pairs(201, 1, 1), pairs(0, 0, 0), Some(Excess::Parameters)),
            (pairs(100, 1, 1), pairs(100, 1, 1), None),
            (pairs(101, 1, 1), pairs(100, 1, 1), Some(Excess::Parameters)),
            (pairs(1, of_one, of_one), pairs(1, of_one, of_one), None),
            (pairs(1, 1, of_one + 1), pairs(1, 1, 1), too_large(1)),
            (pairs(1, 1, 1), pairs(1, 1, of_one + 1), too_large(1)),
            (pairs(1, of_one + 1, 1), pairs(1, 1, 1), too_large(of_one + 1)),
            (pairs(201, 1, of_one + 1), pairs(0, 0, 0), Some(Excess::Parameters)),
        ] {
            assert_eq!(Excess::of_parameters(&parameters(&query, &form)), excess);
        }
    }
}
