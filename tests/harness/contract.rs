//! A contract: its files, wherever they are.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::case::Case;
use crate::world::merge;

/// The folder of the contract inside a repository.
const FOLDER: &str = "contracts";

/// The file that says which format the files have, and the format that is written and read.
///
/// Format 1 had no such file. It wrote worlds as lists, and each case with the whole of its world.
const FORMAT_FILE: &str = "format.json";
const FORMAT: u64 = 2;

/// The files of a contract, by their paths relative to its folder.
#[derive(Clone, Debug)]
pub struct Contract {
    origin: String,
    files: BTreeMap<String, String>,
}

impl Contract {
    /// The contract that is part of this program.
    #[must_use]
    pub fn embedded() -> Self {
        let paths = contracts::paths().into_iter();
        let files = paths.filter_map(|path| contracts::text(&path).map(|text| (path, text)));
        Self { origin: FOLDER.to_owned(), files: files.collect() }
    }

    /// The contract at `place`: a folder, or else a revision of the git repository around the current
    /// folder, whose `contracts/` is read.
    ///
    /// # Errors
    ///
    /// It is neither, it cannot be read, or there is no contract in it.
    pub fn open(place: &str) -> Result<Self, String> {
        let folder = Path::new(place);
        if folder.is_dir() { Self::in_folder(folder) } else { Self::at_revision(place) }
    }

    /// The contract in a folder, or in the `contracts/` of a folder.
    ///
    /// # Errors
    ///
    /// It cannot be read, or there is no contract in it.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        let inner = folder.join(FOLDER);
        let root = if has_operation(folder) { folder } else { &inner };
        if !has_operation(root) {
            return Err(format!("{}: {NO_CONTRACT}", folder.display()));
        }
        let mut files = BTreeMap::new();
        read_folder(root, "", &mut files)?;
        let contract = Self { origin: root.display().to_string(), files };
        contract.format()?;
        Ok(contract)
    }

    fn at_revision(revision: &str) -> Result<Self, String> {
        let tree = format!("{revision}:{FOLDER}");
        let listed =
            git(&["ls-tree", "-r", "-z", "--full-tree", &tree], None).map_err(|error| {
                format!("{revision}: neither a folder nor a git revision with {FOLDER}/: {error}")
            })?;
        let listed = text(&tree, listed)?;
        // Each is "<mode> <kind> <hash>\t<path>".
        let entries = listed.split('\0').filter_map(|entry| {
            let (head, path) = entry.split_once('\t')?;
            Some((head.rsplit(' ').next()?, path))
        });
        let entries: Vec<(&str, &str)> = entries.collect();
        let hashes: Vec<&str> = entries.iter().map(|(hash, _)| *hash).collect();
        let mut contents = git(&["cat-file", "--batch"], Some(hashes.join("\n")))?.into_iter();
        let mut files = BTreeMap::new();
        for (_, path) in entries {
            // Each is "<hash> blob <size>\n", the content and "\n".
            let head: Vec<u8> = contents.by_ref().take_while(|byte| *byte != b'\n').collect();
            let head = text(path, head)?;
            let size = head.rsplit(' ').next().and_then(|size| size.parse().ok());
            let size: usize = size.ok_or_else(|| format!("{tree}/{path}: git says {head:?}"))?;
            let content = contents.by_ref().take(size).collect();
            contents.next();
            if let Ok(content) = String::from_utf8(content) {
                files.insert(path.to_owned(), content);
            }
        }
        let contract = Self { origin: tree, files };
        if !contract.paths().any(|path| path.ends_with("/operation.json")) {
            return Err(format!("{revision}: {NO_CONTRACT}"));
        }
        contract.format()?;
        Ok(contract)
    }

    /// A contract of these files.
    #[must_use]
    pub fn of(origin: &str, files: BTreeMap<String, String>) -> Self {
        Self { origin: origin.to_owned(), files }
    }

    /// Where it was found, as it begins the name of a file in a message.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The files by path.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// A file's JSON.
    ///
    /// # Errors
    ///
    /// The file is not there, or where it is no JSON.
    pub fn json(&self, path: &str) -> Result<Value, String> {
        self.parse(path, self.existing(path)?)
    }

    /// The text of a file that must be there.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn existing(&self, path: &str) -> Result<&str, String> {
        self.text(path).ok_or_else(|| format!("{}/{path}: not there", self.origin))
    }

    /// Reads the text of the file at `path`, and tells what is wrong with its line and field.
    ///
    /// # Errors
    ///
    /// That.
    pub(crate) fn parse<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T, String> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| (error.path().to_string(), error.into_inner()))
            .and_then(|value| match reader.end() {
                Ok(()) => Ok(value),
                Err(error) => Err((".".to_owned(), error)),
            });
        read.map_err(|(field, error)| {
            let (line, column) = (error.line(), error.column());
            let error = error.to_string();
            let what = error.strip_suffix(&format!(" at line {line} column {column}"));
            let what = what.unwrap_or(&error);
            let field =
                if [".", "?"].contains(&&*field) { String::new() } else { format!("{field}: ") };
            format!("{}/{path}:{line}:{column}: {field}{what}", self.origin)
        })
    }

    /// The cases, in order of their paths.
    ///
    /// # Errors
    ///
    /// The first file that is no case, and why; or that the cases have an older format. Operations
    /// and errors have the same form in both formats, so a contract without cases is read.
    pub fn cases(&self) -> Result<Vec<Case>, String> {
        self.case_paths()?.into_iter().map(|path| Case::read(self, path)).collect()
    }

    /// The paths of the cases, in order.
    ///
    /// # Errors
    ///
    /// The cases have an older format.
    pub fn case_paths(&self) -> Result<Vec<&str>, String> {
        let paths = self.paths().filter(|path| {
            path.split('/').nth(1) == Some("cases")
                && Path::new(path).extension().is_some_and(|extension| extension == "json")
        });
        let paths: Vec<&str> = paths.collect();
        let format = self.format()?;
        if !paths.is_empty() && format < FORMAT {
            return Err(format!(
                "{}: its cases have format {format} and only format {FORMAT} is read; use the \
                 command `contract` of that version",
                self.origin
            ));
        }
        Ok(paths)
    }

    /// The world that a case gives: a whole one, or a named one with what differs merged into it.
    ///
    /// # Errors
    ///
    /// There is no world of this name, or it is no JSON.
    pub fn world(&self, given: &Value) -> Result<Value, String> {
        let Some(name) = given["from"].as_str() else { return Ok(given.clone()) };
        let mut world = self.json(&format!("common/worlds/{name}.json"))?;
        if let Some(patch) = given.get("merge") {
            merge(&mut world, patch);
        }
        Ok(world)
    }

    /// The number of the format.
    fn format(&self) -> Result<u64, String> {
        if self.text(FORMAT_FILE).is_none() {
            return Ok(1);
        }
        match self.json(FORMAT_FILE)?["format"].as_u64() {
            Some(format) if (1..=FORMAT).contains(&format) => Ok(format),
            Some(format) => Err(format!(
                "{}/{FORMAT_FILE}: format {format}, which is newer than {FORMAT}, the newest that \
                 is read",
                self.origin
            )),
            None => Err(format!("{}/{FORMAT_FILE}: there is no number `format`", self.origin)),
        }
    }
}

