//! The way in: whatever a database answers, a command says or a service answers over HTTP passes here before anything of
//! ours sees it.
//!
//! Rows are held to the limits of their statement, whatever their source did. Their values stay as they were recorded,
//! because statements compare them: they are cleaned where they leave (`render`). What is said about a failure is a
//! stranger's text: one bounded line without hidden characters and without what lets somebody in.

use super::credential;
use crate::{
    source::{Limits, Rows, SourceError, Truncation},
    template::{clean, taken},
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

/// What a command said: its lines without what steers a terminal or hides text. What has the form of a
/// credential is masked where it leaves, like everything else.
pub(super) fn output(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let line = |line: &str| line.split('\t').map(clean).collect::<Vec<_>>().join("\t");
    // A line that was written over in place, as progress is, is what it was in the end.
    let last = |whole: &str| line(whole.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default());
    text.split('\n').map(last).collect::<Vec<_>>().join("\n")
}

/// How many lines of an output were written over in place, so that something of them is left out.
pub(super) fn written_over(text: &str) -> usize {
    let is_one = |line: &&str| {
        line.trim_end_matches('\r').rsplit_once('\r').is_some_and(|(before, _)| !before.trim().is_empty())
    };
    text.split('\n').filter(is_one).count()
}

/// What a stranger says of a failure.
pub(super) fn said(text: &str) -> String {
    credential::masked(&taken(text, MESSAGE)).into_owned()
}

/// Why there is none.
pub(super) fn error(error: SourceError) -> SourceError {
    SourceError { kind: error.kind, message: said(&error.message), hint: error.hint.as_deref().map(said) }
}
