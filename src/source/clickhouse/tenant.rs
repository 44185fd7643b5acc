//! Binds statements to an organisation.
//!
//! A caller's own SQL has three locks, each of which fails closed. [`judge`] judges the text. ClickHouse resolves the
//! statement (`EXPLAIN QUERY TREE`) and [`judge_resolved`] judges every table, column and function in it, however it
//! was named. And the server itself adds a condition to every table: the organisation's rows where a column says
//! whose they are, no rows elsewhere. `readonly = 1` keeps the statement from changing that.
//!
//! A definition's SQL was proved when it was loaded; the server's condition is its second lock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;

use super::{
    Connection, OWN, Organisation,
    bounds::{self, For, Setting},
    catalog::Catalog,
    error::{FOLDED, Failure, behind},
    explain, placeholders,
    request::{Request, Slot, quote},
    tables::Known,
};
use crate::{
    source::{Found, Limits, Plan, Query, Rows, SourceError, SourceErrorKind, Tables, refused},
    sql::{
        Dialect, Statement,
        guard::clickhouse::{Access, ClickHouseScope, judge, judge_resolved, reads_clock, resolved_tables},
        lex,
        tenancy::ORGANIZATION,
    },
};

/// Planner settings that keep the server's condition in front of the caller's own ones. Evaluated on another
/// organisation's row, `toUInt8(body)` tells that row's body in its error, and an error that depends on a row tells
/// one bit. Merged, pushed-down and join-time filters do evaluate so; without optimizations every step of the plan
/// works only on what the step below lets through, and primary keys are used all the same. Servers that do not know
/// a setting do not have what it turns off.
const CONDITION_FIRST: [&str; 6] = [
    "query_plan_enable_optimizations",
    "query_plan_filter_push_down",
    "query_plan_merge_filters",
    "query_plan_optimize_prewhere",
    "optimize_move_to_prewhere",
    "enable_join_runtime_filters",
];

/// How ClickHouse is asked what it makes of a statement.
pub(super) const EXPLAIN: &str = "EXPLAIN QUERY TREE\n";

/// Settings with which a caller's times are read as answers print them, `2026-11-20T10:00:00Z`.
const TIMES: [&str; 2] = ["date_time_input_format", "cast_string_to_date_time_mode"];

/// A value that an enumeration does not have is an error, and what a join does not find is NULL, as in the other databases.
const STRICT: [&str; 2] = ["validate_enum_literals_in_operators", "join_use_nulls"];

/// How long it is looked for one row of a table.
const PROBE: Duration = Duration::from_secs(2);

/// Times without a zone are UTC, whatever the zone of the server.
const ZONE: &str = "session_timezone";

/// A pass over every `AND` that hashes its columns together with the subqueries below them: in statements of many levels
/// more than half of the time until they run, while it shortens none of a definition's.
const COSTLY_PASS: &str = "optimize_and_compare_chain";

/// The tables of a database, for everybody and for callers.
pub(super) fn catalog(
    database: &str,
    columns: Rows,
    known: &Known,
    server: Facts,
    shared: &[String],
    organisation: &Organisation,
) -> Catalog {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in columns.rows {
        if let [Value::String(table), Value::String(column)] = &*row {
            all.entry(table.clone()).or_default().push(column.clone());
        }
    }
    let (mut access, mut views, mut compared) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let fillers =
        known.of(database).filter(|(_, table)| table.fills_another()).map(|(name, _)| name.to_owned()).collect();
    for (name, table) in known.of(database) {
        let says = all.get(name).and_then(|columns| organisation.compared(columns));
        let shared = shared.iter().any(|shared| shared == name);
        let full = (database.to_owned(), name.to_owned());
        access.insert(name.to_owned(), known.access(&full, says.is_some(), shared, &server.databases, organisation));
        compared.extend(says.map(|says| (name.to_owned(), says.into_owned())));
        if !table.select.is_empty() {
            views.insert(name.to_owned(), table.select.clone());
        }
    }
    // The tables inside materialized views are no tables to ask.
    all.retain(|table, _| !table.starts_with(".inner"));
    let Facts { databases, settings } = server;
    Catalog { tables: Arc::new(Tables(all, Default::default())), access, views, fillers, compared, databases, settings }
}