const NO_CONTRACT: &str = "no contract: there is no <Action>/operation.json in it";

/// Whether there is the file by which a contract's folder is known.
fn has_operation(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().join("operation.json").is_file())
}

fn read_folder(
    root: &Path,
    below: &str,
    files: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let folder = root.join(below);
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(&folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            read_folder(root, &path, files)?;
            continue;
        }
        let content = std::fs::read(entry.path())
            .map_err(|error| format!("{}: {error}", entry.path().display()))?;
        // What is no text is no part of a contract.
        if let Ok(content) = String::from_utf8(content) {
            files.insert(path, without_mark(&content).to_owned());
        }
    }
    Ok(())
}

/// The text of a file without the byte order mark that some editors begin it with.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What git prints.
fn git(arguments: &[&str], input: Option<String>) -> Result<Vec<u8>, String> {
    let mut git = Command::new("git");
    git.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = git.spawn().map_err(|error| format!("git: {error}"))?;
    let stdin = process.stdin.take();
    // From a thread of its own: git answers while it reads.
    let writer = std::thread::spawn(move || {
        let (mut stdin, input) = (stdin?, input?);
        // If git does not read on, it says why.
        stdin.write_all(input.as_bytes()).ok()
    });
    let output = process.wait_with_output().map_err(|error| format!("git: {error}"))?;
    drop(writer.join());
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| format!("{path}: git does not tell of it in UTF-8"))
}
