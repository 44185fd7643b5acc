//! Findings in the statements of definitions, before any database sees them.
//!
//! `check` calls it with the text of a rendered template, its placeholders already in the form of the dialect.
//! It only warns authors early: databases enforce read-only, one statement and types by themselves, and a
//! statement that our parser does not know is at most a hint.

use std::ops::Range;

use super::{
    Dialect,
    lex::{self, Kind, Token},
    parse::parse,
};

/// What is odd about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in bytes of the statement; `None` when the whole statement is meant.
    pub range: Option<Range<usize>>,
}

/// The rules of the lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nothing to run.
    Empty,
    /// More than one statement.
    Several,
    /// A statement that writes, or is no query.
    Write,
    /// A result column that is only a bound value has no name of its own.
    Unnamed,
    /// A quote or a comment that does not end.
    Unclosed,
    /// Our parser does not understand it. Never more than a hint: the database may.
    Unparsed,
}

impl Rule {
    /// Whether the statement is certainly wrong, or only may be.
    pub const fn is_error(self) -> bool {
        !matches!(self, Rule::Unparsed)
    }
}

/// All findings in one statement. Our parser, which is the slow part, is asked only if `asked` says so.
pub fn lint(dialect: Dialect, sql: &str, asked: bool) -> Vec<Finding> {
    let tokens = match lex::tokens(dialect, sql) {
        Ok(tokens) => tokens,
        Err(unclosed) => {
            let range = Some(unclosed.start..sql.len());
            return vec![Finding { rule: Rule::Unclosed, message: unclosed.to_string(), help: None, range }];
        }
    };
    let statements = lex::statements(&tokens);
    let mut findings = Vec::new();
    let Some(first) = statements.first() else {
        let message = "there is nothing to run".to_owned();
        return vec![Finding { rule: Rule::Empty, message, help: None, range: None }];
    };
    if let Some(second) = statements.get(1) {
        findings.push(Finding {
            rule: Rule::Several,
            message: format!("{} statements in one text", statements.len()),
            help: Some("a query is one statement: give the others their own section or step".to_owned()),
            range: range(second),
        });
    }
    findings.extend(statements.iter().filter_map(|statement| write(dialect, statement)));
    findings.extend(unnamed(dialect, first));
    if asked && findings.is_empty() {
        findings.extend(unparsed(dialect, sql));
    }
    findings
}

/// Words with which a query begins.
const QUERIES: &[&str] = &["SELECT", "WITH", "VALUES"];
/// Queries of one dialect only.
const POSTGRES_QUERIES: &[&str] = &["TABLE", "SHOW", "EXPLAIN"];
const SQLITE_QUERIES: &[&str] = &["EXPLAIN"];
const CLICKHOUSE_QUERIES: &[&str] = &["FROM", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "EXISTS"];

/// Verbs that write, wherever a statement or a part of one may begin.
const WRITES: &[&str] = &["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"];

fn queries(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres => POSTGRES_QUERIES,
        Dialect::Sqlite => SQLITE_QUERIES,
        Dialect::ClickHouse => CLICKHOUSE_QUERIES,
    }
}

/// A statement that is no query, or a query with a part that writes.
fn write(dialect: Dialect, statement: &[Token<'_>]) -> Option<Finding> {
    let found = |token: &Token<'_>, message: String| {
        let help = Some("definitions only read: write a SELECT, or a WITH that ends in one".to_owned());
        Some(Finding { rule: Rule::Write, message, help, range: Some(token.start..token.end()) })
    };
    let first = statement.iter().find(|token| !token.is("("))?;
    let mut known = QUERIES.iter().chain(queries(dialect));
    if !known.any(|word| first.is_word(word)) {
        return found(first, format!("`{}` does not begin a query", first.text));
    }
    let mut depth = 0_usize;
    let mut before: Option<&Token<'_>> = None;
    for token in statement {
        match token.text {
            "(" if token.kind == Kind::Symbol => depth += 1,
            ")" if token.kind == Kind::Symbol => depth = depth.saturating_sub(1),
            _ => {}
        }
        // `WITH x AS (…) INSERT …` and `WITH x AS (DELETE …)`. A call such as `replace(…)` begins no part: it
        // follows neither an opening parenthesis after AS, nor a closing one.
        let begins = before.is_some_and(|before| before.is("(") || (before.is(")") && depth == 0));
        if first.is_word("WITH") && begins && WRITES.iter().any(|word| token.is_word(word)) {
            let next = statement.iter().find(|next| next.start >= token.end());
            if !next.is_some_and(|next| next.is("(") || next.is(")") || next.is(",")) {
                return found(token, format!("`{}` writes", token.text));
            }
        }
        if token.is_word("INTO") && first.is_word("SELECT") && depth == 0 {
            return found(token, "`SELECT … INTO` writes".to_owned());
        }
        let locks = ["UPDATE", "SHARE", "NO", "KEY"].iter().any(|word| token.is_word(word));
        if dialect == Dialect::Postgres && locks && before.is_some_and(|before| before.is_word("FOR")) {
            return found(token, format!("`FOR {}` locks rows, which a reader may not", token.text));
        }
        before = Some(token);
    }
    None
}

