//! Samples of a table: a few values of each column and the keys of its maps, as the organisation sees them.
//!
//! They are read by statements as a caller could write them, through all locks of such. Columns with secrets are not
//! among those that a source describes, and values that tell by their form that they are credentials are left out.
//! Others are kept as they are; whoever shows them cleans them.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::Value;

use super::{Call, credential::is_credential, cut::head, tables::unsampled};
use crate::{
    source::{Author, ColumnDescription, Limits, Query, Rows, Source, SourceError, TableDescription},
    sql::{Bind, Dialect, Statement},
};

/// Longest wait for samples.
const WAIT: Duration = Duration::from_secs(5);
/// How far back samples are looked for, where a column says when: an hour, and where that holds nothing a day. Rows lie by
/// service, so of a longer time the bound on rows would show the first service alone.
const BACK: [time::Duration; 2] = [time::Duration::HOUR, time::Duration::DAY];
/// Rows that are looked at.
const ROWS: usize = 200;
const SCANNED: usize = 100_000;
/// Values and keys shown, and the longest of them in characters.
const VALUES: usize = 3;
const KEYS: usize = 40;
const LONGEST: usize = 40;
/// Most maps of one table whose keys are read.
const MAPS: usize = 6;
const BYTES: usize = 1 << 20;
/// Most rows of a table that are counted.
pub const ROWS_COUNTED: usize = 100_000;

/// What was found of a table, by column.
#[derive(Debug, Default)]
pub struct Sampled {
    pub values: BTreeMap<String, Vec<String>>,
    pub keys: BTreeMap<String, Vec<String>>,
    /// Why there is nothing, or not all.
    pub remark: Option<String>,
}

/// A table, whose rows of it are looked at, and for how long at most.
pub(super) struct Look<'a> {
    /// What its source is called.
    pub name: &'a str,
    pub source: &'a dyn Source,
    pub table: &'a TableDescription,
    pub organization_id: &'a str,
    pub wait: Duration,
    pub call: &'a Call,
}

impl Look<'_> {
    async fn ask(&self, statement: &Statement, timeout: Duration, max_rows: usize) -> Result<Rows, SourceError> {
        let limits = Limits { timeout, max_rows, max_bytes: BYTES };
        let author = Author::Caller { organization_id: self.organization_id };
        let query = Query { statement, limits, author, cancel: &self.call.cancel, id: None };
        self.call.ledger.ask(self.name, self.source, query).await
    }

    /// How many rows there are, or one more than are counted; none where it could not be found out.
    pub async fn rows(&self) -> Option<usize> {
        let most = ROWS_COUNTED + 1;
        let table = quoted(&self.table.name);
        let sql = format!("SELECT count(*) AS n FROM (SELECT 1 AS one FROM {table} LIMIT {most}) AS some");
        let rows = self.ask(&Statement { sql, binds: Vec::new() }, self.wait.min(WAIT), 1).await.ok()?;
        let count = rows.rows.first()?.first()?;
        count.as_u64().or_else(|| count.as_str()?.parse().ok()).and_then(|count| usize::try_from(count).ok())
    }

    /// Values and keys, the newest before `now`.
    pub async fn samples(&self, now: time::OffsetDateTime) -> Sampled {
        let (dialect, table) = (self.source.dialect(), self.table);
        let timed = dialect == Dialect::ClickHouse && time_column(table).is_some();
        let (wait, began) = (self.wait.min(WAIT), Instant::now());
        let mut sampled = Sampled::default();
        for back in BACK.into_iter().take(if timed { BACK.len() } else { 1 }) {
            let statements = match dialect {
                Dialect::ClickHouse => clickhouse(table, now, back),
                Dialect::Postgres | Dialect::Sqlite => rows_of(table).into_iter().collect(),
            };
            if statements.is_empty() {
                sampled.remark = Some("It has no columns of which samples are shown.".to_owned());
                return sampled;
            }
            let timeout = wait.saturating_sub(began.elapsed());
            let asked = statements.iter().map(|statement| self.ask(statement, timeout, ROWS));
            let mut found = false;
            for outcome in join_all(asked).await {
                match outcome {
                    Ok(rows) => {
                        // Of no rows ClickHouse counts no values.
                        found |=
                            rows.rows.iter().flatten().any(|cell| cell.as_array().is_none_or(|list| !list.is_empty()));
                        sampled.add(&rows);
                    }
                    Err(error) => sampled.remark = Some(unsampled(error)),
                }
            }
            if found || sampled.remark.is_some() {
                return sampled;
            }
        }
        let lately = if timed { " in the last 24 hours" } else { "" };
        sampled.remark = Some(format!("It holds no rows of your organisation{lately}."));
        sampled
    }

    /// Keys of the table's maps in which a text stands, by column, of the last day; none where the database has no maps.
    pub async fn keys_with(
        &self,
        text: &str,
        now: time::OffsetDateTime,
    ) -> Result<BTreeMap<String, Vec<String>>, SourceError> {
        let statements = match self.source.dialect() {
            Dialect::ClickHouse => keys_of_maps(self.table, now, BACK[1], Some(text)),
            Dialect::Postgres | Dialect::Sqlite => Vec::new(),
        };
        let mut sampled = Sampled::default();
        let asked = statements.iter().map(|statement| self.ask(statement, self.wait.min(WAIT), ROWS));
        for rows in join_all(asked).await {
            sampled.add(&rows?);
        }
        sampled.keys.retain(|_, keys| !keys.is_empty());
        Ok(sampled.keys)
    }
}

