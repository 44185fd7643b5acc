//! The outside world of data: one small trait over ClickHouse, PostgreSQL and SQLite.
//!
//! The engine asks for rows and gets columns with types and JSON values that mean the same on every backend,
//! or one of a few kinds of failure. Drivers' types never leave this folder.
//!
//! ## Values
//! | SQL | JSON |
//! |---|---|
//! | NULL | `null` |
//! | booleans | `true`, `false` |
//! | integers within ±(2^53 − 1) | number |
//! | larger integers | string of digits |
//! | floats | number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | decimals | string of digits, scale as stored |
//! | text, enums | string; bytes that are not UTF-8 become U+FFFD |
//! | timestamps | RFC 3339 in UTC with 3, 6 or 9 fraction digits, the fewest that lose nothing: `2026-11-20T10:00:00.000Z` |
//! | timestamps without a zone | the same without `Z`: what a clock showed, and nobody says which: `2026-11-20T10:00:00.000`; of SQLite the text that is stored |
//! | dates | `2026-11-20` |
//! | UUID | lower-case string with hyphens |
//! | arrays, tuples | array |
//! | maps, JSON | object; numbers in it that a double does not hold are strings of digits |
//! | types of PostgreSQL without a counterpart | string, as the database writes it |
//! | binary | string `\x` and hexadecimal digits |

mod address;
pub mod clickhouse;
mod collector;
mod confined;
mod described;
pub mod embedded;
mod json;
mod known;
mod plan;
pub mod postgres;
mod rules;
pub mod sqlite;
pub mod text;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use self::plan::{Found, MADE, Plan, RECURSION, Read, Step};
use crate::sql::{
    Dialect, Statement, TableColumns,
    guard::{GuardError, GuardErrorKind},
    tenancy::TableRules,
};

/// A connected (lazily) database.
#[async_trait::async_trait]
pub trait Source: Send + Sync {
    /// The SQL that it speaks.
    fn dialect(&self) -> Dialect;

    /// Runs one statement read-only within the limits. Dropping the future, the token or the deadline ends the
    /// statement in the database too.
    async fn query(&self, query: Query<'_>) -> Result<Rows, SourceError>;

    /// Plans a statement of a caller that may run, and does not run it. Whatever is refused to [`query`](Self::query) is
    /// refused here.
    async fn explain(&self, _query: Query<'_>) -> Result<Plan, SourceError> {
        Err(SourceError::new(SourceErrorKind::Failed, "this source does not say how it would run a statement"))
    }

    /// Tables and views of the bound database with their columns; found out once a minute at most.
    async fn tables(&self) -> Result<Arc<Tables>, SourceError>;

    /// The tables as they are now, for somebody who misses one in `seen`. A database is not asked again and again:
    /// what another has found since does, and within seconds of that the same.
    async fn tables_again(&self, _seen: &Arc<Tables>) -> Result<Arc<Tables>, SourceError> {
        self.tables().await
    }

    /// The tables that statements of callers may read, with types and comments, and without columns that nobody may
    /// see. Asked anew each time.
    async fn describe_tables(&self) -> Result<Vec<TableDescription>, SourceError> {
        let of = |(name, columns): (&String, &Vec<String>)| TableDescription {
            name: name.clone(),
            columns: columns
                .iter()
                .map(|column| ColumnDescription { name: column.clone(), ..Default::default() })
                .collect(),
            ..TableDescription::default()
        };
        Ok(self.tables().await?.0.iter().map(of).collect())
    }

    /// Parses and plans a statement without running it.
    async fn prepare(&self, statement: &Statement) -> Result<(), SourceError>;

    /// Plans a statement of a definition as it runs for an organisation: refuses what no condition on rows can bind to
    /// one, such as sums over organisations, and columns that are withheld.
    async fn confined(&self, _statement: &Statement) -> Result<(), SourceError> {
        Ok(())
    }

    /// Connects if need be and asks for the server's version.
    async fn ping(&self) -> Result<Ping, SourceError>;

    /// What it is bound to, without secrets: `ClickHouse at http://host:8123/telemetry`.
    fn describe(&self) -> String;

    /// What the database says about the account and the connection: which locks hold, and which do not.
    async fn remarks(&self) -> Result<Vec<Remark>, SourceError> {
        Ok(Vec::new())
    }

    /// Tells it what packs say of tables: whose their rows are, and what nobody may see. It knows what is shipped anyway.
    fn know(&self, _rules: &TableRules) {}

    /// Ends connections and children.
    async fn close(&self);
}

/// One statement and what it may cost.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub statement: &'a Statement,
    pub limits: Limits,
    /// Who wrote the statement.
    pub author: Author<'a>,
    pub cancel: &'a CancellationToken,
    /// Told by what name the database knows the statement, before it is sent.
    pub id: Option<&'a QueryId>,
}

