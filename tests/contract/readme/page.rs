//! The pages of the repository, parsed as GitHub parses them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use comrak::nodes::NodeValue;
use comrak::{Anchorizer, Arena, Options};

/// The repository's folder.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A page of Markdown.
pub(super) struct Page {
    /// Its path in the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// The anchors of its headings.
    pub(super) anchors: BTreeSet<String>,
    /// The targets of its links.
    pub(super) links: Vec<String>,
    /// Its blocks of code: language and text.
    pub(super) blocks: Vec<(String, String)>,
}

impl Page {
    /// Reads a page by its path in the repository.
    pub(super) fn read(path: &str) -> Self {
        Self::parse(path, std::fs::read_to_string(root().join(path)).unwrap())
    }

    pub(super) fn parse(path: &str, text: String) -> Self {
        let (arena, mut options) = (Arena::new(), Options::default());
        options.extension.table = true;
        let mut anchorizer = Anchorizer::new();
        let (mut anchors, mut links, mut blocks) = (BTreeSet::new(), Vec::new(), Vec::new());
        for node in comrak::parse_document(&arena, &text, &options).descendants() {
            match &node.data().value {
                NodeValue::Heading(_) => {
                    anchors.insert(anchorizer.anchorize(&node.collect_text()));
                }
                NodeValue::Link(link) | NodeValue::Image(link) => links.push(link.url.clone()),
                NodeValue::CodeBlock(block) => {
                    blocks.push((block.info.clone(), block.literal.trim_end().to_owned()));
                }
                _ => {}
            }
        }
        Self { path: path.to_owned(), text, anchors, links, blocks }
    }

    /// All pages of the repository.
    pub(super) fn all() -> Vec<Self> {
        let mut paths = Vec::new();
        find(&root(), "md", &mut paths);
        paths.sort();
        let relative = |path: &PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
        paths.iter().map(|path| Self::read(&relative(path))).collect()
    }

    /// The blocks of a language.
    pub(super) fn code(&self, language: &str) -> Vec<&str> {
        let blocks = self.blocks.iter().filter(|(of, _)| of == language);
        blocks.map(|(_, text)| text.as_str()).collect()
    }

    /// What is wrong with a link of the page.
    pub(super) fn check(&self, link: &str) -> Result<(), String> {
        if link.starts_with("https://") {
            return Ok(());
        }
        let (file, anchor) = match link.split_once('#') {
            Some((file, anchor)) => (file, Some(anchor)),
            None => (link, None),
        };
        let folder = root().join(&self.path).parent().unwrap().to_owned();
        let path = if file.is_empty() { root().join(&self.path) } else { folder.join(file) };
        let path = path.canonicalize().map_err(|_| "no such file".to_owned())?;
        let path = path.strip_prefix(root()).map_err(|_| "not in the repository".to_owned())?;
        if file.ends_with('/') != root().join(path).is_dir() && !file.is_empty() {
            return Err("the link to a folder ends with a slash, and no other does".to_owned());
        }
        match anchor {
            Some(anchor) if !Self::read(&path.display().to_string()).anchors.contains(anchor) => {
                Err("no such heading".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The names of all functions in the sources below these folders.
pub(super) fn functions(folders: &[PathBuf]) -> BTreeSet<String> {
    let mut sources = Vec::new();
    for folder in folders {
        find(folder, "rs", &mut sources);
    }
    let texts = sources.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = |text: String| {
        let names = text.split("fn ").skip(1).map(|rest| rest.split(|c| !is_part(c)).next());
        names.flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    texts.flat_map(names).collect()
}

/// Finds the files with an extension below a folder, without what git ignores.
fn find(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_ours = !["target", "node_modules", ".git"].contains(&name);
        if path.is_dir() && is_ours {
            find(&path, extension, found);
        } else if path.extension().is_some_and(|of| of == extension) {
            found.push(path);
        }
    }
}
