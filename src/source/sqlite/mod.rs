//! SQLite as a source: one file, opened read-only when first asked.
//!
//! A file that is replaced while we run, as `tfo-mcp demo` does, is noticed with the next statement.

mod binds;
mod bounds;
mod catalog;
mod decode;
mod error;
mod explain;
mod present;
mod sealed;
mod session;
mod write;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _, sqlite::SqliteStatement,
};
use time::OffsetDateTime;

pub use write::Writer;

use self::{
    bounds::Bounds,
    catalog::{Catalog, Declarations},
    decode::Decoder,
    session::{Lease, Pool},
};
use super::{
    Author, Column, ColumnType, Limits, Ping, Plan, Query, Rows, Source, SourceError, SourceErrorKind,
    TableDescription, Tables,
    collector::Collector,
    confined::NOBODY,
    described::{self, Places},
    known::Known,
    plan::Shadows,
    rules::Rules,
};
use crate::sql::{
    Bind, Dialect, Statement,
    guard::{self, Scope},
    lex,
    tenancy::TableRules,
};

/// How long questions about the database itself may take.
const OWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Most lines of a plan that are read.
const PLANNED: usize = 2_000;

/// A SQLite database file.
pub struct Sqlite {
    pool: Pool,
    /// Sessions for statements of callers: narrower, and fewer, so that those cannot take all.
    callers: Pool,
    rules: Rules,
    catalog: Known<Catalog>,
}

