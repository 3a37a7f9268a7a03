//! Patterns with wildcards: the actions and resources of a statement.

use std::fmt;
use std::str::Chars;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::evaluation::Arn;
use crate::one_or_many::Element;
use crate::text;

/// Whether letter case counts. Only ASCII letters have a case: the vendor's names have no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Counts,
    Ignored,
}

impl Case {
    fn is_same(self, one: char, other: char) -> bool {
        match self {
            Self::Counts => one == other,
            Self::Ignored => one.eq_ignore_ascii_case(&other),
        }
    }
}

/// Whether `pattern` matches all of `text`: `*` matches any run of characters, also an empty one,
/// `?` exactly one character. Wildcards cannot be escaped.
///
/// Backtracking only extends the run of the last `*`, so the time is at most the product of the
/// lengths for any number of wildcards.
pub(crate) fn is_match(pattern: &str, text: &str, case: Case) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The pattern after the last `*`, and the text after the run that this `*` matched.
    let mut last_run: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let left = text.clone();
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                // A `*` at the end matches the rest.
                if pattern.as_str().is_empty() {
                    return true;
                }
                text = left;
                last_run = Some((pattern.clone(), text.clone()));
            }
            (None, None) => return true,
            (Some(_), None) => return false,
            (Some(wanted), Some(found)) if wanted == '?' || case.is_same(wanted, found) => {}
            (_, Some(_)) => {
                let Some((after, left)) = &mut last_run else { return false };
                left.next();
                (pattern, text) = (after.clone(), left.clone());
            }
        }
    }
}

/// A pattern of actions: `*`, or `service:operation` with wildcards in both parts. Letter case does
/// not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionPattern(String);

impl ActionPattern {
    fn parse(text: &str) -> Result<Self, String> {
        let in_form = match text.split_once(':') {
            Some((service, operation)) => {
                !service.is_empty() && !operation.is_empty() && !operation.contains(':')
            }
            None => text == "*",
        };
        if !in_form {
            return Err(format!("invalid action `{text}`, expected `*` or `service:operation`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Actions and patterns have one colon each, so no wildcard matches it.
    pub(crate) fn is_match(&self, action: &str) -> bool {
        is_match(&self.0, action, Case::Ignored)
    }
}

/// A pattern of resources: `*`, or all parts of an ARN. A part's wildcards match within that part
/// only. Letter case counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    Any,
    Parts {
        service: String,
        region: String,
        account_id: String,
        /// May hold more colons.
        relative_id: String,
    },
}

impl ResourcePattern {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let mut parts = text.splitn(5, ':');
        let mut part = || parts.next().map(str::to_owned);
        match (part(), part(), part(), part(), part()) {
            (Some(acs), Some(service), Some(region), Some(account_id), Some(relative_id))
                if acs == "acs" =>
            {
                Ok(Self::Parts { service, region, account_id, relative_id })
            }
            _ => Err(format!(
                "invalid resource `{text}`, expected `*` or \
                 `acs:service:region:account:relative-id`"
            )),
        }
    }

    pub(crate) fn is_match(&self, arn: &Arn<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Parts { service, region, account_id, relative_id } => [
                (service, arn.service),
                (region, arn.region),
                (account_id, arn.account_id),
                (relative_id, arn.relative_id),
            ]
            .into_iter()
            .all(|(pattern, part)| is_match(pattern, part, Case::Counts)),
        }
    }
}

/// Writes the pattern as in the policy document.
impl fmt::Display for ResourcePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Parts { service, region, account_id, relative_id } => {
                write!(formatter, "acs:{service}:{region}:{account_id}:{relative_id}")
            }
        }
    }
}

impl Element for ActionPattern {
    const EXPECTED: &'static str = "an action";
}

impl Element for ResourcePattern {
    const EXPECTED: &'static str = "a resource";
}

impl<'de> Deserialize<'de> for ActionPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, Self::EXPECTED, Self::parse)
    }
}

impl<'de> Deserialize<'de> for ResourcePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::read(deserializer, Self::EXPECTED, Self::parse)
    }
}

