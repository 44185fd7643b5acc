//! How PostgreSQL is connected to: the URL, and what a session is started with.
//!
//! The limits of a session travel in the startup message, so that they cost no round trip, and so that
//! `RESET ALL` (part of `DISCARD ALL`) returns to them instead of losing them. Whether they have arrived is asked
//! of each session, see [`super::session`].

use std::{str::FromStr as _, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use super::signature::GuardKey;
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
/// The same as PostgreSQL writes it.
pub(super) const DEFAULT_TIMEOUT_SHOWN: &str = "15s";

/// How sessions are opened.
#[derive(Clone)]
pub(super) struct Opening {
    plain: PgConnectOptions,
    /// The key of the guard in the database, where there is one.
    pub guard: Option<GuardKey>,
}

impl Opening {
    pub fn new(options: PgConnectOptions, guard: Option<GuardKey>) -> Self {
        Self { plain: options.disable_statement_logging().statement_cache_capacity(256), guard }
    }

    /// For sessions that only read, and that can be told by `mark` as started by us.
    pub fn started_as(&self, mark: &str) -> PgConnectOptions {
        self.plain.clone().options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", &DEFAULT_TIMEOUT.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", "60000"),
            // The guard reads text as standard strings; intervals that become text shall look the same everywhere.
            ("standard_conforming_strings", "on"),
            ("IntervalStyle", "iso_8601"),
            (MARK, mark),
        ])
    }

    /// For what stands in front of a server and takes no parameters at the start.
    pub fn bare(&self) -> PgConnectOptions {
        self.plain.clone().extra_float_digits(None)
    }
}

/// The setting that tells a session which we started from one that a pooler lends us.
pub(super) const MARK: &str = "tfo.session";

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
