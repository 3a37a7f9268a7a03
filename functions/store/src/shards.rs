//! A hash table that grows in parts.

use std::hash::{BuildHasher as _, Hash, RandomState};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// How many tables there are. Each holds so few entries that moving all of them takes a
/// millisecond at most, with millions of entries in all.
const SHARDS: usize = 256;

/// Entries by hash, in many tables. One table that holds millions stops every caller for as long as
/// it takes to move them, whenever it grows.
///
/// Callers choose some of the keys, so they are hashed with a random seed that never leaves the
/// process: nobody can choose keys that fall into one table or one place.
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
        // The standard library has the system's random numbers; the other crate makes its own of
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
    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    /// The tables, for a walk over all entries, one table at a time.
    pub(crate) fn tables(&self) -> &[HashTable<T>] {
        &self.tables
    }

    /// The entry of this hash that `is_it` picks.
    pub(crate) fn get(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.tables[shard(hash)].find(hash, is_it)
    }

    /// Puts an entry instead of the one that `is_former` picks, which is returned. `hash_of` yields
    /// the hash of an entry.
    pub(crate) fn put(
        &mut self,
        hash: u64,
        entry: T,
        is_former: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Option<T> {
        match self.tables[shard(hash)].entry(hash, is_former, hash_of) {
            Entry::Occupied(mut former) => Some(std::mem::replace(former.get_mut(), entry)),
            Entry::Vacant(place) => {
                place.insert(entry);
                self.entries += 1;
                None
            }
        }
    }

    /// Removes the entry of this hash that `is_it` picks.
    pub(crate) fn remove(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let (removed, _) = self.tables[shard(hash)].find_entry(hash, is_it).ok()?.remove();
        self.entries -= 1;
        Some(removed)
    }
}

/// The bits of the hash that a table itself does not look at: it uses the lowest for places and the
/// highest seven for tags.
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
