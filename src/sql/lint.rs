//! Findings in the statements of definitions, before any database sees them.
//!
//! `check` calls it with the text of a rendered template, its placeholders already in the form of the dialect.
//! It only warns authors early: databases enforce read-only, one statement and types by themselves, and a
//! statement that our parser does not know is at most a hint.

use std::ops::Range;

use super::Dialect;

/// What is odd about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in bytes of the statement; `None` when the whole statement is meant.
    pub range: Option<Range<usize>>,
}

/// The rules of the lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nothing to run.
    Empty,
    /// More than one statement.
    Several,
    /// A statement that writes, or is no query.
    Write,
    /// A result column that is only a bound value has no name of its own.
    Unnamed,
    /// A quote or a comment that does not end.
    Unclosed,
    /// Our parser does not understand it. Never more than a hint: the database may.
    Unparsed,
}

impl Rule {
    /// Whether the statement is certainly wrong, or only may be.
    pub const fn is_error(self) -> bool {
        !matches!(self, Rule::Unparsed)
    }
}

/// All findings in one statement.
pub fn lint(dialect: Dialect, sql: &str) -> Vec<Finding> {
    let _ = (dialect, sql);
    Vec::new()
}
