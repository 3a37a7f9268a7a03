//! The directory: whose it is, who has it open, and whether it is as it was left.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const FORMAT_FILE: &str = "format.json";
const LOCK_FILE: &str = "lock";
const CLOSED_FILE: &str = "closed.json";
const ENGINE_FOLDER: &str = "engine";
const UNFINISHED: &str = ".unfinished";

/// What the format is called, and the newest that is known: the one that is written.
const FORMAT_NAME: &str = "ipv6-gateway store";
pub(super) const FORMAT_VERSION: u32 = 2;

/// Says what the directory is. Written last when it is made, so that without it nothing in it was
/// ever acknowledged.
#[derive(Serialize, Deserialize)]
struct Format {
    name: String,
    version: u32,
}

/// Says that the store was closed, and what its journals were then.
#[derive(Serialize, Deserialize)]
struct Closed {
    journals: BTreeMap<String, String>,
}

/// Why a store could not be opened.
#[derive(Debug)]
pub struct OpenError {
    folder: PathBuf,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
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
                "not a store, and not empty either (there is {found}); nothing was changed"
            ),
            Cause::Newer { version } => write!(
                formatter,
                "a store of format {version}, and this program knows formats up to \
                 {FORMAT_VERSION}: use a newer one; nothing was changed"
            ),
            Cause::Damaged { what } => write!(
                formatter,
                "the store is damaged: {what}; put back a copy of the directory, or import an \
                 exported world into a new one"
            ),
            Cause::Io(error) => error.fmt(formatter),
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

/// A directory that this process has locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The format of the store that was found; `None` if there is none yet.
    format: Option<u32>,
    /// Whether the store was opened, so that there is something to close.
    is_open: bool,
    lock: File,
}