impl Sqlite {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            pool: Pool::new(path.clone(), Bounds::DEFINITIONS),
            callers: Pool::new(path, Bounds::CALLERS),
            rules: Rules::default(),
            catalog: Known::default(),
        }
    }

    /// With what an operator is told to do when there is no such file.
    pub fn absent(self, hint: &str) -> Self {
        Self { pool: self.pool.absent(hint), callers: self.callers.absent(hint), ..self }
    }

    /// With a present that stands at this time, as `server.clock` sets it. Default: that of the machine.
    pub fn at(self, time: Option<OffsetDateTime>) -> Self {
        let layer = time.and_then(present::layer);
        Self { pool: self.pool.over(layer.clone()), callers: self.callers.over(layer), ..self }
    }

    /// Runs a statement in a session of `pool`; `began` tells whether it got one.
    async fn run(
        pool: &Pool,
        statement: &Statement,
        limits: Limits,
        catalog: Option<&Catalog>,
        began: &AtomicBool,
    ) -> Result<Rows, SourceError> {
        only_reads(&statement.sql)?;
        let mut lease = pool.acquire().await?;
        began.store(true, Ordering::Relaxed);
        let none = Declarations::default();
        let declarations = catalog.map_or(&none, |catalog| &catalog.declarations);
        match fetch(&mut lease, statement, limits, declarations).await {
            Ok(rows) if rows.truncated.is_some() => {
                lease.cut().await;
                Ok(rows)
            }
            Ok(rows) => {
                lease.finished();
                Ok(rows)
            }
            Err(error) => {
                let outgrown = lease.outgrown();
                lease.cut().await;
                Err(if outgrown { too_large() } else { error })
            }
        }
    }

    /// Runs a statement of our own.
    async fn own(&self, sql: &str, limits: Limits) -> Result<Rows, SourceError> {
        let statement = Statement { sql: sql.to_owned(), binds: Vec::new() };
        Self::run(&self.pool, &statement, limits, None, &AtomicBool::new(false)).await
    }

    async fn catalog(&self) -> Result<Arc<Catalog>, SourceError> {
        let file = self.pool.file()?;
        // A database without tables is about to get some.
        let rules = self.rules.get();
        let holds = |catalog: &Catalog| catalog.file == file && !catalog.tables.0.is_empty() && catalog.rules == rules;
        self.catalog.get(holds, || self.ask_catalog()).await
    }

    async fn ask_catalog(&self) -> Result<Catalog, SourceError> {
        let file = self.pool.file()?;
        let limits = Limits { timeout: OWN_TIMEOUT, max_rows: usize::MAX, max_bytes: usize::MAX };
        self.own(catalog::QUERY, limits).await.map(|rows| Catalog::of(rows, file, self.rules.get()))
    }

    async fn answer(&self, query: Query<'_>, began: &AtomicBool) -> Result<Rows, SourceError> {
        let Query { statement, limits, author, .. } = query;
        let catalog = self.catalog().await?;
        match author {
            Author::Definition { organization_id: None } => {
                Self::run(&self.pool, statement, limits, Some(&catalog), began).await
            }
            Author::Definition { organization_id: Some(organization_id) } => {
                let (scope, organization) = (scope(statement, &catalog), || organization(organization_id));
                let confined = catalog.confined.confine(Dialect::Sqlite, statement, &scope, organization)?;
                let statement = confined.as_ref().unwrap_or(statement);
                Self::run(&self.pool, statement, limits, Some(&catalog), began).await
            }
            Author::Caller { organization_id } => {
                let (guarded, _, catalog) = self.guarded(statement, organization_id).await?;
                Self::run(&self.callers, &guarded, limits, Some(&catalog), began).await
            }
        }
    }

    /// A caller's statement as it may run, what stands for tables in it, and what it was judged by.
    async fn guarded(
        &self,
        statement: &Statement,
        organization_id: &str,
    ) -> Result<(Statement, Shadows, Arc<Catalog>), SourceError> {
        let catalog = self.catalog().await?;
        let ((guarded, shadows), catalog) = match guarded(statement, organization_id, &catalog) {
            // The table may have been made since.
            Err(error) if error.kind == SourceErrorKind::Missing => {
                let catalog = self.catalog.again(&catalog, || self.ask_catalog()).await?;
                (guarded(statement, organization_id, &catalog)?, catalog)
            }
            other => (other?, catalog),
        };
        Ok((guarded, shadows, catalog))
    }

    async fn planned(&self, query: Query<'_>, organization_id: &str, began: &AtomicBool) -> Result<Plan, SourceError> {
        let (mut guarded, shadows, catalog) = self.guarded(query.statement, organization_id).await?;
        guarded.sql.insert_str(0, explain::EXPLAIN);
        let limits = Limits { max_rows: PLANNED, ..query.limits };
        let mut answer = Self::run(&self.callers, &guarded, limits, Some(&catalog), began).await?;
        let whole = Limits { timeout: OWN_TIMEOUT, max_rows: usize::MAX, max_bytes: usize::MAX };
        if !self.own(explain::STATISTICS, whole).await?.rows.is_empty() {
            let made = self.own(explain::COPY, whole).await?;
            let texts = made.rows.iter().filter_map(|row| row.first()?.as_str());
            let mut copy = self.callers.blank(texts).await?;
            answer = fetch_from(&mut copy, &guarded, limits, &Declarations::default()).await?;
        }
        Ok(explain::plan(&answer, shadows))
    }

    /// Whatever is asked for a call: until its deadline, or until the call is cancelled. `began`: it got a session.
    async fn asked<T>(
        &self,
        query: Query<'_>,
        began: &AtomicBool,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let result = tokio::select! {
            biased;
            () = query.cancel.cancelled() => {
                Err(SourceError::new(SourceErrorKind::Cancelled, "the caller cancelled; SQLite was told to stop"))
            }
            result = tokio::time::timeout(query.limits.timeout, work) => match result {
                // The progress handler was faster than the timer.
                Ok(Err(error)) if error.kind == SourceErrorKind::Timeout => {
                    Err(too_late(query.limits.timeout, End::Stopped))
                }
                Ok(answer) => answer,
                Err(_) if began.load(Ordering::Relaxed) => Err(too_late(query.limits.timeout, End::Told)),
                Err(_) => Err(too_late(query.limits.timeout, End::Waited)),
            }
        };
        match result {
            // What we know of the tables may be out of date.
            Err(error) if error.kind == SourceErrorKind::Missing => {
                self.catalog.doubt();
                Err(error)
            }
            other => other,
        }
    }
}

