//! What documents are found by.

use std::fmt;

/// The account and the region that a call is about. Documents of another account or region have
/// other keys, so a call cannot find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// 16 digits. Of a call it is the account that the signature proved.
    pub account_id: &'a str,
    /// The region's id.
    pub region_id: &'a str,
}

/// The key of a document: the name of its kind, then what tells it from the others of its kind,
/// joined by `#`. What callers choose freely is last, so no two documents share a key.
///
/// The keys of a listed kind have two parts: the partition, which is kind, account and region, and
/// the id. A store lists one partition, in the order of ids. The key of any other kind is all
/// partition.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    text: Box<str>,
    partition_bytes: u32,
}

impl Key {
    /// The key of a document whose kind is listed.
    #[must_use]
    pub fn listed(kind: &str, scope: Scope<'_>, id: &str) -> Self {
        let text = [kind, scope.account_id, scope.region_id, id].join("#");
        Self { partition_bytes: length(&text) - 1 - length(id), text: text.into() }
    }

    /// The key of a document whose kind is not listed.
    #[must_use]
    pub fn single(kind: &str, parts: &[&str]) -> Self {
        let bytes = kind.len() + parts.iter().map(|part| 1 + part.len()).sum::<usize>();
        let mut text = String::with_capacity(bytes);
        text.push_str(kind);
        for part in parts {
            text.push('#');
            text.push_str(part);
        }
        Self { partition_bytes: length(&text), text: text.into() }
    }

    /// The whole key.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text.split('#').next().unwrap_or_default()
    }

    /// The part by which a listed kind is listed; the whole key of any other kind.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.text[..self.partition_bytes as usize]
    }

    /// The id within the partition; `None` for a kind that is not listed.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.text.get(self.partition_bytes as usize + 1..)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

/// All documents of one listed kind in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(Box<str>);

impl Partition {
    /// The partition of this kind and scope.
    #[must_use]
    pub fn of(kind: &str, scope: Scope<'_>) -> Self {
        Self([kind, scope.account_id, scope.region_id].join("#").into())
    }

    /// The text that [`Key::partition`] has in it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_key_is_partition_and_id_and_any_other_is_all_partition() {
        let scope = Scope { account_id: "1", region_id: "r" };
        let listed = Key::listed("thing", scope, "a#b");
        assert_eq!(listed.text(), "thing#1#r#a#b");
        assert_eq!(listed.partition(), Partition::of("thing", scope).text());
        assert_eq!(listed.id(), Some("a#b"));
        assert_eq!(Key::listed("thing", scope, "").id(), Some(""));
        let single = Key::single("thing", &["1", "x#y"]);
        assert_eq!((single.partition(), single.id()), ("thing#1#x#y", None));
        assert_eq!((single.kind(), listed.kind()), ("thing", "thing"));
    }
}