impl Serialize for ActionPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for ResourcePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_any_characters_and_none_and_a_question_mark_is_exactly_one() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("", "a", false),
            ("a", "", false),
            ("*", "", true),
            ("*", "abc", true),
            ("**", "", true),
            ("a*", "a", true),
            ("*a", "a", true),
            ("a*c", "ac", true),
            ("a*c", "abbbc", true),
            ("a*c", "abcb", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*ab", "aab", true),
            ("*aab*", "aaaab", true),
            ("?", "", false),
            ("?", "a", true),
            ("?", "ab", false),
            ("?", "é", true),
            ("??", "é", false),
            ("?", "🦀", true),
            ("a?c", "abc", true),
            ("*?", "", false),
            ("?*", "a", true),
            ("*?b", "ab", true),
            ("*?b", "b", false),
            // A wildcard in the text is a plain character.
            ("a", "*", false),
            ("?", "*", true),
            ("\\*", "*", false),
        ] {
            assert_eq!(is_match(pattern, text, Case::Counts), matches, "{pattern} on {text}");
        }
    }

    #[test]
    fn only_ascii_letters_have_a_case_that_can_be_ignored() {
        assert!(is_match("VPC:*bandwidth", "vpc:AllocateBANDWIDTH", Case::Ignored));
        assert!(!is_match("VPC:*", "vpc:x", Case::Counts));
        // The Kelvin sign is a K in Unicode's case folding, and not in ASCII's.
        assert!(!is_match("\u{212a}", "k", Case::Ignored));
    }

    /// The definition, in exponential time.
    fn is_match_by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', after @ ..], _) => {
                (0..=text.len()).any(|taken| is_match_by_definition(after, &text[taken..]))
            }
            (['?', after @ ..], [_, left @ ..]) => is_match_by_definition(after, left),
            ([wanted, after @ ..], [found, left @ ..]) => {
                wanted == found && is_match_by_definition(after, left)
            }
            ([], [_, ..]) | ([_, ..], []) => false,
        }
    }

    /// Every text of `letters` with at most `length` characters.
    fn texts(letters: &[char], length: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut longest = texts.clone();
        for _ in 0..length {
            longest = longest
                .iter()
                .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
                .collect();
            texts.extend_from_slice(&longest);
        }
        texts
    }

    #[test]
    fn every_short_pattern_matches_every_short_text_as_by_definition() {
        for pattern in texts(&['a', 'b', '*', '?'], 5) {
            let wanted: Vec<char> = pattern.chars().collect();
            for text in texts(&['a', 'b'], 5) {
                let found: Vec<char> = text.chars().collect();
                let matches = is_match_by_definition(&wanted, &found);
                assert_eq!(is_match(&pattern, &text, Case::Counts), matches, "{pattern} on {text}");
            }
        }
    }

    #[test]
    fn many_wildcards_against_a_long_run_end() {
        // The definition would take exponential time here.
        let text = "a".repeat(8192);
        for pattern in [format!("{}b", "*a".repeat(500)), "*".repeat(8192), "*?".repeat(8193)] {
            let matches = pattern.ends_with('*');
            assert_eq!(is_match(&pattern, &text, Case::Counts), matches);
        }
    }

    #[test]
    fn an_action_is_any_or_has_one_colon_and_two_parts() {
        for good in ["*", "vpc:*", "*:*", "v?c:Allocate*", "?:?"] {
            assert!(ActionPattern::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "**", "?", "vpc", "vpc:", ":Allocate", ":", "vpc:a:b", "vpc::a"] {
            assert!(ActionPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_resource_is_any_or_has_all_five_parts() {
        for good in ["*", "acs:*:*:*:*", "acs:vpc:cn-?:1:a:b:c", "acs:vpc::1:x"] {
            let pattern = ResourcePattern::parse(good).map(|pattern| pattern.to_string());
            assert_eq!(pattern.as_deref(), Ok(good));
        }
        for bad in ["", "**", "acs", "acs:*", "acs:vpc:*:*", "ACS:vpc:*:*:*", "*:vpc:*:*:*"] {
            assert!(ResourcePattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_resource_is_matched_part_by_part() {
        let resource = Arn {
            service: "vpc",
            region: "cn-huhehaote",
            account_id: "1234567890123456",
            relative_id: "ipv6bandwidth/a:b",
        };
        for (pattern, matches) in [
            ("*", true),
            ("acs:*:*:*:*", true),
            ("acs:vpc:cn-*:*:ipv6bandwidth/*", true),
            ("acs:vpc:cn-huhehaote:1234567890123456:ipv6bandwidth/a:b", true),
            ("acs:vpc:*:*:*:b", true),
            ("acs:vpc:cn-huhehaot?:*:*", true),
            ("acs:vpc:cn-hangzhou:*:*", false),
            ("acs:VPC:*:*:*", false),
            ("acs:vpc::*:*", false),
            // The first star does not match beyond its part.
            ("acs:vpc*3456:*:*:*", false),
            ("acs:*:1234567890123456:*:*", false),
            ("acs:vpc:*:*:ipv6bandwidth/a", false),
        ] {
            let matched = ResourcePattern::parse(pattern).map(|p| p.is_match(&resource));
            assert_eq!(matched, Ok(matches), "{pattern}");
        }
    }
}
