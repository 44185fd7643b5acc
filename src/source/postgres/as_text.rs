//! Columns of types that are not read here, as the text that PostgreSQL itself writes of them.
//!
//! The driver gives up on a statement that has a type of a kind that it does not know (multiranges), and we have no
//! reader for some types that it knows (`money`, `point`, those of extensions). Such a statement is put inside another
//! one, which casts these columns and leaves the others as they are.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Column as _, PgConnection, Row as _};

use super::{binds, decode::Decoder, run::Failure, session::texts};
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::{
        Dialect, Statement,
        lex::{self, Kind, Token},
    },
};

/// A column of a statement that the driver could not prepare.
struct Column {
    name: String,
    /// The number of its type.
    ty: u32,
}

/// A statement around one with types that the driver does not know.
pub(super) async fn around_unknown(connection: &mut PgConnection, statement: &Statement) -> Result<String, Failure> {
    forget(connection, statement).await?;
    let columns = columns(connection, statement).await?;
    let mut unknown = unknown(connection, &columns).await?;
    if unknown.is_empty() {
        // The driver knows better what it does not know.
        unknown = columns.iter().map(|column| column.ty).filter(|ty| Decoder::builtin(*ty).is_none()).collect();
    }
    let listed: Vec<_> = columns.iter().map(|column| (column.name.as_str(), unknown.contains(&column.ty))).collect();
    Ok(around(&statement.sql, &listed)?)
}

/// A statement around another, whose columns are named here with whether they are cast.
pub(super) fn around(sql: &str, columns: &[(&str, bool)]) -> Result<String, SourceError> {
    let names: Vec<String> = (1..=columns.len()).map(|number| format!("tfo_{number}")).collect();
    let listed: Vec<String> = names
        .iter()
        .zip(columns)
        .map(|(ours, (name, is_cast))| match is_cast {
            true => format!("CAST({ours} AS pg_catalog.text) AS {}", super::quote(name)),
            false => format!("{ours} AS {}", super::quote(name)),
        })
        .collect();
    let inner = inner(sql, |_| None)?;
    Ok(format!("SELECT {} FROM (\n{inner}\n) AS tfo({})", listed.join(", "), names.join(", ")))
}

/// Closes the prepared statement that the driver left behind when it gave up, and will not name again.
async fn forget(connection: &mut PgConnection, statement: &Statement) -> Result<(), Failure> {
    let (_, letters) = binds::types(&statement.binds, &binds::Untyped::Inferred)?;
    let text = binds::text(&statement.sql, &letters).replace('\'', "''");
    let sql = format!(
        "SELECT (SELECT name FROM pg_catalog.pg_prepared_statements \
         WHERE NOT from_sql AND name LIKE 'sqlx\\_s\\_%' AND statement = '{text}' ORDER BY prepare_time DESC LIMIT 1)"
    );
    if let Some(name) = texts(connection, sql).await?.into_iter().flatten().next() {
        let deallocate = format!("DEALLOCATE {}", super::quote(&name));
        sqlx::raw_sql(AssertSqlSafe(deallocate)).execute(connection).await?;
    }
    Ok(())
}

/// The columns of a statement, asked for in a form in which the driver looks no type up: one row that joins with none
/// of the statement's, which is not run for it.
async fn columns(connection: &mut PgConnection, statement: &Statement) -> Result<Vec<Column>, Failure> {
    let nulls = binds::nulls(&statement.binds)?;
    let inner = inner(&statement.sql, |token| {
        let number: usize = token.text.strip_prefix('$')?.parse().ok()?;
        nulls.get(number.checked_sub(1)?).copied()
    })?;
    let sql = format!("SELECT tfo.* FROM (SELECT 1) AS one LEFT JOIN (\n{inner}\n) AS tfo ON false");
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?;
    let columns = row.columns().iter();
    Ok(columns
        .map(|column| Column { name: column.name().to_owned(), ty: column.type_info().oid().map_or(0, |oid| oid.0) })
        .collect())
}

