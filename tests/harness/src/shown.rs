//! Makes foreign texts safe to print: no invisible characters, and no commands to a terminal or a runner.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

/// Blank characters that Rust counts as visible: fillers of Hangul and the empty Braille pattern.
const BLANK: [char; 5] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{2800}'];

/// A text with every invisible character escaped, except line feeds.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '"' | '\'' | '\\' => shown.push(character),
            // Writing to a `String` cannot fail.
            blank if BLANK.contains(&blank) => drop(write!(shown, "{}", blank.escape_unicode())),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

/// Two texts, both [`visible`]. Backslashes are escaped too if different texts would look equal.
#[must_use]
pub fn both_visible(one: &str, other: &str) -> (String, String) {
    let (shown, other_shown) = (visible(one), visible(other));
    if one == other || shown != other_shown {
        return (shown, other_shown);
    }
    let escaped = |text: &str| visible(&text.replace('\\', r"\\"));
    (escaped(one), escaped(other))
}

/// A text without commands to GitHub's runner, which obeys `::` at the start of a line, after spaces, and
/// `##[` anywhere. The escapes have the same meaning in JSON.
#[must_use]
pub fn without_commands(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let begin = line.trim_start();
        if begin.starts_with("::") {
            lines.push_str(&line[..line.len() - begin.len()]);
            lines.push_str(r"\u003a");
            lines.push_str(&begin[1..]);
        } else {
            lines.push_str(line);
        }
    }
    lines.replace("##[", r"#\u0023[")
}

/// A text for people: [`visible`] and [`without_commands`].
#[must_use]
pub fn plain(text: &str) -> String {
    without_commands(&visible(text))
}

/// A text as code in a row of a Markdown table, without mentions, references, links or markup for GitHub.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let mut code = "<code>".to_owned();
    for character in visible(text).replace('\n', r"\n").chars() {
        // Writing to a `String` cannot fail.
        let _ = match character {
            mark if mark.is_ascii_punctuation() => write!(code, "&#{};", u32::from(mark)),
            other => write!(code, "{other}"),
        };
    }
    code + "</code>"
}

/// A table for people, with these headings.
pub(crate) fn table<const N: usize>(headings: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_code_is_one_line_without_markup() {
        for text in
            ["@name fixes #1 | `a` <b> [x](y) https://a.b", "a\n\n| b |\r\n```", "&#64;a\u{202e}"]
        {
            let code = markdown_code(text);
            let inner =
                code.strip_prefix("<code>").and_then(|it| it.strip_suffix("</code>")).unwrap();
            let rest = inner.replace("&#", "").replace(';', "");
            assert!(rest.chars().all(|c| c.is_alphanumeric() || c == ' '), "{code}");
        }
    }

    #[test]
    fn different_texts_look_different() {
        let (one, other) = both_visible("a\u{1b}", r"a\u{1b}");
        assert_ne!(one, other);
    }
}
