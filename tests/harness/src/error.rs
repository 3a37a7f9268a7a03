//! Why the harness cannot do something.

use std::{fmt, io};

use crate::json::Fault;

/// The result of a function of the harness.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the harness cannot do something. Its text names the file, the option or the endpoint.
#[derive(Debug)]
pub enum Error {
    /// An error of a file, a folder, an option or an endpoint.
    At {
        /// The path, the option or the URL.
        place: String,
        /// The error.
        error: Box<Self>,
    },
    /// Files of a contract are ambiguous, so that no command uses the contract: each problem.
    Ambiguous(Vec<String>),
    /// A text is not the expected JSON.
    Json(Fault),
    /// The system refuses to read, to write, to start a process or to listen.
    Io(io::Error),
    /// A call has no answer. The URL is not shown: its query has a signature.
    NoAnswer(reqwest::Error),
    /// Any other error, in words.
    Other(String),
}

impl Error {
    /// An error in the words of another one.
    pub(crate) fn other(error: impl fmt::Display) -> Self {
        Self::Other(error.to_string())
    }

    /// The error without the place `at`, if it is an error of this place.
    #[must_use]
    pub fn within(self, at: &str) -> Self {
        match self {
            Self::At { place, error } if place == at => *error,
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The line follows the file without a blank, as editors and terminals link it.
            Self::At { place, error } => match &**error {
                Self::Json(fault) => write!(formatter, "{place}:{fault}"),
                error => write!(formatter, "{place}: {error}"),
            },
            Self::Ambiguous(problems) => formatter.write_str(&problems.join("\n")),
            Self::Json(fault) => fault.fmt(formatter),
            Self::Io(error) => error.fmt(formatter),
            Self::NoAnswer(error) => formatter.write_str(&causes(error)),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

/// What failed, and why, without the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    if error.is_timeout() {
        texts.push("no answer in time".to_owned());
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}

macro_rules! from {
    ($($source:ty => $make:expr;)*) => {
        $(impl From<$source> for Error {
            fn from(source: $source) -> Self {
                $make(source)
            }
        })*
    };
}

from! {
    Fault => Self::Json;
    io::Error => Self::Io;
    reqwest::Error => Self::NoAnswer;
    String => Self::Other;
    &str => Self::other;
    serde_json::Error => Self::other;
    tokio::task::JoinError => Self::other;
}

/// A caller that only shows the error keeps its text.
impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.to_string()
    }
}

/// Names the place of an error.
pub(crate) trait At<T> {
    /// The same, where an error is one of `place`.
    fn at(self, place: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Error>> At<T> for std::result::Result<T, E> {
    fn at(self, place: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Error::At { place: place.to_string(), error: Box::new(error.into()) })
    }
}

/// Returns an error in these words.
macro_rules! bail {
    ($($words:tt)*) => {
        return Err($crate::Error::Other(format!($($words)*)))
    };
}
pub(crate) use bail;