/// By what name a database knows a statement: what its operator looks for. Known also of a statement that failed.
///
/// ClickHouse: the `query_id` in `system.query_log`. PostgreSQL: the process id of the session. SQLite: none.
#[derive(Debug, Default)]
pub struct QueryId(Mutex<Option<String>>);

impl QueryId {
    /// A statement that is tried again has the last name.
    fn set(&self, id: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.into());
    }

    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who wrote a statement decides how much it is trusted.
#[derive(Debug, Clone, Copy)]
pub enum Author<'a> {
    /// A checked definition, or a question of the server's own. Its call's organisation is named where the
    /// statement reads tenants' rows, for the locks of the databases; not where it is exempt (`tenant: none`).
    Definition { organization_id: Option<&'a str> },
    /// A caller. The statement runs in an explicit read-only transaction on a connection that is reset
    /// afterwards, and sees of each table with an `organization_id` column only the rows of `organization_id`.
    Caller { organization_id: &'a str },
}

impl Author<'_> {
    /// A statement that reads nobody's rows: exempt by `tenant: none`, or the server's own.
    pub const UNBOUND: Author<'static> = Author::Definition { organization_id: None };

    /// Whose rows it asks for.
    pub fn organization_id(&self) -> Option<&str> {
        match self {
            Author::Definition { organization_id } => *organization_id,
            Author::Caller { organization_id } => Some(organization_id),
        }
    }
}

/// What a statement may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall time, enforced by the database too.
    pub timeout: Duration,
    /// Most rows kept; one more is read to prove that there are more.
    pub max_rows: usize,
    /// Most bytes of an answer.
    pub max_bytes: usize,
}

/// The answer of a statement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    pub columns: Vec<Column>,
    /// One value per column.
    pub rows: Vec<Vec<Value>>,
    /// Set when the answer was cut, and by which limit.
    pub truncated: Option<Truncation>,
    /// Wall time of the statement.
    pub elapsed: Duration,
    /// Whether a caller's statement reads the database's own clock; said by ClickHouse only.
    pub real_time: bool,
}

/// The limit that cut an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncation {
    Rows,
    Bytes,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub ty: ColumnType,
}

/// The type of a column, the same words for every backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Boolean,
    Integer,
    Float,
    Decimal,
    Text,
    /// A point in time, UTC.
    Timestamp,
    /// What a clock showed in a zone that is not recorded.
    LocalTimestamp,
    Date,
    Uuid,
    Array,
    /// Maps, JSON, tuples with names.
    Object,
    Binary,
    /// SQLite expressions have no type until a value is seen; anything else that has no counterpart.
    Other,
}

impl ColumnType {
    /// The type of a column without a declaration, as its values show it: one type, or integers and floats mixed, else
    /// `Other`. None where every value is null.
    pub fn seen<'v>(values: impl Iterator<Item = &'v Value>) -> Option<Self> {
        let mut found = None;
        for value in values {
            let next = match value {
                Value::Null => continue,
                Value::Bool(_) => Self::Boolean,
                Value::Number(number) if number.is_f64() => Self::Float,
                Value::Number(_) => Self::Integer,
                Value::String(_) => Self::Text,
                Value::Array(_) => Self::Array,
                Value::Object(_) => Self::Object,
            };
            found = match (found, next) {
                (None, next) => Some(next),
                (Some(found), next) if found == next => Some(found),
                (Some(Self::Integer), Self::Float) | (Some(Self::Float), Self::Integer) => Some(Self::Float),
                _ => return Some(Self::Other),
            };
        }
        found
    }
}

