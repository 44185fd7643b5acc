//! What a caller's statement for ClickHouse may say.
//!
//! No parser of ours reads all of ClickHouse's SQL, so this judges tokens: one reading statement, functions from a
//! list, no other database, no clause that sets, writes or formats. It is the first of three locks. The source
//! then lets ClickHouse resolve the statement and judges every table and function that it names
//! ([`judge_resolved`]), and the rows of other organisations are withheld by the server itself.
//!
//! It fails closed: a character, a clause or a function that it does not know is refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use super::{
    GuardError,
    clickhouse_lex::{Token, tokens},
    forbidden,
};

/// What a caller may reach.
#[derive(Debug, Clone, Copy)]
pub struct ClickHouseScope<'a> {
    /// The bound database.
    pub database: &'a str,
    /// All databases of the server.
    pub databases: &'a BTreeSet<String>,
    /// The tables of the bound database.
    pub tables: &'a BTreeMap<String, Access>,
}

/// What a caller may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read the rows of its organisation.
    Own,
    /// Read all of it.
    Shared,
    /// Nothing: nothing in its rows says whose they are.
    Ownerless,
    /// Nothing: it can be read past the server's filters.
    Unfiltered,
}

static FUNCTIONS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("clickhouse_functions.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// Suffixes that turn an aggregate function into another (`system.aggregate_function_combinators`).
const COMBINATORS: [&str; 15] = [
    "simplestate",
    "ordefault",
    "distinct",
    "resample",
    "foreach",
    "argmax",
    "argmin",
    "ornull",
    "tuple",
    "merge",
    "state",
    "array",
    "null",
    "map",
    "if",
];

/// Words that may stand before a parenthesis without being functions.
const BEFORE_PARENTHESIS: [&str; 60] = [
    "all",
    "and",
    "any",
    "anti",
    "array",
    "as",
    "asc",
    "asof",
    "between",
    "by",
    "case",
    "columns",
    "cross",
    "cube",
    "desc",
    "distinct",
    "else",
    "escape",
    "except",
    "exists",
    "fill",
    "filter",
    "from",
    "full",
    "global",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "interpolate",
    "interval",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "mod",
    "not",
    "offset",
    "on",
    "or",
    "order",
    "over",
    "partition",
    "qualify",
    "recursive",
    "regexp",
    "replace",
    "right",
    "rollup",
    "select",
    "semi",
    "sets",
    "then",
    "union",
    "using",
    "when",
];
const BEFORE_PARENTHESIS_TOO: [&str; 6] = ["where", "with", "div", "step", "to", "materialized"];

/// Judges the text of a statement.
pub fn judge(sql: &str, scope: &ClickHouseScope<'_>) -> Result<(), GuardError> {
    let tokens = tokens(sql)?;
    let tokens = match tokens.split_last() {
        Some((last, rest)) if last.is(";") => rest,
        _ => &tokens,
    };
    let first = tokens.iter().find(|token| !token.is("("));
    if !first.is_some_and(|token| token.is_word("select") || token.is_word("with")) {
        return Err(forbidden("only one SELECT, or WITH … SELECT, is run here")
            .hint("to see tables and their columns, use the tool that lists them"));
    }
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let next = tokens.get(index + 1);
        match token {
            Token::Symbol(';') => {
                return Err(forbidden("only one statement is run at a time")
                    .hint("send the first SELECT without the semicolon and what follows"));
            }
            Token::Word(word) => {
                clause(word, before, next)?;
                name(token, index, tokens, scope)?;
            }
            Token::Quoted(_) => name(token, index, tokens, scope)?,
            _ => {}
        }
    }
    Ok(())
}

/// Refuses words that begin what a caller may not do. As a name such a word has to be quoted.
fn clause(word: &str, before: Option<&Token>, next: Option<&Token>) -> Result<(), GuardError> {
    let called = next.is_some_and(|next| next.is("("));
    let opened = before.is_some_and(|before| before.is("("));
    let (what, hint) = match word.to_ascii_lowercase().as_str() {
        "settings" => ("a SETTINGS clause", "leave it out; time and rows are limited already"),
        "format" if !called => ("a FORMAT clause", "leave it out; rows are answered as a table"),
        "into" | "outfile" => ("INTO OUTFILE", "leave it out; rows are answered as a table"),
        "prewhere" => ("PREWHERE", "write WHERE"),
        "apply" => ("APPLY", "call the function on each column by its name"),
        "explain" => ("EXPLAIN", "run the SELECT itself"),
        "describe" | "show" | "desc" if opened => ("a statement inside the statement", "write a SELECT"),
        "identifier" => ("a parameter of type Identifier", "write the name in the statement"),
        _ => return Ok(()),
    };
    Err(forbidden(format!("{what} is not allowed here"))
        .hint(format!("{hint}. A column named `{word}` must stand in backticks")))
}

