//! One statement on its way: its binds, its settings, its rows as they arrive, and its end in the database when
//! nobody waits for it any more.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clickhouse::query::{BytesCursor, Query as DriverQuery};
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{
    Connection,
    error::{Failure, exception, stranger},
    placeholders,
    types::DataType,
    value,
};
use crate::{
    source::{Column, Limits, QueryId, Rows, SourceError, SourceErrorKind, collector::Collector},
    sql::Bind,
};

/// What is asked, once it is decided that it may be.
pub(super) struct Request<'a> {
    pub(super) sql: &'a str,
    pub(super) binds: &'a [Bind],
    pub(super) limits: Limits,
    /// Settings beside the usual ones.
    pub(super) settings: &'a [(&'static str, String)],
    pub(super) id: Option<&'a QueryId>,
    /// Held until the statement is gone from the database.
    pub(super) slot: Option<&'a Arc<Slot>>,
}

/// The right to run one statement more.
pub(super) struct Slot {
    pub(super) _one: OwnedSemaphorePermit,
    /// A caller's statement has a share of its own.
    pub(super) _callers: Option<OwnedSemaphorePermit>,
}

/// Settings that give the value table its form.
const FORMAT: [(&str, &str); 10] = [
    ("date_time_output_format", "iso"),
    // Off, because inside `JSON` columns a quoted number could not be told from text.
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_64bit_floats", "0"),
    ("output_format_json_quote_denormals", "1"),
    ("output_format_json_quote_decimals", "1"),
    ("output_format_decimal_trailing_zeros", "1"),
    ("output_format_json_named_tuples_as_objects", "1"),
    ("output_format_json_map_as_array_of_tuples", "0"),
    // An exception is no row.
    ("http_write_exception_in_output_format", "0"),
    ("cancel_http_readonly_queries_on_client_close", "1"),
];

/// Settings that bound a statement. `readonly = 1` also refuses every setting in the statement itself.
fn bounds(limits: Limits) -> [(&'static str, String); 5] {
    let seconds = limits.timeout.as_secs() + u64::from(limits.timeout.subsec_nanos() > 0);
    [
        ("readonly", "1".to_owned()),
        ("max_execution_time", seconds.max(1).to_string()),
        ("timeout_overflow_mode", "throw".to_owned()),
        // One more than is kept proves that there are more; `break` ends the statement there without an error.
        ("max_result_rows", limits.max_rows.saturating_add(1).to_string()),
        ("result_overflow_mode", "break".to_owned()),
    ]
}

impl Request<'_> {
    /// Runs the statement and reads its rows up to the limits.
    pub(super) async fn run(&self, connection: &Connection, send_settings: bool) -> Result<Rows, Failure> {
        let started = Instant::now();
        let mut running = Running::new(connection, self.slot);
        if let Some(id) = self.id {
            id.set(running.query_id.as_str());
        }
        let mut query = connection.client.query_raw(self.sql).with_setting("query_id", running.query_id.clone());
        if send_settings {
            for (name, value) in FORMAT {
                query = query.with_setting(name, value);
            }
            for (name, value) in bounds(self.limits).into_iter().chain(self.settings.iter().cloned()) {
                query = query.with_setting(name, value);
            }
        }
        let mut cursor = with_binds(query, self.sql, self.binds).fetch_bytes("JSONCompactEachRowWithNamesAndTypes")?;
        let mut answer = Answer::new(self.limits, connection.utc);
        let reading = answer.read(&mut cursor).await;
        // A statement that ended by itself, well or not, needs no killing.
        running.ended = !matches!(reading, Ok(Reading::Stopped | Reading::Unreadable(_)));
        if let Reading::Unreadable(failure) = reading? {
            return Err(failure);
        }
        Ok(answer.collector.finish(started.elapsed()))
    }
}

enum Reading {
    /// The server has no more.
    Ended,
    /// A limit was reached.
    Stopped,
    /// Something arrived that is no row.
    Unreadable(Failure),
}

