//! What the times of a column are relative to, found from its values. Knows nothing of documents.

use crate::source::{ColumnType, Rows};

/// What the times of a column are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Utc,
    /// Readings of some clock, such as PostgreSQL's `timestamp`.
    Unknown,
}

/// The zone of a column's values, if they are times and agree in it. SQLite keeps times as text, so that the values are
/// looked at and not the type alone.
pub fn zone(rows: &Rows, column: usize) -> Option<Zone> {
    let ty = rows.columns.get(column)?.ty;
    if ty == ColumnType::LocalTimestamp {
        return Some(Zone::Unknown);
    }
    if !matches!(ty, ColumnType::Timestamp | ColumnType::Text | ColumnType::Other) {
        return None;
    }
    let mut zone = None;
    for value in rows.rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null()) {
        let text = value.as_str()?;
        // PostgreSQL has times without end, and years of more than four digits.
        let beyond = text.ends_with('Z') || text.ends_with("infinity");
        // SQLite's times without a zone are answered as they are stored.
        let timed = ty == ColumnType::Timestamp && (beyond || is_time(&text.replacen(' ', "T", 1)));
        if !is_time(text) && !timed {
            return None;
        }
        if text.ends_with("infinity") {
            continue;
        }
        let found = if text.ends_with('Z') { Zone::Utc } else { Zone::Unknown };
        if zone.is_some_and(|zone| zone != found) {
            return None;
        }
        zone = Some(found);
    }
    // A text without a zone may be anything.
    zone.filter(|zone| *zone == Zone::Utc || ty == ColumnType::Timestamp)
}

/// `2026-11-20T10:00:00` and what may follow it.
fn is_time(text: &str) -> bool {
    const FORM: &[u8; 19] = b"0000-00-00T00:00:00";
    text.len() >= FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form })
}
