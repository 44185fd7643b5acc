//! Statements that add rows: a value is known by the column that stands in its place.

use std::ops::Range;

use regex::Captures;

use super::{MASK, extent, named, names};

/// The names of the columns, and where the values begin.
pub(super) const INSERT: &str = r"(?i)(?:insert|replace)\s+into\s+[^\s(]+\s*\((?<n>[^()\n]+)\)\s*values\s*\(";

/// The same where rows follow, a line each, as dumps of PostgreSQL have them.
pub(super) const COPY: &str = r"(?i)copy\s+[^\s(]+\s*\((?<n>[^()\n]+)\)\s+from\s+stdin[^\n]*\n";

/// Longest row, in bytes.
const LONGEST: usize = 16 << 10;

/// The values of the rows that columns tell of.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(whole), Some(names)) = (found.get(0), found.name("n")) else { return (Vec::new(), 0) };
    let (mut places, mut at) = (Vec::new(), whole.end());
    let Some(names) = columns(names.as_str()) else { return (places, at) };
    while let Some((values, end)) = row(text, at) {
        places.extend(cells(text, &names, &values));
        let rest = text.get(end..).unwrap_or_default();
        let next = rest.trim_start().strip_prefix(',').map(str::trim_start).and_then(|rest| rest.strip_prefix('('));
        let Some(next) = next else { return (places, end) };
        at = text.len() - next.len();
    }
    (places, at)
}

/// The names of columns, if one of them tells of secrets.
fn columns(names: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = names.split(',').map(|name| name.trim_matches([' ', '"', '`', '[', ']'])).collect();
    names.iter().any(|name| names::tells(name)).then_some(names)
}

/// Where the values of a row are masked.
fn cells(text: &str, names: &[&str], values: &[Range<usize>]) -> Vec<Range<usize>> {
    let cells = names.iter().zip(values).flat_map(|(name, value)| {
        let of = named::places(name, text.get(value.clone()).unwrap_or_default()).into_iter();
        of.map(|place| value.start + place.start..value.start + place.end)
    });
    cells.collect()
}

/// The values of the rows that follow a statement, to the line that ends them.
pub(super) fn copied(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let (Some(whole), Some(names)) = (found.get(0), found.name("n")) else { return (Vec::new(), 0) };
    let (mut places, mut at) = (Vec::new(), whole.end());
    let Some(names) = columns(names.as_str()) else { return (places, at) };
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        let said = line.trim_end_matches(['\n', '\r']);
        if said == "\\." || said.is_empty() {
            break;
        }
        let mut from = at;
        let value = |cell: &str| {
            let value = from..from + cell.len();
            from = value.end + 1;
            if matches!(cell, "\\N" | MASK) { value.start..value.start } else { value }
        };
        let values: Vec<Range<usize>> = said.split('\t').map(value).collect();
        places.extend(cells(text, &names, &values));
        at += line.len();
    }
    (places, at)
}

/// The values of a row whose bracket is open, without their quotes, and where it ends. What is no text is an empty value.
fn row(text: &str, at: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let (mut values, mut at, most) = (Vec::new(), at, at + LONGEST);
    loop {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        let rest = text.get(at..)?;
        let begins = at + usize::from(rest.starts_with(['E', 'e', 'N', 'n']) && rest.get(1..)?.starts_with('\''));
        let value = extent::of(text, begins).filter(|value| value.quoted);
        let after = value.as_ref().map_or(at, |value| value.end);
        values.push(value.map_or(at..at, |value| value.range));
        let stop = after + text.get(after..)?.find([',', ')'])?;
        at = stop + 1;
        if text.get(stop..)?.starts_with(')') {
            return Some((values, at));
        }
        if at > most {
            return None;
        }
    }
}
