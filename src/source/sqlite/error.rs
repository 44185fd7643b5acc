//! What went wrong in SQLite, in the kinds that callers tell apart.

use crate::source::{SourceError, SourceErrorKind};

/// An error of the driver or the library as ours.
pub(super) fn source_error(error: &sqlx::Error) -> SourceError {
    let message = match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    };
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    // The only text of SQLite that quotes a value, which may be that of a row.
    let message = if message.contains("JSON path") { "a JSON path is not valid".to_owned() } else { message };
    match code(error) {
        // https://sqlite.org/rescode.html
        Some(1) if message.starts_with("no such table") || message.starts_with("no such column") => {
            SourceError::new(SourceErrorKind::Missing, message)
        }
        Some(1 | 20 | 25) => {
            let hint = other_dialect(&message);
            let error = SourceError::new(SourceErrorKind::Invalid, message);
            hint.into_iter().fold(error, SourceError::hint)
        }
        Some(3 | 8 | 23) => SourceError::new(SourceErrorKind::Forbidden, message),
        Some(5 | 6) => SourceError::new(SourceErrorKind::Unavailable, message)
            .hint("another process writes this file just now; try again"),
        Some(18) => SourceError::new(SourceErrorKind::Exhausted, message)
            .hint("a value or the statement is longer than it may be here; take a part of it, as with substr()"),
        Some(7 | 13) => SourceError::new(SourceErrorKind::Exhausted, message),
        Some(9) => SourceError::new(SourceErrorKind::Timeout, message),
        Some(11 | 26) => SourceError::new(SourceErrorKind::Unavailable, message)
            .hint("the file is not an intact SQLite database; run `tfo-mcp demo` or restore it"),
        Some(10 | 14) => SourceError::new(SourceErrorKind::Unavailable, message),
        _ => SourceError::new(SourceErrorKind::Failed, message),
    }
}

/// What to write instead where a statement is probably one of another database.
fn other_dialect(message: &str) -> Option<&'static str> {
    let lower = message.to_lowercase();
    match lower.as_str() {
        "unrecognized token: \":\"" => Some("this is SQLite: write `CAST(id AS text)` instead of `id::text`"),
        _ if lower.starts_with("near \"ilike\"") => {
            Some("this is SQLite: write `LIKE`, which ignores the case of ASCII")
        }
        _ if lower.starts_with("no such function") => Some("this is SQLite, which has functions of its own"),
        _ if lower.contains("syntax error") => Some("this is SQLite, and its SQL is what is read"),
        _ => None,
    }
}

/// The primary result code.
pub(super) fn code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(database) = error else { return None };
    let extended: u32 = database.code()?.parse().ok()?;
    Some(extended & 0xff)
}
