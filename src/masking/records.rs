//! Records that are written one below the other, a line a column, as psql does (`\x`).

use std::ops::Range;

use regex::Captures;

use super::named;

/// Before a record.
pub(super) const RECORD: &str = r"-\[ RECORD [0-9]+ \]";

/// The values of a record whose columns tell of secrets.
pub(super) fn places(text: &str, found: &Captures<'_>) -> (Vec<Range<usize>>, usize) {
    let Some(found) = found.get(0) else { return (Vec::new(), 0) };
    let rest = text.get(found.end()..).unwrap_or_default();
    let mut at = found.end() + rest.find('\n').map_or(rest.len(), |end| end + 1);
    let mut places = Vec::new();
    while let Some(line) = text.get(at..).and_then(|rest| rest.split_inclusive('\n').next()) {
        let Some((name, value)) = line.split_once('|').filter(|_| !line.starts_with('-')) else { break };
        let start = at + name.len() + 1 + value.len() - value.trim_start().len();
        let of = named::places(name.trim(), value.trim()).into_iter();
        places.extend(of.map(|place| start + place.start..start + place.end));
        at += line.len();
    }
    (places, at.min(text.len()))
}
