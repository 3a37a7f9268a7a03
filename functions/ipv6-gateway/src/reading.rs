//! What was read for a decision, and what it was read as.

use allocation::{Documents, Resource};
use store::{AccessKey, Document, Key, Version, Versioned, Write};

/// The documents of a decision, with the versions that a commit replaces.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) documents: Documents,
    versions: Vec<(Key, Version)>,
}

impl Reading {
    /// What came of a read: the access key, if it was asked for and is there, and the rest.
    pub(crate) fn new(keys: Vec<Key>, read: Vec<Option<Versioned>>) -> (Option<AccessKey>, Self) {
        let (mut access_key, mut resources, mut versions) = (None, Vec::new(), Vec::new());
        for (key, Versioned { document, version }) in
            keys.into_iter().zip(read).filter_map(|(key, read)| Some((key, read?)))
        {
            match document {
                Document::AccessKey(read) => access_key = Some(read),
                Document::Resource(resource) => {
                    resources.push(resource);
                    versions.push((key, version));
                }
            }
        }
        (access_key, Self { documents: resources.into_iter().collect(), versions })
    }

    /// `writes`, each replacing what was read of it; what was not read must not exist.
    pub(crate) fn replaced_by(&self, writes: Vec<Resource>) -> Vec<Write> {
        let write = |resource: Resource| {
            let document = Document::from(resource);
            let key = document.key();
            let read = self.versions.iter().find(|(read, _)| *read == key);
            let replaces = read.map(|(_, version)| *version);
            Write { key, document, replaces }
        };
        writes.into_iter().map(write).collect()
    }
}