/// What a server has.
pub(super) struct Facts {
    pub(super) databases: BTreeSet<String>,
    /// The settings that statements are run with.
    settings: BTreeMap<String, Setting>,
}

/// Names of databases, and what the server says of the settings that statements need.
pub(super) fn server_facts() -> String {
    format!(
        "SELECT 'database' AS kind, name, '' AS value, '' AS most, '' AS constant FROM system.databases UNION ALL {}",
        bounds::question(
            &[
                &CONDITION_FIRST[..],
                &TIMES[..],
                &STRICT[..],
                &[ZONE, COSTLY_PASS],
                &explain::FIXED.map(|(name, _)| name)
            ]
            .concat()
        )
    )
}

impl Facts {
    pub(super) fn of(rows: &Rows) -> Self {
        let mut facts = Self { databases: BTreeSet::new(), settings: BTreeMap::new() };
        for row in &rows.rows {
            let text = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
            if text(0) == "database" {
                facts.databases.insert(text(1));
            } else {
                let setting = Setting { value: text(2), most: text(3), constant: text(4) == "1" };
                facts.settings.insert(text(1), setting);
            }
        }
        facts
    }
}

/// A caller's statement on its way for its organisation.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub connection: &'a Connection,
    pub catalog: &'a Catalog,
    pub database: &'a str,
    pub organization_id: &'a str,
    pub query: Query<'a>,
    pub slot: Option<&'a Arc<Slot>>,
}

