//! What a scanned statement selects and reads: just enough structure to ask whether every part that reads a table
//! is bound to the organisation, and what the columns of the answer are called.

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

/// Schemas of databases themselves, which hold no tenant's rows.
const SYSTEM_SCHEMAS: [&str; 4] = ["system", "information_schema", "pg_catalog", "sqlite_schema"];

/// One `SELECT` with what it reads by itself, subqueries apart.
#[derive(Debug)]
pub(super) struct Core {
    /// Tables named behind `FROM` and `JOIN`, with their places.
    pub(super) tables: Vec<(String, Range<usize>)>,
    /// Whether the organisation is compared in it whenever the part is there at all.
    pub(super) bound: bool,
    /// Whether it only decides which rows of another part are kept (`IN (SELECT …)`, `EXISTS (SELECT …)`).
    pub(super) filters: bool,
}

/// Every `SELECT` of a statement.
pub(super) fn cores(tokens: &[Token<'_>]) -> Vec<Core> {
    let mut ctes: Vec<String> = Vec::new();
    for window in tokens.windows(3) {
        if let [name, keyword, open] = window
            && keyword.is("as")
            && (open.is_symbol("(") || open.is("materialized") || open.is("not"))
            && let Some(name) = name.name()
        {
            ctes.push(name.to_lowercase());
        }
    }
    let mut done: Vec<Core> = Vec::new();
    // The parts that are still open: parentheses around them, blocks around them, what is known.
    let mut open: Vec<(usize, usize, Core)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        while open.last().is_some_and(|(parens, ..)| token.parens < *parens || closes(token, *parens)) {
            done.extend(open.pop().map(|(.., core)| core));
        }
        if token.is("select") {
            if open.last().is_some_and(|(parens, ..)| *parens == token.parens) {
                // The next part of a UNION.
                done.extend(open.pop().map(|(.., core)| core));
            }
            let before = index.checked_sub(2).and_then(|at| tokens.get(at));
            let filters = before.is_some_and(|before| before.is_one_of(&["in", "exists", "any", "all"]));
            open.push((token.parens, token.depth, Core { tables: Vec::new(), bound: false, filters }));
        }
        let Some((_, depth, core)) = open.last_mut() else { continue };
        if token.is_one_of(&["from", "join"])
            && let Some((name, range)) = table(tokens, index + 1)
            && !ctes.contains(&name.to_lowercase())
        {
            core.tables.push((name, range));
        }
        if is_organisation(token) && token.depth <= *depth && is_compared(tokens, index) {
            core.bound = true;
        }
    }
    done.extend(open.into_iter().map(|(.., core)| core));
    done
}

pub(super) fn is_organisation(token: &Token<'_>) -> bool {
    matches!(&token.kind, TokenKind::Value(Some(name)) if name == "organization_id")
}

fn closes(token: &Token<'_>, parens: usize) -> bool {
    token.is_symbol(")") && token.parens + 1 == parens
}

/// The table at a place: `a`, `a.b`, not a function and not a subquery.
fn table(tokens: &[Token<'_>], at: usize) -> Option<(String, Range<usize>)> {
    let first = tokens.get(at)?;
    let mut name = first.name()?.to_owned();
    let mut range = first.range.clone();
    let mut next = at + 1;
    if tokens.get(next).is_some_and(|token| token.is_symbol(".")) {
        let second = tokens.get(next + 1)?;
        if SYSTEM_SCHEMAS.contains(&name.to_lowercase().as_str()) {
            return None;
        }
        name = second.name()?.to_owned();
        range.end = second.range.end;
        next += 2;
    }
    // `extract(epoch FROM x)` is no table either, but its parentheses hold no SELECT of their own.
    let called = tokens.get(next).is_some_and(|token| token.is_symbol("("));
    let inside_call = tokens.get(at.wrapping_sub(1)).is_some_and(|from| from.is("from")) && in_call(tokens, at);
    (!called && !inside_call && !first.is_one_of(&["select", "lateral", "unnest"])).then_some((name, range))
}

/// Whether the innermost parenthesis around a token opened without a `SELECT` or `WITH` behind it.
fn in_call(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(level) = tokens.get(at).map(|token| token.parens).filter(|level| *level > 0) else { return false };
    let open = tokens.get(..at).unwrap_or_default().iter().rposition(|t| t.is_symbol("(") && t.parens + 1 == level);
    let behind = open.and_then(|open| tokens.get(open + 1));
    !behind.is_some_and(|token| token.is_one_of(&["select", "with"]) || token.is_symbol("("))
}

/// Whether a bound value is one side of `=` or stands in an `IN (…)`, functions such as `toUUID(…)` around it.
pub(super) fn is_compared(tokens: &[Token<'_>], at: usize) -> bool {
    let equals = |token: &Token<'_>| token.is_symbol("=") || token.is_symbol("==") || token.is("in");
    let before = tokens.get(..at).unwrap_or_default().iter().rev();
    let mut before =
        before.skip_while(|token| token.is_symbol("(") || (token.name().is_some() && !token.is("in") && !stops(token)));
    let mut after = tokens.get(at + 1..).unwrap_or_default().iter().skip_while(|token| token.is_symbol(")"));
    // A cast may follow before the comparison: `{{ organization_id }}::uuid = organization_id`.
    let after = after.next().and_then(|token| if token.is_symbol("::") { after.nth(1) } else { Some(token) });
    before.next().is_some_and(equals) || after.is_some_and(equals)
}

/// Words that separate conditions from each other.
fn stops(token: &Token<'_>) -> bool {
    token.is_one_of(&["and", "or", "not", "where", "prewhere", "on", "select", "having", "when", "then", "by", "as"])
}

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

    #[test]
    fn every_part_that_reads_is_bound_or_not() {
        for (text, expected) in [
            ("SELECT a FROM t WHERE organization_id = {{ organization_id }}", "t+"),
            ("SELECT a FROM t WHERE {% if x %}organization_id = {{ organization_id }}{% endif %}", "t-"),
            ("SELECT {{ organization_id }} AS o FROM t", "t-"),
            ("SELECT a FROM t WHERE o = toUUID({{ organization_id }}) UNION ALL SELECT b FROM u", "t+ u-"),
            ("WITH c AS (SELECT a FROM t WHERE o = {{ organization_id }}) SELECT a FROM c", "t+"),
            ("SELECT a FROM (SELECT b FROM t WHERE o IN ({{ organization_id }})) JOIN u ON true", "t+ u-"),
            ("SELECT a FROM t WHERE o = {{ organization_id }} AND id IN (SELECT id FROM u)", "t+ (u-)"),
            ("SELECT extract(epoch FROM a) AS x FROM t WHERE o = {{ organization_id }}", "t+"),
            ("SELECT a FROM numbers(12) WHERE {{ organization_id }}::text = b", ""),
            (
                "SELECT a FROM t WHERE o = {{ organization_id }}{% if x %} UNION ALL SELECT a FROM u WHERE o = {{ organization_id }}{% endif %}",
                "t+ u+",
            ),
        ] {
            let mut found: Vec<String> = with(text, cores)
                .iter()
                .flat_map(|core| core.tables.iter().map(move |(name, _)| (core, name)))
                .map(|(core, name)| {
                    let part = format!("{name}{}", if core.bound { "+" } else { "-" });
                    if core.filters { format!("({part})") } else { part }
                })
                .collect();
            found.sort_by_key(|part| part.trim_matches('(').to_owned());
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