/// Tables and views by name with the columns that the account may read; and those that are there, of which it may read
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tables(pub TableColumns, pub BTreeSet<String>);

impl Tables {
    /// Whether `table` or `table.column` exists.
    pub fn has(&self, requirement: &str) -> bool {
        match requirement.split_once('.') {
            None => self.0.contains_key(requirement),
            Some((table, column)) => self.0.get(table).is_some_and(|columns| columns.iter().any(|c| c == column)),
        }
    }
}

/// A table or a view that callers may read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableDescription {
    pub name: String,
    /// The schema in which the name is found, where a database has several.
    pub schema: Option<String>,
    pub comment: Option<String>,
    pub columns: Vec<ColumnDescription>,
    /// Keys, indexes and order in the database's own words, such as `PRIMARY KEY (id)`; none of columns that nobody may
    /// see, and none that leads to a table which is not described.
    pub keys: Vec<String>,
}

/// A column of such a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnDescription {
    pub name: String,
    /// In the database's own words.
    pub ty: String,
    pub comment: Option<String>,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// The server's own version text.
    pub version: String,
    pub latency: Duration,
}

/// Something that an operator should know of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub found: String,
    /// What to do about it; none where all is well.
    pub hint: Option<String>,
}

/// What the operator calls the settings that a source was bound with; hints name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingNames {
    /// The URL, or the path of a file.
    pub address: String,
    pub max_connections: String,
    pub guard_key: String,
}

impl Default for SettingNames {
    fn default() -> Self {
        let [address, max_connections, guard_key] = ["its URL", "`max_connections`", "`guard_key`"].map(str::to_owned);
        Self { address, max_connections, guard_key }
    }
}

impl SettingNames {
    /// An adapter does not know what its settings are called: its hints hold these for them.
    const ADDRESS: &'static str = "{address}";
    const MAX_CONNECTIONS: &'static str = "{max_connections}";
    const GUARD_KEY: &'static str = "{guard_key}";

    /// The error with the names in its hint.
    fn put(&self, error: SourceError) -> SourceError {
        let SourceError { kind, message, hint } = error;
        let hint = hint.map(|hint| {
            hint.replace(Self::ADDRESS, &self.address)
                .replace(Self::MAX_CONNECTIONS, &self.max_connections)
                .replace(Self::GUARD_KEY, &self.guard_key)
        });
        SourceError { kind, message, hint }
    }
}

/// Why there are no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub kind: SourceErrorKind,
    /// What happened, without secrets, one line.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceErrorKind {
    /// The backend cannot be reached, is not installed, refuses the login, or is shutting down.
    Unavailable,
    /// A table or column does not exist.
    Missing,
    /// The deadline passed.
    Timeout,
    /// The caller cancelled.
    Cancelled,
    /// The database refused the statement because it would write or leave its bounds.
    Forbidden,
    /// The statement is wrong.
    Invalid,
    /// A value has no place in the statement, or is none of the type of its place.
    Value,
    /// A limit of the database (memory, rows, bytes) was hit.
    Exhausted,
    /// Anything else.
    Failed,
}

impl SourceErrorKind {
    /// A word for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Missing => "missing",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Value => "value",
            Self::Exhausted => "exhausted",
            Self::Failed => "failed",
        }
    }
}

impl SourceError {
    /// Statements of definitions are explained by `tfo-mcp explain`, and not here.
    fn of_callers_alone() -> Self {
        Self::new(SourceErrorKind::Forbidden, "only statements of callers are explained here")
    }

    pub fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A time that was waited, in tenths of seconds where it is longer.
fn rounded(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..100 => format!("{millis}ms"),
        _ => format!("{:.1}s", time.as_secs_f64()).replace(".0s", "s"),
    }
}

/// A statement that the tenant guard does not let pass.
fn refused(error: &GuardError) -> SourceError {
    let kind = match error.kind {
        GuardErrorKind::Invalid => SourceErrorKind::Invalid,
        GuardErrorKind::Forbidden => SourceErrorKind::Forbidden,
        GuardErrorKind::Missing => SourceErrorKind::Missing,
    };
    SourceError { kind, message: error.message.clone(), hint: error.hint.clone() }
}
