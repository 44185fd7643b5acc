//! The writing side of SQLite, for the demo's loader and for tests: scripts and bulk loads.
//!
//! Not part of the `Source` trait: nothing that answers a request can reach it.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{binds::arguments, error::source_error};
use crate::{
    source::{SourceError, SourceErrorKind},
    sql::Bind,
};

/// Values of one `INSERT`. SQLite allows 32,766; past a few hundred nothing is gained.
const VALUES_PER_INSERT: usize = 1_000;

/// A connection that writes.
pub struct Writer {
    connection: SqliteConnection,
}

impl Writer {
    /// Opens a database file; creates it, and the folder it lies in, if need be.
    pub async fn open(path: &Path) -> Result<Self, SourceError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                let message = format!("cannot create the folder `{}`: {error}", folder.display());
                SourceError::new(SourceErrorKind::Unavailable, message)
            })?;
        }
        // A load that dies halfway is repeated, so waiting for the disk at every commit would buy nothing.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Off);
        let connection = SqliteConnection::connect_with(&options).await.map_err(|error| source_error(&error))?;
        Ok(Self { connection })
    }

    /// Runs statements separated by semicolons.
    pub async fn execute_script(&mut self, sql: &str) -> Result<(), SourceError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.connection.execute(script).await.map_err(|error| source_error(&error))?;
        Ok(())
    }

    /// Inserts rows, one value per column, and says how many. Moments are stored in the canonical text, lists as
    /// JSON. All rows are stored or none.
    pub async fn copy_in<R>(&mut self, table: &str, columns: &[&str], rows: R) -> Result<u64, SourceError>
    where
        R: IntoIterator<Item = Vec<Bind>>,
    {
        let fail = |error: sqlx::Error| source_error(&error);
        let mut transaction = self.connection.begin().await.map_err(fail)?;
        let names: Vec<String> = columns.iter().copied().map(super::quote).collect();
        let head = format!("INSERT INTO {} ({}) VALUES ", super::quote(table), names.join(", "));
        let marks = format!("({})", vec!["?"; columns.len()].join(", "));
        let rows_per_insert = (VALUES_PER_INSERT / columns.len().max(1)).max(1);
        let full = format!("{head}{}", vec![marks.as_str(); rows_per_insert].join(", "));
        let (mut values, mut waiting, mut stored) = (Vec::new(), 0_usize, 0_u64);
        for row in rows {
            if row.len() != columns.len() {
                let message = format!("a row for `{table}` has {} values for {} columns", row.len(), columns.len());
                return Err(SourceError::new(SourceErrorKind::Invalid, message));
            }
            values.extend(row);
            waiting += 1;
            if waiting == rows_per_insert {
                let insert = sqlx::query_with(AssertSqlSafe(full.as_str()), arguments(&values));
                stored += insert.execute(&mut *transaction).await.map_err(fail)?.rows_affected();
                values.clear();
                waiting = 0;
            }
        }
        if waiting > 0 {
            let rest = format!("{head}{}", vec![marks.as_str(); waiting].join(", "));
            let insert = sqlx::query_with(AssertSqlSafe(rest), arguments(&values)).persistent(false);
            stored += insert.execute(&mut *transaction).await.map_err(fail)?.rows_affected();
        }
        transaction.commit().await.map_err(fail)?;
        Ok(stored)
    }

    /// Ends the connection; the file is complete afterwards.
    pub async fn close(self) -> Result<(), SourceError> {
        self.connection.close().await.map_err(|error| source_error(&error))
    }
}
