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
    super::TableColumns,
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
    /// Their columns.
    pub columns: &'a TableColumns,
    /// The tables for which the server was given conditions: those that the statement names.
    pub filtered: &'a BTreeSet<String>,
}

/// What a caller may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read the rows of its organisation.
    Own,
    /// Read all of it.
    Shared,
    /// Nothing: its engine folds rows, and not by organisation.
    Folded,
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

/// Columns that no table declares and most have: where a row lies among those of all organisations, which tells how
/// many the others have. So is what begins with `_part` or `_block_`.
const VIRTUAL: [&str; 14] = [
    "_row_exists",
    "_sample_factor",
    "_disk_name",
    "_table",
    "_database",
    "_shard_num",
    "_path",
    "_file",
    "_size",
    "_time",
    "_etag",
    "_key",
    "_headers",
    "_distance",
];

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
            .hint("SHOW and DESCRIBE are not run, and nothing is written"));
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
        "into" if before.is_some_and(|before| before.is_word("insert")) => {
            ("INSERT", "statements of callers only read: write a SELECT")
        }
        "into" | "outfile" => ("INTO OUTFILE", "leave it out; rows are answered as a table"),
        "totals" if before.is_some_and(|before| before.is_word("with")) => {
            ("WITH TOTALS", "use WITH ROLLUP, whose totals are rows of the answer")
        }
        "prewhere" => ("PREWHERE", "write WHERE"),
        "apply" => ("APPLY", "call the function on each column by its name"),
        "explain" => ("EXPLAIN", "run the SELECT itself"),
        "parallel" => ("PARALLEL WITH", "send the statements one by one"),
        "kill" => ("KILL", "a call that is cancelled ends its statement"),
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
    let virtual_name = VIRTUAL.contains(&name) || name.starts_with("_part") || name.starts_with("_block_");
    if virtual_name && !is_declared(name, scope) {
        return Err(virtual_column(name));
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
            Access::Ownerless | Access::Folded if !stands_as_table => {}
            Access::Ownerless | Access::Folded | Access::Unfiltered => return Err(closed_table(name, *access)),
        }
    }
    Ok(())
}

/// Judges what ClickHouse itself resolved: the text of `EXPLAIN QUERY TREE`, one line after the other.
///
/// A caller's own names stand in it too, as the names of answered columns. A line that such a name forges adds to
/// what is refused and takes nothing away.
pub fn judge_resolved<'t>(
    lines: impl IntoIterator<Item = &'t str>,
    scope: &ClickHouseScope<'_>,
) -> Result<(), GuardError> {
    let mut seen_query = false;
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for line in lines {
        let line = line.trim_start();
        let (kind, rest) = line.split_once(" id: ").unwrap_or((line, ""));
        match kind {
            "TABLE" => {
                if let Some(table) = table(table_name(rest), scope)? {
                    tables.entry(rest.split(',').next().unwrap_or_default()).or_default().push(table);
                }
            }
            "COLUMN" => columns.extend(column(rest)),
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
    // Columns stand before the tables that they are of.
    for (name, source) in columns {
        for table in tables.get(source).into_iter().flatten() {
            let declared = scope.columns.get(*table).is_some_and(|columns| columns.iter().any(|c| is_part(name, c)));
            if !declared {
                return Err(virtual_column(name));
            }
        }
    }
    if seen_query { Ok(()) } else { Err(forbidden("ClickHouse did not show how it reads the statement")) }
}

/// Functions whose results depend on the time at which they are run.
const OF_THE_PRESENT: [&str; 13] = [
    "now",
    "now64",
    "today",
    "yesterday",
    "utctimestamp",
    "utc_timestamp",
    "current_timestamp",
    "current_date",
    "curdate",
    "localtimestamp",
    "localtime",
    "generateuuidv7",
    "generatesnowflakeid",
];

/// Whether a resolved statement reads the server's own clock, also where it was folded into a constant.
pub fn reads_clock<'t>(lines: impl IntoIterator<Item = &'t str>) -> bool {
    lines.into_iter().any(|line| {
        let name = line.trim_start().strip_prefix("FUNCTION id: ").map(|rest| attribute(rest, "function_name: "));
        name.is_some_and(|name| OF_THE_PRESENT.contains(&&*name.to_ascii_lowercase()))
    })
}

/// The names of the tables that ClickHouse resolved, as in the text of `EXPLAIN QUERY TREE`: `database.table`.
pub fn resolved_tables<'t>(lines: impl IntoIterator<Item = &'t str>) -> impl Iterator<Item = &'t str> {
    let tables = lines.into_iter().filter_map(|line| line.trim_start().strip_prefix("TABLE id: "));
    tables.map(table_name).filter(|name| !name.is_empty())
}

