//! The writing side of PostgreSQL, for the demo's loader and for tests: scripts and bulk loads.
//!
//! Not part of the `Source` trait: nothing that answers a request can reach it.

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use time::format_description::well_known::Rfc3339;

use super::error::told;
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::Bind,
};

/// Bytes of a `COPY` message; the driver waits for the socket after each.
const CHUNK: usize = 256 * 1024;

/// A connection that writes.
pub struct Writer {
    connection: PgConnection,
}

impl Writer {
    /// Connects to a database that exists.
    pub async fn connect(url: &SecretString) -> Result<Self, SourceError> {
        let options = super::connection::parse(url)?;
        let connection = PgConnection::connect_with(&options).await.map_err(|error| told(&error))?;
        Ok(Self { connection })
    }

    /// As [`Writer::connect`], from the text of a URL.
    pub async fn connect_url(url: &str) -> Result<Self, SourceError> {
        Self::connect(&SecretString::from(url.to_owned())).await
    }

    /// Runs statements separated by semicolons, as one transaction unless they say otherwise.
    pub async fn execute_script(&mut self, sql: &str) -> Result<(), SourceError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.connection.execute(script).await.map_err(|error| told(&error))?;
        Ok(())
    }

    /// Loads rows through `COPY`, one value per column, and says how many. JSON goes as [`Bind::Text`], arrays as
    /// [`Bind::List`]. All rows are stored or none.
    pub async fn copy_in<R>(&mut self, table: &str, columns: &[&str], rows: R) -> Result<u64, SourceError>
    where
        R: IntoIterator<Item = Vec<Bind>>,
    {
        let names: Vec<String> = columns.iter().copied().map(super::quote).collect();
        let statement = format!("COPY {} ({}) FROM STDIN", super::quote(table), names.join(", "));
        let mut copy = self.connection.copy_in_raw(&statement).await.map_err(|error| told(&error))?;
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 4);
        let mut failure = None;
        for row in rows {
            if row.len() != columns.len() {
                failure = Some(format!("a row for `{table}` has {} values for {} columns", row.len(), columns.len()));
                break;
            }
            push_row(&mut chunk, &row);
            if chunk.len() >= CHUNK {
                copy.send(chunk.as_slice()).await.map_err(|error| told(&error))?;
                chunk.clear();
            }
        }
        if let Some(message) = failure {
            copy.abort(message.clone()).await.map_err(|error| told(&error))?;
            return Err(SourceError::new(SourceErrorKind::Invalid, message));
        }
        copy.send(chunk.as_slice()).await.map_err(|error| told(&error))?;
        copy.finish().await.map_err(|error| told(&error))
    }

    /// Ends the connection.
    pub async fn close(self) {
        // A server that is gone has closed it already.
        let _ = self.connection.close().await;
    }
}

/// One line of `COPY`'s text format: tabs between values, `\N` for NULL, backslash escapes.
fn push_row(line: &mut Vec<u8>, row: &[Bind]) {
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            line.push(b'\t');
        }
        match value {
            Bind::Null => line.extend_from_slice(b"\\N"),
            Bind::Text(text) => push_escaped(line, text),
            other => push_escaped(line, &literal(other)),
        }
    }
    line.push(b'\n');
}

fn push_escaped(line: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\t' => line.extend_from_slice(b"\\t"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            other => line.push(other),
        }
    }
}

/// A value as PostgreSQL reads it from text.
fn literal(value: &Bind) -> String {
    match value {
        Bind::Null => "NULL".into(),
        Bind::Bool(true) => "t".into(),
        Bind::Bool(false) => "f".into(),
        Bind::Integer(value) => value.to_string(),
        Bind::Float(value) => value.to_string(),
        Bind::Text(text) => text.clone(),
        // Every moment that `time` holds can be written; PostgreSQL refuses an empty text by itself.
        Bind::Timestamp(moment) => moment.format(&Rfc3339).unwrap_or_default(),
        Bind::Uuid(uuid) => uuid.to_string(),
        Bind::List(items) => {
            let items: Vec<String> = items.iter().map(element).collect();
            format!("{{{}}}", items.join(","))
        }
    }
}

fn element(value: &Bind) -> String {
    match value {
        Bind::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Bind::Timestamp(_) => format!("\"{}\"", literal(value)),
        other => literal(other),
    }
}