/// The types of columns that are of a kind that the driver does not know, or are made of one.
async fn unknown(connection: &mut PgConnection, columns: &[Column]) -> Result<BTreeSet<u32>, Failure> {
    let types: Vec<String> = columns.iter().map(|column| column.ty.to_string()).collect();
    let sql = format!(
        "WITH RECURSIVE part(whole, oid) AS ( \
           SELECT whole, whole FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS whole \
           UNION \
           SELECT part.whole, n.oid FROM part JOIN pg_catalog.pg_type t ON t.oid = part.oid CROSS JOIN LATERAL ( \
             SELECT t.typelem WHERE t.typelem <> 0 UNION ALL \
             SELECT t.typbasetype WHERE t.typbasetype <> 0 UNION ALL \
             SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid UNION ALL \
             SELECT a.atttypid FROM pg_catalog.pg_attribute a \
             WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS n(oid)) \
         SELECT coalesce(pg_catalog.string_agg(DISTINCT part.whole::pg_catalog.text, ','), '') \
         FROM part JOIN pg_catalog.pg_type t ON t.oid = part.oid WHERE t.typtype NOT IN ('b', 'c', 'd', 'e', 'p', 'r')",
        types.join(",")
    );
    let found = texts(connection, sql).await?.into_iter().flatten().next().unwrap_or_default();
    Ok(found.split(',').filter_map(|number| number.parse().ok()).collect())
}

/// The text of the one query of a statement, to be put between parentheses. `instead` says what stands for a
/// placeholder; none: itself.
fn inner<'n>(sql: &str, instead: impl Fn(&Token<'_>) -> Option<&'n str>) -> Result<String, SourceError> {
    let tokens = lex::tokens(Dialect::Postgres, sql).unwrap_or_default();
    let statements = lex::statements(&tokens);
    let [statement] = statements.as_slice() else { return Err(unreadable()) };
    let begins = |word| statement.iter().find(|token| !token.is("(")).is_some_and(|token| token.is_word(word));
    if !["SELECT", "WITH", "VALUES", "TABLE"].into_iter().any(begins) {
        return Err(unreadable());
    }
    let mut text = String::with_capacity(sql.len());
    let mut copied = statement.first().map_or(0, |token| token.start);
    for token in statement.iter().filter(|token| token.kind == Kind::Placeholder) {
        if let Some(instead) = instead(token) {
            text.push_str(sql.get(copied..token.start).unwrap_or_default());
            text.push_str(instead);
            copied = token.end();
        }
    }
    let end = statement.last().map_or(sql.len(), Token::end);
    text.push_str(sql.get(copied..end).unwrap_or_default());
    Ok(text)
}

fn unreadable() -> SourceError {
    SourceError::new(SourceErrorKind::Invalid, "the statement has a column of a type that this server does not read")
        .hint("write it as a SELECT and cast such columns, as in `column::text`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_put_inside_another_one() {
        let around = |sql: &str| around(sql, &[("a", false), ("it's \"b\"", true)]).unwrap();
        assert_eq!(
            around("SELECT $1 AS a, m FROM t -- ; the end\n;"),
            "SELECT tfo_1 AS \"a\", CAST(tfo_2 AS pg_catalog.text) AS \"it's \"\"b\"\"\" FROM (\nSELECT $1 AS a, m FROM t\n) \
             AS tfo(tfo_1, tfo_2)"
        );
        for sql in ["SHOW x", "SELECT 1; SELECT 2", "", "SELECT 'a"] {
            assert!(super::around(sql, &[("a", true)]).is_err(), "{sql}");
        }
        let nulls = ["NULL::bigint", "NULL"];
        let text = inner("(SELECT $2, '$1', $1 LIMIT $1)", |token| {
            let number: usize = token.text.strip_prefix('$')?.parse().ok()?;
            nulls.get(number - 1).copied()
        });
        assert_eq!(text.unwrap(), "(SELECT NULL, '$1', NULL::bigint LIMIT NULL::bigint)");
    }
}
