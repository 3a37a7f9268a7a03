//! Reads the files of a contract from a folder or from this program, by the same rules.

use crate::error::{At as _, Result, bail};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files of a contract by their paths relative to its folder, with `/` between the names.
#[derive(Default)]
pub(super) struct Files {
    pub(super) texts: BTreeMap<String, String>,
    /// The paths of the files that begin with a byte order mark.
    pub(super) marked: Vec<String>,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a file or folder of this name is ignored: editors, version control and desktops leave them
/// behind.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || name.ends_with('~')
        || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'))
        || ["thumbs.db", "desktop.ini"].contains(&name.to_ascii_lowercase().as_str())
}

/// The files that are part of this program.
pub(super) fn embedded() -> Result<BTreeMap<String, String>> {
    let paths = contracts::paths().into_iter();
    let paths = paths.filter(|path| !path.split('/').any(is_ignored));
    let files = paths.map(|path| {
        let bytes = contracts::bytes(&path).ok_or("not there").at(&path)?;
        let text = text(&bytes).at(&path)?;
        Ok((path, text))
    });
    files.collect()
}

/// All files below a folder, which messages call `named`.
pub(super) fn folder(folder: &Path, named: &str) -> Result<Files> {
    let root = folder.canonicalize().at(named)?;
    let mut walk = Walk { root: root.clone(), named, above: Vec::new(), files: Files::default() };
    walk.folder(&root, "")?;
    Ok(walk.files)
}

/// A walk through a folder.
struct Walk<'a> {
    root: PathBuf,
    named: &'a str,
    /// The current folder and those above it, with links resolved.
    above: Vec<PathBuf>,
    files: Files,
}

impl Walk<'_> {
    /// Reads the files below `folder`, whose path has no links. `below` is its path in the contract.
    fn folder(&mut self, folder: &Path, below: &str) -> Result<()> {
        let named = self.named;
        let at = || format!("{named}/{below}");
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).at(at())? {
            entries.push(entry.at(at())?.file_name());
        }
        entries.sort();
        self.above.push(folder.to_owned());
        for entry in entries {
            let name = entry.to_string_lossy();
            if is_ignored(&name) {
                continue;
            }
            let path = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
            let read = match entry.to_str() {
                Some(_) => self.entry(&folder.join(&entry)),
                None => Err("its name is not UTF-8".into()),
            };
            match read.at(format_args!("{named}/{path}"))? {
                Entry::File(bytes) => {
                    let text = text(&bytes).at(format_args!("{named}/{path}"))?;
                    if bytes.starts_with(MARK) {
                        self.files.marked.push(path.clone());
                    }
                    self.files.texts.insert(path, text);
                }
                Entry::Folder(folder) => self.folder(&folder, &path)?,
            }
        }
        self.above.pop();
        Ok(())
    }

    /// The file or folder at `place`, with links resolved.
    fn entry(&self, place: &Path) -> Result<Entry> {
        let real = place.canonicalize().map_err(|error| match error.kind() {
            ErrorKind::NotFound => "a dangling link".to_owned(),
            _ if place.is_symlink() => format!("a link that cannot be followed: {error}"),
            _ => error.to_string(),
        })?;
        if !real.starts_with(&self.root) {
            bail!("a link to {}, which is outside the folder", real.display());
        }
        let kind = std::fs::metadata(&real)?;
        if kind.is_dir() {
            if self.above.contains(&real) {
                bail!("a link to a folder that contains it");
            }
            return Ok(Entry::Folder(real));
        }
        if !kind.is_file() {
            bail!("neither a file nor a folder");
        }
        let bytes = std::fs::read(&real)?;
        Ok(Entry::File(bytes))
    }
}

enum Entry {
    File(Vec<u8>),
    Folder(PathBuf),
}

/// The text of a UTF-8 file, without a byte order mark and with line feeds for CRLF.
pub(crate) fn text(bytes: &[u8]) -> Result<String> {
    const NOT: &str = "not UTF-8 text";
    let after_mark = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let wide = [
        (&b"\xff\xfe\0\0"[..], "UTF-32"),
        (b"\0\0\xfe\xff", "UTF-32"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
    ];
    if let Some((_, name)) = wide.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        bail!("{NOT}: it begins with the byte order mark of {name}");
    }
    if let Some(zero) = after_mark.iter().position(|byte| *byte == 0) {
        // In UTF-16, every other byte of Latin letters is zero.
        let zeros =
            |from| after_mark.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let most = zeros(0).max(zeros(1));
        let looks = if most * 4 > after_mark.len() { "UTF-16" } else { "a binary file" };
        bail!("{NOT}: the byte at offset {zero} is zero; it looks like {looks}");
    }
    let text = std::str::from_utf8(after_mark).map_err(|error| {
        let valid = error.valid_up_to();
        let offset = valid + bytes.len() - after_mark.len();
        let line = after_mark[..valid].split(|byte| *byte == b'\n').count();
        let byte = after_mark[valid];
        let at = format!("{NOT}: the byte {byte:#04x} at offset {offset}, in line {line}");
        let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0c".contains(byte);
        if error.error_len().is_none() && after_mark.len() - valid > 1 {
            format!("{at}, begins a character that the file's end cuts off")
        } else if after_mark.iter().any(is_control) {
            format!("{at}; it looks like a binary file")
        } else if byte < 0xa0 {
            format!("{at}; it looks like Windows-1252 or another encoding of 8 bits")
        } else {
            format!("{at}, would be {:?} in Latin-1", char::from(byte))
        }
    })?;
    Ok(text.replace("\r\n", "\n"))
}
