//! What a scanned statement selects: just enough structure to say what the columns of the answer are called.

use std::ops::Range;

use super::scan::{Token, TokenKind};

/// Words that end a list of selected columns.
const AFTER_COLUMNS: [&str; 17] = [
    "from",
    "prewhere",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "intersect",
    "except",
    "settings",
    "format",
    "window",
    "qualify",
    "into",
    "offset",
    "fetch",
];

/// Words that end an expression but name nothing.
const NOT_A_NAME: [&str; 6] = ["end", "null", "true", "false", "default", "current_timestamp"];

/// The columns of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    /// Whether all names are known.
    pub(super) complete: bool,
    /// Selected expressions with a bound value and without a name.
    pub(super) unnamed: Vec<Unnamed>,
}

/// A selected expression that no one named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unnamed {
    pub(super) range: Range<usize>,
    /// Whether PostgreSQL makes a name of it: of the function or the type. Other databases take its text, with the
    /// placeholder in it.
    pub(super) postgres_names_it: bool,
}

/// What the outermost `SELECT` answers.
pub(super) fn columns(tokens: &[Token<'_>]) -> Columns {
    let mut columns = Columns { complete: true, ..Columns::default() };
    let Some(start) = tokens.iter().position(|token| token.parens == 0 && token.is("select")) else {
        return Columns::default();
    };
    let rest = tokens.get(start + 1..).unwrap_or_default();
    let end = rest.iter().position(|token| token.parens == 0 && token.is_one_of(&AFTER_COLUMNS)).unwrap_or(rest.len());
    let mut list = rest.get(..end).unwrap_or_default();
    if let [first, behind @ ..] = list
        && first.is_one_of(&["distinct", "all"])
    {
        list = behind;
        if let [on, behind @ ..] = list
            && on.is("on")
        {
            let close =
                behind.iter().position(|token| token.parens == 0 && token.is_symbol(")")).map_or(0, |at| at + 1);
            list = behind.get(close..).unwrap_or_default();
        }
    }
    for item in list.split(|token| token.parens == 0 && token.is_symbol(",")) {
        match (name(item), item) {
            (Some(name), _) => columns.names.push(name),
            (None, []) => columns.complete = false,
            (None, [first, .., last] | [first @ last]) => {
                columns.complete = false;
                let bound = |token: &Token<'_>| matches!(token.kind, TokenKind::Value(_));
                if item.iter().any(bound) && !item.iter().any(|token| matches!(token.kind, TokenKind::Identifier)) {
                    let range = first.range.start..last.range.end;
                    columns.unnamed.push(Unnamed { range, postgres_names_it: postgres_names(item) });
                }
            }
        }
    }
    columns
}

/// The name of a selected expression.
fn name(item: &[Token<'_>]) -> Option<String> {
    if let Some(at) = item.iter().rposition(|token| token.parens == 0 && token.is("as")) {
        return item.get(at + 1)?.name().map(str::to_owned);
    }
    let (last, before) = item.split_last()?;
    let name = last.name().filter(|_| last.parens == 0 && !last.is_one_of(&NOT_A_NAME))?;
    let named = match before.last() {
        None => true,
        // `t.column`, or an alias without AS.
        Some(token) => match token.kind {
            TokenKind::Symbol(symbol) => symbol == "." || symbol == ")",
            _ => !token.is_one_of(&["and", "or", "not", "is", "in", "like", "between", "interval", "then", "else"]),
        },
    };
    // `SELECT a::date` is called `a` in one backend and `date` in another.
    named.then(|| name.to_owned())
}

/// Whether PostgreSQL calls a column after an expression (`FigureColname` there) instead of `?column?`: calls, casts,
/// `CASE`, `ARRAY`, `EXISTS` and `ROW`, also in parentheses, and subqueries whose column has a name.
fn postgres_names(item: &[Token<'_>]) -> bool {
    let Some((first, rest)) = item.split_first() else { return false };
    let outside = |token: &Token<'_>| token.parens == first.parens;
    if first.is_symbol("(") && rest.last().is_some_and(|last| last.is_symbol(")") && outside(last)) {
        let inner = rest.get(..rest.len().saturating_sub(1)).unwrap_or_default();
        return match inner.split_first() {
            Some((select, list)) if select.is("select") => {
                let stops = |token: &Token<'_>| {
                    token.parens == select.parens && (token.is_symbol(",") || token.is_one_of(&AFTER_COLUMNS))
                };
                let column = list.split(stops).next().unwrap_or_default();
                name(column).is_some() || postgres_names(column)
            }
            _ => postgres_names(inner),
        };
    }
    if item.iter().any(|token| token.is_symbol("::") && outside(token)) {
        // Whatever is cast: where it has no name of its own, the type's is taken.
        return !item.iter().any(|token| outside(token) && is_operator(token));
    }
    if first.is("case") {
        return rest.last().is_some_and(|last| last.is("end"))
            && !rest.iter().any(|token| outside(token) && token.is("case"));
    }
    let begins = first.is("array") || rest.first().is_some_and(|next| next.is_symbol("("));
    begins && first.name().is_some() && !item.iter().any(|token| outside(token) && is_operator(token))
}

/// Whether a symbol or a word computes something new of what stands around it.
fn is_operator(token: &Token<'_>) -> bool {
    const PUNCTUATION: [&str; 8] = ["(", ")", "[", "]", ",", ".", "::", ":"];
    match token.kind {
        TokenKind::Symbol(symbol) => !PUNCTUATION.contains(&symbol),
        _ => token.is_one_of(&["and", "or", "not", "is", "in", "like", "ilike", "between", "similar"]),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{jinja, scan::scan},
        *,
    };

    fn with<T>(text: &str, look: impl FnOnce(&[Token<'_>]) -> T) -> T {
        look(&scan(text, &jinja::template(text).unwrap(), true).tokens)
    }

    #[test]
    fn columns_have_names() {
        for (text, expected, complete) in [
            ("SELECT a, t.b, c AS d, f(x, y) e, count(*) AS n FROM t", "a d e b n", true),
            ("WITH x AS (SELECT q FROM t) SELECT DISTINCT p, CASE WHEN a THEN 1 END AS k FROM x", "p k", true),
            ("SELECT * FROM t", "", false),
            ("SELECT a + 1, b FROM t", "b", false),
            ("SELECT DISTINCT ON (a, b) a, \"c d\" FROM t", "a c d", true),
        ] {
            let found = with(text, columns);
            let mut names: Vec<_> = found.names.join(" ").split(' ').map(str::to_owned).collect();
            names.sort();
            let mut wanted: Vec<_> = expected.split(' ').map(str::to_owned).collect();
            wanted.sort();
            assert_eq!((names, found.complete), (wanted, complete), "{text}");
        }
        assert_eq!(with("SELECT {{ from }}, {{ to }} AS t FROM x", columns).unnamed.len(), 1);
        for (expression, named) in [
            ("{{ s }}", false),
            ("({{ s }})", false),
            ("{{ s }} + 1", false),
            ("f(a) || {{ s }}", false),
            ("f(a)::text || {{ s }}", false),
            ("NOT {{ s }}", false),
            ("(SELECT {{ s }})", false),
            ("pg_sleep({{ s }})", true),
            ("(pg_sleep({{ s }}))", true),
            ("count(*) FILTER (WHERE a > {{ s }})", true),
            ("coalesce(a + 1, {{ s }})", true),
            ("{{ s }}::text", true),
            ("CAST({{ s }} AS text)", true),
            ("CASE WHEN a = {{ s }} THEN 1 END", true),
            ("ARRAY[{{ s }}]", true),
            ("EXISTS (SELECT 1 FROM t WHERE a = {{ s }})", true),
            ("(SELECT max(a) FROM t WHERE b = {{ s }})", true),
        ] {
            let unnamed = with(&format!("SELECT {expression} FROM t"), columns).unnamed;
            assert_eq!(
                unnamed.iter().map(|found| found.postgres_names_it).collect::<Vec<_>>(),
                [named],
                "{expression}"
            );
        }
    }
}
