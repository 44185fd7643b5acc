//! What a call asked of the databases: an entry for every statement that it sent, also for those that failed or that
//! nobody waited for. Filled in where statements are sent, read by whoever accounts for the call.
//!
//! It holds names, numbers and words; never a statement, a value or the text of an error.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Use;
use crate::source::{Plan, Query, QueryId, Rows, Source, SourceError, SourceErrorKind};

/// The ledger of one call.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    organizations: Vec<String>,
    entries: Vec<Entry>,
    uses: Vec<Use>,
    /// What is run has no argument for an organisation.
    names_none: bool,
}

/// A statement of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Logical name of the source.
    pub source: String,
    /// By what name the database knows the statement; none where it was not sent or has no name.
    pub query_id: Option<String>,
    /// Rows that were taken.
    pub rows: usize,
    pub elapsed: Duration,
    /// How it failed.
    pub error: Option<SourceErrorKind>,
    /// Whether the engine asked on its own behalf, for the names of organisations.
    pub aside: bool,
}

impl Ledger {
    /// The statements so far, in the order in which they ended.
    pub fn entries(&self) -> Vec<Entry> {
        self.book().entries.clone()
    }

    /// The organisations whose rows the call could read; mostly one.
    pub fn organizations(&self) -> Vec<String> {
        self.book().organizations.clone()
    }

    /// How the answers came about that may be kept, in the order in which that was known.
    pub fn uses(&self) -> Vec<Use> {
        self.book().uses.clone()
    }

    /// An answer of the call came about so.
    pub(super) fn used(&self, how: Use) {
        self.book().uses.push(how);
    }

    /// Whether a statement of a definition or a caller failed so far.
    pub(super) fn has_failures(&self) -> bool {
        self.book().entries.iter().any(|entry| entry.error.is_some() && !entry.aside)
    }

    /// The call may read the rows of an organisation.
    pub(super) fn may_read(&self, organization_id: &str) {
        let mut book = self.book();
        if !book.organizations.iter().any(|known| known == organization_id) {
            book.organizations.push(organization_id.to_owned());
        }
    }

    /// Whether what is run has an argument for an organisation.
    pub(super) fn takes_organisation(&self, takes: bool) {
        self.book().names_none = !takes;
    }

    /// Whether the call can name an organisation.
    pub(super) fn may_name(&self) -> bool {
        !self.book().names_none
    }

    /// Sends a statement of a definition or a caller.
    pub(super) async fn ask(&self, name: &str, source: &dyn Source, query: Query<'_>) -> Result<Rows, SourceError> {
        self.enter(name, source, query, false).await
    }

    /// Sends a statement of the engine's own.
    pub(super) async fn ask_aside(
        &self,
        name: &str,
        source: &dyn Source,
        query: Query<'_>,
    ) -> Result<Rows, SourceError> {
        self.enter(name, source, query, true).await
    }

    /// Has a statement of a caller explained.
    pub(super) async fn explain(&self, name: &str, source: &dyn Source, query: Query<'_>) -> Result<Plan, SourceError> {
        let mut open = self.open(name, query.limits.timeout, false);
        let result = source.explain(Query { id: Some(&open.id), ..query }).await;
        open.ended = Some((0, result.as_ref().err().map(|error| error.kind)));
        result
    }

    async fn enter(&self, name: &str, source: &dyn Source, query: Query<'_>, aside: bool) -> Result<Rows, SourceError> {
        let mut open = self.open(name, query.limits.timeout, aside);
        let result = source.query(Query { id: Some(&open.id), ..query }).await;
        open.ended = Some(match &result {
            Ok(rows) => (rows.rows.len(), None),
            Err(error) => (0, Some(error.kind)),
        });
        result
    }

    fn open<'a>(&'a self, name: &'a str, timeout: Duration, aside: bool) -> Open<'a> {
        let (id, started) = (QueryId::default(), Instant::now());
        Open { ledger: self, source: name, id, started, timeout, ended: None, aside }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement on its way; entered when it ends, or when nobody waits for it any more.
struct Open<'a> {
    ledger: &'a Ledger,
    source: &'a str,
    id: QueryId,
    started: Instant,
    timeout: Duration,
    ended: Option<(usize, Option<SourceErrorKind>)>,
    aside: bool,
}

/// How much earlier than its own deadline that of the call may end a statement: both are set from one clock, a few
/// instructions apart, and timers count milliseconds.
const SLACK: Duration = Duration::from_millis(5);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let (rows, error) = self.ended.unwrap_or_else(|| match elapsed + SLACK >= self.timeout {
            true => (0, Some(SourceErrorKind::Timeout)),
            false => (0, Some(SourceErrorKind::Cancelled)),
        });
        let (source, query_id, aside) = (self.source.to_owned(), self.id.get(), self.aside);
        self.ledger.book().entries.push(Entry { source, query_id, rows, elapsed, error, aside });
    }
}
