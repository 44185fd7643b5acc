//! PostgreSQL as a source.
//!
//! Every statement runs in a read-only transaction that brings its bounds along and is rolled back ([`session`]): a round
//! trip before it, and one after the answer. Those of definitions keep their prepared statements, unless a pooler stands
//! between. Callers' own SQL runs on sessions of its own, rewritten by the tenant guard. Whoever stops waiting has the
//! server stop too.

mod as_text;
mod binds;
mod catalog;
mod connection;
mod decode;
mod error;
mod explain;
mod meaning;
pub mod migration;
mod pool;
mod remarks;
mod run;
mod scalar;
mod session;
mod signature;
mod write;

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::Value;
use sqlx::{AssertSqlSafe, postgres::PgConnectOptions};

pub use signature::GuardKey;
pub use write::Writer;

use self::{
    catalog::Catalog,
    connection::Opening,
    pool::{Lease, Pool},
    run::{Failure, Outcome},
    session::{Bounds, Path},
};
use super::{
    Author, Limits, Ping, Plan, Query, QueryId, Remark, Rows, SettingNames, Source, SourceError, SourceErrorKind,
    TableDescription, Tables, confined::NOBODY, described, known::Known, plan::Shadows, rules::Rules,
};
use crate::sql::{Bind, Dialect, Statement, guard, tenancy::TableRules};

/// What a PostgreSQL source is bound to.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:5432/database`, with the parameters that libpq knows.
    pub url: SecretString,
    /// Most sessions for definitions. Callers' own SQL has [`CALLER_SESSIONS`] more.
    pub max_connections: usize,
    /// How long to wait for a session to open.
    pub connect_timeout: Duration,
    /// The key of the guard in the database, where there is one.
    pub guard_key: Option<SecretString>,
    pub names: SettingNames,
}

impl PostgresOptions {
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            max_connections: 32,
            connect_timeout: Duration::from_secs(5),
            guard_key: None,
            names: SettingNames::default(),
        }
    }
}

/// Sessions for callers' own SQL: as many heavy statements of theirs can run at once.
pub const CALLER_SESSIONS: usize = 2;

/// How often a statement may meet the name of another's prepared statement. The driver counts its names up, so that
/// the next one is free sooner or later.
const COLLISIONS: usize = 256;

/// How long questions about the database itself may take.
const OWN_TIMEOUT: Duration = Duration::from_secs(10);

/// A PostgreSQL database. Connects when first asked.
pub struct Postgres {
    options: PgConnectOptions,
    has_key: bool,
    names: SettingNames,
    definitions: Pool,
    callers: Pool,
    rules: Rules,
    catalog: Known<Catalog>,
}

impl Postgres {
    /// Fails only when the URL is not one, or the key of the guard is none.
    pub fn new(options: PostgresOptions) -> Result<Self, SourceError> {
        let PostgresOptions { url, max_connections, connect_timeout, guard_key, names } = options;
        let options = connection::parse(&url)?;
        let opening = Opening::new(options.clone(), guard_key.as_ref().map(GuardKey::new).transpose()?);
        Ok(Self {
            definitions: Pool::new(opening.clone(), connect_timeout, max_connections.max(1), false),
            callers: Pool::new(opening, connect_timeout, CALLER_SESSIONS, true),
            options,
            has_key: guard_key.is_some(),
            names,
            rules: Rules::default(),
            catalog: Known::default(),
        })
    }

    /// Runs a checked definition's statement.
    async fn definition(&self, query: Query<'_>, organization_id: Option<&str>) -> Result<Rows, SourceError> {
        let Query { statement, limits, id, .. } = query;
        let confined = match organization_id {
            // Where the views of the guard confine it, twice would be once too often.
            Some(organization_id) if !self.has_key => {
                let catalog = self.catalog().await?;
                let (scope, organization) = (catalog.scope(statement), || Bind::Text(organization_id.to_owned()));
                catalog.confined.confine(Dialect::Postgres, statement, &scope, organization)?
            }
            _ => None,
        };
        let bounds = Bounds { timeout: limits.timeout, organization_id };
        run(&self.definitions, bounds, id, Work::Fetch(confined.as_ref().unwrap_or(statement), limits)).await
    }

    /// Runs a caller's statement inside the tenant guard, or has the server explain what it would run; with what stands for
    /// tables in it.
    async fn caller(
        &self,
        query: Query<'_>,
        mode: Mode,
        organization_id: &str,
    ) -> Result<(Rows, Shadows), SourceError> {
        let Query { statement, limits, id, .. } = query;
        let bounds = Bounds { timeout: limits.timeout, organization_id: Some(organization_id) };
        let ask = async |catalog: &Catalog| {
            let (mut guarded, shadows) = guarded(statement, organization_id, catalog)?;
            let work = match mode {
                Mode::Run => Work::Fetch(&guarded, limits),
                Mode::Explain => {
                    guarded.sql.insert_str(0, explain::EXPLAIN);
                    Work::Explain(&guarded, Limits { max_rows: 1, ..limits })
                }
            };
            Ok::<_, SourceError>((run(&self.callers, bounds, id, work).await?, shadows))
        };
        let catalog = self.catalog().await?;
        match ask(&catalog).await {
            // The table may have been made, or changed, since it was looked at.
            Err(error) if error.kind == SourceErrorKind::Missing => {
                let newer = self.catalog.again(&catalog, || self.ask_catalog()).await?;
                if Arc::ptr_eq(&newer, &catalog) { Err(error) } else { ask(&newer).await }
            }
            other => other,
        }
    }