/// The rows so far.
struct Answer {
    /// Longest line, which is bounded, or one enormous value could fill the memory.
    longest: usize,
    utc: bool,
    names: Option<Vec<String>>,
    types: Option<Vec<DataType>>,
    collector: Collector,
}

impl Answer {
    fn new(limits: Limits, utc: bool) -> Self {
        let longest = limits.max_bytes.saturating_mul(2).saturating_add(64 * 1024);
        Self { longest, utc, names: None, types: None, collector: Collector::new(limits, Vec::new()) }
    }

    async fn read(&mut self, cursor: &mut BytesCursor) -> Result<Reading, Failure> {
        // An incomplete line.
        let mut pending: Vec<u8> = Vec::new();
        while let Some(chunk) = cursor.next().await? {
            let mut rest = &*chunk;
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let (line, after) = rest.split_at(end);
                rest = after.get(1..).unwrap_or_default();
                let taken = if pending.is_empty() {
                    self.line(line)
                } else {
                    pending.extend_from_slice(line);
                    self.line(&std::mem::take(&mut pending))
                };
                match taken {
                    Ok(false) => {}
                    Ok(true) => return Ok(Reading::Stopped),
                    Err(failure) => return Ok(Reading::Unreadable(failure)),
                }
            }
            pending.extend_from_slice(rest);
            if pending.len() > self.longest {
                self.collector.overflow();
                return Ok(Reading::Stopped);
            }
        }
        if !pending.is_empty() {
            return Ok(Reading::Unreadable(unreadable(&pending, "it ends inside a row")));
        }
        Ok(Reading::Ended)
    }

    /// Takes a line; true if a limit is reached.
    fn line(&mut self, line: &[u8]) -> Result<bool, Failure> {
        let read_names = || {
            serde_json::from_str::<Vec<String>>(&String::from_utf8_lossy(line))
                .map_err(|error| unreadable(line, &error.to_string()))
        };
        let Some(types) = &self.types else {
            let Some(names) = self.names.take() else {
                self.names = Some(read_names()?);
                return Ok(false);
            };
            let types: Vec<_> = read_names()?.iter().map(|ty| DataType::parse(ty)).collect();
            self.collector.rows.columns =
                names.into_iter().zip(&types).map(|(name, ty)| Column { name, ty: ty.column() }).collect();
            self.types = Some(types);
            return Ok(false);
        };
        if !self.collector.has_room() {
            return Ok(true);
        }
        let row = value::read_row(line, types, self.utc).map_err(|why| unreadable(line, &why))?;
        Ok(!self.collector.take(row))
    }
}

/// A line that is no row is mostly an exception that came late. The line itself is never shown.
fn unreadable(line: &[u8], why: &str) -> Failure {
    let line = String::from_utf8_lossy(line);
    if line.contains("DB::Exception: ") {
        return exception(&line);
    }
    // A row begins with a bracket; a page, or an object of another program, does not.
    if line.trim_start().starts_with(['<', '{']) {
        return stranger(&line).into();
    }
    if why.starts_with(value::ZONE_UNKNOWN) {
        return SourceError::new(
            SourceErrorKind::Failed,
            format!("ClickHouse answered with {} and without its offset", value::ZONE_UNKNOWN),
        )
        .hint("set `date_time_output_format = 'iso'` in the profile of the account of this source")
        .into();
    }
    SourceError::new(SourceErrorKind::Failed, format!("the answer of ClickHouse cannot be read: {why}"))
        .hint("write the statement without a FORMAT clause")
        .into()
}

/// A statement in the database. Unless it ended, dropping this kills it, and keeps its slot until it is gone.
struct Running {
    client: clickhouse::Client,
    query_id: String,
    ended: bool,
    slot: Option<Arc<Slot>>,
    endings: TaskTracker,
}