/// What ClickHouse made of a statement that may run, and the settings that it runs with.
struct Judged {
    tree: Rows,
    settings: Vec<(&'static str, String)>,
}

/// Runs a caller's statement for its organisation.
pub(super) async fn run(asked: Asked<'_>) -> Result<Rows, Failure> {
    let Judged { tree, settings } = judged(&asked).await?;
    let Asked { connection, query: Query { statement, limits, id, .. }, slot, .. } = asked;
    let request = Request { sql: &statement.sql, binds: &statement.binds, limits, settings: &settings, id, slot };
    let rows = request.run(connection, true).await.map_err(discreet)?;
    Ok(Rows { real_time: reads_clock(lines(&tree)), ..rows })
}

/// Has ClickHouse plan a caller's statement as it would run for its organisation.
pub(super) async fn explain(asked: Asked<'_>) -> Result<Plan, Failure> {
    let Judged { tree, mut settings } = judged(&asked).await?;
    let of_database = |full: &str| Some(full.strip_prefix(asked.database)?.strip_prefix('.')?.to_owned());
    let named: BTreeSet<String> = resolved_tables(lines(&tree)).filter_map(of_database).collect();
    let without = without_rows(&named, &asked).await;
    let Asked { connection, catalog, database, query: Query { statement, limits, id, .. }, slot, .. } = asked;
    settings.extend(explain::fixed(&catalog.settings));
    let sql = format!("{}{}", explain::EXPLAIN, statement.sql);
    let limits = Limits { timeout: limits.timeout, ..OWN };
    let request = Request { sql: &sql, binds: &statement.binds, limits, settings: &settings, id, slot };
    let rows = request.run(connection, true).await;
    let rows = rows.map_err(|failure| behind(explain::EXPLAIN, discreet(explain::too_much(failure))))?;
    let text = lines(&rows).collect::<Vec<_>>().join("\n");
    let plan = explain::plan(&text, &named, &without, database, catalog).ok_or_else(|| {
        SourceError::new(SourceErrorKind::Failed, "ClickHouse explained the statement in a form that is not known")
    })?;
    Ok(Plan { crosses: explain::crosses(lines(&tree)), unfolds: explain::unfolds(lines(&tree)), ..plan })
}

/// Those of the tables in which the organisation has no rows, or of which that was not found out in time.
async fn without_rows(named: &BTreeSet<String>, asked: &Asked<'_>) -> BTreeMap<String, Found> {
    let mut without = BTreeMap::new();
    for table in named {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", super::load::identifier(table));
        let statement = &Statement { sql, binds: Vec::new() };
        let limits = Limits { timeout: asked.query.limits.timeout.min(PROBE), max_rows: 1, max_bytes: OWN.max_bytes };
        let query = Query { statement, limits, id: None, ..asked.query };
        match run(Asked { query, ..*asked }).await {
            Ok(rows) if rows.rows.is_empty() => without.insert(table.clone(), Found::Nothing),
            Ok(_) => None,
            Err(_) => without.insert(table.clone(), Found::Unknown),
        };
    }
    without
}

/// Judges a caller's statement by its text, and by what ClickHouse resolves it to.
async fn judged(asked: &Asked<'_>) -> Result<Judged, Failure> {
    let Asked { connection, catalog, database, organization_id, query, slot } = *asked;
    let Query { statement, limits, .. } = query;
    let filtered = catalog.named(&statement.sql);
    let scope = ClickHouseScope {
        database,
        databases: &catalog.databases,
        tables: &catalog.access,
        columns: &catalog.tables.0,
        filtered: &filtered,
    };
    judge(&statement.sql, &scope).map_err(|error| refused(&error))?;
    placeholders::check(&statement.sql, &statement.binds)?;

    let mut settings = vec![
        ("additional_table_filters", filters(catalog, &filtered, database, organization_id, For::Caller)),
        ("allow_experimental_analyzer", "1".to_owned()),
    ];
    let known = CONDITION_FIRST.iter().filter(|name| catalog.settings.contains_key(**name));
    settings.extend(known.map(|name| (*name, "0".to_owned())));
    let free = |name: &&&str| catalog.settings.get(**name).is_some_and(|setting| !setting.constant);
    settings.extend(TIMES.iter().filter(free).map(|name| (*name, "best_effort".to_owned())));
    settings.extend(STRICT.iter().filter(free).map(|name| (*name, "1".to_owned())));
    settings.extend(utc(catalog));
    let bounded = |whom| {
        let bounds = bounds::of(&catalog.settings, whom, connection.endpoint.is_some());
        settings.iter().cloned().chain(bounds).collect::<Vec<_>>()
    };

    let explain = format!("{EXPLAIN}{}", statement.sql);
    let request = Request {
        sql: &explain,
        binds: &statement.binds,
        limits: Limits { timeout: limits.timeout, ..OWN },
        settings: &bounded(For::Analysis),
        id: query.id,
        slot,
    };
    let tree = request.run(connection, true).await.map_err(|failure| behind(EXPLAIN, discreet(too_much(failure))))?;
    if tree.truncated.is_some() {
        return Err(SourceError::new(SourceErrorKind::Forbidden, "the statement is too long to be judged").into());
    }
    judge_resolved(lines(&tree), &scope).map_err(|error| refused(&error))?;
    Ok(Judged { settings: bounded(For::Caller), tree })
}

fn lines(tree: &Rows) -> impl Iterator<Item = &str> {
    tree.rows.iter().filter_map(|row| row.first().and_then(Value::as_str)).flat_map(str::lines)
}

fn quick(catalog: &Catalog) -> Option<(&'static str, String)> {
    settable(catalog, COSTLY_PASS, "0")
}

fn utc(catalog: &Catalog) -> Option<(&'static str, String)> {
    settable(catalog, ZONE, "UTC")
}

/// A setting with a value, where the server has it and the profile allows another one.
fn settable(catalog: &Catalog, name: &'static str, value: &str) -> Option<(&'static str, String)> {
    catalog.settings.get(name).filter(|setting| !setting.constant).map(|_| (name, value.to_owned()))
}

/// The settings of a definition's statement: its bounds, and the conditions that bind it to the organisation.
pub(super) fn of_definition(
    catalog: &Catalog,
    database: &str,
    sql: &str,
    organization_id: Option<&str>,
    ours: bool,
) -> Vec<(&'static str, String)> {
    let mut settings = bounds::of(&catalog.settings, For::Definition, ours);
    settings.extend(utc(catalog));
    settings.extend(quick(catalog));
    if let Some(organization_id) = organization_id {
        let conditions = filters(catalog, &catalog.named(sql), database, organization_id, For::Definition);
        settings.push(("additional_table_filters", conditions));
    }
    settings
}

/// Refuses a definition's statement that reads tables which may hold sums over organisations.
pub(super) async fn confined(
    connection: &Connection,
    catalog: &Catalog,
    database: &str,
    statement: &Statement,
) -> Result<(), Failure> {
    let explain = format!("{EXPLAIN}{}", statement.sql);
    let mut settings = bounds::of(&catalog.settings, For::Definition, connection.endpoint.is_some());
    settings.extend(quick(catalog));
    let settings = &settings;
    let request = Request { sql: &explain, binds: &statement.binds, limits: OWN, settings, id: None, slot: None };
    let tree = request.run(connection, true).await.map_err(|failure| behind(EXPLAIN, failure))?;
    let folded = |full: &&str| {
        let name = full.strip_prefix(database).and_then(|rest| rest.strip_prefix('.'));
        name.and_then(|name| catalog.access.get(name)) == Some(&Access::Folded)
    };
    match resolved_tables(lines(&tree)).find(folded) {
        Some(name) => Err(super::error::folded(Some(name)).into()),
        None => Ok(()),
    }
}

impl Catalog {
    /// The tables that a statement may read: those whose names stand in it, and those that such views read. The list
    /// goes into the address of a request, since ClickHouse takes settings nowhere else, so it has to be short.
    fn named(&self, sql: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut texts = vec![sql];
        while let Some(text) = texts.pop() {
            // With an escape in it, a name may be written in another way.
            let escaped = text.contains('\\');
            for name in self.access.keys() {
                let odd = name.contains(['`', '"', '\\']);
                if (escaped || odd || text.contains(name.as_str())) && found.insert(name.clone()) {
                    texts.extend(self.views.get(name).map(String::as_str));
                }
            }
        }
        found
    }