    /// A statement of our own, read whole.
    async fn own(&self, sql: &str) -> Result<Rows, SourceError> {
        let limits = Limits { timeout: OWN_TIMEOUT, max_rows: usize::MAX, max_bytes: usize::MAX };
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        let bounds = Bounds { timeout: OWN_TIMEOUT, organization_id: None };
        self.within(OWN_TIMEOUT, run(&self.definitions, bounds, None, Work::Fetch(&statement, limits))).await
    }

    async fn catalog(&self) -> Result<Arc<Catalog>, SourceError> {
        // A database without tables is about to get some.
        let rules = self.rules.get();
        let holds = |catalog: &Catalog| !catalog.tables.0.is_empty() && catalog.rules == rules;
        self.catalog.get(holds, || self.ask_catalog()).await
    }

    async fn ask_catalog(&self) -> Result<Catalog, SourceError> {
        let tables = self.own(catalog::QUERY).await?;
        Ok(Catalog::of(tables, &self.own(catalog::WITHHELD).await?, self.rules.get()))
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

    /// Whatever is asked for a call: until its deadline, or until the call is cancelled.
    async fn asked<T>(
        &self,
        query: Query<'_>,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let result = tokio::select! {
            biased;
            () = query.cancel.cancelled() => {
                Err(SourceError::new(SourceErrorKind::Cancelled, "the caller cancelled; PostgreSQL was told to stop"))
            }
            result = self.within(query.limits.timeout, work) => result,
        };
        if matches!(&result, Err(error) if error.kind == SourceErrorKind::Missing) {
            // What we know of the tables may be out of date.
            self.catalog.doubt();
        }
        result.map_err(|error| self.names.put(error))
    }

    fn too_late(&self, timeout: Duration) -> SourceError {
        let error = SourceError::new(
            SourceErrorKind::Timeout,
            format!(
                "PostgreSQL did not finish the statement within {}; it was told to stop",
                crate::source::rounded(timeout)
            ),
        );
        match () {
            () if self.definitions.is_exhausted() => error.hint(format!(
                "all {} sessions were in use: narrow the time range, or raise {}",
                self.definitions.size(),
                SettingNames::MAX_CONNECTIONS
            )),
            () if self.callers.is_exhausted() => {
                error.hint(format!("all {CALLER_SESSIONS} sessions for callers' own statements were in use: try again"))
            }
            () => error.hint("ask for a shorter window or fewer groups"),
        }
    }
}

#[async_trait::async_trait]
impl Source for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let work = async {
            match query.author {
                Author::Definition { organization_id } => self.definition(query, organization_id).await,
                Author::Caller { organization_id } => {
                    self.caller(query, Mode::Run, organization_id).await.map(|(rows, _)| rows)
                }
            }
        };
        self.asked(query, work).await
    }

    async fn explain(&self, query: Query<'_>) -> Result<Plan, SourceError> {
        let Author::Caller { organization_id } = query.author else { return Err(SourceError::of_callers_alone()) };
        let work = async {
            let (rows, shadows) = self.caller(query, Mode::Explain, organization_id).await?;
            let answer = rows.rows.first().and_then(|row| row.first());
            answer.and_then(|answer| explain::plan(answer, shadows)).ok_or_else(|| {
                SourceError::new(
                    SourceErrorKind::Failed,
                    "PostgreSQL explained the statement in a form that is not known",
                )
            })
        };
        self.asked(query, work).await
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        let catalog = self.catalog().await.map_err(|error| self.names.put(error))?;
        Ok(Arc::clone(&catalog.tables))
    }

    async fn tables_again(&self, seen: &Arc<Tables>) -> Result<Arc<Tables>, SourceError> {
        let newer = async {
            let catalog = self.catalog().await?;
            match Arc::ptr_eq(&catalog.tables, seen) {
                true => self.catalog.again(&catalog, || self.ask_catalog()).await,
                false => Ok(catalog),
            }
        };
        let catalog = newer.await.map_err(|error| self.names.put(error))?;
        Ok(Arc::clone(&catalog.tables))
    }

    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        let rows = self.own(catalog::QUERY).await.map_err(|error| self.names.put(error))?;
        let keys = self.own(catalog::KEYS).await.map_err(|error| self.names.put(error))?;
        let known = self.rules.get();
        Ok(described::tables(&rows, &catalog::DESCRIBED, &keys, described::is_confinable(&known), &known))
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError> {
        let bounds = Bounds { timeout: OWN_TIMEOUT, organization_id: None };
        let planned = self.within(OWN_TIMEOUT, run(&self.definitions, bounds, None, Work::Plan(statement))).await;
        planned.map(|_| ()).map_err(|error| self.names.put(error))
    }

    async fn confined(&self, statement: &Statement) -> Result<(), SourceError> {
        // Otherwise the views of the guard confine it.
        if self.has_key {
            return Ok(());
        }
        let confined = async {
            let catalog = self.catalog().await?;
            let (scope, nobody) = (catalog.scope(statement), || Bind::Text(NOBODY.to_owned()));
            catalog.confined.confine(Dialect::Postgres, statement, &scope, nobody)
        };
        match confined.await.map_err(|error| self.names.put(error))? {
            Some(confined) => self.prepare(&confined).await,
            None => Ok(()),
        }
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        let rows = self.own("SHOW server_version").await.map_err(|error| self.names.put(error))?;
        let version = rows.rows.first().and_then(|row| row.first()).and_then(Value::as_str).unwrap_or_default();
        Ok(Ping { version: format!("PostgreSQL {version}"), latency: rows.elapsed })
    }

    async fn remarks(&self) -> Result<Vec<Remark>, SourceError> {
        let asked = async {
            let path = self.within(OWN_TIMEOUT, self.definitions.acquire()).await?.path();
            let account = self.own(remarks::ACCOUNT).await?;
            let catalog = self.catalog().await?;
            Ok(remarks::remarks(path == Some(Path::Pooled), self.has_key, &account, &catalog))
        };
        asked.await.map_err(|error| self.names.put(error))
    }

    fn describe(&self) -> String {
        let database = self.options.get_database().unwrap_or(self.options.get_username());
        match self.options.get_socket() {
            Some(socket) => format!("PostgreSQL at {}/{database}", socket.display()),
            None => {
                let (host, port) = (self.options.get_host(), self.options.get_port());
                match host.contains(':') {
                    true => format!("PostgreSQL at [{host}]:{port}/{database}"),
                    false => format!("PostgreSQL at {host}:{port}/{database}"),
                }
            }
        }
    }

    fn know(&self, rules: &TableRules) {
        self.rules.set(rules);
    }

    async fn close(&self) {
        self.definitions.close().await;
        self.callers.close().await;
    }
}

