//! The way in: whatever a database answers passes here before anything of ours sees it, and what a
//! service answers over HTTP, and so will the output of commands.
//!
//! Rows are held to the limits of their statement, whatever their source did. Their values stay as they were recorded,
//! because statements compare them: they are cleaned where they leave (`render`). What is said about a failure is a
//! stranger's text: one bounded line without hidden characters and without what lets somebody in.

use super::credential;
use crate::{
    source::{Limits, Rows, SourceError, Truncation},
    template::taken,
};

/// Longest text about a failure, in characters.
const MESSAGE: usize = 600;

/// The rows of an answer.
pub(super) fn rows(rows: Rows, limits: Limits) -> Rows {
    let mut rows = rows;
    if rows.rows.len() > limits.max_rows {
        rows.rows.truncate(limits.max_rows);
        rows.truncated = Some(Truncation::Rows);
    }
    rows
}

/// What a stranger says of a failure.
pub(super) fn said(text: &str) -> String {
    credential::masked(&taken(text, MESSAGE)).into_owned()
}

/// Why there is none.
pub(super) fn error(error: SourceError) -> SourceError {
    SourceError { kind: error.kind, message: said(&error.message), hint: error.hint.as_deref().map(said) }
}
