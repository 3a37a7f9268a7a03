//! The errors of opening a directory.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::manifest::FORMAT_VERSION;

/// The reason for which a store cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    pub(super) folder: PathBuf,
    pub(super) cause: Cause,
}

/// The reason, without the directory's path.
#[derive(Debug)]
pub(super) enum Cause {
    InUse,
    NotAStore { found: String },
    Newer { version: u32 },
    Damaged { what: String },
    Io(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.folder.display())?;
        match &self.cause {
            Cause::InUse => formatter.write_str(
                "another process has this store open; a store serves one process at a time",
            ),
            Cause::NotAStore { found } => write!(
                formatter,
                "not a store and not empty: it contains {found}; nothing was changed"
            ),
            Cause::Newer { version } => write!(
                formatter,
                "the store has format {version}, and this program supports formats up to \
                 {FORMAT_VERSION}: use a newer program; nothing was changed"
            ),
            Cause::Damaged { what } => write!(
                formatter,
                "the store is damaged: {what}; restore a copy of the directory, or import an \
                 exported world into a new directory"
            ),
            Cause::Io(_) => formatter.write_str("the store cannot be opened"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::InUse
            | Cause::NotAStore { .. }
            | Cause::Newer { .. }
            | Cause::Damaged { .. } => None,
        }
    }
}
