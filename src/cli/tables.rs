//! Tables of answers for people: the comma-separated values in fences, in columns.
//!
//! A model and a pipe get the text as it is. On a terminal nobody counts commas.

use std::{borrow::Cow, io::IsTerminal};

use clap::ValueEnum;

use super::output::BOLD;

/// How tables in an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Tables {
    /// In columns on a terminal, as CSV in a pipe.
    #[default]
    Auto,
    /// In columns.
    Columns,
    /// As CSV, as a model reads them.
    Csv,
}

/// Longest cell in columns, in characters; the last column is whole.
const CELL: usize = 60;

impl Tables {
    /// A text as it is written to standard output.
    pub(super) fn of(self, text: &str) -> Cow<'_, str> {
        let columns = match self {
            Self::Auto => std::io::stdout().is_terminal(),
            Self::Columns => true,
            Self::Csv => false,
        };
        if columns { in_columns(text).into() } else { text.into() }
    }
}

/// Every fence of CSV as a table; everything else as it is.
fn in_columns(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let fence: String = line.chars().take_while(|c| *c == '`').collect();
        if fence.len() < 3 || line.get(fence.len()..) != Some("csv") {
            out += line;
            out.push('\n');
            continue;
        }
        let rows: Vec<Vec<String>> = lines.by_ref().take_while(|line| *line != fence).map(record).collect();
        out += &table(&rows);
    }
    out
}

/// The cells of a line (RFC 4180, one line a row).
fn record(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => push(&mut cells, '"'),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    cells
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}

/// Columns of numbers end at the right, all others begin at the left.
fn table(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().enumerate().map(|(n, cell)| cut(cell, n + 1 == count)).collect()).collect();
    let cell = |row: usize, column: usize| {
        rows.get(row).and_then(|row: &Vec<String>| row.get(column)).map_or("", String::as_str)
    };
    let column = |column: usize| {
        let width = (0..rows.len()).map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
        let mut values = (1..rows.len()).map(|row| cell(row, column)).filter(|cell| !cell.is_empty()).peekable();
        let numbers = values.peek().is_some() && values.all(|cell| cell.parse::<f64>().is_ok());
        (width, numbers)
    };
    let columns: Vec<(usize, bool)> = (0..count).map(column).collect();
    let mut out = String::new();
    for row in 0..rows.len() {
        let cells = columns.iter().enumerate().map(|(n, (width, numbers))| match numbers {
            true => format!("{:>width$}", cell(row, n)),
            false => format!("{:width$}", cell(row, n)),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        out += &if row == 0 { format!("  {BOLD}{line}{BOLD:#}\n") } else { format!("  {line}\n") };
    }
    out
}

fn cut(cell: &str, whole: bool) -> String {
    match cell.char_indices().nth(CELL) {
        Some((end, _)) if !whole => format!("{}…", cell.get(..end).unwrap_or_default()),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_they_were_written() {
        for (line, cells) in [
            ("a,b", &["a", "b"][..]),
            ("\"a,b\",\"say \"\"x\"\"\"", &["a,b", "say \"x\""]),
            (",", &["", ""]),
            ("", &[""]),
        ] {
            assert_eq!(record(line), cells);
        }
    }

    #[test]
    fn a_fence_becomes_columns_and_the_rest_stays() {
        let text = "## Slow\n````csv\nservice,p95 (ms)\ncheckout,\"1200\"\nweb,7\n````\nend\n```json\n{}\n```";
        let shown = anstream::adapter::strip_str(&in_columns(text)).to_string();
        assert_eq!(
            shown,
            "## Slow\n  service   p95 (ms)\n  checkout      1200\n  web              7\nend\n```json\n{}\n```\n"
        );
    }
}