    /// Whether a statement names a table that was not there when the tables were looked at.
    pub(super) fn lacks_table_of(&self, sql: &str) -> bool {
        let Ok(tokens) = lex::tokens(Dialect::ClickHouse, sql) else { return false };
        let name = |token: &lex::Token<'_>| token.text.trim_matches(['`', '"']).to_owned();
        let own = |name: &str| {
            let mut definitions = tokens.windows(3);
            definitions.any(
                |w| matches!(w, [n, a, p] if n.text.trim_matches(['`', '"']) == name && a.is_word("as") && p.is("(")),
            )
        };
        tokens.windows(3).any(|three| match three {
            [from, table, next] if from.is_word("from") || from.is_word("join") => {
                let named = matches!(table.kind, lex::Kind::Word | lex::Kind::Quoted);
                let name = name(table);
                named && !next.is(".") && !next.is("(") && !self.access.contains_key(&name) && !own(&name)
            }
            _ => false,
        })
    }
}

/// The server's own conditions, as the map literal that the setting takes.
fn filters(catalog: &Catalog, named: &BTreeSet<String>, database: &str, organization_id: &str, whom: For) -> String {
    let own = |table: &str| {
        let says = catalog.compared.get(table).map_or(ORGANIZATION, String::as_str);
        format!("{says} = {}", quote(organization_id))
    };
    // Wherever the table is read from, a view included, the statement ends with this text.
    let folded = format!("throwIf(1, {})", quote(FOLDED));
    let access = named.iter().filter_map(|table| Some((table, catalog.access.get(table)?)));
    let entries: Vec<String> = access
        .filter_map(|(table, access)| {
            let condition = match access {
                Access::Own => own(table),
                Access::Folded => folded.clone(),
                Access::Shared => return None,
                // Of definitions these are tables that are the same for everyone, or `check` refused them.
                Access::Ownerless | Access::Unfiltered if whom == For::Definition => return None,
                Access::Ownerless | Access::Unfiltered => "0".to_owned(),
            };
            Some(format!("{}:{}", quote(&format!("{database}.{table}")), quote(&condition)))
        })
        .collect();
    format!("{{{}}}", entries.join(","))
}

