//! Binds a caller's own SQL to its organisation.
//!
//! Three locks, each of which fails closed. [`judge`] judges the text. ClickHouse resolves the statement
//! (`EXPLAIN QUERY TREE`) and [`judge_resolved`] judges every table and function in it, however it was named. And
//! the server itself adds a condition to every table of the database: the organisation's rows where a column says
//! whose they are, no rows elsewhere. `readonly = 1` keeps the statement from changing that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::{
    Catalog, Connection, OWN,
    error::Failure,
    request::{Request, quote},
};
use crate::{
    source::{Limits, Query, Rows, SourceError, SourceErrorKind, Tables, refused},
    sql::guard::clickhouse::{Access, ClickHouseScope, judge, judge_resolved},
};

/// The column that says whose a row is.
const ORGANIZATION: &str = "organization_id";

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

/// Engines whose rows the server filters wherever they are read. `Join`, `Set`, `Dictionary` and key-value engines
/// are also read by key, past the filter.
fn is_filtered(engine: &str) -> bool {
    engine.ends_with("MergeTree")
        || matches!(
            engine,
            "View"
                | "MaterializedView"
                | "Memory"
                | "Log"
                | "TinyLog"
                | "StripeLog"
                | "Buffer"
                | "Merge"
                | "Distributed"
        )
}

/// The tables of a database, for everybody and for callers.
pub(super) fn catalog(columns: Rows, engines: Rows, server: Rows, shared: &[String]) -> Catalog {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in columns.rows {
        if let [Value::String(table), Value::String(column)] = &*row {
            all.entry(table.clone()).or_default().push(column.clone());
        }
    }
    let mut access = BTreeMap::new();
    for row in engines.rows {
        if let [Value::String(table), Value::String(engine)] = &*row {
            let owned = all.get(table).is_some_and(|columns| columns.iter().any(|column| column == ORGANIZATION));
            let allowed = match (is_filtered(engine), owned) {
                (false, _) => Access::Unfiltered,
                (true, _) if table.starts_with(".inner") => Access::Ownerless,
                (true, true) => Access::Own,
                (true, false) if shared.contains(table) => Access::Shared,
                (true, false) => Access::Ownerless,
            };
            access.insert(table.clone(), allowed);
        }
    }
    let of_kind = |kind: &str| -> BTreeSet<String> {
        let rows = server.rows.iter().filter(|row| row.first().and_then(Value::as_str) == Some(kind));
        rows.filter_map(|row| row.get(1)?.as_str().map(str::to_owned)).collect()
    };
    let (databases, settings) = (of_kind("database"), of_kind("setting"));
    // The tables inside materialized views are no tables to ask.
    all.retain(|table, _| !table.starts_with(".inner"));
    Catalog { tables: Arc::new(Tables(all)), access, databases, settings }
}

/// Names of databases, and which of the settings that callers' statements need the server has.
pub(super) fn server_facts() -> String {
    let settings: Vec<String> = CONDITION_FIRST.iter().map(|name| quote(name)).collect();
    format!(
        "SELECT 'database' AS kind, name FROM system.databases UNION ALL \
         SELECT 'setting' AS kind, name FROM system.settings WHERE name IN ({})",
        settings.join(", ")
    )
}

/// Runs a caller's statement for its organisation.
pub(super) async fn run(
    connection: &Connection,
    catalog: &Catalog,
    database: &str,
    organization_id: &str,
    query: Query<'_>,
) -> Result<Rows, Failure> {
    let Query { statement, limits, .. } = query;
    let scope = ClickHouseScope { database, databases: &catalog.databases, tables: &catalog.access };
    judge(&statement.sql, &scope).map_err(|error| refused(&error))?;

    let mut settings = vec![
        ("additional_table_filters", filters(catalog, database, organization_id)),
        ("allow_experimental_analyzer", "1".to_owned()),
    ];
    let known = CONDITION_FIRST.iter().filter(|name| catalog.settings.contains(**name));
    settings.extend(known.map(|name| (*name, "0".to_owned())));

    let explain = format!("EXPLAIN QUERY TREE\n{}", statement.sql);
    let request = Request {
        sql: &explain,
        binds: &statement.binds,
        limits: Limits { timeout: limits.timeout, ..OWN },
        settings: &settings,
        id: query.id,
    };
    let tree = request.run(connection, true).await.map_err(discreet)?;
    if tree.truncated.is_some() {
        return Err(SourceError::new(SourceErrorKind::Forbidden, "the statement is too long to be judged").into());
    }
    let lines = tree.rows.iter().filter_map(|row| row.first().and_then(Value::as_str)).flat_map(str::lines);
    judge_resolved(lines, &scope).map_err(|error| refused(&error))?;

    let request = Request { sql: &statement.sql, binds: &statement.binds, limits, settings: &settings, id: query.id };
    request.run(connection, true).await.map_err(discreet)
}

/// The server's own conditions, as the map literal that the setting takes.
fn filters(catalog: &Catalog, database: &str, organization_id: &str) -> String {
    let own = format!("{ORGANIZATION} = {}", quote(organization_id));
    let entries: Vec<String> = catalog
        .access
        .iter()
        .filter_map(|(table, access)| {
            let condition = match access {
                Access::Own => &*own,
                Access::Shared => return None,
                Access::Ownerless | Access::Unfiltered => "0",
            };
            Some(format!("{}:{}", quote(&format!("{database}.{table}")), quote(condition)))
        })
        .collect();
    format!("{{{}}}", entries.join(","))
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
    let error = SourceError::new(failure.error.kind, format!("ClickHouse error {code} while reading rows: {name}"))
        .hint("convert values with the functions that end in OrNull, such as toUInt32OrNull, and guard divisions");
    Failure { error, ..failure }
}