/// How long a slot is held for a statement that does not end. ClickHouse does not look at a KILL while it computes
/// constants; the bounds of memory and of the statement's size end that.
const PATIENCE: Duration = Duration::from_secs(600);

impl Running {
    fn new(connection: &Connection, slot: Option<&Arc<Slot>>) -> Self {
        Self {
            client: connection.client.clone(),
            query_id: format!("tfo-mcp-{}", Uuid::new_v4()),
            ended: false,
            slot: slot.cloned(),
            endings: connection.endings.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The server notices a closed connection too, but only if it could be asked to and only between blocks.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (client, query_id, slot) = (self.client.clone(), std::mem::take(&mut self.query_id), self.slot.take());
            let ending = async move {
                end(&client, &query_id).await;
                drop(slot);
            };
            self.endings.spawn_on(ending, &runtime);
        }
    }
}

/// Kills a statement and waits until it is gone.
async fn end(client: &clickhouse::Client, query_id: &str) {
    let kill = format!("KILL QUERY WHERE query_id = '{query_id}' AND user = currentUser() ASYNC");
    let look = format!("SELECT count() FROM system.processes WHERE query_id = '{query_id}' AND user = currentUser()");
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    // Twice at least: a statement that was just sent may not be there yet.
    for round in 0.. {
        if let Err(error) = client.query_raw(&kill).execute().await {
            tracing::debug!(%error, "cannot kill a statement that nobody waits for");
        }
        match client.query_raw(&look).fetch_one::<u64>().await {
            Ok(0) if round > 0 => return,
            Ok(_) => {}
            Err(error) => return tracing::debug!(%error, "cannot see whether a statement is gone"),
        }
        if started.elapsed() > PATIENCE {
            return tracing::warn!(
                query_id,
                "a statement in ClickHouse was told to stop and has not; its slot is free"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

fn with_binds(mut query: DriverQuery, sql: &str, binds: &[Bind]) -> DriverQuery {
    let composed = placeholders::composed(sql, binds);
    for (number, bind) in (1..).zip(binds) {
        // What stands in a literal is escaped as in a statement already.
        let text = composed.get(&number).cloned().unwrap_or_else(|| parameter(bind));
        query = query.with_setting(format!("param_p{number}"), text);
    }
    query
}

/// A value as ClickHouse reads parameters: text in its `TabSeparated` form.
fn parameter(bind: &Bind) -> String {
    match bind {
        Bind::Null => "\\N".to_owned(),
        Bind::Text(text) => escape(text),
        Bind::List(items) => list(items),
        other => plain(other),
    }
}

/// An array literal. Text stands in quotes there, with the same escapes.
fn list(items: &[Bind]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            Bind::Null => "NULL".to_owned(),
            Bind::Text(text) => quote(text),
            Bind::List(items) => list(items),
            Bind::Timestamp(_) | Bind::Uuid(_) => format!("'{}'", plain(item)),
            other => plain(other),
        })
        .collect();
    format!("[{}]", items.join(","))
}

fn plain(bind: &Bind) -> String {
    match bind {
        Bind::Null | Bind::Text(_) | Bind::List(_) => String::new(),
        Bind::Bool(value) => value.to_string(),
        Bind::Integer(value) => value.to_string(),
        // The shortest digits that read back to the same double.
        Bind::Float(value) => format!("{value:?}"),
        Bind::Timestamp(moment) => moment_text(*moment),
        Bind::Uuid(uuid) => uuid.to_string(),
    }
}

/// `2026-11-20 10:00:00.123456789`, UTC.
pub(super) fn moment_text(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second, nanosecond) = moment.to_hms_nano();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{nanosecond:09}")
}

/// A string literal.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", escape(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\'' => escaped.push_str("\\'"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\0' => escaped.push_str("\\0"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The first column as text, for the few statements that ask ClickHouse about itself.
pub(super) fn texts(rows: &Rows) -> impl Iterator<Item = &str> {
    rows.rows.iter().filter_map(|row| row.first().and_then(Value::as_str))
}
