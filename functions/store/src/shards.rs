//! A hash table that grows in parts.

use std::hash::{BuildHasher as _, Hash, RandomState};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The number of tables. Growing one of them takes at most a millisecond with millions of entries in
/// total.
const SHARDS: usize = 256;

/// Entries by hash, in many tables. A single table with millions of entries would block every caller
/// while it grows.
///
/// Callers choose some of the keys. The random seed of the hash prevents them from choosing keys with
/// colliding hashes.
#[derive(Debug)]
pub(crate) struct Shards<T> {
    tables: Box<[HashTable<T>]>,
    entries: usize,
}

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Self { tables: (0..SHARDS).map(|_| HashTable::new()).collect(), entries: 0 }
    }
}

/// Hashes keys for [`Shards`].
#[derive(Debug)]
pub(crate) struct Hasher(SeedableRandomState);

impl Default for Hasher {
    fn default() -> Self {
        // The standard library's seed is random; the default seed of the other crate derives from
        // addresses and the time.
        let seed = RandomState::new().hash_one(0);
        Self(SeedableRandomState::with_seed(seed, SharedSeed::global_random()))
    }
}

impl Hasher {
    pub(crate) fn hash(&self, key: &(impl Hash + ?Sized)) -> u64 {
        self.0.hash_one(key)
    }
}

impl<T> Shards<T> {
    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// The tables, to visit all entries one table at a time.
    pub(crate) fn tables(&self) -> &[HashTable<T>] {
        &self.tables
    }

    /// The entry with this hash for which `is_it` is true.
    pub(crate) fn get(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.tables[shard(hash)].find(hash, is_it)
    }

    /// Inserts an entry, or replaces and returns the one for which `is_former` is true. `hash_of`
    /// returns the hash of an entry.
    pub(crate) fn put(
        &mut self,
        hash: u64,
        entry: T,
        is_former: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Option<T> {
        match self.tables[shard(hash)].entry(hash, is_former, hash_of) {
            Entry::Occupied(mut former) => Some(std::mem::replace(former.get_mut(), entry)),
            Entry::Vacant(vacant) => {
                vacant.insert(entry);
                self.entries += 1;
                None
            }
        }
    }

    /// Removes and returns the entry with this hash for which `is_it` is true.
    pub(crate) fn remove(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let (removed, _) = self.tables[shard(hash)].find_entry(hash, is_it).ok()?.remove();
        self.entries -= 1;
        Some(removed)
    }
}

/// The number of the table for a hash. Tables use the lowest bits and the highest seven, so these are
/// others.
fn shard(hash: u64) -> usize {
    usize::from(hash.to_be_bytes()[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_put_replaced_and_removed_and_spread_over_all_tables() {
        let (hasher, mut shards) = (Hasher::default(), Shards::default());
        let put = |shards: &mut Shards<(u32, u32)>, number, value| {
            let hash_of = |entry: &(u32, u32)| hasher.hash(&entry.0);
            shards.put(hasher.hash(&number), (number, value), |entry| entry.0 == number, hash_of)
        };
        for number in 0..10_000 {
            assert_eq!(put(&mut shards, number, 1), None);
        }
        assert!(shards.tables().iter().all(|table| (1..200).contains(&table.len())));
        assert_eq!(put(&mut shards, 7, 2), Some((7, 1)));
        assert_eq!(shards.get(hasher.hash(&7), |entry| entry.0 == 7), Some(&(7, 2)));
        assert_eq!(shards.remove(hasher.hash(&7), |entry| entry.0 == 7), Some((7, 2)));
        assert_eq!(shards.get(hasher.hash(&7), |entry| entry.0 == 7), None);
        assert_eq!(shards.remove(hasher.hash(&7), |entry| entry.0 == 7), None);
        assert_eq!(shards.len(), 9999);
    }
}
