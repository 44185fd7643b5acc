//! The tenant guard: what a caller's SQL may say, and the rewriting that shows it only its organisation's rows.
//!
//! Pure; the PostgreSQL and SQLite sources call it for every statement that a caller wrote. It fails closed: what
//! it does not know it refuses. In order:
//!
//! 1. [`canonical`] brings the text into a form that our parser and the database read alike.
//! 2. [`walk`] goes through the parsed statement: one query, known tables by their plain names, functions and
//!    types from a list ([`functions`]), and nothing else.
//! 3. Each used table is shadowed by a common table expression of the same name with the organisation's rows and
//!    without secret columns ([`super::tenancy`]), and the caller's text follows unchanged.
//!
//! The expressions are MATERIALIZED, so that no condition of the caller is evaluated on another organisation's
//! row: `CAST(email AS integer)` would tell that row's value in its error.
//!
//! The database's own read-only transaction stands behind all this.

mod canonical;
pub mod clickhouse;
mod clickhouse_lex;
mod functions;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::{
    ast::Statement,
    dialect::{PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};

use super::{
    Dialect, TableColumns,
    tenancy::{self, Belongs, ORGANIZATION},
};

/// What a caller's statement is guarded with.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// How many values the caller binds. The organisation is bound after them.
    pub values: usize,
    /// The type to which the bound organisation is cast where it is compared, such as `uuid`.
    pub organization_type: Option<&'a str>,
    /// The tables of the bound database with their columns.
    pub tables: &'a TableColumns,
    /// The schema of each table, `main` where it is not named.
    pub schemas: &'a BTreeMap<String, String>,
}

/// A statement that may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    pub sql: String,
    /// Whether the organisation is bound behind the caller's values; tables that are everybody's need none.
    pub binds_organization: bool,
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

/// The caller's statement, confined to its organisation.
pub fn guard(dialect: Dialect, sql: &str, scope: &Scope<'_>) -> Result<Guarded, GuardError> {
    let canonical = canonical::canonical(dialect, sql, scope.values)?;
    let mut statements = parse(dialect, &canonical.text)?.into_iter();
    let (Some(Statement::Query(query)), None) = (statements.next(), statements.next()) else {
        return Err(forbidden("the statement is no query").hint("only SELECT, WITH and VALUES are run"));
    };
    let used = walk::walk(dialect, &query, scope.tables, &canonical.calls)?;
    let shadows = used.iter().map(|table| shadow(dialect, table, scope)).collect::<Result<Vec<_>, _>>()?;
    let placeholder = placeholder(dialect, scope);
    Ok(Guarded {
        sql: joined(&shadows, &canonical.text),
        binds_organization: shadows.iter().any(|shadow| shadow.contains(&placeholder)),
    })
}

fn parse(dialect: Dialect, text: &str) -> Result<Vec<Statement>, GuardError> {
    let parsed = match dialect {
        Dialect::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, text),
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, text),
        Dialect::ClickHouse => return Err(forbidden("the guard does not know ClickHouse's SQL")),
    };
    parsed.map_err(|error| {
        invalid(error.to_string()).hint("write it more plainly: only statements that are understood are run")
    })
}

/// The shadows in front of the caller's text. Its own list of expressions, if it has one, follows ours: neither
/// database lets a query have two. No name is in both; `walk` saw to that.
fn joined(shadows: &[String], text: &str) -> String {
    if shadows.is_empty() {
        return text.to_owned();
    }
    let shadows = shadows.join(", ");
    let rest = strip_word(text, "with");
    match rest.map(|rest| (strip_word(rest, "recursive"), rest)) {
        Some((Some(theirs), _)) => format!("WITH RECURSIVE {shadows}, {theirs}"),
        Some((None, theirs)) => format!("WITH {shadows}, {theirs}"),
        None => format!("WITH {shadows} {text}"),
    }
}

/// What follows a keyword at the beginning of canonical text.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    (head.eq_ignore_ascii_case(word) && rest.starts_with([' ', '"'])).then(|| rest.trim_start())
}

/// A common table expression that hides a table behind the organisation's part of it.
fn shadow(dialect: Dialect, table: &str, scope: &Scope<'_>) -> Result<String, GuardError> {
    let columns = scope.tables.get(table).ok_or_else(|| unreachable_table(table))?;
    let visible: Vec<String> =
        columns.iter().filter(|column| !tenancy::is_secret(table, column)).map(|column| quote(column)).collect();
    if visible.is_empty() {
        return Err(unreachable_table(table));
    }
    let condition = condition(dialect, table, scope, &mut BTreeSet::new())?;
    let filter = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let from = relation(table, scope);
    Ok(format!("{} AS MATERIALIZED (SELECT {} FROM {from}{filter})", quote(table), visible.join(", ")))
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
    Ok(match tenancy::belongs(table, columns).ok_or_else(|| unreachable_table(table))? {
        Belongs::Global => None,
        Belongs::Directly => Some(format!("{own} = {}", organization(dialect, scope))),
        Belongs::DirectlyOrDefault => Some(format!("({own} = {} OR {own} IS NULL)", organization(dialect, scope))),
        Belongs::Through { column, parent, parent_column } => {
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

/// The table itself, not the expression of the same name that is being defined.
fn relation(table: &str, scope: &Scope<'_>) -> String {
    let schema = scope.schemas.get(table).map_or("main", String::as_str);
    format!("{}.{}", quote(schema), quote(table))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn unreachable_table(table: &str) -> GuardError {
    forbidden(format!("the table `{table}` cannot be read with free SQL: nothing says whose its rows are"))
        .hint("use a table that has an `organization_id`, or a tool that is made for this one")
}

#[cfg(test)]
mod tests;
