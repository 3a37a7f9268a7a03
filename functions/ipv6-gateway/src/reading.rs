//! What was read for a call, and what it was read as.

use std::sync::Arc;

use allocation::{Documents, Resource};
use store::{AccessKey, Document, Identity, Key, Version, Versioned, Write};

/// The documents of a call, with the versions that a commit replaces.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The access key, if it was asked for and is there.
    pub(crate) access_key: Option<Arc<AccessKey>>,
    /// The RAM user or role that has the access key, if it was asked for and is there.
    pub(crate) identity: Option<Arc<Identity>>,
    /// What the rules decide on.
    pub(crate) documents: Documents,
    versions: Vec<(Key, Version)>,
}

impl Reading {
    /// What came of reading `keys`.
    pub(crate) fn new(keys: Vec<Key>, read: Vec<Option<Versioned>>) -> Self {
        let (mut reading, mut resources) = (Self::default(), Vec::new());
        for (key, Versioned { document, version }) in
            keys.into_iter().zip(read).filter_map(|(key, read)| Some((key, read?)))
        {
            match document {
                Document::AccessKey(read) => reading.access_key = Some(read),
                Document::Identity(read) => reading.identity = Some(read),
                Document::Resource(resource) => {
                    resources.push(resource);
                    reading.versions.push((key, version));
                }
            }
        }
        Self { documents: resources.into_iter().collect(), ..reading }
    }

    /// Whether the rules decide on the same as in an `earlier` reading of the same keys. If so, all
    /// was as it was read at some moment between the two.
    pub(crate) fn is_as(&self, earlier: &Self) -> bool {
        self.versions == earlier.versions
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