/// What a limit of the analysis means: constants, and subqueries that stand for a value, are computed while the
/// statement is resolved.
fn too_much(failure: Failure) -> Failure {
    const JOIN: &str = "join it instead: `FROM t CROSS JOIN (SELECT max(v) AS m FROM t) AS x`, and use `x.m`";
    let (message, hint) = match failure.code {
        // TOO_MANY_ROWS, TOO_MANY_BYTES
        Some(158 | 307) => (
            "a subquery that stands for a value is run while the statement is resolved, and this one reads too much for that",
            JOIN.to_owned(),
        ),
        // MEMORY_LIMIT_EXCEEDED
        Some(241) => (
            "the statement needs too much memory while it is resolved: constants, and subqueries that stand for a value, are \
             computed then",
            format!("make constants such as arrays smaller; is it a subquery, {JOIN}"),
        ),
        _ => return failure,
    };
    Failure { error: SourceError::new(SourceErrorKind::Exhausted, message).hint(hint), ..failure }
}

/// Errors about values are told without the values: the server withholds rows of others before it computes, and
/// this holds even should it not.
fn discreet(failure: Failure) -> Failure {
    // SYNTAX_ERROR, UNKNOWN_TABLE, UNKNOWN_IDENTIFIER, UNKNOWN_FUNCTION, UNKNOWN_DATABASE, argument counts and
    // types, NO_COMMON_TYPE, NOT_AN_AGGREGATE and other aggregation mistakes, AMBIGUOUS_IDENTIFIER, ALIAS_REQUIRED,
    // parameters, READONLY: found before a row is read.
    const BEFORE_ROWS: [u32; 22] =
        [62, 60, 47, 46, 81, 42, 35, 34, 43, 53, 386, 215, 184, 179, 207, 206, 456, 457, 164, 497, 63, 352];
    let Some(code) = failure.code else {
        // A text without a code is the server's too, unless the driver or we wrote it.
        let error = match failure.error.message.starts_with("ClickHouse answered: ") {
            true => SourceError::new(SourceErrorKind::Failed, "ClickHouse failed without naming an error"),
            false => failure.error,
        };
        return Failure { error, ..failure };
    };
    if BEFORE_ROWS.contains(&code)
        || failure.error.kind != SourceErrorKind::Invalid && failure.error.kind != SourceErrorKind::Failed
    {
        return failure;
    }
    let name = failure.error.message.rsplit_once('(').map_or("", |(_, name)| name.trim_end_matches(')'));
    let name = if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') { name } else { "" };
    // CANNOT_PARSE_TEXT and _INPUT_ASSERTION_FAILED, _DATE, _DATETIME, ARGUMENT_OUT_OF_BOUND, CANNOT_CONVERT_TYPE,
    // CANNOT_PARSE_NUMBER, ILLEGAL_DIVISION, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, CANNOT_PARSE_UUID, DECIMAL_OVERFLOW,
    // CANNOT_PARSE_DOMAIN_VALUE, _IPV4, _IPV6
    const VALUES: [u32; 14] = [6, 27, 38, 41, 69, 70, 72, 153, 321, 376, 407, 441, 675, 676];
    let hint = match code {
        38 | 41 => Some(
            "write times as `2026-11-20T10:00:00Z`, and convert texts of rows with parseDateTimeBestEffortOrNull or \
             toDateOrNull",
        ),
        691 => Some("an enumeration has no such value; `SELECT DISTINCT` of the column shows how its values are spelt"),
        code if VALUES.contains(&code) => {
            Some("convert values with the functions that end in OrNull, such as toUInt32OrNull, and guard divisions")
        }
        _ => None,
    };
    let reading = if hint.is_some() { " while converting a value" } else { "" };
    let error = SourceError::new(failure.error.kind, format!("ClickHouse error {code}{reading}: {name}"));
    let error = hint.into_iter().fold(error, SourceError::hint);
    Failure { error, ..failure }
}
