//! The documents that recent batches wrote.

use std::collections::{HashMap, VecDeque};

/// The number of batches that are kept. A commit waits for one or two batches after its check.
const BATCHES: usize = 64;

/// The documents of the last batches.
#[derive(Default)]
pub(super) struct Recent {
    /// The number of the last batch that wrote each document.
    written: HashMap<Vec<u8>, u64>,
    /// The documents that each batch wrote, oldest batch first.
    batches: VecDeque<(u64, Vec<Vec<u8>>)>,
    /// The number of the last batch that is no longer kept.
    forgotten: u64,
}

impl Recent {
    /// Keeps no batch up to `number`.
    pub(super) fn after(number: u64) -> Self {
        Self { forgotten: number, ..Self::default() }
    }

    /// Begins a batch.
    pub(super) fn begin(&mut self, number: u64) {
        self.batches.push_back((number, Vec::new()));
        if self.batches.len() > BATCHES
            && let Some((forgotten, keys)) = self.batches.pop_front()
        {
            for key in keys {
                // A later batch may have written the document again.
                if self.written.get(&key) == Some(&forgotten) {
                    self.written.remove(&key);
                }
            }
            self.forgotten = forgotten;
        }
    }

    /// Records that the current batch writes a document.
    pub(super) fn add(&mut self, key: Vec<u8>) {
        if let Some((number, keys)) = self.batches.back_mut() {
            self.written.insert(key.clone(), *number);
            keys.push(key);
        }
    }

    /// Whether a document was written after batch `number`; `None` if that batch is no longer kept.
    pub(super) fn is_written_after(&self, number: u64, key: &[u8]) -> Option<bool> {
        match self.written.get(key) {
            Some(written) if *written > number => Some(true),
            Some(_) | None if number < self.forgotten => None,
            Some(_) | None => Some(false),
        }
    }

    /// Whether the current batch writes a document.
    pub(super) fn is_in_last(&self, key: &[u8]) -> bool {
        self.batches.back().is_some_and(|(number, _)| self.written.get(key) == Some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_writes_are_known_and_older_ones_are_reported_as_unknown() {
        let mut recent = Recent::after(10);
        assert_eq!(recent.is_written_after(9, b"a"), None);
        assert_eq!(recent.is_written_after(10, b"a"), Some(false));
        recent.begin(11);
        recent.add(b"a".to_vec());
        assert!(recent.is_in_last(b"a") && !recent.is_in_last(b"b"));
        recent.begin(12);
        recent.add(b"b".to_vec());
        assert!(!recent.is_in_last(b"a") && recent.is_in_last(b"b"));
        assert_eq!(recent.is_written_after(10, b"a"), Some(true));
        assert_eq!(recent.is_written_after(11, b"a"), Some(false));
        assert_eq!(recent.is_written_after(9, b"a"), Some(true));
        assert_eq!(recent.is_written_after(9, b"c"), None);
    }

    #[test]
    fn only_the_last_batches_are_kept() {
        let mut recent = Recent::after(0);
        for number in 1..=1000_u64 {
            recent.begin(number);
            recent.add(number.to_be_bytes().to_vec());
            recent.add(b"always".to_vec());
        }
        assert_eq!(recent.batches.len(), BATCHES);
        assert_eq!(recent.written.len(), BATCHES + 1);
        let forgotten = 1000 - u64::try_from(BATCHES).unwrap();
        assert_eq!(recent.is_written_after(forgotten - 1, b"never"), None);
        assert_eq!(recent.is_written_after(forgotten, b"never"), Some(false));
        assert_eq!(recent.is_written_after(999, b"always"), Some(true));
        assert_eq!(recent.is_written_after(1000, b"always"), Some(false));
    }
}
