//! Placeholders for values that differ from run to run. The same value of a kind gets the same placeholder.

/// The values so far, each with its kind.
#[derive(Clone, Debug, Default)]
pub struct Placeholders {
    known: Vec<(String, String)>,
}

impl Placeholders {
    /// The placeholder of a value: `[kind]`, or `[kind 2]` for a second value of the kind, and so on. An
    /// empty value stays empty.
    pub fn named(&mut self, kind: &str, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        if !self.known.iter().any(|(known, other)| known == kind && other == value) {
            self.known.push((kind.to_owned(), value.to_owned()));
        }
        self.name(kind, value)
    }

    /// The placeholder of a value that has one of these kinds already.
    #[must_use]
    pub fn known(&self, value: &str, kinds: &[String]) -> Option<String> {
        let is_it = |(kind, known): &&(String, String)| known == value && kinds.contains(kind);
        self.known.iter().find(is_it).map(|(kind, value)| self.name(kind, value))
    }

    /// The text with every known value replaced.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        // The longest first, so that a value is not cut by another one inside it.
        let mut known: Vec<&(String, String)> = self.known.iter().collect();
        known.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        known.into_iter().fold(text.to_owned(), |text, (kind, value)| {
            text.replace(value, &self.name(kind, value))
        })
    }

    fn name(&self, kind: &str, value: &str) -> String {
        let mut of_kind = self.known.iter().filter(|(known, _)| known == kind);
        match of_kind.position(|(_, known)| known == value) {
            Some(position) if position > 0 => format!("[{kind} {}]", position + 1),
            Some(_) | None => format!("[{kind}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_gets_the_same_placeholder_and_another_one_another() {
        let mut placeholders = Placeholders::default();
        assert_eq!(placeholders.named("Id", "a-1"), "[Id]");
        assert_eq!(placeholders.named("Id", "a-12"), "[Id 2]");
        assert_eq!(placeholders.named("Other", "a-1"), "[Other]");
        assert_eq!(placeholders.named("Id", "a-1"), "[Id]");
        assert_eq!(placeholders.known("a-12", &["Id".to_owned()]).as_deref(), Some("[Id 2]"));
        assert_eq!(placeholders.known("a-12", &["Other".to_owned()]), None);
        assert_eq!(placeholders.apply("a-1 a-12 a-1"), "[Id] [Id 2] [Id]");
    }
}