impl Folder {
    /// Looks at what is there, and locks it. A directory that is not ours is left as it is.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let fail = |cause| OpenError { folder: path.to_owned(), cause };
        let io = |error| fail(Cause::Io(error));
        // Secrets of access keys are in it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        // First without a trace: it may be anybody's.
        look(path).map_err(fail)?;
        let lock = path.join(LOCK_FILE);
        let lock = File::options().create(true).truncate(false).write(true).open(lock);
        let lock = lock.map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => fail(Cause::InUse),
            TryLockError::Error(error) => io(error),
        })?;
        // Again, now that nobody else changes it.
        let format = look(path).map_err(fail)?;
        let engine = path.join(ENGINE_FOLDER);
        match (format, engine.exists()) {
            (Some(_), false) => {
                return Err(fail(Cause::Damaged { what: "its data is missing".to_owned() }));
            }
            // Its creation was interrupted.
            (None, true) => fs::remove_dir_all(&engine).map_err(io)?,
            (Some(_), true) | (None, false) => {}
        }
        check_closed(path).map_err(fail)?;
        Ok(Self { path: path.to_owned(), format, is_open: false, lock })
    }

    /// The format of the store that was found; `None` if there is none yet.
    pub(super) fn format(&self) -> Option<u32> {
        self.format
    }

    /// Where the engine keeps its files.
    pub(super) fn engine(&self) -> PathBuf {
        self.path.join(ENGINE_FOLDER)
    }

    /// What it means that the engine does not open.
    pub(super) fn refused(&self, error: impl fmt::Display) -> OpenError {
        let what = error.to_string();
        OpenError { folder: self.path.clone(), cause: Cause::Damaged { what } }
    }

    pub(super) fn io(&self, error: io::Error) -> OpenError {
        OpenError { folder: self.path.clone(), cause: Cause::Io(error) }
    }

    /// Notes that the store is no longer as it was when it was closed: from here on its journals
    /// change.
    pub(super) fn begin(&self) -> Result<(), OpenError> {
        let begun = match fs::remove_file(self.path.join(CLOSED_FILE)) {
            Ok(()) => File::open(&self.path).and_then(|folder| folder.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        begun.map_err(|error| self.io(error))
    }

    /// Notes that all is open: from here on the directory is a store of the newest format.
    pub(super) fn opened(&mut self) -> Result<(), OpenError> {
        if self.format != Some(FORMAT_VERSION) {
            let format = Format { name: FORMAT_NAME.to_owned(), version: FORMAT_VERSION };
            let noted = write_durably(&self.path, FORMAT_FILE, &format);
            noted.map_err(|error| self.io(error))?;
        }
        self.is_open = true;
        Ok(())
    }
}

impl Drop for Folder {
    /// Notes that the store was closed, and unlocks it. The engine is dropped before this.
    fn drop(&mut self) {
        if self.is_open
            && let Ok(journals) = journals(&self.engine())
        {
            // Without the note the store opens as after a crash.
            drop(write_durably(&self.path, CLOSED_FILE, &Closed { journals }));
        }
        // To close the file is not enough: a process that is being started has a copy of it, and the
        // lock with it, until it runs its own program.
        drop(self.lock.unlock());
    }
}

/// The format of the store; `None` if the directory is empty or the creation of a store in it was
/// interrupted.
fn look(path: &Path) -> Result<Option<u32>, Cause> {
    match fs::read(path.join(FORMAT_FILE)) {
        Ok(bytes) => {
            let format: Format = serde_json::from_slice(&bytes)
                .map_err(|_| Cause::Damaged { what: format!("{FORMAT_FILE} cannot be read") })?;
            if format.name != FORMAT_NAME {
                return Err(Cause::NotAStore { found: FORMAT_FILE.to_owned() });
            }
            if format.version > FORMAT_VERSION {
                return Err(Cause::Newer { version: format.version });
            }
            Ok(Some(format.version))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let ours = [LOCK_FILE.to_owned(), ENGINE_FOLDER.to_owned(), unfinished(FORMAT_FILE)];
            for entry in fs::read_dir(path).map_err(Cause::Io)? {
                let found = entry.map_err(Cause::Io)?.file_name().to_string_lossy().into_owned();
                // Without a lock of ours, no store was being created here.
                let is_ours = ours.contains(&found) && path.join(LOCK_FILE).exists();
                if !is_ours {
                    return Err(Cause::NotAStore { found });
                }
            }
            Ok(None)
        }
        Err(error) => Err(Cause::Io(error)),
    }
}

/// If the store was closed, its journals must be as they were then.
fn check_closed(path: &Path) -> Result<(), Cause> {
    let bytes = match fs::read(path.join(CLOSED_FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Cause::Io(error)),
    };
    let damaged = |what: String| Cause::Damaged { what };
    let closed: Closed = serde_json::from_slice(&bytes)
        .map_err(|_| damaged(format!("{CLOSED_FILE} cannot be read")))?;
    let found = journals(&path.join(ENGINE_FOLDER)).map_err(Cause::Io)?;
    if found == closed.journals {
        return Ok(());
    }
    let changed = closed.journals.iter().find(|(name, hash)| found.get(*name) != Some(hash));
    let changed = changed.map_or("a journal that was not there", |(name, _)| name.as_str());
    Err(damaged(format!("{ENGINE_FOLDER}/{changed} is not as it was when the store was closed")))
}

/// The engine's journals, and a hash of each.
fn journals(engine: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut journals = BTreeMap::new();
    for entry in fs::read_dir(engine)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|extension| extension == "jnl") {
            // Small enough to be read at once: see the engine's options.
            let hash = Sha256::digest(fs::read(entry.path())?);
            journals.insert(name, base16ct::lower::encode_string(&hash));
        }
    }
    Ok(journals)
}

/// Writes a file that is there whole or not at all, whatever happens.
fn write_durably(folder: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
    let new = folder.join(unfinished(name));
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn unfinished(name: &str) -> String {
    format!("{name}{UNFINISHED}")
}