/// Words of a text by which keys are looked for.
const WORDS: usize = 8;

/// The column of a statement that answers keys of a map, one a row, the most frequent first.
const KEY: &str = "key of ";

impl Sampled {
    fn add(&mut self, rows: &Rows) {
        for (at, column) in rows.columns.iter().enumerate() {
            let cells = || rows.rows.iter().filter_map(|row| row.get(at));
            if let Some(map) = column.name.strip_prefix(KEY) {
                let keys = cells().filter_map(Value::as_str).take(KEYS).map(|key| head(key.to_owned(), LONGEST));
                self.keys.insert(map.to_owned(), keys.collect());
                continue;
            }
            let mut counts: Vec<(String, usize)> = Vec::new();
            let mut keys: Vec<(String, usize)> = Vec::new();
            for cell in cells() {
                match cell {
                    Value::Array(values) => {
                        values.iter().filter_map(sample).for_each(|value| count(&mut counts, value))
                    }
                    Value::Object(object) => object.keys().for_each(|key| count(&mut keys, key.clone())),
                    // SQLite keeps objects as text.
                    Value::String(text) if text.starts_with('{') => {
                        if let Ok(Value::Object(object)) = serde_json::from_str(text) {
                            object.keys().for_each(|key| count(&mut keys, key.clone()));
                        }
                    }
                    cell => sample(cell).into_iter().for_each(|value| count(&mut counts, value)),
                }
            }
            let first = |mut counts: Vec<(String, usize)>, most: usize| {
                counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
                counts.into_iter().take(most).map(|(value, _)| head(value, LONGEST)).collect::<Vec<_>>()
            };
            self.keys.insert(column.name.clone(), first(keys, KEYS));
            self.values.insert(column.name.clone(), first(counts, VALUES));
        }
    }
}

fn count(counts: &mut Vec<(String, usize)>, value: String) {
    match counts.iter().position(|(known, _)| *known == value).and_then(|at| counts.get_mut(at)) {
        Some((_, n)) => *n += 1,
        None => counts.push((value, 1)),
    }
}

