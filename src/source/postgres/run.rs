//! Runs one statement on one session: prepare, bind, read rows up to the limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Row as _, SqlSafeStr as _, Statement as _, TypeInfo as _,
    ValueRef as _,
    postgres::{PgColumn, PgRow, PgStatement, PgTypeInfo},
};

use super::{
    as_text,
    binds::{self, Untyped},
    decode::Decoder,
    error,
    session::again,
};
use crate::{
    source::{Column, Limits, Rows, SourceError, SourceErrorKind, collector::Collector},
    sql::{Bind, Statement},
};

/// How a statement ended.
pub(super) enum Outcome {
    Done(Rows),
    /// Enough rows were read; the server may still be sending.
    Cut(Rows),
}

/// Why it did not.
pub(super) enum Failure {
    /// The session is whole.
    Refused(SourceError),
    /// What came could not be read; the server may still be sending.
    Midway(SourceError),
    /// Somebody else has a prepared statement of the same name: a pooler lends the backend to several.
    Collided(SourceError),
    /// The session is lost, or its prepared statements are out of date; another one may do better.
    Stale(SourceError),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Failure::Refused(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let ours = error::source_error(&error);
        match () {
            () if error::is_lost(&error) || error::is_outdated(&error) => Failure::Stale(ours),
            () if error::is_collision(&error) => Failure::Collided(ours),
            () => Failure::Refused(ours),
        }
    }
}

impl Failure {
    pub fn into_error(self) -> SourceError {
        match self {
            Failure::Refused(error) | Failure::Midway(error) | Failure::Collided(error) | Failure::Stale(error) => {
                error
            }
        }
    }
}

/// A prepared statement and how its columns are read.
struct Plan {
    statement: PgStatement,
    columns: Vec<Column>,
    decoders: Vec<Decoder>,
}

/// Parses and plans a statement in the server, without running it.
pub(super) async fn prepare(connection: &mut PgConnection, statement: &Statement) -> Result<(), Failure> {
    let plan = plan(connection, statement).await?;
    check_count(&statement.binds, parameters(&plan.statement))?;
    Ok(())
}

/// Runs a statement. One round trip when the session has run the same text before.
pub(super) async fn fetch(
    connection: &mut PgConnection,
    statement: &Statement,
    limits: Limits,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let plan = plan(connection, statement).await?;
    let arguments = binds::arguments(&statement.binds, parameters(&plan.statement))?;
    let query = plan.statement.query_with(arguments);
    let mut stream = connection.fetch(query);
    let mut collector = Collector::new(limits, plan.columns.clone());
    while let Some(row) = stream.try_next().await? {
        if !collector.has_room() {
            break;
        }
        collector.breathe().await;
        if !collector.take(read(&row, &plan)?) {
            break;
        }
    }
    let rows = collector.finish(started.elapsed());
    let ended = rows.truncated.is_none() || ends_soon(&mut stream).await;
    Ok(if ended { Outcome::Done(rows) } else { Outcome::Cut(rows) })
}

