//! A contract: its files, wherever they are.

mod load;
mod revision;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use self::load::Files;
pub(crate) use self::load::text as utf8;
use crate::case::Case;
use crate::command::print_error;
use crate::diff::digest;
use crate::world::merge;
use crate::{json, lint};

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
    marked: Vec<String>,
    is_base: bool,
}

impl Contract {
    /// The contract that is part of this program.
    ///
    /// # Panics
    ///
    /// The program was built with a file that is not UTF-8 text.
    #[must_use]
    pub fn embedded() -> Self {
        Self::of(FOLDER, load::embedded().unwrap_or_else(|error| panic!("{FOLDER}/{error}")))
    }

    /// The contract at `place`: a folder, or else a revision of the git repository around the current
    /// folder, alone or with a path (`REVISION:path`).
    ///
    /// # Errors
    ///
    /// It is neither, it cannot be read, or there is no contract in it.
    pub fn open(place: &str) -> Result<Self, String> {
        Self::open_if_any(place)?.ok_or_else(|| format!("{place}: {NO_CONTRACT}"))
    }

    /// The same contract, if no file of it is ambiguous.
    ///
    /// # Errors
    ///
    /// Each that is, and where.
    pub fn checked(self) -> Result<Self, String> {
        lint::refuse_ambiguous(&self)?;
        Ok(self)
    }

    /// The same contract as the base of a comparison, in which a member may be given twice: the change
    /// that takes one away must be comparable. Says where one is on the standard error.
    #[must_use]
    pub fn as_base(self) -> Self {
        for fault in self.given_twice() {
            print_error(&format!("note: {fault}; the last one counts"));
        }
        Self { is_base: true, ..self }
    }

    /// Where JSON files have a member twice.
    fn given_twice(&self) -> impl Iterator<Item = String> {
        // What is no JSON at all is an error once it is compared.
        let is_json = |text: &str| json::read_loosely::<IgnoredAny>(text).is_ok();
        let files = self.files.iter().filter(|(path, _)| has_ending(path, "json"));
        files.filter_map(move |(path, text)| {
            let fault = json::once(text).err().filter(|_| is_json(text))?;
            Some(format!("{}/{path}:{fault}", self.origin))
        })
    }

    /// As [`Contract::open`], and `None` if the folder, or the whole revision at any path, has none.
    ///
    /// # Errors
    ///
    /// It is neither a folder nor a revision, it cannot be read, or it has its contract elsewhere.
    pub fn open_if_any(place: &str) -> Result<Option<Self>, String> {
        let folder = Path::new(place);
        let found = if folder.is_dir() { in_folder(folder)? } else { revision::read(place)? };
        let Some((origin, files)) = found else { return Ok(None) };
        let contract = Self { marked: files.marked, ..Self::of(&origin, files.texts) };
        contract.format()?;
        Ok(Some(contract))
    }

    /// The contract in a folder, or in the one folder of it that has one.
    ///
    /// # Errors
    ///
    /// It cannot be read, or there is no contract in it.
    pub fn in_folder(folder: &Path) -> Result<Self, String> {
        Self::open(folder.to_str().ok_or("the folder's name is not UTF-8")?)
    }

    /// A contract of these files.
    #[must_use]
    pub fn of(origin: &str, files: BTreeMap<String, String>) -> Self {
        Self { origin: origin.to_owned(), files, marked: Vec::new(), is_base: false }
    }

    /// Where it was found, as it begins the name of a file in a message.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What tells this contract from others: 12 hexadecimal digits of a hash of its files.
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

    /// The paths of the files that begin with a byte order mark, which is no part of their text.
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
        let read = if self.is_base { json::read_loosely } else { json::read };
        read(text).map_err(|fault| format!("{}/{path}:{fault}", self.origin))
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
        let paths = self
            .paths()
            .filter(|path| path.split('/').nth(1) == Some("cases") && has_ending(path, "json"));
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

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == ending)
}

const NO_CONTRACT: &str = "no contract: there is no <Action>/operation.json in it";

/// Where a contract was found, as it begins the name of a file in a message, and its files.
type Found = Option<(String, Files)>;

/// The contract in a folder, or in the one folder of it that has one.
fn in_folder(folder: &Path) -> Result<Found, String> {
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
/// There are several, and none has the usual name.
fn only_root(roots: &BTreeSet<&str>, place: &str, joint: &str) -> Result<Option<String>, String> {
    if roots.len() > 1 && !roots.contains(FOLDER) {
        let joint = if place.contains(':') { "/" } else { joint };
        let places: Vec<String> =
            roots.iter().map(|root| format!("{place}{joint}{root}")).collect();
        return Err(format!(
            "{place}: there are several contracts; name one: {}",
            places.join(", ")
        ));
    }
    let root = roots.get(FOLDER).or_else(|| roots.first());
    Ok(root.map(|root| (*root).to_owned()))
}
