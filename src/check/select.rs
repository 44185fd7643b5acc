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
    pub(super) unnamed: Vec<Range<usize>>,
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
                    columns.unnamed.push(first.range.start..last.range.end);
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
    }
}
