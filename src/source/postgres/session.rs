//! One session: what it was found to be, and the bounds that each statement gets on it.
//!
//! What the startup message asked for is looked at afterwards. A session that has it, and carries our mark, is our
//! own, and keeps its prepared statements. Otherwise a pooler stands between: the next statement may run on another
//! backend, with settings and prepared statements of somebody else. In both, a statement runs in a read-only transaction
//! that brings its bounds along and is rolled back: what the statement, or a function or view that it asks, sets, locks or
//! makes is gone before the next one. That costs a round trip before the statement, and one after the answer.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use super::{
    connection::{self, DEFAULT_TIMEOUT_SHOWN, MARK, Opening},
    error::{self, source_error},
    migration::SCHEMA,
    run::Failure,
    signature::Transaction,
};
use crate::source::{SourceError, SourceErrorKind};

/// What is between here and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Nothing: the session is ours alone.
    Direct,
    /// A pooler, or something else that does not pass on what a session is started with.
    Pooled,
}

/// What a statement is bounded with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub timeout: Duration,
    /// Whose rows the guard shows it; none of anybody's without.
    pub organization_id: Option<&'a str>,
}

/// One session of the server.
pub(super) struct Session {
    pub connection: PgConnection,
    pub path: Path,
    /// The server's process, to cancel its statement. Behind a pooler it is known inside a transaction only.
    pub process: Option<i32>,
    /// Whether it has not run a statement yet: an error of a fresh session is not cured by another one.
    pub fresh: bool,
    pub idle_since: Instant,
    mark: String,
    in_transaction: bool,
}

/// Settings of a session that a startup message can be robbed of, as they stand for a transaction.
const LOCAL: &str = "SET LOCAL idle_in_transaction_session_timeout = 60000; SET LOCAL standard_conforming_strings = on; \
     SET LOCAL IntervalStyle = iso_8601; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL TimeZone = 'UTC'; \
     SET LOCAL extra_float_digits = 2; ";

/// Where a transaction goes back to when a statement is prepared in another way ([`again`]).
pub(super) const UNTRIED: &str = "SAVEPOINT tfo";

/// A transaction as [`super::signature`] names it.
const WHO: &str = "SELECT pg_catalog.pg_backend_pid()::text, \
     (EXTRACT(EPOCH FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint::text";

impl Session {
    /// Opens a session and looks at it. `pooled`: a pooler has been noticed before.
    pub async fn open(how: &Opening, pooled: bool) -> Result<Self, SourceError> {
        let mark = Uuid::new_v4().simple().to_string();
        let connection = match how.started_as(&mark).connect().await {
            Err(error) if error::refuses_startup(&error) => how.bare().connect().await,
            other => other,
        };
        let connection = connection.map_err(|error| source_error(&error))?;
        let mut session = Self {
            connection,
            path: Path::Pooled,
            process: None,
            fresh: true,
            idle_since: Instant::now(),
            mark,
            in_transaction: false,
        };
        let seen = session.look().await.map_err(|error| source_error(&error))?;
        if !pooled && seen.is_as_started(&session.mark) {
            session.path = Path::Direct;
            session.process = seen.process;
        } else {
            session.prove_transactions().await?;
        }
        seen.judge(how.guard.is_some())?;
        if how.guard.is_some() {
            session.prove_guard(how).await?;
        }
        Ok(session)
    }

    /// A transaction holds what it was begun with, or nothing can be asked of this source.
    async fn prove_transactions(&mut self) -> Result<(), SourceError> {
        let bounds = Bounds { timeout: Duration::from_secs(10), organization_id: None };
        let proof = async {
            self.begin(&bounds, false).await?;
            let seen = self.look().await?;
            self.end(false).await?;
            Ok::<_, sqlx::Error>(seen)
        };
        let why = match proof.await {
            Ok(seen) if seen.is_bounded() => return Ok(()),
            Ok(_) => "a transaction that begins as read-only does not stay so".to_owned(),
            Err(error) => source_error(&error).message,
        };
        let message =
            format!("a pooler in front of PostgreSQL takes no bounds for a session, and none for a transaction: {why}");
        Err(SourceError::new(SourceErrorKind::Unavailable, message)
            .hint("use `pool_mode = transaction` or `session`, or connect to PostgreSQL itself"))
    }

    /// The guard knows our key, or nothing is asked of it.
    async fn prove_guard(&mut self, how: &Opening) -> Result<(), SourceError> {
        let nobody = Uuid::nil().to_string();
        let bounds = Bounds { timeout: Duration::from_secs(10), organization_id: Some(&nobody) };
        let ready = self.ready(&bounds, how).await;
        let proof = async {
            ready?;
            texts(&mut self.connection, format!("SELECT {SCHEMA}.organization()")).await?;
            self.end(false).await?;
            Ok::<(), Failure>(())
        };
        proof.await.map_err(Failure::into_error)
    }

