//! A contract: its files, from a folder, a git revision or this program.

mod load;
mod revision;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use self::load::Files;
pub(crate) use self::load::text as utf8;
use crate::case::Case;
use crate::command::print_error;
use crate::diff::digest;
use crate::error::{At as _, Result, bail};
use crate::world::merge;
use crate::{json, lint};

/// The folder of the contract inside a repository.
const FOLDER: &str = "contracts";

/// The file that names the format of the contract's files, and the current format.
///
/// Format 1 had no such file. It wrote worlds as lists, and the whole world into each case.
const FORMAT_FILE: &str = "format.json";
const FORMAT: u64 = 2;

/// The files of a contract, by their paths relative to its folder.
#[derive(Clone, Debug)]
pub struct Contract {
    origin: String,
    files: BTreeMap<String, String>,
    marked: Vec<String>,
    is_base: bool,
}

impl Contract {
    /// The contract in this program.
    ///
    /// # Panics
    ///
    /// The program was built with a file that is not UTF-8 text.
    #[must_use]
    pub fn embedded() -> Self {
        // Tests ask for it again and again, and a debug build reads it from the folder.
        static READ: LazyLock<Contract> = LazyLock::new(|| {
            let files = load::embedded().unwrap_or_else(|error| panic!("{FOLDER}/{error}"));
            Contract::of(FOLDER, files)
        });
        READ.clone()
    }

    /// The contract at `place`: a folder, or a revision of the git repository of the current folder, with or
    /// without a path (`REVISION:path`).
    ///
    /// # Errors
    ///
    /// The place is neither a folder nor a revision, cannot be read, or has no contract.
    pub fn open(place: &str) -> Result<Self> {
        Ok(Self::open_if_any(place)?.ok_or_else(|| format!("{place}: {NO_CONTRACT}"))?)
    }

    /// The same contract, if none of its files is ambiguous.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`](crate::error::Error::Ambiguous), with each problem.
    pub fn checked(self) -> Result<Self> {
        lint::refuse_ambiguous(&self)?;
        Ok(self)
    }

    /// The same contract as the base of a comparison, whose JSON may repeat a member: a change that removes
    /// the repetition must be comparable. Prints a note for each repeated member to standard error.
    #[must_use]
    pub fn as_base(self) -> Self {
        for fault in self.given_twice() {
            print_error(&format!("note: {fault}; the last one counts"));
        }
        Self { is_base: true, ..self }
    }

    /// The places where JSON files repeat a member.
    fn given_twice(&self) -> impl Iterator<Item = String> {
        // A text that is not JSON is an error when it is compared.
        let is_json = |text: &str| json::read_loosely::<IgnoredAny>(text).is_ok();
        let files = self.files.iter().filter(|(path, _)| has_ending(path, "json"));
        files.filter_map(move |(path, text)| {
            let fault = json::once(text).err().filter(|_| is_json(text))?;
            Some(format!("{}/{path}:{fault}", self.origin))
        })
    }

    /// As [`Contract::open`], but `None` if the folder, or the whole revision, has no contract.
    ///
    /// # Errors
    ///
    /// The place is neither a folder nor a revision, cannot be read, or has its contract at another path.
    pub fn open_if_any(place: &str) -> Result<Option<Self>> {
        let folder = Path::new(place);
        let found = if folder.is_dir() { in_folder(folder)? } else { revision::read(place)? };
        let Some((origin, files)) = found else { return Ok(None) };
        let contract = Self { marked: files.marked, ..Self::of(&origin, files.texts) };
        contract.format()?;
        Ok(Some(contract))
    }