#[async_trait::async_trait]
impl Source for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError> {
        let began = AtomicBool::new(false);
        self.asked(query, &began, self.answer(query, &began)).await
    }

    async fn explain(&self, query: Query<'_>) -> Result<Plan, SourceError> {
        let Author::Caller { organization_id } = query.author else { return Err(SourceError::of_callers_alone()) };
        let began = AtomicBool::new(false);
        self.asked(query, &began, self.planned(query, organization_id, &began)).await
    }

    async fn tables(&self) -> Result<Arc<Tables>, SourceError> {
        let catalog = self.catalog().await?;
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
        let catalog = newer.await?;
        Ok(Arc::clone(&catalog.tables))
    }

    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        let limits = Limits { timeout: OWN_TIMEOUT, max_rows: usize::MAX, max_bytes: usize::MAX };
        let rows = self.own(catalog::QUERY, limits).await?;
        let keys = self.own(catalog::KEYS, limits).await?;
        let known = self.rules.get();
        Ok(described::tables(&rows, &Places::PLAIN, &keys, described::is_confinable(&known), &known))
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError> {
        only_reads(&statement.sql)?;
        let mut lease = self.pool.acquire().await?;
        let connection = lease.begin(OWN_TIMEOUT)?;
        let prepared = prepared(connection, &statement.sql).await;
        lease.finished();
        let wanted = prepared?.parameters().map_or(0, |parameters| parameters.right().unwrap_or_default());
        check_count(wanted, statement.binds.len())
    }

    async fn confined(&self, statement: &Statement) -> Result<(), SourceError> {
        let catalog = self.catalog().await?;
        let (scope, nobody) = (scope(statement, &catalog), || organization(NOBODY));
        match catalog.confined.confine(Dialect::Sqlite, statement, &scope, nobody)? {
            Some(confined) => self.prepare(&confined).await,
            None => Ok(()),
        }
    }

    async fn ping(&self) -> Result<Ping, SourceError> {
        let started = Instant::now();
        let limits = Limits { timeout: OWN_TIMEOUT, max_rows: 1, max_bytes: 1_000 };
        let rows = self.own("SELECT sqlite_version()", limits).await?;
        let version =
            rows.rows.first().and_then(|row| row.first()).and_then(|value| value.as_str()).unwrap_or_default();
        Ok(Ping { version: format!("SQLite {version}"), latency: started.elapsed() })
    }

    fn describe(&self) -> String {
        format!("SQLite at {}", self.pool.path().display())
    }

    fn know(&self, rules: &TableRules) {
        self.rules.set(rules);
    }

    async fn close(&self) {
        tokio::join!(self.pool.close(), self.callers.close());
    }
}

async fn fetch(
    lease: &mut Lease,
    statement: &Statement,
    limits: Limits,
    declarations: &Declarations,
) -> Result<Rows, SourceError> {
    fetch_from(lease.begin(limits.timeout)?, statement, limits, declarations).await
}

async fn fetch_from(
    connection: &mut sqlx::SqliteConnection,
    statement: &Statement,
    limits: Limits,
    declarations: &Declarations,
) -> Result<Rows, SourceError> {
    let started = Instant::now();
    let prepared = prepared(&mut *connection, &statement.sql).await?;
    let wanted = prepared.parameters().map_or(0, |parameters| parameters.right().unwrap_or_default());
    check_count(wanted, statement.binds.len())?;
    let decoders: Vec<Decoder> = prepared.columns().iter().map(|column| Decoder::of(column, declarations)).collect();
    let columns: Vec<Column> = prepared
        .columns()
        .iter()
        .zip(&decoders)
        .map(|(column, decoder)| Column { name: column.name().to_owned(), ty: decoder.column_type() })
        .collect();
    let query = prepared.query_with(binds::arguments(&statement.binds));
    let mut stream = connection.fetch(query);
    let mut collector = Collector::new(limits, columns);
    while let Some(row) = stream.try_next().await.map_err(|error| error::source_error(&error))? {
        if !collector.has_room() {
            break;
        }
        collector.breathe().await;
        let mut values = Vec::with_capacity(decoders.len());
        for (index, decoder) in decoders.iter().enumerate() {
            let raw = row.try_get_raw(index).map_err(|error| error::source_error(&error))?;
            values.push(decoder.read(raw));
        }
        if !collector.take(values) {
            break;
        }
    }
    drop(stream);
    let mut answer = collector.finish(Duration::ZERO);
    for (index, column) in answer.columns.iter_mut().enumerate() {
        let mut values = answer.rows.iter().filter_map(|row: &Vec<_>| row.get(index));
        match column.ty {
            ColumnType::Other => column.ty = ColumnType::seen(values).unwrap_or(ColumnType::Other),
            ColumnType::Timestamp if !decode::all_zoned(&mut values) => column.ty = ColumnType::LocalTimestamp,
            _ => {}
        }
    }
    Ok(Rows { elapsed: started.elapsed(), ..answer })
}

