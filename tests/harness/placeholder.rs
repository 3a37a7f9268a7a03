//! Placeholders for what differs from run to run: the same value gets the same one everywhere.

/// The values met so far, each with the kind of what it is.
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    known: Vec<(String, String)>,
}

impl Placeholders {
    /// Lets `value` be shown as `[kind]`, a second value of the kind as `[kind 2]`, and so on.
    pub fn learn(&mut self, kind: &str, value: &str) {
        if !value.is_empty() && !self.known.iter().any(|(_, known)| known == value) {
            self.known.push((kind.to_owned(), value.to_owned()));
        }
    }

    /// The text with every known value replaced.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        // The longest first, so that no value is cut by another that it contains.
        let mut known: Vec<usize> = (0..self.known.len()).collect();
        known.sort_by_key(|position| std::cmp::Reverse(self.known[*position].1.len()));
        known.into_iter().fold(text.to_owned(), |text, position| {
            text.replace(&self.known[position].1, &self.name(position))
        })
    }

    fn name(&self, position: usize) -> String {
        let (kind, _) = &self.known[position];
        let earlier = self.known[..position].iter().filter(|(known, _)| known == kind).count();
        if earlier == 0 { format!("[{kind}]") } else { format!("[{kind} {}]", earlier + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_gets_the_same_placeholder_and_another_one_another() {
        let mut placeholders = Placeholders::default();
        placeholders.learn("Id", "a-1");
        placeholders.learn("Id", "a-12");
        placeholders.learn("Id", "a-1");
        assert_eq!(placeholders.apply("a-1 a-12 a-1"), "[Id] [Id 2] [Id]");
    }

    #[test]
    fn swapping_two_ids_changes_the_text() {
        let mut placeholders = Placeholders::default();
        placeholders.learn("Id", "one");
        placeholders.learn("Id", "two");
        assert_ne!(placeholders.apply("one two"), placeholders.apply("two one"));
    }
}
