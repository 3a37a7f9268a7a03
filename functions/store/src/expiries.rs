//! Entries by expiry.

use std::collections::BTreeMap;

/// The most entries of a part: few enough to be taken out quickly.
const PART: usize = 1024;

/// Entries by the second in which they expire. The entries of a second are in parts, so that adding
/// and taking entries is fast even if many expire together.
#[derive(Debug)]
pub(crate) struct Expiries<T> {
    parts: BTreeMap<(u64, u32), Vec<T>>,
}

impl<T> Default for Expiries<T> {
    fn default() -> Self {
        Self { parts: BTreeMap::new() }
    }
}

impl<T> Expiries<T> {
    /// Adds an entry that expires at this second.
    pub(crate) fn add(&mut self, expires_at_secs: u64, entry: T) {
        let of_second = (expires_at_secs, 0)..=(expires_at_secs, u32::MAX);
        match self.parts.range_mut(of_second).next_back() {
            Some((_, part)) if part.len() < PART => part.push(entry),
            last => {
                let number = last.map_or(0, |(&(_, number), _)| number.saturating_add(1));
                self.parts.entry((expires_at_secs, number)).or_default().push(entry);
            }
        }
    }

    /// Removes and returns some of the entries that expire first, and their second; `None` if they
    /// expire after `now_secs`.
    pub(crate) fn take(&mut self, now_secs: u64) -> Option<(u64, Vec<T>)> {
        let first = self.parts.first_entry()?;
        let (expires_at_secs, _) = *first.key();
        (expires_at_secs <= now_secs).then(|| (expires_at_secs, first.remove()))
    }

    /// The number of parts.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_taken_in_parts_and_no_earlier_than_they_expire() {
        let mut expiries = Expiries::default();
        for number in 0..2500 {
            expiries.add(7, number);
        }
        expiries.add(5, 9000);
        expiries.add(u64::MAX, 9001);
        assert_eq!(expiries.take(4), None);
        assert_eq!(expiries.take(6), Some((5, vec![9000])));
        assert_eq!(expiries.take(6), None);
        let parts: Vec<usize> =
            std::iter::from_fn(|| expiries.take(8)).map(|(_, part)| part.len()).collect();
        assert_eq!(parts, [1024, 1024, 452]);
        assert_eq!(expiries.take(u64::MAX), Some((u64::MAX, vec![9001])));
    }
}