/// What is asked of a session.
#[derive(Clone, Copy)]
enum Work<'a> {
    Fetch(&'a Statement, Limits),
    /// A statement that explains another, where the planner is left no choice.
    Explain(&'a Statement, Limits),
    Plan(&'a Statement),
}

/// Runs a statement, and once more on a new session when the first one turns out to be lost or out of date. Nothing
/// was written, so nothing can happen twice.
async fn run(pool: &Pool, bounds: Bounds<'_>, id: Option<&QueryId>, work: Work<'_>) -> Result<Rows, SourceError> {
    let mut collisions = 0;
    loop {
        let mut lease = pool.acquire().await?;
        let (was_fresh, path) = (lease.is_fresh(), lease.path());
        let outcome = async {
            let connection = lease.begin(&bounds, id).await?;
            match work {
                Work::Fetch(statement, limits) => run::fetch(connection, statement, limits).await,
                Work::Explain(statement, limits) => {
                    let fixed = format!("{}; {}", explain::FIXED, session::UNTRIED);
                    sqlx::raw_sql(AssertSqlSafe(fixed)).execute(&mut *connection).await?;
                    run::fetch(connection, statement, limits).await
                }
                Work::Plan(statement) => {
                    run::prepare(connection, statement).await.map(|()| Outcome::Done(Rows::default()))
                }
            }
        };
        match outcome.await {
            Err(Failure::Stale(error)) => {
                lease.broken();
                pool.forget_idle();
                if was_fresh {
                    return Err(error);
                }
            }
            Err(Failure::Collided(error)) => {
                collisions += 1;
                if path == Some(Path::Direct) {
                    lease.broken();
                    pool.notice_pooler();
                } else {
                    lease.finished();
                }
                if collisions > COLLISIONS {
                    return Err(error);
                }
            }
            other => return finish(&mut lease, other),
        }
    }
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
        Err(Failure::Stale(error) | Failure::Collided(error)) => {
            lease.broken();
            Err(error)
        }
    }
}

/// What becomes of a caller's statement.
#[derive(Clone, Copy)]
enum Mode {
    Run,
    Explain,
}

/// The caller's statement with the organisation bound beside its own values, and what stands for tables in it.
fn guarded(
    statement: &Statement,
    organization_id: &str,
    catalog: &Catalog,
) -> Result<(Statement, Shadows), SourceError> {
    let guarded = guard::guard(Dialect::Postgres, &statement.sql, &catalog.scope(statement))
        .and_then(|guarded| {
            guard::all_have_places(Dialect::Postgres, &statement.sql, statement.binds.len()).map(|()| guarded)
        })
        .map_err(|error| super::refused(&error))?;
    let mut binds = statement.binds.clone();
    if guarded.binds_organization {
        binds.push(Bind::Text(organization_id.to_owned()));
    }
    let shadows = Shadows::of(guarded.shadows, &catalog.tables.0, &catalog.rules);
    Ok((Statement { sql: guarded.sql, binds }, shadows))
}

/// A name as PostgreSQL reads it literally.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
