//! Moving a world in and out of where documents are kept: `import` and `export`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ipv6_gateway::Operations;
use store::{Document, World};

use crate::backend::Backend;

/// How many documents are done between two lines of progress.
const PROGRESS_EVERY: usize = 10_000;

/// Puts the world document in `file` into `backend`, and says so. Nothing is touched before all of the
/// document was read and found in order.
///
/// # Errors
///
/// What is wrong with the document, or why `backend` does not take it.
pub(crate) async fn import(backend: &Backend, file: &Path, replace: bool) -> Result<(), String> {
    let documents = read(file)?;
    let is_empty = backend.is_empty().await.map_err(|error| error.with_causes())?;
    if !is_empty && !replace {
        return Err(format!("{backend} is not empty; --replace drops what is there"));
    }
    let count = documents.len();
    let shows_progress = io::stderr().is_terminal();
    let progress = |done: usize| {
        if shows_progress && done.is_multiple_of(PROGRESS_EVERY) {
            // There is nowhere else to tell it if this fails.
            let _ = writeln!(anstream::stderr(), "{done} done");
        }
    };
    backend.replace(documents, &progress).await.map_err(|error| error.with_causes())?;
    writeln!(anstream::stderr(), "{count} documents imported into {backend}")
        .map_err(|error| error.to_string())
}

/// Reads the documents of a world document.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse(world: &str) -> Result<Vec<Document>, String> {
    let documents = World::parse(world).map_err(|error| error.to_string())?.into_documents();
    Operations::all().fit(&documents).map_err(|error| error.to_string())?;
    Ok(documents)
}

/// Reads the documents of a world document; from standard input if `file` is `-`.
///
/// # Errors
///
/// What is wrong, with the file's name.
pub(crate) fn read(file: &Path) -> Result<Vec<Document>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    parse(&text.map_err(|error| told(&error))?).map_err(|error| told(&error))
}

/// Writes all of `backend` as a world document, to `file` or to standard output. A file is there whole
/// or as it was.
///
/// # Errors
///
/// What the store says, or why the file cannot be written.
pub(crate) async fn export(backend: &Backend, file: Option<&Path>) -> Result<(), String> {
    let documents = backend.documents().await.map_err(|error| error.with_causes())?;
    let world = World::from_documents(documents).to_json().map_err(|error| error.to_string())?;
    let Some(file) = file else {
        return io::stdout().write_all(world.as_bytes()).map_err(|error| error.to_string());
    };
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    // It holds secrets.
    let created =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let written = created.and_then(|mut output| {
        output.write_all(world.as_bytes())?;
        output.sync_all()?;
        std::fs::rename(&unfinished, file)
    });
    written.map_err(|error| format!("{}: {error}", file.display()))
}