/// A value that tells something of its column; ids do not, and credentials must not.
fn sample(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() || uuid::Uuid::parse_str(text).is_ok() => None,
        Value::String(text) if is_credential(text) => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A name that is read as it is written.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// PostgreSQL and SQLite: some rows, counted here.
fn rows_of(table: &TableDescription) -> Option<Statement> {
    let is_binary = |column: &&ColumnDescription| ["bytea", "blob", "BLOB"].iter().any(|ty| column.ty.contains(ty));
    let columns: Vec<String> =
        table.columns.iter().filter(|column| !is_binary(column)).map(|column| quoted(&column.name)).collect();
    let sql = format!("SELECT {} FROM {} LIMIT {ROWS}", columns.join(", "), quoted(&table.name));
    (!columns.is_empty()).then_some(Statement { sql, binds: Vec::new() })
}

/// The type inside `Nullable` and `LowCardinality`.
fn inner(ty: &str) -> &str {
    let mut ty = ty;
    while let Some(inside) =
        ["Nullable(", "LowCardinality("].iter().find_map(|outer| ty.strip_prefix(outer)?.strip_suffix(')'))
    {
        ty = inside;
    }
    ty
}

fn time_column(table: &TableDescription) -> Option<&ColumnDescription> {
    table.columns.iter().find(|column| inner(&column.ty).starts_with("Date") && is_plain(&column.name))
}

/// The rows of a ClickHouse table that are looked at, bounded by its time and their number, and what that binds.
fn scanned(
    table: &TableDescription,
    columns: &str,
    now: time::OffsetDateTime,
    back: time::Duration,
) -> (String, Vec<Bind>) {
    let within = time_column(table).map(|column| {
        let name = backquoted(&column.name);
        format!(" WHERE {name} >= {{p1:DateTime64(3)}} AND {name} < {{p2:DateTime64(3)}}")
    });
    let binds = match within {
        Some(_) => vec![Bind::Timestamp(now - back), Bind::Timestamp(now)],
        None => Vec::new(),
    };
    let within = within.unwrap_or_default();
    (format!("(SELECT {columns} FROM {}{within} LIMIT {SCANNED})", backquoted(&table.name)), binds)
}

fn backquoted(name: &str) -> String {
    format!("`{name}`")
}

/// ClickHouse: one statement counts the values of all columns, and one the keys of each map.
fn clickhouse(table: &TableDescription, now: time::OffsetDateTime, back: time::Duration) -> Vec<Statement> {
    if !is_plain(&table.name) {
        return Vec::new();
    }
    const SCALARS: [&str; 11] =
        ["String", "FixedString", "Enum", "Int", "UInt", "Float", "Decimal", "Date", "Bool", "IPv4", "IPv6"];
    let is_scalar = |column: &&ColumnDescription| {
        is_plain(&column.name) && SCALARS.iter().any(|ty| inner(&column.ty).starts_with(ty))
    };
    let names: Vec<String> = table.columns.iter().filter(is_scalar).map(|column| backquoted(&column.name)).collect();
    let counted =
        names.iter().map(|name| format!("topK({VALUES})(substring(toString({name}), 1, {})) AS {name}", LONGEST + 1));
    let values = (!names.is_empty()).then(|| {
        let (rows, binds) = scanned(table, &names.join(", "), now, back);
        Statement { sql: format!("SELECT {} FROM {rows}", counted.collect::<Vec<_>>().join(", ")), binds }
    });
    values.into_iter().chain(keys_of_maps(table, now, back, None)).collect()
}

/// The keys of each map, of those alone in which a text stands, if there is one.
fn keys_of_maps(
    table: &TableDescription,
    now: time::OffsetDateTime,
    back: time::Duration,
    text: Option<&str>,
) -> Vec<Statement> {
    let is_map = |column: &&ColumnDescription| is_plain(&column.name) && column.ty.starts_with("Map(");
    let maps = table.columns.iter().filter(is_map).take(if is_plain(&table.name) { MAPS } else { 0 });
    maps.map(|column| {
        let (name, shown) = (backquoted(&column.name), backquoted(&format!("{KEY}{}", column.name)));
        let (rows, mut binds) = scanned(table, &name, now, back);
        // Each of the words, whatever stands between them.
        let words = text.unwrap_or_default().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let held = words.take(WORDS).map(|word| {
            binds.push(Bind::Text(word.to_owned()));
            format!("positionCaseInsensitiveUTF8(toString(key), {{p{}:String}}) > 0", binds.len())
        });
        let held: Vec<String> = held.collect();
        let held = if held.is_empty() { String::new() } else { format!(" WHERE {}", held.join(" AND ")) };
        let sql = format!(
            "SELECT toString(key) AS {shown} FROM (SELECT arrayJoin(mapKeys({name})) AS key FROM {rows}){held} \
             GROUP BY key ORDER BY count() DESC, key LIMIT {KEYS}"
        );
        Statement { sql, binds }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::{Column, ColumnType};

    fn rows(names: &[&str], rows: Value) -> Rows {
        let column = |name: &&str| Column { name: (*name).to_owned(), ty: ColumnType::Text };
        let columns = names.iter().map(column).collect();
        Rows { columns, rows: serde_json::from_value(rows).unwrap(), ..Rows::default() }
    }

    #[test]
    fn the_most_frequent_values_and_the_keys_of_objects_are_shown() {
        let mut sampled = Sampled::default();
        let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
        sampled.add(&rows(
            &["id", "severity", "labels", "n", "tags"],
            json!([
                [id, "warning", "{\"team\": \"a\"}", 1, ["x", "y"]],
                [id, "critical", {"team": "b", "service": "c"}, null, ["y"]],
                [id, "critical", "{broken", 2, []],
            ]),
        ));
        let values = |name: &str| sampled.values[name].clone();
        assert!(values("id").is_empty());
        assert_eq!(values("severity"), ["critical", "warning"]);
        assert_eq!(values("n"), ["1", "2"]);
        assert_eq!(values("tags"), ["y", "x"]);
        assert_eq!(sampled.keys["labels"], ["team", "service"]);
        sampled.add(&rows(&["key of attributes"], json!([["http.route"], ["db.system"]])));
        assert_eq!(sampled.keys["attributes"], ["http.route", "db.system"]);
    }

    #[test]
    fn a_statement_for_clickhouse_names_plain_columns_only() {
        let column = |name: &str, ty: &str| ColumnDescription { name: name.into(), ty: ty.into(), comment: None };
        let columns = vec![
            column("timestamp", "DateTime64(9)"),
            column("service_name", "LowCardinality(Nullable(String))"),
            column("span_attributes", "Map(LowCardinality(String), String)"),
            column("odd`name", "String"),
            column("state", "AggregateFunction(avg, Float64)"),
        ];
        let table = TableDescription { name: "traces".into(), columns, ..Default::default() };
        let statements = clickhouse(&table, time::OffsetDateTime::UNIX_EPOCH, BACK[0]);
        let [values, keys] = statements.as_slice() else { panic!("{statements:?}") };
        assert!(values.sql.contains("FROM `traces` WHERE `timestamp` >= {p1:DateTime64(3)}"), "{}", values.sql);
        assert!(values.sql.contains("toString(`service_name`)") && keys.sql.contains("mapKeys(`span_attributes`)"));
        assert!(!values.sql.contains("odd") && !values.sql.contains("state"), "{}", values.sql);
        assert_eq!(values.binds.len(), 2);
    }
}