/// Whether the few rows that remain are here already. To read them is cheaper than to cancel the statement and open
/// another session.
async fn ends_soon<E>(stream: &mut (impl futures::Stream<Item = Result<PgRow, E>> + Unpin)) -> bool {
    let mut budget = REST_BYTES;
    let rest = async {
        while let Ok(Some(row)) = stream.try_next().await {
            let size = (0..row.len()).filter_map(|index| row.try_get_raw(index).ok()?.as_bytes().ok().map(<[u8]>::len));
            match budget.checked_sub(size.sum::<usize>() + 100) {
                Some(left) => budget = left,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(REST_TIME, rest).await.unwrap_or(false)
}

/// How much is read of what nobody asked for.
const REST_BYTES: usize = 256 * 1024;
const REST_TIME: Duration = Duration::from_millis(5);

async fn plan(connection: &mut PgConnection, statement: &Statement) -> Result<Plan, Failure> {
    match prepared(connection, statement).await {
        Err(ParseError::Driver(error)) if error::is_unknown_type(&error) => {
            let sql = as_text::around_unknown(connection, statement).await?;
            let statement = Statement { sql, binds: statement.binds.clone() };
            let prepared = prepared(connection, &statement).await?;
            read_by(connection, &statement, prepared).await
        }
        other => read_by(connection, statement, other?).await,
    }
}

/// Chooses how the columns are read; those that are not come as text.
async fn read_by(
    connection: &mut PgConnection,
    statement: &Statement,
    mut prepared: PgStatement,
) -> Result<Plan, Failure> {
    let unread = |column: &PgColumn| Decoder::of(column.type_info()).is_none();
    if prepared.columns().iter().any(unread) {
        let columns: Vec<_> = prepared.columns().iter().map(|column| (column.name(), unread(column))).collect();
        let sql = as_text::around(&statement.sql, &columns)?;
        let statement = Statement { sql, binds: statement.binds.clone() };
        prepared = self::prepared(connection, &statement).await?;
    }
    let mut columns = Vec::with_capacity(prepared.columns().len());
    let mut decoders = Vec::with_capacity(prepared.columns().len());
    for column in prepared.columns() {
        let decoder = Decoder::of(column.type_info()).ok_or_else(|| unreadable(column.name(), column.type_info()))?;
        columns.push(Column { name: column.name().to_owned(), ty: decoder.column_type() });
        decoders.push(decoder);
    }
    Ok(Plan { statement: prepared, columns, decoders })
}

async fn prepared(connection: &mut PgConnection, statement: &Statement) -> Result<PgStatement, ParseError> {
    let again = async |connection: &mut PgConnection| again(connection).await.map_err(ParseError::Driver);
    let unsaid = |parsed: &Result<_, ParseError>| parsed.as_ref().is_err_and(error::is_indeterminate);
    let mut parsed = parse(connection, statement, &Untyped::Inferred).await;
    // `SELECT $1 IS NULL` tells nothing about the type of a NULL. Nothing is looked for in a statement that is understood.
    if unsaid(&parsed) {
        again(connection).await?;
        parsed = parse(connection, statement, &Untyped::tested(&statement.sql)).await;
    }
    if unsaid(&parsed) {
        again(connection).await?;
        parsed = parse(connection, statement, &Untyped::AsText).await;
    }
    parsed
}

pub(super) enum ParseError {
    Bind(SourceError),
    Driver(sqlx::Error),
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Bind(error) => error.into(),
            ParseError::Driver(error) => error.into(),
        }
    }
}

async fn parse(
    connection: &mut PgConnection,
    statement: &Statement,
    untyped: &Untyped,
) -> Result<PgStatement, ParseError> {
    let (types, letters) = binds::types(&statement.binds, untyped).map_err(ParseError::Bind)?;
    let text = binds::text(&statement.sql, &letters);
    let sql = AssertSqlSafe(Arc::<str>::from(text)).into_sql_str();
    connection.prepare_with(sql, &types).await.map_err(ParseError::Driver)
}

fn parameters(statement: &PgStatement) -> &[PgTypeInfo] {
    statement.parameters().and_then(|parameters| parameters.left()).unwrap_or_default()
}

fn check_count(binds: &[Bind], parameters: &[PgTypeInfo]) -> Result<(), SourceError> {
    binds::arguments(binds, parameters).map(|_| ())
}

fn read(row: &PgRow, plan: &Plan) -> Result<Vec<Value>, Failure> {
    let mut values = Vec::with_capacity(plan.decoders.len());
    for (index, decoder) in plan.decoders.iter().enumerate() {
        let raw = row.try_get_raw(index)?;
        let value = if raw.is_null() {
            Value::Null
        } else {
            let bytes = raw.as_bytes().map_err(sqlx::Error::Decode)?;
            decoder.read(bytes).ok_or_else(|| Failure::Midway(malformed(plan, index, &raw.type_info())))?
        };
        values.push(value);
    }
    Ok(values)
}

fn unreadable(column: &str, ty: &PgTypeInfo) -> SourceError {
    let message = format!("the column `{column}` has the type `{}`, which this server does not read", ty.name());
    SourceError::new(SourceErrorKind::Invalid, message).hint(format!("cast it: `{column}::text`"))
}

/// Mostly a row without a type of its own (`ROW(…)`) that holds a value of a type that is not read.
fn malformed(plan: &Plan, index: usize, ty: &PgTypeInfo) -> SourceError {
    let name = plan.columns.get(index).map_or("", |column| column.name.as_str());
    let message =
        format!("the column `{name}` has a value of the type `{}` in a form that this server does not read", ty.name());
    SourceError::new(SourceErrorKind::Failed, message).hint(format!("cast it: `{name}::text`"))
}
