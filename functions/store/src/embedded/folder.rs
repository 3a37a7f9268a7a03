//! The directory: checks it, locks it, and notes how it was closed.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::manifest::{KEYSPACES_FOLDER, Keyspaces, MANIFEST_FILE, Manifest};
use super::open_error::{Cause, OpenError};
use super::watermark::Watermark;

pub(super) const LOCK_FILE: &str = "lock";
const CLOSED_FILE: &str = "closed.json";
pub(super) const ENGINE_FOLDER: &str = "engine";
const UNFINISHED: &str = ".unfinished";

/// The note that the store was closed, with the hashes of its journals.
#[derive(Serialize, Deserialize)]
struct Closed {
    journals: BTreeMap<String, String>,
}

/// A directory that this process has locked.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The manifest on the disk.
    manifest: Mutex<Manifest>,
    /// The watermark and the number that was read from it. `None` for a new store until it is open.
    watermark: Option<(Watermark, u64)>,
    /// Whether the store was opened and must be closed.
    is_open: bool,
    lock: File,
}

impl Folder {
    /// Checks and locks the directory. A directory that is no store is left unchanged.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let fail = |cause| OpenError { folder: path.to_owned(), cause };
        let io = |error| fail(Cause::Io(error));
        // The directory holds the secrets of access keys.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        // Before the lock file is created, for the directory may not be a store.
        Manifest::read(path).map_err(fail)?;
        let lock = path.join(LOCK_FILE);
        let lock = File::options().create(true).truncate(false).write(true).open(lock);
        let lock = lock.map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => fail(Cause::InUse),
            TryLockError::Error(error) => io(error),
        })?;
        // Again, under the lock.
        let mut watermark = None;
        let manifest = match Manifest::read(path).map_err(fail)? {
            Some(manifest) if !manifest.is_making() => {
                check_engine(path, &manifest).map_err(fail)?;
                if manifest.is_complete() {
                    watermark = Some(Watermark::open(path).map_err(fail)?);
                }
                manifest
            }
            _ => begin_making(path).map_err(io)?,
        };
        let manifest = Mutex::new(manifest);
        Ok(Self { path: path.to_owned(), manifest, watermark, is_open: false, lock })
    }

    fn manifest(&self) -> MutexGuard<'_, Manifest> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The format of the store.
    pub(super) fn format(&self) -> u32 {
        self.manifest().version()
    }

    /// Whether the store is being created: no write was acknowledged yet.
    pub(super) fn is_making(&self) -> bool {
        self.manifest().is_making()
    }

    /// Writes the manifest of a store in use with these keyspaces.
    pub(super) fn note(&self, keyspaces: Keyspaces) -> io::Result<()> {
        let mut noted = self.manifest();
        let manifest = Manifest::in_use(keyspaces);
        if *noted != manifest {
            // The engine does not sync the directory entries of new folders.
            File::open(self.engine().join(KEYSPACES_FOLDER))?.sync_all()?;
            write_durably(&self.path, MANIFEST_FILE, &manifest)?;
            *noted = manifest;
        }
        Ok(())
    }

    /// The folder of the engine's files.
    pub(super) fn engine(&self) -> PathBuf {
        self.path.join(ENGINE_FOLDER)
    }

    /// The error for an engine that does not open.
    pub(super) fn refused(&self, error: impl fmt::Display) -> OpenError {
        let what = error.to_string();
        OpenError { folder: self.path.clone(), cause: Cause::Damaged { what } }
    }

    pub(super) fn io(&self, error: io::Error) -> OpenError {
        OpenError { folder: self.path.clone(), cause: Cause::Io(error) }
    }

    /// Records that every batch up to this one was synced.
    pub(super) fn synced(&self, batch: u64) -> io::Result<()> {
        self.watermark.as_ref().map_or(Ok(()), |(watermark, _)| watermark.advance(batch))
    }

    /// Removes the note that the store was closed: from here on its journals change.
    pub(super) fn begin(&self) -> Result<(), OpenError> {
        let begun = match fs::remove_file(self.path.join(CLOSED_FILE)) {
            Ok(()) => File::open(&self.path).and_then(|folder| folder.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        begun.map_err(|error| self.io(error))
    }

    /// Checks the opened engine and writes the manifest of the newest format.
    ///
    /// # Errors
    ///
    /// The last batch, `batch`, is older than a synced one, or the keyspaces differ from the
    /// manifest's.
    pub(super) fn opened(&mut self, keyspaces: Keyspaces, batch: u64) -> Result<(), OpenError> {
        let watermark = match self.watermark.take() {
            None => (Watermark::create(&self.path, batch).map_err(|error| self.io(error))?, batch),
            Some((_, synced)) if batch < synced => {
                return Err(self.refused(format!(
                    "its journal ends at batch {batch}, and batch {synced} was synced"
                )));
            }
            Some(watermark) => watermark,
        };
        self.watermark = Some(watermark);
        if !self.is_making() {
            if !self.manifest().names(&keyspaces) {
                return Err(self.refused(format!("{MANIFEST_FILE} lists other keyspaces")));
            }
            self.note(keyspaces).map_err(|error| self.io(error))?;
        }
        self.is_open = true;
        Ok(())
    }
}

impl Drop for Folder {
    /// Notes that the store was closed, and unlocks it. The engine must be dropped before.
    fn drop(&mut self) {
        let engine = self.engine();
        if self.is_open && self.is_making() {
            // This process created the store and acknowledged no write.
            drop(fs::remove_dir_all(engine));
        } else if self.is_open
            && let Ok(journals) = journals(&engine)
        {
            // Without the note the store opens as after a crash.
            drop(write_durably(&self.path, CLOSED_FILE, &Closed { journals }));
        }
        // Closing the file is not enough: a child process holds a copy of it, and so the lock, between
        // fork and exec.
        drop(self.lock.unlock());
    }
}

/// Writes the manifest of a store that is being created. Files of an earlier attempt are renamed.
fn begin_making(path: &Path) -> io::Result<Manifest> {
    let manifest = Manifest::making();
    write_durably(path, MANIFEST_FILE, &manifest)?;
    let engine = path.join(ENGINE_FOLDER);
    if engine.try_exists()? {
        let mut names =
            (1..).map(|number| path.join(format!("{ENGINE_FOLDER}{UNFINISHED}-{number}")));
        let unused = names.find(|name| !name.exists());
        unused.map_or(Ok(()), |unused| fs::rename(engine, unused))?;
    }
    Ok(manifest)
}

/// Checks that no file is missing that the engine would recreate.
fn check_engine(path: &Path, manifest: &Manifest) -> Result<(), Cause> {
    let damaged = |what: String| Cause::Damaged { what };
    if !path.join(ENGINE_FOLDER).try_exists().map_err(Cause::Io)? {
        return Err(damaged(format!("{ENGINE_FOLDER} is missing")));
    }
    manifest.check_engine(path)?;
    check_closed(path)?;
    if journals(&path.join(ENGINE_FOLDER)).map_err(Cause::Io)?.is_empty() {
        return Err(damaged(format!("{ENGINE_FOLDER} has no journal (*.jnl)")));
    }
    Ok(())
}

/// Checks that the journals of a closed store have not changed.
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
    let changed = changed.map_or("a new journal", |(name, _)| name.as_str());
    Err(damaged(format!("{ENGINE_FOLDER}/{changed} has changed since the store was closed")))
}

/// The hashes of the engine's journals by file name.
fn journals(engine: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut journals = BTreeMap::new();
    for entry in fs::read_dir(engine)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|extension| extension == "jnl") {
            // The engine's options keep a journal small enough to be read at once.
            let hash = Sha256::digest(fs::read(entry.path())?);
            journals.insert(name, base16ct::lower::encode_string(&hash));
        }
    }
    Ok(journals)
}

/// Writes a file atomically and durably.
fn write_durably(folder: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
    let new = folder.join(unfinished(name));
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// The name of a file while it is being written.
pub(super) fn unfinished(name: &str) -> String {
    format!("{name}{UNFINISHED}")
}
