//! PostgreSQL as a source.
//!
//! Definitions run on sessions that are read-only by default, with prepared statements that are kept: one round
//! trip a call. Callers' own SQL runs on sessions of its own, in an explicit read-only transaction, rewritten by
//! the tenant guard, and leaves nothing behind. Whoever stops waiting has the server stop too.

mod binds;
mod catalog;
mod connection;
mod decode;
mod error;
mod meaning;
mod pool;
mod run;
mod scalar;
mod write;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Executor as _, Row as _, postgres::PgConnectOptions};
use tokio_util::sync::CancellationToken;

pub use write::Writer;

use self::{
    catalog::Catalog,
    pool::{Lease, Pool},
    run::{Failure, Outcome},
};
use super::{Author, Limits, Ping, Query, Rows, Source, SourceError, SourceErrorKind, Tables};
use crate::sql::{
    Bind, Dialect, Statement,
    guard::{self, Scope},
};

/// What a PostgreSQL source is bound to.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:5432/database`, with the parameters that libpq knows.
    pub url: SecretString,
    /// Most sessions for definitions. Callers' own SQL has [`CALLER_SESSIONS`] more.
    pub max_connections: usize,
    /// How long to wait for a session to open.
    pub connect_timeout: Duration,
}

impl PostgresOptions {
    pub fn new(url: SecretString) -> Self {
        Self { url, max_connections: 32, connect_timeout: Duration::from_secs(5) }
    }
}

/// Sessions for callers' own SQL.
pub const CALLER_SESSIONS: usize = 4;

/// What is asked of a session between two callers. `DISCARD ALL` refuses to run inside a transaction.
const RESET: &[&str] = &["ROLLBACK", "DISCARD ALL"];

/// How long questions about the database itself may take.
const OWN_TIMEOUT: Duration = Duration::from_secs(10);

/// A PostgreSQL database. Connects when first asked.
pub struct Postgres {
    options: PgConnectOptions,
    definitions: Pool,
    callers: Pool,
    catalog: Mutex<Option<Arc<Catalog>>>,
}

impl Postgres {
    /// Fails only when the URL is not one.
    pub fn new(options: PostgresOptions) -> Result<Self, SourceError> {
        let PostgresOptions { url, max_connections, connect_timeout } = options;
        let options = connection::read_only(connection::parse(&url)?);
        // A caller's statement is prepared, run and forgotten.
        let uncached = options.clone().statement_cache_capacity(0);
        Ok(Self {
            definitions: Pool::new(options.clone(), connect_timeout, max_connections.max(1), &[]),
            callers: Pool::new(uncached, connect_timeout, CALLER_SESSIONS, RESET),
            options,
            catalog: Mutex::new(None),
        })
    }

    /// Runs a checked definition's statement, once more on a new session when the first one turns out to be lost
    /// or out of date. Nothing was written, so nothing can happen twice.
    async fn definition(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let Query { statement, limits, id, .. } = query;
        loop {
            let mut lease = self.definitions.acquire(connection::step(limits.timeout)).await?;
            lease.identify(id);
            let was_fresh = lease.is_fresh();
            match fetch_bounded(&mut lease, statement, limits).await {
                Err(Failure::Stale(error)) => {
                    lease.broken();
                    self.definitions.forget_idle();
                    if was_fresh {
                        return Err(error);
                    }
                }
                other => return finish(&mut lease, other),
            }
        }
    }

    /// Runs a caller's statement inside the tenant guard.
    async fn caller(&self, query: Query<'_>, organization_id: &str) -> Result<Rows, SourceError> {
        let Query { statement, limits, id, .. } = query;
        let catalog = self.catalog().await?;
        let guarded = guarded(statement, organization_id, &catalog)?;
        let mut lease = self.callers.acquire(connection::DEFAULT_TIMEOUT).await?;
        lease.identify(id);
        let begin =
            format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {}", connection::step(limits.timeout).as_millis(),);
        let work = async {
            let session = lease.session()?;
            session.connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
            run::fetch(&mut session.connection, &guarded, limits).await
        };
        match work.await {
            Err(Failure::Stale(error)) => {
                lease.broken();
                self.callers.forget_idle();
                Err(error)
            }
            other => finish(&mut lease, other),
        }
    }

