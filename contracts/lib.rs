#![doc = include_str!("README.md")]

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// Debug builds read the files from the folder each time, so that an edited case needs no build.
#[derive(RustEmbed)]
#[folder = "."]
struct Folder;

/// The paths of all files, relative to `contracts/`, in order.
#[must_use]
pub fn paths() -> Vec<String> {
    let mut paths: Vec<String> = Folder::iter().map(Cow::into_owned).collect();
    paths.sort();
    paths
}

/// The content of a file, by its path relative to `contracts/`.
#[must_use]
pub fn bytes(path: &str) -> Option<Cow<'static, [u8]>> {
    Some(Folder::get(path)?.data)
}

/// The text of a file, by its path relative to `contracts/`.
#[must_use]
pub fn text(path: &str) -> Option<String> {
    String::from_utf8(bytes(path)?.into_owned()).ok()
}
