//! The second lock of definitions' statements: what a definition says of the organisation is proved by `check`; here it
//! is said once more, where a mistake of the proof does not matter.
//!
//! As for callers, each table with tenants' rows is shadowed by a common table expression of its name. Here it is
//! NOT MATERIALIZED: the author is trusted with conditions, and the planner puts the expression in place, so that keys
//! still serve. Which tables a statement reads is not parsed: every table whose name stands in it as a word is
//! shadowed, and an expression that nobody reads costs nothing. What would read past the shadows is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::{GuardError, Guarded, Scope, condition, forbidden, invalid, placeholder, quote, relation};
use crate::sql::{
    Dialect,
    lex::{self, Kind, Token},
};

/// PostgreSQL cuts longer names off, in bytes, so that one may mean a table that does not stand there.
const LONGEST_NAME: usize = 63;

/// A definition's statement, confined to its call's organisation; none where it names no table with tenants' rows.
pub fn confine(dialect: Dialect, sql: &str, scope: &Scope<'_>) -> Result<Option<Guarded>, GuardError> {
    let tokens = lex::tokens(dialect, sql).map_err(|error| invalid(error.to_string()))?;
    let mut named = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        let Some(name) = name(dialect, token)? else { continue };
        let Some(table) = scope.tables.keys().find(|table| table.eq_ignore_ascii_case(&name)) else { continue };
        let before = |n: usize| index.checked_sub(n).and_then(|index| tokens.get(index));
        if before(1).is_some_and(|dot| dot.text == ".")
            && let Some(qualifier) = before(2)
            && is_schema(qualifier, scope)
        {
            return Err(forbidden(format!(
                "the statement reads `{}.{table}` past the organisation's part of it",
                qualifier.text
            ))
            .hint(format!("write `{table}` without the schema")));
        }
        named.insert(table.as_str());
    }
    let shadows = named
        .into_iter()
        .filter_map(|table| shadow(dialect, table, scope).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    if shadows.is_empty() {
        return Ok(None);
    }
    let binds_organization = shadows.iter().any(|shadow| shadow.contains(&placeholder(dialect, scope)));
    let sql = spliced(sql, &tokens, &shadows.join(", "))?;
    Ok(Some(Guarded { sql, binds_organization, shadows: BTreeMap::new() }))
}

/// The name that a token may be.
fn name(dialect: Dialect, token: &Token<'_>) -> Result<Option<String>, GuardError> {
    let name = match token.kind {
        Kind::Word => token.text.to_owned(),
        // SQLite takes a text for a name where a name is wanted.
        Kind::Text if dialect != Dialect::Sqlite => return Ok(None),
        Kind::Quoted | Kind::Text => {
            let inner = token.text.get(1..token.text.len().saturating_sub(1)).unwrap_or_default();
            inner.replace("\"\"", "\"")
        }
        Kind::Prefixed if token.text.starts_with(['U', 'u']) => {
            return Err(forbidden("a text or name with `U&` is not read").hint("write its letters"));
        }
        _ => return Ok(None),
    };
    if dialect == Dialect::Postgres && name.len() > LONGEST_NAME {
        return Err(forbidden(format!("PostgreSQL cuts `{name}` off")).hint("write a name of at most 63 bytes"));
    }
    Ok(Some(name))
}

fn is_schema(token: &Token<'_>, scope: &Scope<'_>) -> bool {
    let name = token.text.trim_matches(['"', '`', '[', ']', '\'']);
    let known = scope.schemas.values().any(|schema| schema.eq_ignore_ascii_case(name));
    known || ["main", "temp", "public"].iter().any(|schema| schema.eq_ignore_ascii_case(name))
}

/// The organisation's part of a table; none where nothing is to be confined. Of a table that is a secret as a whole
/// there is no part.
fn shadow(dialect: Dialect, table: &str, scope: &Scope<'_>) -> Result<Option<String>, GuardError> {
    let Some(columns) = scope.tables.get(table) else { return Ok(None) };
    let visible: Vec<String> =
        columns.iter().filter(|column| !scope.rules.is_secret(table, column)).map(|column| quote(column)).collect();
    let condition = match (scope.rules.belongs(table, columns), scope.rules.is_hidden(table)) {
        (_, true) => "1 = 0".to_owned(),
        // Nothing says that its rows are anybody's.
        (None, false) => return Ok(None),
        (Some(_), false) => match condition(dialect, table, scope, &mut BTreeSet::new())? {
            Some(condition) => condition,
            None => return Ok(None),
        },
    };
    let (name, visible, from) = (quote(table), visible.join(", "), relation(table, scope));
    Ok(Some(format!("{name} AS NOT MATERIALIZED (SELECT {visible} FROM {from} WHERE {condition})")))
}

