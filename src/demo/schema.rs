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

/// A column as a script declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// The declared type, as written.
    pub ty: &'static str,
    /// Table whose key it holds.
    pub references: Option<&'static str>,
    pub nullable: bool,
}

/// Tables (not views) and their columns.
pub fn columns(script: &'static str) -> Vec<(&'static str, Vec<Column>)> {
    let mut tables = Vec::new();
    for statement in script.split("CREATE TABLE ").skip(1) {
        let Some((name, body)) = statement.split_once(" (") else { continue };
        let body = body.split("\n)").next().unwrap_or(body).split(";\n").next().unwrap_or(body);
        tables.push((name, split(body).into_iter().filter_map(column).collect()));
    }
    tables
}

/// Cuts at commas outside parentheses and quotes.
fn split(body: &'static str) -> Vec<&'static str> {
    let (mut parts, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
    for (index, character) in body.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.extend(body.get(begin..index));
                begin = index + 1;
            }
            _ => {}
        }
    }
    parts.extend(body.get(begin..));
    parts
}

fn column(text: &'static str) -> Option<Column> {
    const LIMITS: [&str; 9] =
        [" PRIMARY", " NOT NULL", " DEFAULT", " REFERENCES", " UNIQUE", " CODEC", " COMMENT", " CHECK", " COLLATE"];
    let text = text.trim();
    let (name, rest) = text.split_once(' ')?;
    if matches!(name, "INDEX" | "UNIQUE" | "PRIMARY" | "FOREIGN") {
        return None;
    }
    let end = LIMITS.iter().filter_map(|limit| rest.find(limit)).min().unwrap_or(rest.len());
    let references = rest.split_once(" REFERENCES ").and_then(|(_, table)| table.split(' ').next());
    let nullable = !rest.contains("NOT NULL") && !rest.contains("PRIMARY KEY");
    Some(Column { name: name.trim_matches('"'), ty: rest.get(..end)?, references, nullable })
}
