//! Writes files: a regular file is replaced as a whole, everything else is written to as it is.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// How many links are followed: as many as Linux follows.
const LINKS_MAX: usize = 40;

/// A place to write to, opened before there is anything to write.
#[derive(Debug)]
pub struct Output {
    /// The path as it was asked for.
    path: PathBuf,
    door: Door,
}

/// How an output is written.
#[derive(Debug)]
enum Door {
    /// A descriptor that the process was started with. The process that started it may go on writing there.
    Stream(u32),
    /// A temporary file that replaces the one at the path.
    Beside(NamedTempFile, PathBuf),
    /// What is at the path, as a device, a pipe or a file of two names.
    InPlace(PathBuf),
}

impl Output {
    /// Opens an output. The content of a file that is there is kept until [`Output::write`].
    ///
    /// # Errors
    ///
    /// It cannot be written to, with the path.
    pub fn open(path: &Path) -> Result<Self, String> {
        let door = Door::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), door })
    }

    /// Writes the whole content.
    ///
    /// # Errors
    ///
    /// The system's, with the path. A regular file is then as it was.
    pub fn write(self, content: &[u8]) -> Result<(), String> {
        let Self { path, door } = self;
        door.write(content).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Whether two outputs are one, whose names may differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.door.file(), other.door.file()) {
            (Some(one), Some(other)) => one == other || is_one_file(one, other),
            (None, None) => self.door.is_stream(&other.door),
            _ => false,
        }
    }

    /// Whether this is the process's standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        matches!(self.door, Door::Stream(1))
    }

    /// Whether this is a file in a folder, at any depth.
    #[must_use]
    pub fn is_in(&self, folder: &Path) -> bool {
        let folder = folder.canonicalize();
        self.door.file().zip(folder.ok()).is_some_and(|(file, folder)| file.starts_with(folder))
    }
}

/// Writes a file.
///
/// # Errors
///
/// As [`Output::open`] and [`Output::write`].
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), String> {
    Output::open(path)?.write(content)
}

impl Door {
    fn open(path: &Path) -> std::io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            if let Some(descriptor) = stream(&path) {
                return Self::stream(descriptor);
            }
            // The links of its folders are followed first, so that one file has one path.
            let Some(name) = path.file_name() else {
                return Err(std::io::Error::new(ErrorKind::IsADirectory, "not the name of a file"));
            };
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
            path = folder.join(name);
            if let Some(descriptor) = stream(&path) {
                return Self::stream(descriptor);
            }
            match path.symlink_metadata() {
                Ok(found) if found.is_symlink() => path = folder.join(path.read_link()?),
                Ok(found) => return Self::existing(path, &folder, &found),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Ok(Self::Beside(beside(&folder)?, path));
                }
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other("a circle of links"))
    }

    fn stream(descriptor: u32) -> std::io::Result<Self> {
        if descriptor > 2 {
            drop(append(descriptor)?);
        }
        Ok(Self::Stream(descriptor))
    }

    fn existing(path: PathBuf, folder: &Path, found: &Metadata) -> std::io::Result<Self> {
        if found.is_dir() {
            return Err(std::io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
        }
        if !is_pipe(found) {
            // Opening a pipe would wait for its reader.
            OpenOptions::new().write(true).open(&path)?;
        }
        if !found.is_file() || has_more_names(found) {
            return Ok(Self::InPlace(path));
        }
        let Ok(file) = beside(folder) else { return Ok(Self::InPlace(path)) };
        if !is_of_one_owner(found, &file.as_file().metadata()?) {
            return Ok(Self::InPlace(path));
        }
        file.as_file().set_permissions(found.permissions())?;
        Ok(Self::Beside(file, path))
    }

    fn write(self, content: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Stream(descriptor) => {
                let written = match descriptor {
                    1 => all(std::io::stdout().lock(), content),
                    2 => all(std::io::stderr().lock(), content),
                    other => all(append(other)?, content),
                };
                // A reader that left early has what it wanted.
                written.or_else(|error| match error.kind() {
                    ErrorKind::BrokenPipe => Ok(()),
                    _ => Err(error),
                })
            }
            Self::Beside(mut file, path) => {
                file.write_all(content)?;
                file.as_file().sync_all()?;
                match file.persist(&path) {
                    Ok(_) => Ok(()),
                    // As where the file is mounted into a container by itself.
                    Err(_) => in_place(&path, content),
                }
            }
            Self::InPlace(path) => in_place(&path, content),
        }
    }

    fn file(&self) -> Option<&Path> {
        match self {
            Self::Beside(_, path) | Self::InPlace(path) => Some(path),
            Self::Stream(_) => None,
        }
    }

    fn is_stream(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Stream(one), Self::Stream(other)) if one == other)
    }
}

/// The descriptor that a path names. By its name: behind a redirected descriptor is a regular file, and
/// replacing that would leave the process that opened it with a file of no name.
fn stream(path: &Path) -> Option<u32> {
    let own = std::process::id().to_string();
    let parts: Vec<&str> = path.to_str()?.split('/').filter(|part| *part != ".").collect();
    match parts.as_slice() {
        ["-"] | ["", "dev", "stdout"] => Some(1),
        ["", "dev", "stderr"] => Some(2),
        ["", "dev", "fd", descriptor] => descriptor.parse().ok(),
        ["", "proc", process, "fd", descriptor]
        | ["", "proc", process, "task", _, "fd", descriptor]
            if ["self", "thread-self", &own].contains(process) =>
        {
            descriptor.parse().ok()
        }
        _ => None,
    }
}

fn append(descriptor: u32) -> std::io::Result<File> {
    OpenOptions::new().append(true).open(format!("/dev/fd/{descriptor}"))
}

fn all(mut stream: impl Write, content: &[u8]) -> std::io::Result<()> {
    stream.write_all(content)?;
    stream.flush()
}

fn in_place(path: &Path, content: &[u8]) -> std::io::Result<()> {
    all(OpenOptions::new().write(true).truncate(true).open(path)?, content)
}

/// A temporary file with the mode of any new file, where the umask is obeyed.
fn beside(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

fn is_pipe(found: &Metadata) -> bool {
    found.file_type().is_fifo()
}

fn has_more_names(found: &Metadata) -> bool {
    found.nlink() > 1
}

fn is_of_one_owner(one: &Metadata, other: &Metadata) -> bool {
    (one.uid(), one.gid()) == (other.uid(), other.gid())
}

fn is_one_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|found| (found.dev(), found.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}
