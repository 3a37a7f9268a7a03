//! Writes files. A regular file is replaced as a whole; a stream, pipe or device is written to.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{At as _, Result};
use tempfile::{Builder, NamedTempFile};

/// The greatest number of links to follow, as on Linux.
const LINKS_MAX: usize = 40;

/// An output, opened before its content exists.
#[derive(Debug)]
pub struct Output {
    /// The requested path.
    path: PathBuf,
    target: Target,
}

/// The target of an output.
#[derive(Debug)]
enum Target {
    /// An inherited descriptor. The parent process may keep writing to it.
    Stream(u32),
    /// A temporary file that will replace the file at the path.
    Beside(NamedTempFile, PathBuf),
    /// A device, a pipe, or a file with several names, at the path.
    InPlace(PathBuf),
}

impl Output {
    /// Opens an output. An existing file keeps its content until [`Output::write`].
    pub fn open(path: &Path) -> Result<Self> {
        let target = Target::open(path).at(path.display())?;
        Ok(Self { path: path.to_owned(), target })
    }

    /// Writes the whole content.
    ///
    /// # Errors
    ///
    /// The system refuses. A regular file then keeps its content.
    pub fn write(self, content: &[u8]) -> Result<()> {
        let Self { path, target } = self;
        target.write(content).at(path.display())
    }

    /// Whether two outputs are the same file or stream, even under different names.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.target.file(), other.target.file()) {
            (Some(one), Some(other)) => one == other || is_one_file(one, other),
            (None, None) => self.target.is_stream(&other.target),
            _ => false,
        }
    }

    /// Whether this is the process's standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        matches!(self.target, Target::Stream(1))
    }

    /// Whether this is a file below a folder, at any depth.
    #[must_use]
    pub fn is_in(&self, folder: &Path) -> bool {
        let folder = folder.canonicalize();
        self.target.file().zip(folder.ok()).is_some_and(|(file, folder)| file.starts_with(folder))
    }
}

/// Writes a file.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    Output::open(path)?.write(content)
}

/// Makes the folders of a file, and writes it as [`write_whole`] does.
pub(crate) fn write_in_folders(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).at(parent.display())?;
    }
    write_whole(path, content)
}

impl Target {
    fn open(path: &Path) -> std::io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            if let Some(descriptor) = stream(&path) {
                return Self::stream(descriptor);
            }
            // Links in the folders are resolved first, so that each file has one path.
            let Some(name) = path.file_name() else {
                return Err(std::io::Error::new(ErrorKind::IsADirectory, "not a file name"));
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
                    return Ok(Self::Beside(temporary(&folder)?, path));
                }
                Err(error) => return Err(error),
            }
        }
        Err(std::io::Error::other("a loop of links"))
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
        let Ok(file) = temporary(folder) else { return Ok(Self::InPlace(path)) };
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
                // A closed pipe is not an error: the reader has read enough.
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
                    // A file that is mounted into a container cannot be replaced.
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

/// The descriptor that a path names. The name decides: a redirected descriptor may lead to a regular file,
/// and replacing that file would leave the process that opened it with an unlinked one.
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

/// A temporary file with the mode of a new file, which respects the umask.
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
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
