//! What our parser cannot read of a definition's statement, before any database sees it.
//!
//! `check` calls it with the text of a rendered template, its placeholders already in the form of the dialect. It is a hint:
//! the database may know more. What is certainly wrong, `check` has said of the template.

use super::{
    Dialect,
    lex::{self, Token},
    parse::parse,
};

/// A statement that our parser does not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsed {
    /// One sentence.
    pub message: String,
    /// The line, from 1, and the word over which the parser stumbled.
    pub at: Option<(usize, String)>,
}

/// What our parser stumbles over.
pub fn unparsed(dialect: Dialect, sql: &str) -> Option<Unparsed> {
    let error = parse(dialect, sql).err()?;
    let plain = (dialect == Dialect::ClickHouse).then(|| without_limit_by(sql)).flatten();
    if plain.is_some_and(|plain| parse(dialect, &plain).is_ok()) {
        return None;
    }
    let (error, place) = error.rsplit_once(" at Line: ").unwrap_or((&error, ""));
    let error = error.strip_prefix("sql parser error: ").unwrap_or(error);
    let line = place.split(',').next().and_then(|number| number.parse().ok());
    let word = error.rsplit_once("found: ").map(|(_, word)| word.to_owned()).filter(|word| !word.is_empty());
    let message = format!("our parser does not understand this {dialect} statement: {error}");
    Some(Unparsed { message, at: line.zip(word) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_statements_are_read() {
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
            assert_eq!(unparsed(dialect, sql), None, "{sql}");
        }
    }

    #[test]
    fn what_is_not_read_says_where() {
        for sql in [
            "SELECT x ? 1 : 0 AS y FROM t",
            "SELECT x ? 1 : 0 AS y FROM t LIMIT 1 BY y LIMIT 2",
            "WITH 5 AS n SELECT n",
        ] {
            let found = unparsed(Dialect::ClickHouse, sql).expect(sql);
            assert!(
                found.message.starts_with("our parser does not understand this clickhouse statement: "),
                "{}",
                found.message
            );
            assert!(
                !found.message.contains("at Line") && !found.message.contains("sql parser error"),
                "{}",
                found.message
            );
            assert_eq!(found.at.as_ref().map(|(line, _)| *line), Some(1), "{sql}: {}", found.message);
        }
        let found = unparsed(Dialect::Postgres, "SELECT 1 AS a\nFROM t WHERE ) b").expect("it is broken");
        assert_eq!(found.at, Some((2, ")".to_owned())), "{}", found.message);
    }
}
