//! Two texts side by side, with what differs marked.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

const EXPECTED: Style = AnsiColor::Green.on_default().bold();
const ACTUAL: Style = AnsiColor::Red.on_default().bold();

/// How much of two lines must be the same for what differs to be marked letter by letter.
const SIMILAR_MIN: f32 = 0.7;

/// The least width of a column, in characters.
const COLUMN_MIN: usize = 20;

/// What was expected on the left and what came on the right, in so many columns of a terminal; below a
/// line that differs carets stand where it does.
#[must_use]
pub fn side_by_side(expected: &str, actual: &str, width: usize) -> String {
    let column = (width.saturating_sub(7) / 2).max(COLUMN_MIN);
    let mut text = String::new();
    row(&mut text, &Cell::plain("expected"), ' ', &Cell::plain("actual"), column);
    let lines = TextDiff::from_lines(expected, actual);
    let (old, new) = (expected.lines().collect::<Vec<_>>(), actual.lines().collect::<Vec<_>>());
    for op in lines.ops() {
        let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
        let is_equal = op.tag() == similar::DiffTag::Equal;
        for position in 0..old.len().max(new.len()) {
            match (old.get(position), new.get(position)) {
                (Some(line), Some(same)) if is_equal => {
                    wrapped(&mut text, &Cell::plain(line), ' ', &Cell::plain(same), column);
                }
                (Some(old), Some(new)) => {
                    let (old, new) = differing(old, new);
                    wrapped(&mut text, &old, '|', &new, column);
                }
                (Some(old), None) => {
                    wrapped(&mut text, &Cell::marked(old), '<', &Cell::plain(""), column);
                }
                (None, Some(new)) => {
                    wrapped(&mut text, &Cell::plain(""), '>', &Cell::marked(new), column);
                }
                (None, None) => {}
            }
        }
    }
    text
}

/// A line, each character with whether it differs.
struct Cell(Vec<(char, bool)>);

impl Cell {
    fn plain(text: &str) -> Self {
        Self(text.chars().map(|c| (c, false)).collect())
    }

    fn marked(text: &str) -> Self {
        Self(text.chars().map(|c| (c, true)).collect())
    }
}

fn differing(old: &str, new: &str) -> (Cell, Cell) {
    let (mut left, mut right) = (Cell(Vec::new()), Cell(Vec::new()));
    let characters = TextDiff::from_chars(old, new);
    if characters.ratio() < SIMILAR_MIN {
        return (Cell::marked(old), Cell::marked(new));
    }
    for change in characters.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                left.0.extend(text.chars().map(|c| (c, false)));
                right.0.extend(text.chars().map(|c| (c, false)));
            }
            ChangeTag::Delete => left.0.extend(text.chars().map(|c| (c, true))),
            ChangeTag::Insert => right.0.extend(text.chars().map(|c| (c, true))),
        }
    }
    (left, right)
}

fn wrapped(text: &mut String, left: &Cell, mark: char, right: &Cell, column: usize) {
    let parts =
        |cell: &Cell| cell.0.chunks(column).map(|part| Cell(part.to_vec())).collect::<Vec<_>>();
    let (left, right) = (parts(left), parts(right));
    let empty = Cell(Vec::new());
    for position in 0..left.len().max(right.len()).max(1) {
        let left = left.get(position).unwrap_or(&empty);
        row(text, left, mark, right.get(position).unwrap_or(&empty), column);
    }
}

/// Writes a row, and below it one of carets if something in it differs.
fn row(text: &mut String, left: &Cell, mark: char, right: &Cell, column: usize) {
    let padding = " ".repeat(column - left.0.len().min(column));
    // A text takes whatever is written to it.
    let _ = write!(text, "    {}{padding} {mark} {}", shown(left, EXPECTED), shown(right, ACTUAL));
    text.truncate(text.trim_end().len());
    text.push('\n');
    let carets = |cell: &Cell| -> String {
        cell.0.iter().map(|(_, differs)| if *differs { '^' } else { ' ' }).collect()
    };
    let (left, right) = (carets(left), carets(right));
    let is_all = |cell: &str| !cell.contains(' ');
    if mark == '|'
        && !(is_all(&left) && is_all(&right))
        && (left.contains('^') || right.contains('^'))
    {
        let _ = writeln!(text, "{}", format!("    {left:<column$}   {right}").trim_end());
    }
}

/// The characters, those that cannot be seen escaped, those that differ in a style.
fn shown(cell: &Cell, style: Style) -> String {
    let mut text = String::new();
    let mut is_styled = false;
    for (character, differs) in &cell.0 {
        if *differs != is_styled {
            is_styled = *differs;
            let _ = if is_styled { write!(text, "{style}") } else { write!(text, "{style:#}") };
        }
        // One character each, so that the columns stay.
        text.push(match character {
            '\t' => '\u{2409}',
            '\r' => '\u{240d}',
            '\u{feff}' => '\u{fffd}',
            other if other.is_control() => '\u{fffd}',
            other => *other,
        });
    }
    if is_styled {
        let _ = write!(text, "{style:#}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_below() {
        let text = side_by_side("a\nThe param is illegal.\nz", "a\nThe param is  illegal\nz", 67);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = [
            "    expected                         actual",
            "    a                                a",
            "    The param is illegal.          | The param is  illegal",
            "                        ^                         ^",
            "    z                                z",
            "",
        ];
        assert_eq!(plain, expected.join("\n"));
    }

    #[test]
    fn a_line_that_is_missing_and_one_that_is_too_many_stand_alone() {
        let text = side_by_side("a\nb\n", "b\nc\n", 67);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let marks: Vec<_> = plain.lines().skip(1).map(|line| line.chars().nth(35)).collect();
        assert_eq!(marks, [Some('<'), Some(' '), Some('>')]);
    }
}
