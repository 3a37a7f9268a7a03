//! How large a request may be (decision `limits`).

use crate::encoding::percent_encode;
use crate::error::{self, Error};
use crate::request::Request;

/// The most bytes of a whole request: query, headers and body.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of all headers, names and values.
pub const HEADERS_BYTES_MAX: usize = 32 * 1024;

/// The most parameters, of query and form together, repeated ones counted.
pub const PARAMETERS_MAX: usize = 200;

/// The most bytes of a parameter's name, and of its value, decoded.
pub const PARAMETER_BYTES_MAX: usize = 8 * 1024;

/// How much of a name is shown in a message, in bytes.
const SHOWN_BYTES_MAX: usize = 64;

/// The first limit that a request is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The whole of it is too large.
    Request,
    /// Its headers are too large.
    Headers,
    /// It has too many parameters.
    Parameters,
    /// The parameter of this name is too large.
    Parameter(String),
}

impl Excess {
    /// Whether `request`, of which only the query has been taken apart, is too large.
    pub(crate) fn of_request(request: &Request) -> Option<Self> {
        let pairs = request.query.iter();
        let query_bytes: usize = pairs.map(|(name, value)| name.len() + value.len()).sum();
        let headers = request.headers.iter();
        let headers_bytes: usize = headers.map(|(name, v)| name.as_str().len() + v.len()).sum();
        if query_bytes + headers_bytes + request.body.len() > REQUEST_BYTES_MAX {
            return Some(Self::Request);
        }
        (headers_bytes > HEADERS_BYTES_MAX).then_some(Self::Headers)
    }

    /// Whether the parameters are too many, or one of them too large.
    pub(crate) fn of_parameters(
        query: &[(String, String)],
        form: &[(String, String)],
    ) -> Option<Self> {
        if query.len() + form.len() > PARAMETERS_MAX {
            return Some(Self::Parameters);
        }
        let too_large = |(name, value): &&(String, String)| {
            name.len() > PARAMETER_BYTES_MAX || value.len() > PARAMETER_BYTES_MAX
        };
        let (name, _) = query.iter().chain(form).find(too_large)?;
        Some(Self::Parameter(name.clone()))
    }

    /// What the caller is told.
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

/// That the parameter of this name is not valid. The name comes from outside: it is shown encoded,
/// as it may hold what neither JSON nor XML shows well, and cut where it is long.
pub(crate) fn invalid_parameter(name: &str) -> Error {
    let name = percent_encode(name);
    // What is encoded is ASCII, so it can be cut anywhere.
    let (shown, cut) = match name.get(..SHOWN_BYTES_MAX) {
        Some(shown) if shown.len() < name.len() => (shown, "..."),
        _ => (&*name, ""),
    };
    let message = format!("Specified parameter {shown}{cut} is not valid.");
    Error::with_message(error::INVALID_PARAMETER_FORMAT, message)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
