//! Ours and a baseline, measured in turns within one run, as ratios.

use std::ops::RangeInclusive;
use std::time::Instant;

/// Ours and a baseline, measured in turns.
///
/// The speed of machines differs, and varies from minute to minute, so the figures of a round are
/// only compared with one another.
pub(crate) struct Comparison {
    what: &'static str,
    unit: &'static str,
    goal: Option<RangeInclusive<f64>>,
    ours: Vec<f64>,
    baseline: Vec<f64>,
}

impl Comparison {
    /// A comparison without rounds; `goal` is the range for the ratio of ours to the baseline.
    pub(crate) fn new(
        what: &'static str,
        unit: &'static str,
        goal: Option<RangeInclusive<f64>>,
    ) -> Self {
        Self { what, unit, goal, ours: Vec::new(), baseline: Vec::new() }
    }

    /// Adds a round.
    pub(crate) fn add(&mut self, ours: f64, baseline: f64) {
        self.ours.push(ours);
        self.baseline.push(baseline);
    }

    fn row(&self) -> [String; 6] {
        let ratios: Vec<f64> = self.ours.iter().zip(&self.baseline).map(|(o, b)| o / b).collect();
        let [min, ratio, max] = spread(&ratios);
        let with_unit = |figures| format!("{} {}", short(spread(figures)[1]), self.unit);
        let goal = self.goal.as_ref().map(|goal| {
            let bound = if goal.end().is_finite() {
                format!("<= {}", goal.end())
            } else {
                format!(">= {}", goal.start())
            };
            format!("{bound}, {}", if goal.contains(&ratio) { "met" } else { "MISSED" })
        });
        [
            self.what.to_owned(),
            with_unit(&self.ours),
            with_unit(&self.baseline),
            format!("{ratio:.2}"),
            format!("{min:.2} to {max:.2}"),
            goal.unwrap_or_default(),
        ]
    }
}

/// Prints `comparisons` as a table in Markdown.
#[expect(clippy::print_stdout, reason = "it is what a benchmark is run for")]
pub(crate) fn print(comparisons: &[Comparison]) {
    let head = ["what", "ours", "baseline", "ratio", "of the rounds", "target"];
    let mut rows = vec![head.map(str::to_owned), [const { String::new() }; 6]];
    rows.extend(comparisons.iter().map(Comparison::row));
    let widths = [0, 1, 2, 3, 4, 5]
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    println!();
    for (position, row) in rows.iter().enumerate() {
        let fill = if position == 1 { '-' } else { ' ' };
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let missing = width - cell.chars().count();
            line = format!("{line}| {cell}{} ", String::from(fill).repeat(missing));
        }
        println!("{line}|");
    }
    println!();
}

/// The least, the median and the greatest.
pub(crate) fn spread(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |position: usize| sorted.get(position).copied().unwrap_or(f64::NAN);
    [at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1))]
}

/// Three significant digits, or whole numbers.
fn short(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.2}"),
        ..100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// The clock.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
