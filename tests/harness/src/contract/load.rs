//! Reads the files of a contract, from a folder or from this program, by one set of rules.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files of a contract by their paths relative to its folder, with `/` between the names.
#[derive(Default)]
pub(super) struct Files {
    pub(super) texts: BTreeMap<String, String>,
    /// Those that begin with a byte order mark.
    pub(super) marked: Vec<String>,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a file or folder of this name is no part of a contract: what editors, version control and
/// desktops leave behind.
fn is_passed_over(name: &str) -> bool {
    name.starts_with('.')
        || name.ends_with('~')
        || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'))
        || ["thumbs.db", "desktop.ini"].contains(&name.to_ascii_lowercase().as_str())
}

/// The files that are part of this program.
pub(super) fn embedded() -> Result<BTreeMap<String, String>, String> {
    let paths = contracts::paths().into_iter();
    let paths = paths.filter(|path| !path.split('/').any(is_passed_over));
    let files = paths.map(|path| {
        let bytes = contracts::bytes(&path).ok_or_else(|| format!("{path}: not there"))?;
        let text = text(&bytes).map_err(|what| format!("{path}: {what}"))?;
        Ok((path, text))
    });
    files.collect()
}

/// All files below a folder. `named` is what messages call the folder.
///
/// # Errors
///
/// The first file or folder that cannot be read, and why.
pub(super) fn folder(folder: &Path, named: &str) -> Result<Files, String> {
    let fail = |error| format!("{named}: {error}");
    let root = folder.canonicalize().map_err(fail)?;
    let mut walk = Walk { root: root.clone(), named, above: Vec::new(), files: Files::default() };
    walk.folder(&root, "")?;
    Ok(walk.files)
}

/// A walk through a folder.
struct Walk<'a> {
    root: PathBuf,
    named: &'a str,
    /// The folders that the walk is in, without links.
    above: Vec<PathBuf>,
    files: Files,
}

impl Walk<'_> {
    /// Reads what is below `folder`, which has no links in its path. `below` is how the walk came to it.
    fn folder(&mut self, folder: &Path, below: &str) -> Result<(), String> {
        let fail = |error| format!("{}/{below}: {error}", self.named);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(fail)? {
            entries.push(entry.map_err(fail)?.file_name());
        }
        entries.sort();
        self.above.push(folder.to_owned());
        for entry in entries {
            let name = entry.to_string_lossy();
            if is_passed_over(&name) {
                continue;
            }
            let path = if below.is_empty() { name.to_string() } else { format!("{below}/{name}") };
            let read = match entry.to_str() {
                Some(_) => self.entry(&folder.join(&entry)),
                None => Err("its name is not UTF-8".to_owned()),
            };
            let read = read.map_err(|what| format!("{}/{path}: {what}", self.named));
            match read? {
                Entry::File(bytes) => {
                    let text =
                        text(&bytes).map_err(|what| format!("{}/{path}: {what}", self.named))?;
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

    /// What is at `place`, where a link leads to.
    fn entry(&self, place: &Path) -> Result<Entry, String> {
        let real = place.canonicalize().map_err(|error| match error.kind() {
            ErrorKind::NotFound => "a link that leads nowhere".to_owned(),
            _ if place.is_symlink() => format!("a link that cannot be followed: {error}"),
            _ => error.to_string(),
        })?;
        if !real.starts_with(&self.root) {
            return Err(format!("a link out of the folder, to {}", real.display()));
        }
        let kind = std::fs::metadata(&real).map_err(|error| error.to_string())?;
        if kind.is_dir() {
            if self.above.contains(&real) {
                return Err("a link to a folder that it is in".to_owned());
            }
            return Ok(Entry::Folder(real));
        }
        if !kind.is_file() {
            return Err("neither a file nor a folder".to_owned());
        }
        let bytes = std::fs::read(&real).map_err(|error| error.to_string())?;
        Ok(Entry::File(bytes))
    }
}

enum Entry {
    File(Vec<u8>),
    Folder(PathBuf),
}

/// A file's text: UTF-8, without a byte order mark, its lines ended by a line feed alone.
///
/// # Errors
///
/// What the bytes look like instead.
pub(crate) fn text(bytes: &[u8]) -> Result<String, String> {
    const NOT: &str = "not UTF-8 text";
    let after_mark = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let wide = [
        (&b"\xff\xfe\0\0"[..], "UTF-32"),
        (b"\0\0\xfe\xff", "UTF-32"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
    ];
    if let Some((_, name)) = wide.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Err(format!("{NOT}: it begins with the byte order mark of {name}"));
    }
    if let Some(zero) = after_mark.iter().position(|byte| *byte == 0) {
        // Of a text in Latin letters every other byte is zero.
        let zeros =
            |from| after_mark.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let most = zeros(0).max(zeros(1));
        let looks = if most * 4 > after_mark.len() { "UTF-16" } else { "a binary file" };
        return Err(format!("{NOT}: the byte at offset {zero} is zero; it looks like {looks}"));
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
