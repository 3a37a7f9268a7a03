//! The manifest, `format.json`: the directory's format, and the folders of the engine's keyspaces.
//!
//! The engine recreates missing files, and deletes a keyspace that lacks its `current` file. So the
//! folders in the manifest are checked before the engine opens.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::{ENGINE_FOLDER, LOCK_FILE, unfinished};
use super::open_error::Cause;

pub(super) const MANIFEST_FILE: &str = "format.json";
/// The folder of the engine's keyspaces, with one folder each.
pub(super) const KEYSPACES_FOLDER: &str = "keyspaces";
/// The engine's list of keyspaces.
const LIST_OF_KEYSPACES: &str = "0";
/// A file in every keyspace's folder.
const CURRENT_FILE: &str = "current";
/// A file without which the engine takes its folder for a new one.
const ENGINE_MARKER: &str = "version";

/// The name of the format, and the newest version, which is the one that is written.
const FORMAT_NAME: &str = "ipv6-gateway store";
pub(super) const FORMAT_VERSION: u32 = 2;

/// The folder of each keyspace, by the keyspace's name.
pub(super) type Keyspaces = BTreeMap<String, String>;

/// The content of the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    name: String,
    version: u32,
    #[serde(default)]
    phase: Phase,
    /// Empty while the store is being created, and in the manifest of an older program.
    #[serde(default)]
    keyspaces: Keyspaces,
}

/// Whether the store is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Phase {
    /// The store is being created: no write was acknowledged.
    Making,
    /// Writes were acknowledged. The default, for older programs wrote no phase and wrote the manifest
    /// only in this one.
    #[default]
    InUse,
}

impl Manifest {
    fn new(phase: Phase, keyspaces: Keyspaces) -> Self {
        Self { name: FORMAT_NAME.to_owned(), version: FORMAT_VERSION, phase, keyspaces }
    }

    /// The manifest of a store that is being created.
    pub(super) fn making() -> Self {
        Self::new(Phase::Making, Keyspaces::new())
    }

    /// The manifest of a store with these keyspaces.
    pub(super) fn in_use(keyspaces: Keyspaces) -> Self {
        Self::new(Phase::InUse, keyspaces)
    }

    /// Reads the manifest of a directory; `None` if the directory is empty except for a lock.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Cause> {
        let bytes = match fs::read(folder.join(MANIFEST_FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return check_new(folder).map(|()| None);
            }
            Err(error) => return Err(Cause::Io(error)),
        };
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|_| Cause::Damaged { what: format!("{MANIFEST_FILE} cannot be read") })?;
        if manifest.name != FORMAT_NAME {
            return Err(Cause::NotAStore { found: MANIFEST_FILE.to_owned() });
        }
        if manifest.version > FORMAT_VERSION {
            return Err(Cause::Newer { version: manifest.version });
        }
        Ok(Some(manifest))
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn is_making(&self) -> bool {
        self.phase == Phase::Making
    }

    /// Whether the manifest lists keyspaces. An older program's does not, and has no watermark.
    pub(super) fn is_complete(&self) -> bool {
        !self.keyspaces.is_empty()
    }

    /// Whether the manifest lists exactly these keyspaces, or none, as an older program's.
    pub(super) fn names(&self, keyspaces: &Keyspaces) -> bool {
        let is_named = |(name, folder)| self.keyspaces.get(name) == Some(folder);
        !self.is_complete() || keyspaces.iter().all(is_named)
    }

    /// Checks that no file is missing that the engine would recreate.
    pub(super) fn check_engine(&self, folder: &Path) -> Result<(), Cause> {
        let engine = Path::new(ENGINE_FOLDER);
        let current =
            |keyspace: &str| engine.join(KEYSPACES_FOLDER).join(keyspace).join(CURRENT_FILE);
        let mut files = vec![engine.join(ENGINE_MARKER), current(LIST_OF_KEYSPACES)];
        files.extend(self.keyspaces.values().map(|keyspace| current(keyspace)));
        for file in files {
            if !folder.join(&file).try_exists().map_err(Cause::Io)? {
                let what = format!("{} is missing", file.display());
                return Err(Cause::Damaged { what });
            }
        }
        Ok(())
    }
}

/// Checks that a directory without a manifest has no files but those written before the manifest.
fn check_new(folder: &Path) -> Result<(), Cause> {
    let has_lock = folder.join(LOCK_FILE).try_exists().map_err(Cause::Io)?;
    let made_before = [LOCK_FILE.to_owned(), unfinished(MANIFEST_FILE)];
    for entry in fs::read_dir(folder).map_err(Cause::Io)? {
        let found = entry.map_err(Cause::Io)?.file_name().to_string_lossy().into_owned();
        if has_lock && found == ENGINE_FOLDER {
            return Err(Cause::Damaged { what: format!("{MANIFEST_FILE} is missing") });
        }
        if !(has_lock && made_before.contains(&found)) {
            return Err(Cause::NotAStore { found });
        }
    }
    Ok(())
}