fn table_name(rest: &str) -> &str {
    let full = rest.split_once("table_name: ").map_or("", |(_, name)| name);
    // `FINAL` and `SAMPLE` follow the name.
    full.split(", ").next().unwrap_or_default()
}

/// A table of the bound database that may be read; none for what a SELECT without FROM reads, one row without content.
fn table<'t>(full: &'t str, scope: &ClickHouseScope<'_>) -> Result<Option<&'t str>, GuardError> {
    if full == "system.one" {
        return Ok(None);
    }
    let name = full.strip_prefix(scope.database).and_then(|rest| rest.strip_prefix('.'));
    match name.map(|name| (name, scope.tables.get(name))) {
        Some((name, Some(Access::Own))) if !scope.filtered.contains(name) => {
            Err(forbidden(format!("the table `{name}` is not named plainly")).hint("write its name as it is"))
        }
        Some((name, Some(Access::Own | Access::Shared))) => Ok(Some(name)),
        Some((name, Some(access))) => Err(closed_table(name, *access)),
        Some((name, None)) => Err(forbidden(format!("the table `{name}` is not known yet")).hint("try again")),
        None => Err(other_database(full.split('.').next().unwrap_or_default(), scope)),
    }
}

/// The name of a column and the id of what it is of. Read from the end, where nothing is the caller's.
fn column(rest: &str) -> Option<(&str, &str)> {
    let (rest, source) = rest.rsplit_once(", source_id: ")?;
    let (rest, _) = rest.rsplit_once(", result_type: ")?;
    let (_, name) = rest.rsplit_once("column_name: ")?;
    Some((name, source))
}

/// Whether a name is a declared column or a part of one: `tags.keys`, `n.null`, `document.path`.
fn is_part(name: &str, column: &str) -> bool {
    name.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_declared(name: &str, scope: &ClickHouseScope<'_>) -> bool {
    scope.columns.values().flatten().any(|column| column == name)
}

fn virtual_column(name: &str) -> GuardError {
    forbidden(format!("the column `{name}` is not one that its table declares"))
        .hint("use declared columns; where rows lie in storage tells of other organisations' rows")
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

/// Where ClickHouse looks a recursive CTE up, in its resolved form.
const RECURSIVE: &str = "_temporary_and_external_tables";

fn other_database(name: &str, scope: &ClickHouseScope<'_>) -> GuardError {
    if name == RECURSIVE {
        return forbidden("`WITH RECURSIVE` and tables of a session are out of reach")
            .hint("use `numbers(n)`, `arrayJoin` or a self-join");
    }
    forbidden(format!("the database `{name}` is out of reach")).hint(format!(
        "name tables plainly or as `{}.table`; an alias that is also a database's name must be renamed",
        scope.database
    ))
}

fn closed_table(name: &str, access: Access) -> GuardError {
    let why = match access {
        Access::Unfiltered => "its engine cannot be limited to one organisation",
        Access::Folded => "its rows may hold sums over organisations",
        _ => "nothing in its rows says whose they are",
    };
    let closed = forbidden(format!("the table `{name}` is not open to statements of callers: {why}"));
    if access == Access::Folded {
        return closed.hint("read the table that it is made from, or a rollup that is sorted by `organization_id` too");
    }
    closed.hint("use a tool that was written for it, or ask the operator to list it under `shared_tables`")
}
