//! Charts of a terminal: columns for the one series that matters, a line of blocks for the others.

use crate::cli::output::{BAD, DIM, GOOD};

/// Eighths of a character cell.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Width of a column and of the gap to the next.
const WIDTH: usize = 4;

/// Above so many times the median of its first third a value is shown as bad.
const BAD_FACTOR: f64 = 3.0;

/// Columns `height` lines high, with the largest value on a left axis that is `margin` wide.
pub(super) fn columns(values: &[f64], height: usize, margin: usize, unit: &str) -> Vec<String> {
    let top = values.iter().copied().fold(0.0, f64::max);
    let label = |value: f64| format!("{:>margin$}", format!("{} {unit}", short(value)));
    let limit = limit(values);
    (0..height)
        .rev()
        .map(|line| {
            let axis = match line {
                line if line + 1 == height => label(top),
                0 => label(0.0),
                _ => " ".repeat(margin),
            };
            let cells: String = values.iter().map(|value| column(*value, top, line, height, limit)).collect();
            format!("{DIM}{axis} ┤{DIM:#}{cells}")
        })
        .collect()
}

fn column(value: f64, top: f64, line: usize, height: usize, limit: f64) -> String {
    let filled = if top > 0.0 { value / top * height as f64 } else { 0.0 };
    let here = (filled - line as f64).clamp(0.0, 1.0);
    let mut block = block(here);
    // A value that is not nothing is seen.
    if line == 0 && value > 0.0 && block == ' ' {
        block = '▁';
    }
    let text: String = std::iter::repeat_n(block, WIDTH - 1).chain([' ']).collect();
    paint(&text, value, limit)
}

/// One line of blocks, on the scale of its own largest value.
pub(super) fn line(values: &[f64]) -> String {
    let top = values.iter().copied().fold(0.0, f64::max);
    let limit = limit(values);
    let cell = |value: &f64| {
        let share = if top > 0.0 { value / top } else { 0.0 };
        // What is not nothing is seen.
        let block = if *value > 0.0 { block(share.max(0.125)) } else { ' ' };
        let text: String = std::iter::repeat_n(block, WIDTH - 1).chain([' ']).collect();
        paint(&text, *value, limit)
    };
    values.iter().map(cell).collect()
}

fn block(share: f64) -> char {
    let eighths = (share * 8.0).round().clamp(0.0, 8.0);
    BLOCKS.get(eighths as usize).copied().unwrap_or(' ')
}

fn paint(text: &str, value: f64, limit: f64) -> String {
    if value > limit { format!("{BAD}{text}{BAD:#}") } else { format!("{GOOD}{text}{GOOD:#}") }
}

/// The value above which a slot is bad: well above what was usual in the first third.
fn limit(values: &[f64]) -> f64 {
    let first = values.iter().take(values.len().div_ceil(3)).copied();
    let mut first: Vec<f64> = first.filter(|value| *value > 0.0).collect();
    first.sort_by(f64::total_cmp);
    first.get(first.len() / 2).map_or(f64::INFINITY, |median| median * BAD_FACTOR)
}

/// Marks under columns: `marks` are positions between 0 (begin) and 1 (end).
pub(super) fn marks(slots: usize, marks: &[(f64, &str)]) -> String {
    let width = slots * WIDTH;
    let mut cells: Vec<char> = vec![' '; width + 24];
    for (at, text) in marks {
        let start = (at.clamp(0.0, 1.0) * width as f64) as usize;
        for (cell, c) in cells.iter_mut().skip(start).zip(text.chars()) {
            *cell = c;
        }
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
}

/// A number with as many digits as help.
pub(super) fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 || value == 0.0 => super::prepare::group(value.round() as u64),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn columns_are_as_high_as_their_values() {
        let lines: Vec<String> = columns(&[0.0, 25.0, 50.0, 100.0], 2, 9, "ms").iter().map(|l| plain(l)).collect();
        assert_eq!(lines, ["   100 ms ┤            ███ ", "     0 ms ┤    ▄▄▄ ███ ███ "]);
        assert_eq!(plain(&line(&[1.0, 8.0])), "▁▁▁ ███ ");
        // No value, and values that are all nothing, are no reason to panic.
        assert_eq!((columns(&[], 1, 9, "ms").len(), plain(&line(&[0.0]))), (1, "    ".to_owned()));
    }

    #[test]
    fn marks_stand_under_their_slot() {
        assert_eq!(marks(4, &[(0.0, "10:00"), (0.5, "↑")]), "10:00   ↑");
    }
}