    async fn catalog(&self) -> Result<Arc<Catalog>, SourceError> {
        let known = self.catalog.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(catalog) = known {
            return Ok(catalog);
        }
        let limits = Limits { timeout: OWN_TIMEOUT, max_rows: usize::MAX, max_bytes: usize::MAX };
        let statement = Statement { sql: catalog::QUERY.to_owned(), binds: Vec::new() };
        let cancel = &CancellationToken::new();
        let query = Query { statement: &statement, limits, author: Author::UNBOUND, cancel, id: None };
        let rows = self.within(OWN_TIMEOUT, self.definition(query)).await?;
        let catalog = Arc::new(Catalog::of(rows));
        // A database without tables is about to get some.
        if !catalog.tables.0.is_empty() {
            *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&catalog));
        }
        Ok(catalog)
    }

    /// Sets a deadline. Dropping the work ends its statement in the server too.
    async fn within<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        match tokio::time::timeout(timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(self.too_late(timeout)),
        }
    }

    fn too_late(&self, timeout: Duration) -> SourceError {
        let error = SourceError::new(
            SourceErrorKind::Timeout,
            format!("PostgreSQL did not finish the statement within {timeout:?}; it was cancelled"),
        );
        match [&self.definitions, &self.callers].into_iter().find(|pool| pool.is_exhausted()) {
            Some(pool) => error.hint(format!(
                "all {} sessions were in use: narrow the time range, or raise `database.postgres_max_conns`",
                pool.size()
            )),
            None => error.hint("narrow the time range or raise the timeout"),
        }
    }
}

#[async_trait::async_trait]
impl Source for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let Query { limits, author, cancel, .. } = query;
        let work = async {
            match author {
                Author::Definition { .. } => self.definition(query).await,
                Author::Caller { organization_id } => self.caller(query, organization_id).await,
            }
        };
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                Err(SourceError::new(SourceErrorKind::Cancelled, "the caller cancelled; PostgreSQL was told to stop"))
            }
            result = self.within(limits.timeout, work) => result,
        };
        if matches!(&result, Err(error) if error.kind == SourceErrorKind::Missing) {
            // What we know of the tables may be out of date.
            *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        Ok(Arc::clone(&self.catalog().await?.tables))
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError> {
        let work = async {
            let mut lease = self.definitions.acquire(connection::DEFAULT_TIMEOUT).await?;
            let session = lease.session()?;
            let prepared = run::prepare(&mut session.connection, statement).await;
            finish(&mut lease, prepared.map(|()| Outcome::Done(Rows::default()))).map(|_| ())
        };
        self.within(OWN_TIMEOUT, work).await
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        let work = async {
            let mut lease = self.definitions.acquire(connection::DEFAULT_TIMEOUT).await?;
            let started = Instant::now();
            let asked = match lease.session()?.connection.fetch_one("SHOW server_version").await {
                Ok(row) => row.try_get::<String, _>(0),
                Err(error) => Err(error),
            };
            match asked {
                Ok(version) => {
                    lease.finished();
                    Ok(Ping { version: format!("PostgreSQL {version}"), latency: started.elapsed() })
                }
                Err(error) => {
                    lease.broken();
                    Err(error::source_error(&error))
                }
            }
        };
        self.within(OWN_TIMEOUT, work).await
    }

    fn describe(&self) -> String {
        let database = self.options.get_database().unwrap_or(self.options.get_username());
        match self.options.get_socket() {
            Some(socket) => format!("PostgreSQL at {}/{database}", socket.display()),
            None => {
                let (host, port) = (self.options.get_host(), self.options.get_port());
                format!("PostgreSQL at {host}:{port}/{database}")
            }
        }
    }

    async fn close(&self) {
        self.definitions.close().await;
        self.callers.close().await;
    }
}

async fn fetch_bounded(lease: &mut Lease, statement: &Statement, limits: Limits) -> Result<Outcome, Failure> {
    let session = lease.session()?;
    session.bound(limits.timeout).await?;
    run::fetch(&mut session.connection, statement, limits).await
}

/// Says what became of the session, so that the pool knows what to do with it.
fn finish(lease: &mut Lease, result: Result<Outcome, Failure>) -> Result<Rows, SourceError> {
    match result {
        Ok(Outcome::Done(rows)) => {
            lease.finished();
            Ok(rows)
        }
        Ok(Outcome::Cut(rows)) => {
            lease.cut();
            Ok(rows)
        }
        Err(Failure::Refused(error)) => {
            lease.finished();
            Err(error)
        }
        Err(Failure::Midway(error)) => {
            lease.cut();
            Err(error)
        }
        Err(Failure::Stale(error)) => {
            lease.broken();
            Err(error)
        }
    }
}

/// The caller's statement with the organisation bound beside its own values.
fn guarded(statement: &Statement, organization_id: &str, catalog: &Catalog) -> Result<Statement, SourceError> {
    let scope = Scope {
        values: statement.binds.len(),
        organization_type: catalog.organization_is_uuid.then_some("uuid"),
        tables: &catalog.tables.0,
        schemas: &catalog.schemas,
    };
    let guarded = guard::guard(Dialect::Postgres, &statement.sql, &scope).map_err(|error| super::refused(&error))?;
    let mut binds = statement.binds.clone();
    if guarded.binds_organization {
        binds.push(Bind::Text(organization_id.to_owned()));
    }
    Ok(Statement { sql: guarded.sql, binds })
}

/// A name as PostgreSQL reads it literally.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
