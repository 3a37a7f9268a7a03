//! Shows two texts side by side with their differences marked, within limits of time and size.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, DiffTag, TextDiff};

use crate::shown::both_visible;

const EXPECTED: Style = AnsiColor::Green.on_default().bold();
const ACTUAL: Style = AnsiColor::Red.on_default().bold();

/// The least similarity of two lines whose differences are marked by character.
const SIMILAR_MIN: f32 = 0.7;

/// The least width of a column, in characters.
const COLUMN_MIN: usize = 20;

/// The greatest length of a line that is shown whole, in characters.
const LINE_MAX: usize = 160;
/// How many characters of a longer line are shown, and how many of them before the first difference.
const PART: usize = 60;
const BEFORE: usize = 20;
/// After this number of lines no further pair begins, so that at most 40 lines are shown.
const LINES_MAX: usize = 32;
/// How many equal lines are shown around a difference.
const CONTEXT: usize = 4;

/// The time limits for comparing two texts, and all texts of a report.
const ONE_MAX: Duration = Duration::from_millis(50);
const ALL_MAX: Duration = Duration::from_secs(1);

/// Shows the differences of one report.
#[derive(Debug)]
pub struct Differences {
    /// The end of the time for all texts. Later comparisons are coarse.
    end: Instant,
    width: usize,
}

impl Differences {
    /// Differences for a terminal with `width` columns.
    #[must_use]
    pub fn of_width(width: usize) -> Self {
        Self { end: now() + ALL_MAX, width }
    }

    /// The expected text on the left and the actual one on the right. Carets below a line mark its
    /// differences.
    #[must_use]
    pub fn side_by_side(&self, expected: &str, actual: &str) -> String {
        let column = (self.width.saturating_sub(7) / 2).max(COLUMN_MIN);
        let (expected, actual) = both_visible(expected, actual);
        let mut text = String::new();
        row(&mut text, &Cell::plain("expected"), ' ', &Cell::plain("actual"), column);
        let end = self.end.min(now() + ONE_MAX);
        let lines = TextDiff::configure().deadline(end).diff_lines(&expected, &actual);
        let (old, new) = (expected.lines().collect::<Vec<_>>(), actual.lines().collect::<Vec<_>>());
        let (mut shown_to, mut rest) = (0, 0);
        for op in lines.grouped_ops(CONTEXT).iter().flatten() {
            let (old_range, new_range) = (op.old_range(), op.new_range());
            if old_range.start > shown_to {
                let _ = writeln!(text, "    … {} equal lines", old_range.start - shown_to);
            }
            shown_to = old_range.end;
            // A missing line feed at the end of one text is not a line.
            let lines = |all: &[&str], range: Range<usize>| -> Vec<String> {
                range.filter_map(|at| all.get(at).map(|line| (*line).to_owned())).collect()
            };
            let (old, new) = (lines(&old, old_range), lines(&new, new_range));
            for position in 0..old.len().max(new.len()) {
                if text.lines().count() >= LINES_MAX {
                    rest += 1;
                    continue;
                }
                let pair = (old.get(position), new.get(position));
                pair_of_lines(&mut text, pair, op.tag() == DiffTag::Equal, column);
            }
        }
        if rest > 0 {
            let _ = writeln!(text, "    … and {rest} more lines");
        }
        text
    }
}

/// The parts of two texts around their first difference, with the lengths of cut texts.
#[must_use]
pub(crate) fn parts(expected: &str, actual: &str, chars_max: usize) -> (String, String) {
    let start = common_start(expected, actual);
    let part = |text: &str| part(text, start, chars_max);
    (part(expected), part(actual))
}

/// The number of equal characters at the start of two texts.
fn common_start(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

fn part(text: &str, difference: usize, chars_max: usize) -> String {
    let length = text.chars().count();
    if length <= chars_max {
        return text.to_owned();
    }
    let start = difference.saturating_sub(BEFORE).min(length.saturating_sub(PART));
    let end = (start + PART).min(length);
    let shown: String = text.chars().skip(start).take(PART).collect();
    let mark = |is_cut| if is_cut { "…" } else { "" };
    format!("{}{shown}{} ({length} characters)", mark(start > 0), mark(end < length))
}

fn pair_of_lines(
    text: &mut String,
    pair: (Option<&String>, Option<&String>),
    is_equal: bool,
    column: usize,
) {
    let one = |line: &str| part(line, 0, LINE_MAX);
    match pair {
        (Some(line), Some(same)) if is_equal => {
            wrapped(text, &Cell::plain(&one(line)), ' ', &Cell::plain(&one(same)), column);
        }
        (Some(old), Some(new)) => {
            let (old, new) = parts(old, new, LINE_MAX);
            let (old, new) = differing(&old, &new);
            wrapped(text, &old, '|', &new, column);
        }
        (Some(old), None) => {
            wrapped(text, &Cell::marked(&one(old)), '<', &Cell::plain(""), column);
        }
        (None, Some(new)) => {
            wrapped(text, &Cell::plain(""), '>', &Cell::marked(&one(new)), column);
        }
        (None, None) => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "a long comparison is cut short")]
fn now() -> Instant {
    Instant::now()
}

/// A line whose characters are marked if they differ.
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

/// Writes a row, and a row of carets below it if parts of it differ.
fn row(text: &mut String, left: &Cell, mark: char, right: &Cell, column: usize) {
    let padding = " ".repeat(column - left.0.len().min(column));
    // Writing to a `String` cannot fail.
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

/// The characters, with the different ones in a style.
fn shown(cell: &Cell, style: Style) -> String {
    let mut text = String::new();
    let mut is_styled = false;
    for (character, differs) in &cell.0 {
        if *differs != is_styled {
            is_styled = *differs;
            let _ = if is_styled { write!(text, "{style}") } else { write!(text, "{style:#}") };
        }
        text.push(*character);
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
    fn carets_mark_differences() {
        let text = Differences::of_width(67)
            .side_by_side("a\nThe param is illegal.\nz", "a\nThe param is  illegal\nz");
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
    fn a_missing_line_and_an_extra_line_have_no_partner() {
        let text = Differences::of_width(67).side_by_side("a\nb\n", "b\nc\n");
        let plain = anstream::adapter::strip_str(&text).to_string();
        let marks: Vec<_> = plain.lines().skip(1).map(|line| line.chars().nth(35)).collect();
        assert_eq!(marks, [Some('<'), Some(' '), Some('>')]);
    }
}