async fn prepared(connection: &mut sqlx::SqliteConnection, sql: &str) -> Result<SqliteStatement, SourceError> {
    let sql = AssertSqlSafe(sql).into_sql_str();
    connection.prepare(sql).await.map_err(|error| error::source_error(&error))
}

/// SQLite binds NULL to what it is not given, and does not mind being given too much; we do.
fn check_count(wanted: usize, given: usize) -> Result<(), SourceError> {
    if wanted == given {
        return Ok(());
    }
    let message = format!("the statement has {wanted} placeholders, but {given} values");
    Err(SourceError::new(SourceErrorKind::Invalid, message))
}

/// The driver would run statement after statement, and `ATTACH` and `PRAGMA` reach past a read-only file.
fn only_reads(sql: &str) -> Result<(), SourceError> {
    let tokens = lex::tokens(Dialect::Sqlite, sql)
        .map_err(|error| SourceError::new(SourceErrorKind::Invalid, error.to_string()))?;
    match lex::statements(&tokens).as_slice() {
        [] => Err(SourceError::new(SourceErrorKind::Invalid, "the statement is empty")),
        [statement] => {
            let begins = |word| statement.first().is_some_and(|token| token.is_word(word));
            if ["SELECT", "WITH", "VALUES", "EXPLAIN"].into_iter().any(begins) {
                return Ok(());
            }
            let word = statement.first().map_or("", |token| token.text);
            Err(SourceError::new(SourceErrorKind::Forbidden, format!("`{word}` is no query"))
                .hint("only SELECT, WITH and VALUES are run"))
        }
        _ => Err(SourceError::new(SourceErrorKind::Forbidden, "more than one statement")
            .hint("send the statements one by one")),
    }
}

/// The caller's statement with the organisation bound beside its own values, and what stands for tables in it.
fn guarded(
    statement: &Statement,
    organization_id: &str,
    catalog: &Catalog,
) -> Result<(Statement, Shadows), SourceError> {
    let scope = scope(statement, catalog);
    let guarded = guard::guard(Dialect::Sqlite, &statement.sql, &scope)
        .and_then(|guarded| {
            guard::all_have_places(Dialect::Sqlite, &statement.sql, statement.binds.len()).map(|()| guarded)
        })
        .map_err(|error| super::refused(&error))?;
    let mut binds = statement.binds.clone();
    if guarded.binds_organization {
        binds.push(organization(organization_id));
    }
    let shadows = Shadows::of(guarded.shadows, &catalog.tables.0, &catalog.rules);
    Ok((Statement { sql: guarded.sql, binds }, shadows))
}

/// UUIDs are stored in lower case; PostgreSQL would not mind how they are written, so neither do we.
fn organization(id: &str) -> Bind {
    Bind::Text(uuid::Uuid::parse_str(id).map_or(id.to_owned(), |id| id.to_string()))
}

fn scope<'a>(statement: &Statement, catalog: &'a Catalog) -> Scope<'a> {
    // Its only schema.
    static MAIN: BTreeMap<String, String> = BTreeMap::new();
    Scope {
        values: statement.binds.len(),
        organization_type: None,
        tables: &catalog.tables.0,
        withheld: &catalog.tables.1,
        declared: &catalog.declared,
        schemas: &MAIN,
        rules: &catalog.rules,
    }
}

/// What became of a statement whose time is up.
#[derive(Clone, Copy)]
enum End {
    /// It never had a session.
    Waited,
    /// It was told to stop; it will between two steps, and keeps its session until then.
    Told,
    Stopped,
}

fn too_late(timeout: Duration, end: End) -> SourceError {
    let (end, hint) = match end {
        End::Waited => {
            ("it waited for a free session all that time", "earlier statements still run; try again in a moment")
        }
        End::Told => ("it was told to stop", "ask for a shorter window or fewer groups"),
        End::Stopped => ("it was stopped", "ask for a shorter window or fewer groups"),
    };
    let message = format!("SQLite did not finish the statement within {}; {end}", crate::source::rounded(timeout));
    SourceError::new(SourceErrorKind::Timeout, message).hint(hint)
}

fn too_large() -> SourceError {
    SourceError::new(SourceErrorKind::Exhausted, "the statement needed more memory than it may take; it was stopped")
        .hint("sort, group or join fewer and shorter values: add conditions and a LIMIT inside")
}

/// A name as SQLite reads it literally.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