/// Result columns that only bind a value. PostgreSQL calls them `?column?`; ClickHouse and SQLite name an
/// expression after its text, and ClickHouse puts the bound value into it.
fn unnamed(dialect: Dialect, statement: &[Token<'_>]) -> Vec<Finding> {
    select_items(statement)
        .into_iter()
        .filter(|item| {
            let binds = item.iter().any(|token| token.kind == Kind::Placeholder);
            // A cast is called after its type there.
            let only = item.len() == 1;
            binds && (only || dialect != Dialect::Postgres) && !is_named(item)
        })
        .map(|item| Finding {
            rule: Rule::Unnamed,
            message: "a result column with a bound value has no name".to_owned(),
            help: Some("name it with AS".to_owned()),
            range: range(item),
        })
        .collect()
}

/// The items of the outermost SELECT list, which name the result's columns.
fn select_items<'a, 't>(statement: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_i32;
    let mut begin = None;
    let mut items = Vec::new();
    for (index, token) in statement.iter().enumerate() {
        if token.kind == Kind::Symbol {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
        match begin {
            None if depth == 0 && token.is_word("SELECT") => begin = Some(index + 1),
            Some(start) if depth == 0 && (token.is(",") || ends_list(token)) => {
                items.extend(statement.get(start..index));
                if ends_list(token) {
                    return items;
                }
                begin = Some(index + 1);
            }
            _ => {}
        }
    }
    items.extend(begin.and_then(|start| statement.get(start..)));
    items
}

fn ends_list(token: &Token<'_>) -> bool {
    const ENDS: &[&str] = &[
        "FROM",
        "WHERE",
        "PREWHERE",
        "GROUP",
        "HAVING",
        "WINDOW",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "SETTINGS",
        "FORMAT",
        "INTO",
        "ARRAY",
    ];
    ENDS.iter().any(|word| token.is_word(word))
}

/// `expression AS name` or `expression name`.
fn is_named(item: &[Token<'_>]) -> bool {
    let [rest @ .., before, last] = item else { return false };
    if before.is_word("AS") {
        return true;
    }
    // A name follows a finished expression; `END` and a type after `::` finish one themselves.
    let is_name = last.kind == Kind::Quoted || (last.kind == Kind::Word && !last.is_word("END"));
    let finished = match before.kind {
        Kind::Placeholder | Kind::Number | Kind::Text | Kind::Dollar | Kind::Quoted => true,
        Kind::Symbol => before.is(")") || before.is("]"),
        Kind::Word => before.is_word("END") || rest.last().is_some_and(|token| token.is("::")),
        _ => false,
    };
    is_name && finished
}

fn unparsed(dialect: Dialect, sql: &str) -> Option<Finding> {
    let error = parse(dialect, sql).err()?;
    let plain = (dialect == Dialect::ClickHouse).then(|| without_limit_by(sql)).flatten();
    if plain.is_some_and(|plain| parse(dialect, &plain).is_ok()) {
        return None;
    }
    Some(Finding {
        rule: Rule::Unparsed,
        message: format!("our parser does not understand this {dialect} statement: {error}"),
        help: Some("if the database accepts it (`tfo-mcp validate --live` asks it), ignore this".to_owned()),
        range: None,
    })
}

/// The statement without ClickHouse's `LIMIT n BY …`, if it has any: the parser knows it in one of its forms only, and
/// none that stands beside a plain LIMIT.
fn without_limit_by(sql: &str) -> Option<String> {
    let tokens = lex::tokens(Dialect::ClickHouse, sql).ok()?;
    let (mut plain, mut kept) = (String::with_capacity(sql.len()), 0);
    for (at, limit) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("LIMIT")) {
        if let Some(end) = end_of_limit_by(tokens.get(at + 1..).unwrap_or_default()) {
            plain.push_str(sql.get(kept..limit.start)?);
            kept = end;
        }
    }
    (kept > 0).then(|| plain + sql.get(kept..).unwrap_or_default())
}

/// Where a `LIMIT n BY` ends, of what follows its LIMIT; none where it has no BY.
fn end_of_limit_by(tokens: &[Token<'_>]) -> Option<usize> {
    const ENDS: [&str; 8] = ["LIMIT", "FETCH", "SETTINGS", "FORMAT", "UNION", "INTERSECT", "EXCEPT", "INTO"];
    let (mut depth, mut by, mut end) = (0_usize, false, None);
    for token in tokens {
        if token.is("(") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("]") {
            let Some(outer) = depth.checked_sub(1) else { break };
            depth = outer;
        } else if depth == 0 && (ENDS.iter().any(|word| token.is_word(word)) || (by && token.is_word("OFFSET"))) {
            break;
        }
        by |= depth == 0 && token.is_word("BY");
        end = Some(token.end());
    }
    end.filter(|_| by)
}

fn range(tokens: &[Token<'_>]) -> Option<Range<usize>> {
    Some(tokens.first()?.start..tokens.last()?.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(dialect: Dialect, sql: &str) -> Vec<Rule> {
        lint(dialect, sql, true).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn good_statements_have_no_findings() {
        use Dialect::{ClickHouse, Postgres, Sqlite};
        for (dialect, sql) in [
            (Postgres, "SELECT a, $1 AS x, $2::text y FROM t WHERE b = $3;"),
            (Postgres, "SELECT count(*) FILTER (WHERE a > $1) FROM t"),
            (Postgres, "SELECT pg_sleep($1), $1::text FROM t"),
            (Postgres, "WITH d AS (SELECT replace(a, 'x', 'y') AS r FROM t) SELECT * FROM d -- ; done"),
            (Postgres, "(SELECT 1 AS a) UNION ALL (SELECT 2)"),
            (Postgres, "SELECT 'INSERT INTO x; DELETE' AS text"),
            (Postgres, "SELECT t.update, delete FROM t"),
            (Sqlite, "SELECT ?1 AS x, json_extract(doc, '$.a') AS a FROM t LIMIT ?2"),
            (
                ClickHouse,
                "SELECT service_name, quantile(0.95)(duration_ns) / {p1:Float64} AS p95 FROM traces \
                          WHERE organization_id = {p2:String} GROUP BY service_name LIMIT 5 BY service_name",
            ),
            (ClickHouse, "SELECT replace(body, {p1:String}, '') AS b FROM logs FINAL"),
            (ClickHouse, "SELECT a FROM t ORDER BY a LIMIT {p1:Int64} BY a"),
            (ClickHouse, "SELECT a FROM t ORDER BY a LIMIT 3 BY a, f(b, 1) LIMIT {p1:Int64}"),
            (ClickHouse, "SELECT a FROM t LIMIT 1 OFFSET 2 BY a LIMIT 5 OFFSET 1"),
            (
                ClickHouse,
                "SELECT n FROM (SELECT a AS n FROM t LIMIT 1, 2 BY a) WHERE n IN (SELECT b FROM u LIMIT 1 BY b) LIMIT 7",
            ),
        ] {
            assert_eq!(rules(dialect, sql), [], "{sql}");
        }
    }

    #[test]
    fn findings() {
        use Dialect::{ClickHouse, Postgres, Sqlite};
        for (dialect, sql, expected) in [
            (Postgres, "SELECT 1 AS a; SELECT 2", Rule::Several),
            (Postgres, " -- nothing\n;", Rule::Empty),
            (Postgres, "SELECT 'a", Rule::Unclosed),
            (Postgres, "UPDATE t SET a = 1", Rule::Write),
            (Postgres, "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", Rule::Write),
            (Postgres, "WITH d AS (SELECT 1 AS a) INSERT INTO t SELECT * FROM d", Rule::Write),
            (Postgres, "SELECT a INTO b FROM t", Rule::Write),
            (Postgres, "SELECT a FROM t FOR UPDATE", Rule::Write),
            (Postgres, "CALL f()", Rule::Write),
            (Sqlite, "PRAGMA user_version = 3", Rule::Write),
            (Sqlite, "ATTACH 'x' AS y", Rule::Write),
            (ClickHouse, "OPTIMIZE TABLE t FINAL", Rule::Write),
            (ClickHouse, "SELECT 1 AS a INTO OUTFILE 'x'", Rule::Write),
            (ClickHouse, "INSERT INTO t SETTINGS x = 1 VALUES (1)", Rule::Write),
            (Postgres, "SELECT $1", Rule::Unnamed),
            (Sqlite, "SELECT a, ?1 || 'x' FROM t", Rule::Unnamed),
            (ClickHouse, "SELECT a, concat(b, {p1:String}) FROM t", Rule::Unnamed),
            (ClickHouse, "SELECT x ? 1 : 0 AS y FROM t", Rule::Unparsed),
            (ClickHouse, "SELECT x ? 1 : 0 AS y FROM t LIMIT 1 BY y LIMIT 2", Rule::Unparsed),
            (ClickHouse, "WITH 5 AS n SELECT n", Rule::Unparsed),
        ] {
            assert_eq!(rules(dialect, sql), [expected], "{sql}");
        }
    }

    #[test]
    fn a_finding_says_where() {
        let sql = "SELECT a, $1 FROM t";
        let finding = lint(Dialect::Postgres, sql, true).remove(0);
        assert_eq!(&sql[finding.range.unwrap()], "$1");
        let sql = "SELECT 1 AS a; DROP TABLE t";
        let findings = lint(Dialect::Postgres, sql, true);
        assert_eq!(&sql[findings[0].range.clone().unwrap()], "DROP TABLE t");
        assert_eq!(&sql[findings[1].range.clone().unwrap()], "DROP");
    }
}
