//! The tenant guard: what a caller's SQL may say, and the rewriting that shows it only its organisation's rows.
//!
//! Pure; the PostgreSQL and SQLite sources call it for every statement that a caller wrote. It fails closed: what
//! it does not know it refuses. In order:
//!
//! 1. [`canonical`] brings the text into a form that our parser and the database read alike.
//! 2. [`rewrite`] goes through the parsed statement: one query, known tables by their plain names, functions and
//!    types from a list ([`functions`]), and nothing else. Every name is replaced by what it was found to mean, and
//!    the tree is printed: what the database reads is what the guard understood.
//! 3. Each used table is shadowed by a common table expression with the organisation's rows and without secret
//!    columns ([`super::tenancy`]), under a name that no caller can write.
//!
//! The expressions are MATERIALIZED, so that no condition of the caller is evaluated on another organisation's
//! row: `CAST(email AS integer)` would tell that row's value in its error.
//!
//! The database's own read-only transaction stands behind all this.

mod authored;
mod canonical;
pub mod clickhouse;
mod clickhouse_lex;
mod functions;
mod rewrite;

use std::collections::{BTreeMap, BTreeSet};

pub use authored::confine;

use sqlparser::{
    ast::{Query, Statement},
    dialect::{Dialect as Syntax, PostgreSqlDialect, SQLiteDialect},
    parser::{Parser, ParserOptions},
};

use super::{
    Dialect, TableColumns,
    tenancy::{Belongs, ORGANIZATION, TableRules, Through},
};

/// How the names begin that the guard gives. Callers cannot write it.
pub const OURS: &str = "tfo$";

/// What a caller's statement is guarded with.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// How many values the caller binds. The organisation is bound after them.
    pub values: usize,
    /// The type to which the bound organisation is cast where it is compared, such as `uuid`.
    pub organization_type: Option<&'a str>,
    /// The tables of the bound database with their columns.
    pub tables: &'a TableColumns,
    /// Tables that are there, but that the account may not read.
    pub withheld: &'a BTreeSet<String>,
    /// SQLite: what its columns are declared to hold.
    pub declared: &'a Declared,
    /// The schema of each table, `main` where it is not named.
    pub schemas: &'a BTreeMap<String, String>,
    /// What packs say of tables.
    pub rules: &'a TableRules,
}

/// What columns are declared to hold, by their names in lower case.
#[derive(Debug, Default, Clone)]
pub struct Declared {
    /// Those that some table declares to hold times. Their texts are no numbers.
    pub times: BTreeSet<String>,
    /// Of these, those that no table declares to hold numbers.
    pub only_times: BTreeSet<String>,
    /// Those that every table that has them declares to hold numbers or truth values.
    pub numbers: BTreeSet<String>,
}

impl Declared {
    /// Where types are the database's own business.
    pub const NOTHING: Self = Self { times: BTreeSet::new(), only_times: BTreeSet::new(), numbers: BTreeSet::new() };
}

impl Scope<'_> {
    /// The schema in which a table lies.
    fn schema(&self, table: &str) -> &str {
        self.schemas.get(table).map_or("main", String::as_str)
    }
}

/// A statement that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    pub sql: String,
    /// Whether the organisation is bound behind the caller's values; tables that are everybody's need none.
    pub binds_organization: bool,
    /// The tables that a caller's statement reads, and what they are called in it now.
    pub shadows: BTreeMap<String, String>,
}

/// Why a caller's statement is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GuardError {
    pub kind: GuardErrorKind,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardErrorKind {
    /// It cannot be read.
    Invalid,
    /// It leaves its bounds.
    Forbidden,
    /// It names a table that does not exist.
    Missing,
}

impl GuardError {
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn invalid(message: impl Into<String>) -> GuardError {
    GuardError { kind: GuardErrorKind::Invalid, message: message.into(), hint: None }
}

fn forbidden(message: impl Into<String>) -> GuardError {
    GuardError { kind: GuardErrorKind::Forbidden, message: message.into(), hint: None }
}

/// Stack of the thread that reads a caller's statement.
const STACK: usize = 32 << 20;

/// The caller's statement, confined to its organisation.
///
/// Trees are parsed, walked, printed, compared and freed by recursion, and a chain of operators is as deep as it is long:
/// some hundred fill the two MiB of a runtime's thread, and an overflow would end the process. So a thread with room
/// does it, for some ten microseconds more; what `canonical` lets through cannot fill it.
pub fn guard(dialect: Dialect, sql: &str, scope: &Scope<'_>) -> Result<Guarded, GuardError> {
    let unread = || invalid("the statement could not be read").hint("try again, or write it more plainly");
    std::thread::scope(|threads| {
        let reader = std::thread::Builder::new().name("guard".to_owned()).stack_size(STACK);
        let reader = reader.spawn_scoped(threads, || understood(dialect, sql, scope)).map_err(|_| unread())?;
        reader.join().unwrap_or_else(|_| Err(unread()))
    })
}

/// Refuses a caller's values for which its statement has no placeholder.
///
/// # Errors
/// The first value without one, and how placeholders are written.
pub fn all_have_places(dialect: Dialect, sql: &str, values: usize) -> Result<(), GuardError> {
    canonical::all_have_places(dialect, sql, values)
}

fn understood(dialect: Dialect, sql: &str, scope: &Scope<'_>) -> Result<Guarded, GuardError> {
    let text = canonical::canonical(dialect, sql, scope.values)?;
    let mut query = parse(dialect, &text)?;
    let used = rewrite::rewrite(dialect, &mut query, &text, scope)?;
    let printed = query.to_string();
    canonical::check_printed(dialect, &printed)?;
    if !parse(dialect, &printed).is_ok_and(|again| again == query) {
        return Err(invalid("the statement cannot be written so that it means one thing only").hint(PLAINLY));
    }
    let shadows =
        used.iter().map(|(table, ours)| shadow(dialect, table, ours, scope)).collect::<Result<Vec<_>, _>>()?;
    let binds_organization = shadows.iter().any(|shadow| shadow.binds_organization);
    let expressions: Vec<String> = shadows.into_iter().map(|shadow| shadow.sql).collect();
    Ok(Guarded { binds_organization, sql: joined(&expressions, query), shadows: used })
}

const PLAINLY: &str = "write it more plainly: only statements that are understood are run";

/// The one query of a text. Literals keep the quotes that are doubled in them, so that they are printed as they were.
fn parse(dialect: Dialect, text: &str) -> Result<Query, GuardError> {
    let syntax: &dyn Syntax = match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::ClickHouse => return Err(forbidden("the guard does not know ClickHouse's SQL")),
    };
    let options = ParserOptions::new().with_unescape(false);
    let parsed = Parser::new(syntax).with_options(options).try_with_sql(text);
    let statements = parsed.and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(|error| invalid(error.to_string()).hint(PLAINLY))?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Query(query)), None) => Ok(*query),
        _ => Err(forbidden("the statement is no query").hint("only SELECT, WITH and VALUES are run")),
    }
}

