//! SQL as data: dialects, statements with bound values, and the templates that produce them.
//!
//! Pure: no I/O, no knowledge of definitions. `check` proves templates, `engine` renders them, `source` runs
//! the statements.

pub mod claims;
pub mod clock;
pub mod guard;
pub mod items;
pub mod lex;
pub mod lint;
pub mod parse;
pub mod rows;
pub mod template;
pub mod tenancy;

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of tables and views, by name.
pub type TableColumns = BTreeMap<String, Vec<String>>;

/// The SQL dialect of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    ClickHouse,
    Postgres,
    Sqlite,
}

impl Dialect {
    pub const ALL: [Dialect; 3] = [Dialect::ClickHouse, Dialect::Postgres, Dialect::Sqlite];

    /// The key of a dialect in `sql:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::ClickHouse => "clickhouse",
            Dialect::Postgres => "postgres",
            Dialect::Sqlite => "sqlite",
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value bound to a placeholder; never text of the statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// NULL, typed as text where the dialect wants a type.
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A point in time, UTC.
    Timestamp(OffsetDateTime),
    /// Text in ClickHouse and SQLite, `uuid` in PostgreSQL.
    Uuid(Uuid),
    /// Values of one type: `Array(T)` in ClickHouse, `T[]` in PostgreSQL, a JSON array text in SQLite.
    List(Vec<Bind>),
}

/// A statement ready to run: text with placeholders of its dialect (`{p1:String}`, `$1`, `?1`) and the values
/// of those placeholders in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub sql: String,
    pub binds: Vec<Bind>,
}