    /// Makes the session ready for one statement: begins the transaction that brings its bounds along.
    pub async fn ready(&mut self, bounds: &Bounds<'_>, how: &Opening) -> Result<(), Failure> {
        let transaction = self.begin(bounds, how.guard.is_some()).await?;
        if let (Some(guard), Some(organization_id)) = (&how.guard, bounds.organization_id) {
            let signed = guard.sign(organization_id, &transaction)?;
            let sql = format!("SET LOCAL tfo.organization = '{signed}'; {UNTRIED}");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Begins a read-only transaction, in which the server itself ends statements a little after their limit, should this
    /// process not be there to do it; one round trip.
    async fn begin(&mut self, bounds: &Bounds<'_>, guarded: bool) -> Result<Transaction, sqlx::Error> {
        self.in_transaction = true;
        let timeout = connection::step(bounds.timeout).as_millis();
        let local = if self.path == Path::Pooled { LOCAL } else { "" };
        let names = if guarded { format!("SET LOCAL search_path = {SCHEMA}; ") } else { String::new() };
        let sql = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {timeout}; {local}{names}{UNTRIED}; {WHO}");
        let mut found = texts(&mut self.connection, sql).await?.into_iter().flatten();
        let process = found.next().and_then(|text| text.parse().ok());
        let (Some(process), Some(began)) = (process, found.next()) else {
            return Err(sqlx::Error::Protocol("the server does not say which transaction this is".into()));
        };
        self.process = Some(process);
        Ok(Transaction { process, began })
    }

    pub fn is_clean(&self) -> bool {
        !self.in_transaction
    }

    /// Leaves nothing of a statement behind for the next one: what it set, and what it prepared where that would be
    /// somebody else's next. Rolled back, not committed, so that settings are too.
    pub async fn end(&mut self, forget: bool) -> Result<(), sqlx::Error> {
        if forget || self.path == Path::Pooled {
            self.connection.clear_cached_statements().await?;
        }
        if self.in_transaction {
            // Locks of a session and statements that it has prepared are no part of its transaction. One that was prepared by
            // a statement may have the name of one of the driver's, and would answer in its place.
            let sql = "ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()::text, \
                 (EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql))::text";
            let found = texts(&mut self.connection, sql.to_owned()).await?;
            // Behind a pooler they may be somebody else's, and nothing that is kept could be mistaken for them.
            if self.path == Path::Direct && found.last() != Some(&Some("false".to_owned())) {
                return Err(sqlx::Error::Protocol("a statement has prepared others in its session".into()));
            }
            self.in_transaction = false;
        }
        match self.path {
            Path::Pooled => self.process = None,
            Path::Direct if forget => {
                sqlx::raw_sql("DISCARD ALL").execute(&mut self.connection).await?;
            }
            Path::Direct => {}
        }
        Ok(())
    }

    /// Whether a session that has rested is still the one that we started.
    pub async fn is_still_ours(&mut self) -> Result<bool, sqlx::Error> {
        let sql = format!("SELECT pg_catalog.pg_backend_pid()::text, pg_catalog.current_setting('{MARK}', true)");
        let found = texts(&mut self.connection, sql).await?;
        let process = self.process.map(|process| process.to_string());
        Ok(found == [process, Some(self.mark.clone())])
    }

    async fn look(&mut self) -> Result<Seen, sqlx::Error> {
        let sql = format!(
            "SELECT pg_catalog.pg_backend_pid()::text, pg_catalog.current_setting('{MARK}', true), \
             pg_catalog.current_setting('transaction_read_only'), pg_catalog.current_setting('statement_timeout'), \
             pg_catalog.current_setting('standard_conforming_strings'), pg_catalog.current_setting('IntervalStyle'), \
             pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('client_encoding'), \
             (EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{SCHEMA}'))::text"
        );
        let mut found = texts(&mut self.connection, sql).await?.into_iter();
        let mut next = || found.next().flatten().unwrap_or_default();
        Ok(Seen {
            process: next().parse().ok(),
            mark: next(),
            settings: std::array::from_fn(|_| next()),
            encoding: next(),
            has_guard: next() == "true",
        })
    }
}

/// What a session says of itself.
struct Seen {
    process: Option<i32>,
    mark: String,
    /// Read-only, time limit, form of strings, form of intervals, time zone.
    settings: [String; 5],
    encoding: String,
    has_guard: bool,
}

impl Seen {
    fn is_bounded(&self) -> bool {
        self.settings == ["on", DEFAULT_TIMEOUT_SHOWN, "on", "iso_8601", "UTC"]
    }

    fn is_as_started(&self, mark: &str) -> bool {
        self.mark == mark && self.is_bounded()
    }

    /// Whether the database is one that can be asked, with or without a key.
    fn judge(&self, has_key: bool) -> Result<(), SourceError> {
        let refused =
            |message: &str, hint: &str| Err(SourceError::new(SourceErrorKind::Unavailable, message).hint(hint));
        match (self.has_guard, has_key) {
            (true, false) => refused(
                "the database has a guard, and this server has no key for it",
                "set {guard_key} to the guard's key",
            ),
            (false, true) => refused(
                "`guard_key` is set, and the database has no guard",
                "make it with `tfo-mcp migrate platform --guard`, or take the setting away",
            ),
            _ if self.encoding != "UTF8" => {
                refused("the session does not speak UTF-8", "let the pooler pass `client_encoding` on")
            }
            _ => Ok(()),
        }
    }
}

/// Makes a transaction good for another attempt after an error.
pub(super) async fn again(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT tfo").execute(connection).await.map(drop)
}

/// The first row of what statements answer, as texts. They are sent as one message without values.
pub(super) async fn texts(connection: &mut PgConnection, sql: String) -> Result<Vec<Option<String>>, sqlx::Error> {
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?;
    (0..row.len()).map(|index| row.try_get(index)).collect()
}
