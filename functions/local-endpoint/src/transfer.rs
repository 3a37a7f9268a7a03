//! Imports and exports world documents.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ipv6_gateway::Operations;
use store::{Document, World};

use crate::backend::Backend;
use crate::error::Error;

/// The documents between two lines of progress.
const PROGRESS_EVERY: usize = 10_000;

/// Imports the world document in `file` into `backend`. An invalid document changes nothing.
///
/// # Errors
///
/// The document is invalid, `backend` is not empty and must not be replaced, or the store failed.
pub(crate) async fn import(backend: &Backend, file: &Path, replace: bool) -> Result<(), Error> {
    let documents = read(file)?;
    if !replace && !backend.is_empty().await? {
        let message = format!("{backend} is not empty; --replace replaces its documents");
        return Err(Error::Invalid(message));
    }
    let count = documents.len();
    let shows_progress = io::stderr().is_terminal();
    let progress = |done: usize| {
        if shows_progress && done.is_multiple_of(PROGRESS_EVERY) {
            // If standard error is closed, progress is not shown.
            let _ = writeln!(anstream::stderr(), "{done} done");
        }
    };
    backend.replace(documents, &progress).await?;
    Ok(writeln!(anstream::stderr(), "{count} documents imported into {backend}")?)
}

/// The documents of a world document.
///
/// # Errors
///
/// [`Error::Invalid`].
pub(crate) fn parse(world: &str) -> Result<Vec<Document>, Error> {
    let documents = World::parse(world).map_err(Error::invalid)?.into_documents();
    Operations::all().fit(&documents).map_err(Error::invalid)?;
    Ok(documents)
}

/// The documents of the world document in `file`; `-` is standard input.
///
/// # Errors
///
/// [`Error::Invalid`], with the file's name.
pub(crate) fn read(file: &Path) -> Result<Vec<Document>, Error> {
    let invalid = |error: &dyn fmt::Display| Error::Invalid(format!("{}: {error}", file.display()));
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    parse(&text.map_err(|error| invalid(&error))?).map_err(|error| invalid(&error))
}

/// Writes the documents of `backend` as a world document, to `file` or to standard output. A file is
/// written atomically, and only its owner may read it.
///
/// # Errors
///
/// The store failed, or the file cannot be written.
pub(crate) async fn export(backend: &Backend, file: Option<&Path>) -> Result<(), Error> {
    let documents = backend.documents().await?;
    let world = World::from_documents(documents).to_json().map_err(Error::failed)?;
    let Some(file) = file else {
        return Ok(io::stdout().write_all(world.as_bytes())?);
    };
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    // The file holds secrets.
    let created =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let written = created.and_then(|mut output| {
        output.write_all(world.as_bytes())?;
        output.sync_all()?;
        std::fs::rename(&unfinished, file)
    });
    written.map_err(|error| Error::failed(format!("{}: {error}", file.display())))
}
