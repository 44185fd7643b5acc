//! Writing, for those who load data: schema statements and bulk inserts. No definition and no caller gets here.

use std::sync::Arc;

use clickhouse::insert_formatted::InsertFormatted;

use super::{ClickHouse, Connection, error::Failure};
use crate::source::{SettingNames, SourceError};

/// How inserted bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertFormat {
    /// Values in ClickHouse's own binary form, in the order of the columns: the fastest.
    RowBinary,
    /// One JSON object a line.
    JsonEachRow,
    /// Tab-separated text with backslash escapes.
    TabSeparated,
}

impl InsertFormat {
    fn name(self) -> &'static str {
        match self {
            Self::RowBinary => "RowBinary",
            Self::JsonEachRow => "JSONEachRow",
            Self::TabSeparated => "TabSeparated",
        }
    }
}

/// One running `INSERT`. Dropped before [`Insert::finish`], the whole insert is aborted.
pub struct Insert {
    inner: InsertFormatted,
    _connection: Arc<Connection>,
}

impl ClickHouse {
    /// Runs one statement that may write, such as `CREATE TABLE`, with the full rights of the account.
    pub async fn execute(&self, sql: &str) -> Result<(), SourceError> {
        let connection = self.connection().await.map_err(|failure| self.names.put(failure.error))?;
        let result = connection.client.query_raw(sql).execute().await;
        // The statement may have created or dropped tables.
        self.forget_catalog().await;
        match result {
            Ok(()) => Ok(()),
            Err(error) => Err(self.names.put(self.noted(&connection, Failure::from(error)).await.error)),
        }
    }

    /// Starts `INSERT INTO table (columns)`. Every [`Insert::write`] may end anywhere, also inside a row.
    pub async fn insert(&self, table: &str, columns: &[&str], format: InsertFormat) -> Result<Insert, SourceError> {
        let connection = self.connection().await.map_err(|failure| self.names.put(failure.error))?;
        let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
        let sql = format!("INSERT INTO {} ({}) FORMAT {}", identifier(table), columns.join(", "), format.name());
        let inner = connection
            .client
            .insert_formatted_with(sql)
            .with_setting("date_time_input_format", "best_effort")
            .with_setting("async_insert", "0");
        Ok(Insert { inner, _connection: connection })
    }
}

impl Insert {
    /// Sends a piece of the data; a piece of 256 KiB or more costs least.
    pub async fn write(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), SourceError> {
        self.inner
            .send(bytes.into().into())
            .await
            .map_err(|error| SettingNames::default().put(Failure::from(error).error))
    }

    /// Ends the insert and waits until the rows are stored.
    pub async fn finish(self) -> Result<(), SourceError> {
        self.inner.end().await.map_err(|error| SettingNames::default().put(Failure::from(error).error))
    }
}

/// A name in backticks.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}