    /// The contract in a folder, or in its only subfolder that has one.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        Self::open(folder.to_str().ok_or("the folder's name is not UTF-8")?)
    }

    /// A contract of these files.
    #[must_use]
    pub fn of(origin: &str, files: BTreeMap<String, String>) -> Self {
        Self { origin: origin.to_owned(), files, marked: Vec::new(), is_base: false }
    }

    /// The folder or revision, as messages write it before the name of a file.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The version: 12 hexadecimal digits of a hash of the files.
    #[must_use]
    pub fn version(&self) -> String {
        digest(&json!(self.files))
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

    /// The paths of the files that begin with a byte order mark. Their texts do not include it.
    #[must_use]
    pub fn marked(&self) -> &[String] {
        &self.marked
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// A file's JSON.
    pub fn json(&self, path: &str) -> Result<Value> {
        self.parse(path, self.existing(path)?)
    }

    /// The text of a file that must exist.
    pub fn existing(&self, path: &str) -> Result<&str> {
        self.text(path).ok_or("not there").at(format_args!("{}/{path}", self.origin))
    }

    /// Reads the text of the file at `path`. An error names the line and the field.
    pub(crate) fn parse<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T> {
        let read = if self.is_base { json::read_loosely } else { json::read };
        read(text).at(format_args!("{}/{path}", self.origin))
    }

    /// The cases, in order of their paths.
    ///
    /// # Errors
    ///
    /// A file is not a case, or the cases have format 1. Operations and errors have the same form in both
    /// formats, so a contract without cases can be read.
    pub fn cases(&self) -> Result<Vec<Case>> {
        self.case_paths()?.into_iter().map(|path| Case::read(self, path)).collect()
    }

    /// The paths of the cases, in order.
    pub fn case_paths(&self) -> Result<Vec<&str>> {
        let paths = self
            .paths()
            .filter(|path| path.split('/').nth(1) == Some("cases") && has_ending(path, "json"));
        let paths: Vec<&str> = paths.collect();
        let format = self.format()?;
        if !paths.is_empty() && format < FORMAT {
            bail!(
                "{}: its cases have format {format}, and this program reads only format {FORMAT}; use \
                 the command `contract` of that version",
                self.origin
            );
        }
        Ok(paths)
    }

    /// The world of a case: a whole one, or a named one with a merge applied.
    pub fn world(&self, given: &Value) -> Result<Value> {
        let Some(name) = given["from"].as_str() else { return Ok(given.clone()) };
        let mut world = self.json(&format!("common/worlds/{name}.json"))?;
        if let Some(patch) = given.get("merge") {
            merge(&mut world, patch);
        }
        Ok(world)
    }

    /// The number of the format.
    fn format(&self) -> Result<u64> {
        if self.text(FORMAT_FILE).is_none() {
            return Ok(1);
        }
        match self.json(FORMAT_FILE)?["format"].as_u64() {
            Some(format) if (1..=FORMAT).contains(&format) => Ok(format),
            Some(format) => Err(format!(
                "{}/{FORMAT_FILE}: format {format} is newer than {FORMAT}, the newest that this program \
                 reads",
                self.origin
            )
            .into()),
            None => {
                Err(format!("{}/{FORMAT_FILE}: `format` is not a number", self.origin).into())
            }
        }
    }
}

/// Whether the name of a file has an ending.
pub(crate) fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == ending)
}

const NO_CONTRACT: &str = "no contract: it has no <Action>/operation.json";

/// The origin of a contract, as messages write it before the name of a file, and its files.
type Found = Option<(String, Files)>;

/// The contract in a folder, or in its only subfolder that has one.
fn in_folder(folder: &Path) -> Result<Found> {
    let below = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let place = folder.display().to_string();
    let place = place.trim_end_matches('/');
    let has = |path: &str| folder.join(path).is_file();
    let (mut paths, inner) = (Vec::new(), below(folder));
    for name in &inner {
        paths.push(format!("{name}/operation.json"));
    }
    for name in inner.iter().filter(|name| !name.starts_with('.')) {
        let actions = below(&folder.join(name)).into_iter();
        paths.extend(actions.map(|action| format!("{name}/{action}/operation.json")));
    }
    let roots = roots(paths.iter().map(String::as_str).filter(|path| has(path)));
    let Some(root) = only_root(&roots, place, "/")? else { return Ok(None) };
    let origin = if root.is_empty() { place.to_owned() } else { format!("{place}/{root}") };
    let files = load::folder(Path::new(&origin), &origin)?;
    Ok(Some((origin, files)))
}

/// The folders that hold `<Action>/operation.json`, without those inside another.
fn roots<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let all: BTreeSet<&str> = paths
        .filter_map(|path| path.strip_suffix("/operation.json"))
        .map(|action| action.rsplit_once('/').map_or("", |(root, _)| root))
        .collect();
    let is_inside = |root: &str| {
        let mut above = root.match_indices('/').map(|(at, _)| &root[..at]).chain([""]);
        above.any(|above| above != root && all.contains(above))
    };
    all.iter().copied().filter(|root| !is_inside(root)).collect()
}

/// The root of the contract at `place`.
///
/// # Errors
///
/// Several folders have a contract, and none of them is named `contracts`.
fn only_root(roots: &BTreeSet<&str>, place: &str, joint: &str) -> Result<Option<String>> {
    if roots.len() > 1 && !roots.contains(FOLDER) {
        let joint = if place.contains(':') { "/" } else { joint };
        let places: Vec<String> =
            roots.iter().map(|root| format!("{place}{joint}{root}")).collect();
        bail!("{place}: it has several contracts; name one of {}", places.join(", "));
    }
    let root = roots.get(FOLDER).or_else(|| roots.first());
    Ok(root.map(|root| (*root).to_owned()))
}
