//! The keys of documents.

use std::fmt;

/// The account and the region of a call. Documents of another account or region have other keys, so
/// a call cannot find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// 16 digits; for a call, the account that its signature proved.
    pub account_id: &'a str,
    /// The region's id.
    pub region_id: &'a str,
}

/// The key of a document: the name of its kind, then its account, region and id, joined by `#`. The
/// part that a caller chooses freely is last, so no two documents share a key.
///
/// The key of a listed kind has two parts: the partition, which is kind, account and region, and
/// the id. A store lists one partition, in the order of ids. The key of any other kind is its
/// partition and has no id.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    text: Box<str>,
    partition_bytes: u32,
}

impl Key {
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

/// The parts of a key, not joined. Comparing them with a key allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    kind: &'a str,
    others: [Option<&'a str>; 4],
    is_listed: bool,
}

impl<'a> Parts<'a> {
    /// The parts of the key of a document whose kind is listed.
    #[must_use]
    pub fn listed(kind: &'a str, scope: Scope<'a>, id: &'a str) -> Self {
        Self { is_listed: true, ..Self::unlisted(kind, scope, id) }
    }

    /// The parts of the key of a document whose kind has regions and is not listed.
    #[must_use]
    pub fn unlisted(kind: &'a str, scope: Scope<'a>, id: &'a str) -> Self {
        Self::single(kind, &[scope.account_id, scope.region_id, id])
    }

    /// The parts of the key of a document whose kind is not listed: at most four after the kind.
    #[must_use]
    pub fn single(kind: &'a str, parts: &[&'a str]) -> Self {
        debug_assert!(parts.len() <= 4, "{parts:?}");
        let others = std::array::from_fn(|position| parts.get(position).copied());
        Self { kind, others, is_listed: false }
    }

    /// The key.
    #[must_use]
    pub fn key(self) -> Key {
        let others = self.others.iter().flatten();
        let bytes = self.kind.len() + others.clone().map(|part| 1 + part.len()).sum::<usize>();
        let mut text = String::with_capacity(bytes);
        text.push_str(self.kind);
        for part in others {
            text.push('#');
            text.push_str(part);
        }
        let id_bytes = self.id().map_or(0, |id| 1 + length(id));
        Key { partition_bytes: length(&text) - id_bytes, text: text.into() }
    }

    /// Whether `key` has these parts.
    #[must_use]
    pub fn are_of(self, key: &Key) -> bool {
        self.id() == key.id() && self.after(key.text()) == Some("")
    }

    /// Whether the key of these parts has this partition and id.
    #[must_use]
    pub fn are_at(self, partition: &Partition, id: &str) -> bool {
        let [account_id, region_id, ..] = self.others;
        let of_partition = Self { others: [account_id, region_id, None, None], ..self };
        self.id() == Some(id) && of_partition.after(partition.text()) == Some("")
    }

    /// The rest of `text` after the parts; `None` if `text` does not begin with them.
    fn after(self, text: &str) -> Option<&str> {
        self.others.iter().flatten().try_fold(text.strip_prefix(self.kind)?, |rest, part| {
            rest.strip_prefix('#')?.strip_prefix(*part)
        })
    }

    /// See [`Key::id`].
    #[must_use]
    pub fn id(self) -> Option<&'a str> {
        self.others.into_iter().flatten().last().filter(|_| self.is_listed)
    }
}

/// The name of a partition: all documents of one listed kind in one account and region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(Box<str>);

impl Partition {
    /// The partition of this kind and scope.
    #[must_use]
    pub fn of(kind: &str, scope: Scope<'_>) -> Self {
        Self([kind, scope.account_id, scope.region_id].join("#").into())
    }

    /// The text, equal to [`Key::partition`] of its documents' keys.
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
        let listed = Parts::listed("thing", scope, "a#b").key();
        assert_eq!(listed.text(), "thing#1#r#a#b");
        assert_eq!(listed.partition(), Partition::of("thing", scope).text());
        assert_eq!(listed.id(), Some("a#b"));
        assert_eq!(Parts::listed("thing", scope, "").key().id(), Some(""));
        let single = Parts::single("thing", &["1", "x#y"]).key();
        assert_eq!((single.partition(), single.id()), ("thing#1#x#y", None));
        assert_eq!((single.kind(), listed.kind()), ("thing", "thing"));
    }

    #[test]
    fn parts_are_of_the_key_that_joins_them_and_of_no_other() {
        let scope = Scope { account_id: "1", region_id: "r" };
        let parts = [
            Parts::listed("thing", scope, "a"),
            Parts::listed("thing", scope, "ab"),
            Parts::listed("thing", scope, ""),
            Parts::single("thing", &["1", "r", "a"]),
            Parts::single("thing", &["1", "r", "a", "b"]),
            Parts::single("thing", &["1"]),
            Parts::single("thin", &["1"]),
        ];
        for (position, one) in parts.iter().enumerate() {
            for (of_other, other) in parts.iter().enumerate() {
                assert_eq!(one.are_of(&other.key()), position == of_other, "{one:?} {other:?}");
            }
        }
        let partition = Partition::of("thing", scope);
        for (parts, id) in parts.iter().zip(["a", "ab", ""]) {
            assert!(parts.are_at(&partition, id) && !parts.are_at(&partition, "b"), "{parts:?}");
        }
        assert!(!parts[3].are_at(&partition, "a"), "its kind is not listed");
        assert!(!Parts::listed("thing", scope, "r").are_at(&Partition::of("t", scope), "r"));
    }
}