/// The shadows in front of the statement's own expressions, or of the statement.
fn spliced(sql: &str, tokens: &[Token<'_>], shadows: &str) -> Result<String, GuardError> {
    let word = |index: usize, word: &str| tokens.get(index).is_some_and(|token| token.is_word(word));
    let (at, separator) = match (word(0, "with"), word(1, "recursive")) {
        (true, true) => (1, ","),
        (true, false) => (0, ","),
        (false, _) if ["select", "values", "table"].iter().any(|begin| word(0, begin)) => {
            return Ok(format!("WITH {shadows} {sql}"));
        }
        _ if tokens.first().is_some_and(|token| token.is("(")) => return Ok(format!("WITH {shadows} {sql}")),
        _ => return Err(forbidden("the statement is no query").hint("write SELECT, WITH or VALUES")),
    };
    let end = tokens.get(at).map_or(0, Token::end);
    let (head, rest) = sql.split_at_checked(end).ok_or_else(|| invalid("the statement cannot be read"))?;
    Ok(format!("{head} {shadows}{separator}{rest}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn confined(dialect: Dialect, sql: &str) -> Result<Option<String>, GuardError> {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let tables = BTreeMap::from([
            ("users".to_owned(), columns(&["id", "email", "password", "organization_id"])),
            ("user_roles".to_owned(), columns(&["user_id", "role_id"])),
            ("roles".to_owned(), columns(&["id", "name"])),
            ("auth_tokens".to_owned(), columns(&["id", "organization_id"])),
            ("migrations".to_owned(), columns(&["id"])),
        ]);
        let schemas = tables.keys().map(|table| (table.clone(), "public".to_owned())).collect();
        let scope = Scope {
            values: 1,
            organization_type: Some("uuid"),
            tables: &tables,
            withheld: &Default::default(),
            declared: &Default::default(),
            schemas: &schemas,
            rules: &crate::definition::shipped_rules(),
        };
        confine(dialect, sql, &scope).map(|guarded| guarded.map(|guarded| guarded.sql))
    }

    const USERS: &str = "\"users\" AS NOT MATERIALIZED (SELECT \"id\", \"email\", \"organization_id\" FROM \"public\".\"users\" \
         WHERE \"organization_id\" = CAST($2 AS uuid))";

    #[test]
    fn every_table_that_is_named_is_shadowed_wherever_it_stands() {
        let own = |sql: &str| confined(Dialect::Postgres, sql).unwrap();
        assert_eq!(own("SELECT 1 FROM roles, migrations"), None);
        assert_eq!(own("SELECT 'users' -- users\n"), None);
        for sql in [
            "SELECT id FROM users",
            "SELECT 1 WHERE EXISTS (SELECT FROM \"users\")",
            "TABLE USERS",
            "(SELECT FROM users)",
        ] {
            assert_eq!(own(sql).unwrap(), format!("WITH {USERS} {sql}"));
        }
        assert_eq!(
            own("WITH a AS (SELECT 1 FROM users) SELECT").unwrap(),
            format!("WITH {USERS}, a AS (SELECT 1 FROM users) SELECT")
        );
        let recursive = own("/* x */ with recursive a AS (SELECT 1 FROM users) SELECT").unwrap();
        assert_eq!(recursive, format!("/* x */ with recursive {USERS}, a AS (SELECT 1 FROM users) SELECT"));
        let through = own("SELECT FROM user_roles").unwrap();
        assert!(through.contains("\"user_id\" IN (SELECT \"id\" FROM \"public\".\"users\" WHERE"), "{through}");
        assert!(own("SELECT FROM auth_tokens").unwrap().contains("WHERE 1 = 0"));
    }

    #[test]
    fn what_would_read_past_a_shadow_is_refused() {
        let long = format!("SELECT * FROM {}", "x".repeat(64));
        for sql in [
            "SELECT * FROM public.users",
            "SELECT * FROM \"public\" . \"users\"",
            "SELECT * FROM U&\"\\0075sers\"",
            "EXPLAIN SELECT * FROM users",
            long.as_str(),
        ] {
            assert!(confined(Dialect::Postgres, sql).is_err(), "{sql}");
        }
        for sql in ["SELECT * FROM main.users", "SELECT * FROM [main].users", "SELECT * FROM main.'users'"] {
            assert!(confined(Dialect::Sqlite, sql).is_err(), "{sql}");
        }
        assert!(confined(Dialect::Sqlite, "SELECT * FROM 'users'").unwrap().is_some());
        // A column of an alias is no table.
        assert!(confined(Dialect::Postgres, "SELECT o.users FROM roles o").is_ok());
    }
}
