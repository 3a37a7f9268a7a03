//! Files that are there whole or as they were.

use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file, so that what stood there before is lost only once the new is whole.
///
/// # Errors
///
/// Why it is as it was, with its path.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(fail)?;
    file.write_all(content).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    // As any file that a program writes, and not only for its owner.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(fail)?;
    }
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}