/// The shadows in front of the query. Its own list of expressions, if it has one, follows ours: neither database lets
/// a query have two.
fn joined(shadows: &[String], mut query: Query) -> String {
    if shadows.is_empty() {
        return query.to_string();
    }
    let theirs = query.with.take();
    let recursive = if theirs.as_ref().is_some_and(|with| with.recursive) { "RECURSIVE " } else { "" };
    let theirs = theirs.into_iter().flat_map(|with| with.cte_tables).map(|expression| expression.to_string());
    let expressions: Vec<String> = shadows.iter().cloned().chain(theirs).collect();
    format!("WITH {recursive}{} {query}", expressions.join(", "))
}

/// A common table expression with the organisation's part of a table.
struct Shadow {
    sql: String,
    binds_organization: bool,
}

fn shadow(dialect: Dialect, table: &str, ours: &str, scope: &Scope<'_>) -> Result<Shadow, GuardError> {
    let columns = scope.tables.get(table).ok_or_else(|| unreachable_table(table))?;
    let visible: Vec<String> =
        columns.iter().filter(|column| !scope.rules.is_secret(table, column)).map(|column| quote(column)).collect();
    if visible.is_empty() {
        return Err(unreachable_table(table));
    }
    let condition = condition(dialect, table, scope, &mut BTreeSet::new())?;
    let binds_organization = condition.is_some();
    let filter = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let from = relation(table, scope);
    let sql = format!("{} AS MATERIALIZED (SELECT {} FROM {from}{filter})", quote(ours), visible.join(", "));
    Ok(Shadow { sql, binds_organization })
}

/// The condition that a row of `table` is the organisation's; `None` for tables that are everybody's.
fn condition(
    dialect: Dialect,
    table: &str,
    scope: &Scope<'_>,
    seen: &mut BTreeSet<String>,
) -> Result<Option<String>, GuardError> {
    let columns = scope.tables.get(table).ok_or_else(|| unreachable_table(table))?;
    if !seen.insert(table.to_owned()) {
        return Err(unreachable_table(table));
    }
    let own = quote(ORGANIZATION);
    Ok(match scope.rules.belongs(table, columns).ok_or_else(|| unreachable_table(table))? {
        Belongs::Global => None,
        Belongs::Directly => Some(format!("{own} = {}", organization(dialect, scope))),
        Belongs::DirectlyOrDefault => Some(format!("({own} = {} OR {own} IS NULL)", organization(dialect, scope))),
        Belongs::Through(Through { column, parent, parent_column }) => {
            let inner = condition(dialect, parent, scope, seen)?.ok_or_else(|| unreachable_table(table))?;
            let (column, parent_column) = (quote(column), quote(parent_column));
            let from = relation(parent, scope);
            Some(format!("{column} IN (SELECT {parent_column} FROM {from} WHERE {inner})"))
        }
    })
}

/// The organisation as it is compared.
fn organization(dialect: Dialect, scope: &Scope<'_>) -> String {
    let placeholder = placeholder(dialect, scope);
    match scope.organization_type {
        Some(ty) => format!("CAST({placeholder} AS {ty})"),
        None => placeholder,
    }
}

/// The placeholder behind the caller's own.
fn placeholder(dialect: Dialect, scope: &Scope<'_>) -> String {
    let mark = if dialect == Dialect::Postgres { '$' } else { '?' };
    format!("{mark}{}", scope.values + 1)
}

/// The table itself, in its schema.
fn relation(table: &str, scope: &Scope<'_>) -> String {
    format!("{}.{}", quote(scope.schema(table)), quote(table))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn unreachable_table(table: &str) -> GuardError {
    forbidden(format!("the table `{table}` cannot be read with free SQL: nothing says whose its rows are"))
        .hint("use a table that has an `organization_id`, or a tool that is made for this one")
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
