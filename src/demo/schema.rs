//! The platform's schema in the three dialects, and how a script is cut into statements.
//!
//! Names in the scripts are unqualified: whoever runs them chooses the database. Each script creates the table
//! `tfo_demo` first; a database without it is not the demo's and is never dropped.

/// Telemetry tables and rollup views.
pub const CLICKHOUSE: &str = include_str!("schema/clickhouse.sql");

/// Relational tables.
pub const POSTGRES: &str = include_str!("schema/postgres.sql");

/// The same relational tables, with SQLite's types.
pub const SQLITE: &str = include_str!("schema/sqlite.sql");

/// The table that marks a database as made by the demo.
pub const MARKER: &str = "tfo_demo";

/// The statements of a script, without comment lines. A statement ends with a semicolon at the end of a line.
pub fn statements(script: &str) -> Vec<String> {
    let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.join("\n") + "\n";
    code.split(";\n").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// Names of the tables and views that a script creates, in its order.
pub fn tables(script: &str) -> Vec<&str> {
    let created = script.lines().filter_map(|line| {
        line.strip_prefix("CREATE TABLE ").or_else(|| line.strip_prefix("CREATE MATERIALIZED VIEW "))
    });
    created.filter_map(|rest| rest.split([' ', '(']).next()).collect()
}