/// Judges a name: a function if it is called, else a table, a column, or a part of either.
fn name(token: &Token, index: usize, tokens: &[Token], scope: &ClickHouseScope<'_>) -> Result<(), GuardError> {
    let Some(name) = token.name() else { return Ok(()) };
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let next = tokens.get(index + 1);
    if next.is_some_and(|next| next.is("(")) {
        let keyword = matches!(token, Token::Word(_)) && {
            let word = name.to_ascii_lowercase();
            BEFORE_PARENTHESIS.contains(&word.as_str()) || BEFORE_PARENTHESIS_TOO.contains(&word.as_str())
        };
        return if keyword || is_known_function(name) { Ok(()) } else { Err(unknown_function(name)) };
    }
    let qualified = before.is_some_and(|before| before.is("."));
    if name.starts_with(".inner") {
        return Err(
            forbidden("the tables inside materialized views are not read directly").hint("read the materialized view")
        );
    }
    let qualifies = next.is_some_and(|next| next.is("."));
    if !qualified && qualifies {
        let other = scope.databases.iter().any(|database| database.eq_ignore_ascii_case(name))
            || ["system", "information_schema"].iter().any(|database| database.eq_ignore_ascii_case(name));
        // `FROM a.b` can only be a table of a database.
        let in_from = before.is_some_and(|before| before.is_word("from") || before.is_word("join"));
        if name != scope.database && (other || in_from) {
            return Err(other_database(name, scope));
        }
    }
    if !qualifies && let Some(access) = scope.tables.get(name) {
        let stands_as_table = qualified
            || before.is_some_and(|before| {
                before.is(",") || ["from", "join", "in", "table"].iter().any(|word| before.is_word(word))
            });
        match access {
            Access::Own | Access::Shared => {}
            Access::Ownerless if !stands_as_table => {}
            Access::Ownerless | Access::Unfiltered => return Err(closed_table(name, *access)),
        }
    }
    Ok(())
}

/// Judges what ClickHouse itself resolved: the text of `EXPLAIN QUERY TREE`, one line after the other.
pub fn judge_resolved<'t>(
    lines: impl IntoIterator<Item = &'t str>,
    scope: &ClickHouseScope<'_>,
) -> Result<(), GuardError> {
    let mut seen_query = false;
    for line in lines {
        let line = line.trim_start();
        let (kind, rest) = line.split_once(" id: ").unwrap_or((line, ""));
        match kind {
            "TABLE" => {
                let full = rest.split_once("table_name: ").map_or("", |(_, name)| name);
                // `FINAL` and `SAMPLE` follow the name.
                let full = full.split(", ").next().unwrap_or_default();
                // What a SELECT without FROM reads: one row without content.
                if full == "system.one" {
                    continue;
                }
                let table = full.strip_prefix(scope.database).and_then(|rest| rest.strip_prefix('.'));
                match table.map(|table| (table, scope.tables.get(table))) {
                    Some((_, Some(Access::Own | Access::Shared))) => {}
                    Some((table, Some(access))) => return Err(closed_table(table, *access)),
                    Some((table, None)) => {
                        return Err(forbidden(format!("the table `{table}` is not known yet")).hint("try again"));
                    }
                    None => return Err(other_database(full.split('.').next().unwrap_or_default(), scope)),
                }
            }
            "TABLE_FUNCTION" => {
                let name = attribute(rest, "table_function_name: ");
                if !is_known_function(name) {
                    return Err(unknown_function(name));
                }
            }
            "FUNCTION" => {
                let name = attribute(rest, "function_name: ");
                // Names of the planner's own begin with an underscore; callers cannot write them.
                if !name.starts_with('_') && !is_known_function(name) {
                    return Err(unknown_function(name));
                }
            }
            "QUERY" | "UNION" => seen_query = true,
            "IDENTIFIER" | "UNRESOLVED" => {
                return Err(forbidden("a part of the statement cannot be resolved before it runs")
                    .hint("write it as a plain subquery"));
            }
            _ => {}
        }
    }
    if seen_query { Ok(()) } else { Err(forbidden("ClickHouse did not show how it reads the statement")) }
}

fn attribute<'l>(rest: &'l str, name: &str) -> &'l str {
    rest.split_once(name).map_or("", |(_, value)| value.split(", ").next().unwrap_or_default())
}

fn is_known_function(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut base = name.as_str();
    loop {
        if FUNCTIONS.contains(base) {
            return true;
        }
        match COMBINATORS.iter().find_map(|suffix| base.strip_suffix(suffix)).filter(|base| !base.is_empty()) {
            Some(shorter) => base = shorter,
            None => return false,
        }
    }
}

fn unknown_function(name: &str) -> GuardError {
    forbidden(format!("the function `{name}` is not allowed here"))
        .hint("use functions on the rows of tables; those that reach files, dictionaries or the server are refused")
}

fn other_database(name: &str, scope: &ClickHouseScope<'_>) -> GuardError {
    forbidden(format!("the database `{name}` is out of reach")).hint(format!(
        "name tables plainly or as `{}.table`; an alias that is also a database's name must be renamed",
        scope.database
    ))
}

fn closed_table(name: &str, access: Access) -> GuardError {
    let why = match access {
        Access::Unfiltered => "its engine cannot be limited to one organisation",
        _ => "nothing in its rows says whose they are",
    };
    forbidden(format!("the table `{name}` is not open to statements of callers: {why}"))
        .hint("use a tool that was written for it, or ask the operator to list it under `shared_tables`")
}
