//! How a session of PostgreSQL is opened, and what it may do.
//!
//! The limits of a session travel in the startup message, so that they cost no round trip, and so that
//! `RESET ALL` (part of `DISCARD ALL`) returns to them instead of losing them.

use std::{
    str::FromStr as _,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, Row as _, postgres::PgConnectOptions};

use crate::source::{SourceError, SourceErrorKind};

/// Reads a URL. What is wrong with it is said without repeating it, since it holds the password.
pub(super) fn parse(url: &SecretString) -> Result<PgConnectOptions, SourceError> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
        SourceError::new(SourceErrorKind::Unavailable, "`database.postgres_url` is not a URL of a PostgreSQL database")
            .hint("write it as `postgres://user:password@host:5432/database?sslmode=require`")
    })?;
    Ok(options.application_name("tfo-mcp"))
}

/// The statement timeout that a fresh session has.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// The same options for sessions that only read.
pub(super) fn read_only(options: PgConnectOptions) -> PgConnectOptions {
    options.disable_statement_logging().statement_cache_capacity(256).options([
        ("default_transaction_read_only", "on".to_owned()),
        ("statement_timeout", DEFAULT_TIMEOUT.as_millis().to_string()),
        ("idle_in_transaction_session_timeout", "60000".to_owned()),
        // The guard and the driver read text as standard strings and ISO dates.
        ("standard_conforming_strings", "on".to_owned()),
        ("IntervalStyle", "iso_8601".to_owned()),
    ])
}

/// One session of the server.
pub(super) struct Session {
    pub connection: PgConnection,
    /// The server's process, to cancel its statement.
    pub process: i32,
    /// The session's `statement_timeout`.
    pub timeout: Duration,
    /// Whether it has not run a statement yet: an error of a fresh session is not cured by another one.
    pub fresh: bool,
    pub idle_since: Instant,
}

impl Session {
    pub async fn open(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = options.connect().await?;
        let row = connection.fetch_one("SELECT pg_catalog.pg_backend_pid()").await?;
        let process: i32 = row.try_get(0)?;
        Ok(Self { connection, process, timeout: DEFAULT_TIMEOUT, fresh: true, idle_since: Instant::now() })
    }

    /// Makes the server itself end statements a little after `limit`, should this process not be there to do
    /// it. The limit is rounded up to a step, so that a session nearly always has the right one already.
    pub async fn bound(&mut self, limit: Duration) -> Result<(), sqlx::Error> {
        let step = step(limit);
        if step != self.timeout {
            let sql = format!("SET statement_timeout = {}", step.as_millis());
            self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            self.timeout = step;
        }
        Ok(())
    }
}

/// The server's limit for a caller's: the next step that leaves the caller's own deadline time to act first.
pub(super) fn step(limit: Duration) -> Duration {
    const STEPS: [u64; 9] = [5, 15, 30, 60, 120, 300, 900, 3_600, 86_400];
    let wanted = limit + Duration::from_millis(500);
    let seconds = STEPS.into_iter().find(|step| Duration::from_secs(*step) >= wanted).unwrap_or(86_400);
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_waits_a_little_longer_than_the_caller() {
        assert_eq!(step(Duration::from_millis(100)), Duration::from_secs(5));
        assert_eq!(step(Duration::from_secs(5)), Duration::from_secs(15));
        assert_eq!(step(Duration::from_secs(10)), Duration::from_secs(15));
        assert_eq!(step(Duration::from_secs(1_000_000)), Duration::from_secs(86_400));
    }

    #[test]
    fn a_broken_url_is_not_repeated() {
        let url = SecretString::from("postgres://user:hunter2@host:notaport/db".to_owned());
        let error = parse(&url).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
