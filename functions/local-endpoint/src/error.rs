//! The failures of commands and of requests to control paths.

use std::fmt;
use std::io;

/// A failure. [`store::with_causes`] shows it with its causes.
#[derive(Debug)]
pub(crate) enum Error {
    /// An option, a world document or a request is invalid.
    Invalid(String),
    /// There is no world of the given name.
    NoWorld(String),
    /// The store, the system or the network failed.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// [`Error::Invalid`] for this reason.
    pub(crate) fn invalid(reason: impl fmt::Display) -> Self {
        Self::Invalid(reason.to_string())
    }

    /// [`Error::Failed`] for this reason.
    pub(crate) fn failed(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(reason.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(reason) | Self::NoWorld(reason) => formatter.write_str(reason),
            Self::Failed(reason) => reason.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Invalid(_) | Self::NoWorld(_) => None,
            Self::Failed(reason) => reason.source(),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::failed(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::failed(error)
    }
}
